"""What looks wrong and goes with dissatisfaction, where nothing more can be shown.

Where every request of a kind ends alike, nothing varies within kinds, and no contrast can tell a failure
from a hard request. Somebody who asks what fails still wants to see it: such patterns rest on what a rule
calls a fault and on the bare association, carry no lift, and say so (basis "score association").
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from spanloop.optimizer.patterns.mining import MAX_OVERLAP, MAX_PATTERNS, Finding, overlap
from spanloop.optimizer.patterns.predicates import Predicate
from spanloop.optimizer.patterns.sample import Sample
from spanloop.optimizer.patterns.vocabulary import Bools, apply, build_vocabulary

UNKNOWN_WEIGHT = 0.5
MIN_ASSOCIATION = 0.1
"""Difference in expected dissatisfaction below which a fault is not shown."""


def suspected(sample: Sample, chosen: Sequence[Predicate]) -> list[Finding]:
    """Return faults of ``sample`` to show beside the patterns in ``chosen``, the most harmful first.

    Harm is how often the fault shows, times how sure its rule is, times the association.
    """
    bad = expected_dissatisfaction(sample)
    known = sample.rows(~np.isnan(bad))
    bad = bad[~np.isnan(bad)]
    if not known.facts:
        return []
    vocabulary = build_vocabulary(known.facts)
    faults = [i for i, p in enumerate(vocabulary.predicates) if _is_one_fault(p)]
    harms = {
        i: _harm(vocabulary.matrix[:, i], bad, _weight(vocabulary.predicates[i], known.weights))
        for i in faults
    }
    taken = list(apply(chosen, known.facts).T)
    found: list[Finding] = []
    for i in sorted(faults, key=lambda i: (-harms[i], i)):
        column = vocabulary.matrix[:, i]
        if harms[i] > 0 and all(overlap(column, other) <= MAX_OVERLAP for other in taken):
            taken.append(column)
            found.append(_finding(vocabulary.predicates[i], i, harms[i]))
    return found[: max(MAX_PATTERNS - len(chosen), 0)]


def expected_dissatisfaction(sample: Sample) -> NDArray[np.float64]:
    """Return (n,) what was said of each row, else what its score expects; NaN where neither is known."""
    return np.where(sample.judged, sample.dissatisfied, 1.0 - sample.probability)


def _is_one_fault(predicate: Predicate) -> bool:
    return len(predicate.terms) == 1 and predicate.terms[0].kind in ("symptom", "tool_error")


def _harm(holds: Bools, bad: NDArray[np.float64], weight: float) -> float:
    """Return share × weight × association; 0 where there is too little of one."""
    association = (
        float(bad[holds].mean() - bad[~holds].mean()) if 0 < holds.sum() < holds.size else 0.0
    )
    return float(holds.mean()) * weight * association if association >= MIN_ASSOCIATION else 0.0


def _weight(predicate: Predicate, weights: Mapping[str, float]) -> float:
    return weights.get(predicate.terms[0].subject, UNKNOWN_WEIGHT)


def _finding(predicate: Predicate, column: int, harm: float) -> Finding:
    return Finding(
        predicate=predicate,
        column=column,
        lift=None,
        low=None,
        high=None,
        p_value=None,
        adjusted=None,
        marginal=None,
        rank=harm,
        basis="score association",
    )
