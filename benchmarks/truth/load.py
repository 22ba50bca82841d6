"""The recorded runs as the measures see them: an analysed store, and ground truth beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clickhouse_connect.driver.client import Client

from spanloop.optimizer.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthData:
    """One DATA_DIR after replay through the receiver and a full analysis.

    Attributes:
        context: of the analysed store, on which a measure may run statements and stages again.
        truth: rows of every ``ground_truth.jsonl``, each with ``set`` (its folder) and ``trajectory_id``.
    """

    context: Context
    truth: Sequence[Mapping[str, Any]]

    @property
    def client(self) -> Client:
        """The client of the analysed store."""
        return self.context.client
