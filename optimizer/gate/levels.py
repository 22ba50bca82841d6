"""Which level a candidate is tested at: among others on one locked set, and over the life of the loop."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spanloop.optimizer.gate.verdict import Decision
from spanloop.optimizer.statistics.online import e_lond_level


@dataclass(frozen=True, slots=True)
class OnlineLevels:
    """The online rule's state: all of it is in the ledger of looks, one experiment after the other.

    ``alpha`` bounds the expected false share of all ships ever made (e-LOND). A value: `after`
    returns the next.

    Attributes:
        tests: experiments that were given a level so far.
        ships: of them, shipped by the gate.
    """

    alpha: float = 0.10
    tests: int = 0
    ships: int = 0

    def next_level(self, *, candidates: int = 1) -> float:
        """Return the level of the next experiment.

        Args:
            candidates: that are tested on the same locked set at once and share the level.
        """
        return level_on_one_set(
            e_lond_level(self.tests + 1, self.ships, alpha=self.alpha), candidates
        )

    def after(self, decision: Decision, e_value: float | None) -> "OnlineLevels":
        """Return the state after an experiment.

        Args:
            decision: what the gate said at the end.
            e_value: of the claim then.

        Raises:
            ValueError: if it was shipped below the level that it was given.
        """
        shipped = decision == "ship"
        if shipped and (e_value is None or e_value * self.next_level() < 1.0 - 1e-9):
            raise ValueError(
                f"Experiment {self.tests + 1} was shipped with e-value {e_value!r} at level"
                f" {self.next_level():g}: that is not what the rule allotted."
            )
        return OnlineLevels(self.alpha, self.tests + 1, self.ships + shipped)


def level_on_one_set(level: float, candidates: int) -> float:
    """Return the level of each of several candidates on one locked set with shared baseline runs.

    Any of them shipping without being better then has probability ``level`` at most, however they
    depend on each other (Bonferroni; for e-values nothing is lost against Holm before the first
    ship).
    """
    if candidates < 1:
        raise ValueError(f"At least one candidate is tested, not {candidates}.")
    return level / candidates


def e_bh(e_values: ArrayLike, *, alpha: float) -> NDArray[np.bool_]:
    """Return which of several claims to make, so that the expected false share is ``alpha`` at most.

    The k largest, k the greatest with ``e_(k) >= m / (alpha k)`` (Wang and Ramdas, JRSS B 84 (2022)
    822); any dependence.

    Args:
        e_values: (m,) of final e-values.
        alpha: bound on the false share.
    """
    e = np.asarray(e_values, dtype=np.float64)
    order = np.argsort(-e, kind="stable")
    enough = e[order] >= e.size / (alpha * np.arange(1, e.size + 1))
    claimed = np.zeros(e.size, bool)
    if enough.any():
        claimed[order[: int(np.flatnonzero(enough)[-1]) + 1]] = True
    return claimed
