"""Experiments as the store holds them: the facts behind ``spanloop experiment show`` and its ``--json``."""

from collections.abc import Sequence
from dataclasses import dataclass

from spanloop.service.exploring import Explorer, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentExplorer(Explorer):
    """Answers about experiments; nothing that it says tells what a locked scenario holds."""

    def experiments(self, *, agent: str = "", candidate: str = "", n: int = 20) -> Sequence[Row]:
        """List experiments, newest first; '' means any."""
        return self._rows("select_experiments", agent=agent, candidate=candidate, n=n)

    def experiment(self, name: str) -> Row:
        """Return one experiment with its looks and arms.

        Raises:
            PermanentError: none, or several, are called so.
        """
        found = self._one("select_experiment", name, "experiment")
        identity = found["experiment"]
        return {
            **found,
            "looks": self._rows("select_looks", id=identity),
            "arms": self._rows("select_arms", id=identity),
        }

    def analysed_ms(self) -> int:
        """Return when the newest whole analysis had ended, Unix milliseconds; 0 = never."""
        rows = self._rows("select_analysed")
        return int(rows[0]["analysed_ms"]) if rows else 0
