"""What every stage of an analysis works with: the store, the clock it was given, its bounds."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from clickhouse_connect.driver.client import Client

from spanloop.exporter.render import Renderer
from spanloop.optimizer.statements import statement

COMPARABLE_COMPLETENESS = 0.6
"""Trajectories less complete than this are reported, and kept out of comparisons."""

ALL_TIME_MS = 2**62
"""Unix milliseconds after everything."""


class Progress(Protocol):
    """Where a stage says how far it is."""

    def stage(self, name: str, total: int | None = None) -> None:
        """Begin ``name`` with ``total`` units of work, None if unknown."""
        ...

    def advance(self, n: int = 1) -> None:
        """``n`` more units are done."""
        ...


class NoProgress:
    """Says nothing."""

    def stage(self, name: str, total: int | None = None) -> None:
        """Ignore it."""

    def advance(self, n: int = 1) -> None:
        """Ignore it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one analysis.

    Attributes:
        trajectories_a_chunk: trajectories that one statement works on at a time.
        query_memory_bytes: memory of one statement in the engine.
        threads: threads of one statement.
        idle_s: seconds without a span after which a trajectory counts as closed.
        overlap_s: seconds before the cursor that are read again, for inserts that were under way.
    """

    trajectories_a_chunk: int = 50_000
    query_memory_bytes: int = 2_000_000_000
    threads: int = 2
    idle_s: int = 1_800
    overlap_s: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One analysis.

    Attributes:
        client: of the store; may write.
        renderer: names of tables.
        now_ms: milliseconds since 1970: the version of every row that this analysis writes.
        seed: of every random choice.
        progress: where progress is shown.
        limits: bounds.
    """

    client: Client
    renderer: Renderer
    now_ms: int
    seed: int = 1
    progress: Progress = field(default_factory=NoProgress)
    limits: Limits = Limits()

    def rows(
        self, path: str, parameters: Mapping[str, Any] | None = None
    ) -> Sequence[Sequence[Any]]:
        """Run the SELECT in ``path`` (``<stage>/<name>``) and return its rows."""
        result = self.client.query(
            statement(self.renderer, path),
            parameters=dict(parameters or {}),
            settings=self.settings,
        )
        return result.result_rows

    def run(self, path: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run the statement in ``path``, which returns nothing."""
        self.client.command(
            statement(self.renderer, path),
            parameters=dict(parameters or {}),
            settings=self.settings,
        )

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert ``rows``, all with the same columns, in one statement: all of them or none."""
        if rows:
            self.client.insert(
                table,
                [list(row.values()) for row in rows],
                column_names=list(rows[0]),
                database=self.renderer.settings.database,
            )

    @property
    def settings(self) -> dict[str, Any]:
        """Engine settings of every statement."""
        return {
            "max_memory_usage": self.limits.query_memory_bytes,
            "max_threads": self.limits.threads,
        }


def unix_text(ms: int) -> str:
    """Return Unix milliseconds as the text of a ``DateTime64(3)`` parameter, the same in every time zone.

    >>> unix_text(1_790_000_000_123)
    '1790000000.123'
    """
    return f"{ms // 1000}.{ms % 1000:03d}"


def unix_ms() -> int:
    """Return the wall clock in Unix milliseconds."""
    return time.time_ns() // 1_000_000


def time_of(ms: int) -> datetime:
    """Return Unix milliseconds as a time.

    >>> time_of(1_790_000_000_123).isoformat()
    '2026-09-21T14:13:20.123000+00:00'
    """
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
