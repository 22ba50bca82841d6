"""Ids that stay with a pattern when it is mined again, a little differently.

A new predicate is the stored pattern whose terms and members it shares most, if it shares enough; one
to one, the closest first. What is not matched is a new pattern, and a stored pattern that was not mined
again keeps its predicate and goes on.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from spanloop.optimizer.patterns.mining import overlap
from spanloop.optimizer.patterns.predicates import Predicate, to_json

SAME_PATTERN = 0.5
"""Similarity from which a mined predicate is the stored pattern. Half are terms, half are members: the
same terms at another threshold reach it with few common members, other terms with nearly all."""


def term_similarity(first: Predicate, second: Predicate) -> float:
    """Return the share of questions in common, thresholds left aside, 0 to 1.

    To ask for a symptom, and for it where it is sure to be a fault, is half the same.
    """
    a = {term.about for term in first.terms}
    b = {term.about for term in second.terms}
    if not a | b:
        return 0.0
    half = _symptoms(first, without=b) & _symptoms(second, without=a)
    return (len(a & b) + 0.5 * len(half)) / (len(a | b) - len(half))


def _symptoms(
    predicate: Predicate, *, without: Collection[tuple[str, str, str]]
) -> set[tuple[str, str]]:
    """Return symptom and detail of the terms that ask for one, ``without`` some questions."""
    return {
        (term.subject, term.other)
        for term in predicate.terms
        if term.of_symptom and term.about not in without
    }


def match(
    mined: Sequence[Predicate],
    mined_rows: NDArray[np.bool_],
    stored: Mapping[str, Predicate],
    stored_rows: NDArray[np.bool_],
) -> list[str | None]:
    """Return the id of the stored pattern that each of ``mined`` continues, or None.

    Args:
        mined: new predicates.
        mined_rows: (n, len(mined)) where they hold, on some sample.
        stored: predicates by pattern id.
        stored_rows: (n, len(stored)) where those hold on the same sample, in the order of ``stored``.
    """
    ids = list(stored)
    scored: list[tuple[float, int, int]] = []
    for i, predicate in enumerate(mined):
        for j, pattern_id in enumerate(ids):
            terms = term_similarity(predicate, stored[pattern_id])
            members = overlap(mined_rows[:, i], stored_rows[:, j])
            similarity = 1.0 if predicate == stored[pattern_id] else (terms + members) / 2
            if similarity >= SAME_PATTERN:
                scored.append((-similarity, i, j))
    result: list[str | None] = [None] * len(mined)
    taken: set[int] = set()
    for _, i, j in sorted(scored):
        if result[i] is None and j not in taken:
            result[i] = ids[j]
            taken.add(j)
    return result


def new_id(predicate: Predicate, used: Sequence[str], project: str = "") -> str:
    """Return an id for a pattern seen for the first time: a hash of predicate and project, made unique."""
    text = f"{project}\n{to_json(predicate)}" if project else to_json(predicate)
    for attempt in range(1_000):
        candidate = hashlib.sha256(f"{text}\n{attempt}".encode()).hexdigest()[:16]
        if candidate not in used:
            return candidate
    raise AssertionError("a thousand patterns cannot share a predicate")
