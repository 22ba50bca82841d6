"""From predicates and outcomes to a few patterns that say different things.

Pure. Without outcomes the same work is done on how a satisfaction model scored the trajectories; then no
lift is given, since the score may rest on the very features of the predicate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from spanloop.optimizer.patterns.contrast import (
    Bools,
    Contrast,
    Floats,
)
from spanloop.optimizer.patterns.predicates import Predicate

Basis = Literal["labels", "outcome association", "score association"]
"""labels: outcomes within requests. The others carry no lift: outcome association, where outcomes exist
but hardly any request was run both with and without the predicate; score association, where none do."""

CLAIM = 0.05
"""A pattern is claimed where its adjusted p-value is at most this: the chance of any false claim."""
MIN_RANK = 0.01
"""Expected rise in dissatisfaction below which a predicate is no pattern."""
MAX_PATTERNS = 20
MAX_OVERLAP = 0.6
"""Jaccard overlap of members above which two predicates tell the same story."""
CHOICE_EVIDENCE = 8.0
"""Evidence (see `spanloop.optimizer.patterns.contrast.MIN_EVIDENCE`) below which a predicate is not
chosen: its rank would rest on the contrast across strata."""
MISS = 0.05
"""Share of the intervals that are shown which may miss what they are about."""
MIN_OUTCOMES = 20
MIN_EACH = 5
"""Outcomes, and of either kind, below which nothing is contrasted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One predicate that was chosen.

    Attributes:
        predicate: its terms.
        column: of the vocabulary.
        lift: as in `spanloop.optimizer.patterns.contrast.Contrast`; None where unknown.
        low: lower end of the interval: 95 % if claimed, else widened for the choice (`chance_to_miss`).
        high: upper end.
        p_value: of this predicate alone.
        adjusted: for all predicates; None without outcomes.
        marginal: the naive difference.
        rank: what the choice went by.
        basis: what the contrast rests on.
        always_fails: whether it is a kind of request that fails whoever answers; it has no lift.
    """

    predicate: Predicate
    column: int
    lift: float | None
    low: float | None
    high: float | None
    p_value: float | None
    adjusted: float | None
    marginal: float | None
    rank: float
    basis: Basis
    always_fails: bool = False

    @property
    def claimed(self) -> bool:
        """Whether it is said to matter, with control over all that was looked at."""
        return self.adjusted is not None and self.adjusted <= CLAIM


def enough(outcome: Floats) -> bool:
    """Whether ``outcome`` (n,) has enough of either kind for a contrast."""
    bad = float(np.sum(outcome >= 0.5))
    return outcome.size >= MIN_OUTCOMES and min(bad, outcome.size - bad) >= MIN_EACH


def select(
    predicates: Sequence[Predicate],
    matrix: Bools,
    result: Contrast,
    *,
    basis: Basis = "labels",
    limit: int = MAX_PATTERNS,
) -> list[Finding]:
    """Return the patterns to keep: claimed ones first, then by expected harm, no two alike.

    Two are alike if they ask the same at different thresholds, or hold for the same rows. Intervals of what
    is not claimed are widened for the choice, see `chance_to_miss`.

    Args:
        predicates: of the columns.
        matrix: (n, p) where they hold, of the rows that overlap is judged by.
        result: their contrast.
        basis: what it rests on; with a score, lifts are left out.
        limit: patterns at most.
    """
    claimed = result.adjusted <= CLAIM
    with np.errstate(invalid="ignore"):
        able = (result.evidence >= CHOICE_EVIDENCE) & (result.lift > 0) & (result.rank >= MIN_RANK)
    able |= claimed
    rank = np.nan_to_num(result.rank, nan=-1.0)
    order = [int(j) for j in np.lexsort((-rank, ~claimed)) if able[j]]
    questions = [{term.about for term in predicate.terms} for predicate in predicates]
    chosen: list[int] = []
    for j in order:
        if len(chosen) == limit:
            break
        if all(
            questions[j] != questions[k] and overlap(matrix[:, j], matrix[:, k]) <= MAX_OVERLAP
            for k in chosen
        ):
            chosen.append(j)
    miss = chance_to_miss(result, len(chosen))
    return [finding_of(predicates[j], j, result, basis, miss=miss) for j in chosen]


def chance_to_miss(result: Contrast, chosen: int) -> float:
    """Return the chance to miss at which each of ``chosen`` intervals may be shown.

    The largest of many differences are too large by chance, and their 95 % intervals miss far more often
    than 5 %. At a level of 1 - `MISS` R / m, with R chosen of m that could have been, the expected share of
    shown intervals that miss is at most `MISS` (the false-coverage rate: Benjamini and Yekutieli, J. Am.
    Stat. Assoc. 100 (2005) 71).
    """
    candidates = int(np.sum((result.evidence >= CHOICE_EVIDENCE) | (result.adjusted <= CLAIM)))
    return MISS * min(max(chosen, 1) / max(candidates, 1), 1.0)


def overlap(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Return the Jaccard overlap of two sets of rows; 0 where both are empty."""
    union = int(np.sum(first | second))
    return int(np.sum(first & second)) / union if union else 0.0


def finding_of(
    predicate: Predicate, j: int, result: Contrast, basis: Basis, *, miss: float = MISS
) -> Finding:
    """Return what ``result`` says of its column ``j``.

    Args:
        predicate: of the column.
        j: column.
        result: of all predicates.
        basis: what it rests on; with a score, lifts are left out.
        miss: chance that the interval may miss, unless the pattern is claimed: then it is 95 %.
    """
    from_labels = basis == "labels"
    low, high = (
        (result.low[j], result.high[j])
        if result.adjusted[j] <= CLAIM
        else _widened(result, j, miss)
    )
    return Finding(
        predicate=predicate,
        column=j,
        lift=_known(result.lift[j]) if from_labels else None,
        low=_known(low) if from_labels else None,
        high=_known(high) if from_labels else None,
        p_value=_known(result.p_value[j]) if from_labels else None,
        adjusted=_known(result.adjusted[j]) if from_labels else None,
        marginal=_known(result.marginal[j]) if from_labels else None,
        rank=0.0 if np.isnan(result.rank[j]) else float(result.rank[j]),
        basis=basis,
    )


def _widened(result: Contrast, j: int, miss: float) -> tuple[float, float]:
    lift = float(result.lift[j])
    # One end may be cut off at -1 or 1; the other then tells the half-width.
    half = float(np.maximum(lift - result.low[j], result.high[j] - lift))
    half *= float(student.ppf(1 - miss / 2, result.df[j]) / student.ppf(1 - MISS / 2, result.df[j]))
    return max(lift - half, -1.0), min(lift + half, 1.0)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
