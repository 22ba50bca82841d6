"""What looks wrong and goes with dissatisfaction, where nothing more can be shown.

Where a fault shows in all runs of a request or in none, no contrast can tell it from a hard request.
Somebody who asks what fails still wants to see it: such patterns rest on what a rule calls a fault and on
the bare association, carry no lift, and say so ("outcome association" where outcomes exist, else "score
association"). A fault that outcomes could contrast is not among them: its lift has been told, or there
was none.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from spanloop.optimizer.patterns.mining import MAX_OVERLAP, MAX_PATTERNS, Basis, Finding, overlap
from spanloop.optimizer.patterns.predicates import Predicate
from spanloop.optimizer.patterns.sample import Sample
from spanloop.optimizer.patterns.vocabulary import Bools, apply, build_vocabulary
from spanloop.optimizer.symptoms.catalogue import SURE

UNKNOWN_WEIGHT = 0.5
MIN_ASSOCIATION = 0.1
"""Difference in expected dissatisfaction below which a fault is not shown."""
PLACES = 5
"""For what is sure to be a fault, however many other patterns there are: a rare one is seldom judged, so
mere candidates, which many judged runs show, would leave no room for it."""


def suspected(
    sample: Sample,
    chosen: Sequence[Predicate],
    contrasted: Callable[[Sequence[Predicate]], Bools] | None = None,
) -> list[Finding]:
    """Return faults of ``sample`` to show beside the patterns in ``chosen``, the most harmful first.

    Harm is how often the fault shows, times how sure its rule is, times the association.

    Args:
        sample: rows of one mining.
        chosen: patterns that are shown already.
        contrasted: tells of which predicates outcomes said enough; None without outcomes.
    """
    bad = expected_dissatisfaction(sample)
    known = sample.rows(~np.isnan(bad))
    bad = bad[~np.isnan(bad)]
    if not known.facts:
        return []
    vocabulary = build_vocabulary(known.facts)
    faults = [i for i, p in enumerate(vocabulary.predicates) if _is_one_fault(p)]
    harms = {
        i: _harm(vocabulary.matrix[:, i], bad, sureness(vocabulary.predicates[i], known.weights))
        for i in faults
    }
    if contrasted is not None and faults:
        settled = contrasted([vocabulary.predicates[i] for i in faults])
        faults = [i for i, told in zip(faults, settled, strict=True) if not told]
    basis: Basis = "score association" if contrasted is None else "outcome association"
    taken = list(apply(chosen, known.facts).T)
    free = max(MAX_PATTERNS - len(chosen), 0)
    kept_for_sure = PLACES
    found: list[Finding] = []
    for i in sorted(faults, key=lambda i: (-harms[i], i)):
        column, predicate = vocabulary.matrix[:, i], vocabulary.predicates[i]
        is_sure = sureness(predicate, known.weights) >= SURE
        has_place = free > 0 or (is_sure and kept_for_sure > 0)
        if (
            has_place
            and harms[i] > 0
            and all(overlap(column, other) <= MAX_OVERLAP for other in taken)
        ):
            taken.append(column)
            found.append(_finding(predicate, i, harms[i], basis))
            if is_sure and kept_for_sure:
                kept_for_sure -= 1
            else:
                free -= 1
    return found


def expected_dissatisfaction(sample: Sample) -> NDArray[np.float64]:
    """Return (n,) what was said of each row, else what its score expects; NaN where neither is known."""
    return np.where(sample.judged, sample.dissatisfied, 1.0 - sample.probability)


def _is_one_fault(predicate: Predicate) -> bool:
    (first, *others) = predicate.terms
    return not others and (first.of_symptom or first.kind == "tool_error")


def _harm(holds: Bools, bad: NDArray[np.float64], weight: float) -> float:
    """Return share × weight × association; 0 where there is too little of one."""
    association = (
        float(bad[holds].mean() - bad[~holds].mean()) if 0 < holds.sum() < holds.size else 0.0
    )
    return float(holds.mean()) * weight * association if association >= MIN_ASSOCIATION else 0.0


def sureness(predicate: Predicate, weights: Mapping[str, float]) -> float:
    """Return how sure it is that ``predicate`` tells of a fault, 0 to 1: as the surest of its symptoms is.

    Args:
        predicate: any.
        weights: of symptoms; see `Sample`.
    """
    named = [
        max(weights.get(term.subject, UNKNOWN_WEIGHT), SURE if term.kind == "fault" else 0.0)
        for term in predicate.terms
        if term.of_symptom
    ]
    return max(named, default=UNKNOWN_WEIGHT)


def _finding(predicate: Predicate, column: int, harm: float, basis: Basis) -> Finding:
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
        basis=basis,
    )
