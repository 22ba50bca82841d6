"""The questions that a sample of trajectories suggests: single terms, and pairs that start at a symptom.

Chosen by how often they hold, never by outcome, so that the tests on outcomes need no further correction
than for their number. Bounded: a term must hold often enough to recur and seldom enough to tell
trajectories apart, near copies are kept once, and the most frequent survive.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spanloop.optimizer.patterns.predicates import (
    COUNTS,
    Facts,
    Predicate,
    Term,
    holds,
    step_key,
    term_holds,
)

Bools = NDArray[np.bool_]

MIN_SHARE = 0.015
MAX_SHARE = 0.6
MIN_ROWS = 8
"""A predicate holds for so many rows, and for shares within these bounds; a fault for so many rows."""
MAX_TERMS = 400
MAX_PAIRS = 150
SAME = 0.95
"""Predicates whose members overlap so much (Jaccard) are one; the plainer is kept."""
_QUANTILES = (0.15, 0.3, 0.7, 0.85)
_PAIR_NARROWS = 0.8
"""A pair must leave out a fifth of what either of its terms alone selects."""


class Vocabulary(NamedTuple):
    """Predicates and where they hold.

    Attributes:
        predicates: p of them; single terms first.
        matrix: (n, p).
    """

    predicates: Sequence[Predicate]
    matrix: Bools


def build_vocabulary(sample: Sequence[Facts]) -> Vocabulary:
    """Return the predicates that ``sample`` suggests, and their matrix over it."""
    n = len(sample)
    counted: Counter[Term] = Counter()
    per_row = [set(_discrete(facts)) for facts in sample]
    for found in per_row:
        counted.update(found)
    often = [term for term, count in counted.items() if _recurs(term, count, n)]
    frequent = sorted(often, key=lambda term: (term.kind != "fault", -counted[term], term))
    discrete = frequent[: 2 * MAX_TERMS]
    rows = [np.array([term in found for found in per_row], dtype=np.bool_) for term in discrete]
    terms = [*discrete, *_offered_and_absent(sample), *_thresholds(sample)]
    for term in terms[len(discrete) :]:
        rows.append(np.array([term_holds(term, facts) for facts in sample], dtype=np.bool_))
    kept = _distinct(terms, rows, n)
    singles = [Predicate.of(terms[j]) for j in kept]
    columns = [rows[j] for j in kept]
    pairs, pair_columns = _pairs([terms[j] for j in kept], columns, n)
    matrix = np.stack([*columns, *pair_columns], axis=1) if columns else np.empty((n, 0), np.bool_)
    return Vocabulary([*singles, *pairs], matrix)


def apply(predicates: Sequence[Predicate], sample: Sequence[Facts]) -> Bools:
    """Return (n, p) whether each predicate holds for each of ``sample``."""
    if not predicates:
        return np.empty((len(sample), 0), dtype=np.bool_)
    return np.array(
        [[holds(predicate, facts) for predicate in predicates] for facts in sample], dtype=np.bool_
    ).reshape(len(sample), len(predicates))


def _discrete(facts: Facts) -> Iterator[Term]:
    """Yield the terms other than thresholds that hold for ``facts``."""
    for symptom, detail in facts.symptoms:
        yield Term("symptom", symptom)
        if detail:
            yield Term("symptom", symptom, detail)
    for symptom in facts.faults:
        yield Term("fault", symptom)
    yield from _of_steps(facts)


def _of_steps(facts: Facts) -> Iterator[Term]:
    calls = Counter(step for step in facts.steps if step.startswith("tool:"))
    for step, count in calls.items():
        name = step.removeprefix("tool:")
        for value in (1, 2, 4):
            if count >= value:
                yield Term("tool", name, value=float(value))
    for step, failed in zip(facts.steps, facts.failed, strict=True):
        if failed and step.startswith("tool:"):
            yield Term("tool_error", "")
            yield Term("tool_error", step.removeprefix("tool:"))
    for before, after in zip(facts.steps, facts.steps[1:], strict=False):
        yield Term("then", before, after)
    if facts.steps:
        yield Term("last", facts.steps[-1])


def _offered_and_absent(sample: Sequence[Facts]) -> list[Term]:
    """Return terms for tools that most of those who are offered them call."""
    offered: Counter[str] = Counter()
    called: Counter[str] = Counter()
    for facts in sample:
        offered.update(facts.offered)
        called.update(name for name in facts.offered if step_key("tool", name) in facts.steps)
    low, high = _bounds(len(sample))
    return [
        Term("absent", name)
        for name, count in sorted(offered.items())
        if low <= count - called[name] <= high
    ]


def _thresholds(sample: Sequence[Facts]) -> Iterable[Term]:
    for name in COUNTS:
        yield from _quantile_terms("count", name, [f.counts.get(name, np.nan) for f in sample])
    names = sorted({name for facts in sample for name in facts.numbers})
    for name in names:
        yield from _quantile_terms("number", name, [f.numbers.get(name, np.nan) for f in sample])


def _quantile_terms(kind: str, name: str, values: Sequence[float]) -> Iterator[Term]:
    known = np.array(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if known.size < MIN_ROWS:
        return
    for quantile in _QUANTILES:
        value = float(np.quantile(known, quantile, method="nearest"))
        yield Term(
            "count" if kind == "count" else "number",
            name,
            bound=">=" if quantile > 0.5 else "<=",
            value=value,
        )


def _distinct(terms: Sequence[Term], rows: Sequence[Bools], n: int) -> list[int]:
    """Return indexes of what holds neither too rarely nor too often and is no near copy."""
    kept: list[int] = []
    sizes: list[int] = []
    plain = sorted(range(len(terms)), key=lambda j: (_plainness(terms[j]), j))
    stacked = np.zeros((0, n), dtype=np.float32)
    for j in plain:
        size = int(rows[j].sum())
        if not _recurs(terms[j], size, n):
            continue
        both = stacked @ rows[j].astype(np.float32)
        if np.any(both >= SAME * (np.array(sizes, dtype=np.float64) + size - both)):
            continue
        kept.append(j)
        sizes.append(size)
        stacked = np.vstack([stacked, rows[j].astype(np.float32)])
        if len(kept) == MAX_TERMS:
            break
    return sorted(kept)


_PLAINNESS: Mapping[str, int] = {
    "symptom": 0,
    "fault": 1,
    "number": 2,
    "tool_error": 3,
    "tool": 4,
    "last": 5,
    "then": 6,
    "absent": 7,
    "count": 8,
    "stratum": 9,
}


def _plainness(term: Term) -> tuple[int, bool, float]:
    detailed = term.kind == "symptom" and term.other
    return (_PLAINNESS["fault" if detailed else term.kind], bool(term.other), abs(term.value))


def _pairs(
    terms: Sequence[Term], columns: Sequence[Bools], n: int
) -> tuple[list[Predicate], list[Bools]]:
    """Return conjunctions of a symptom and another term, the most frequent first."""
    low, _ = _bounds(n)
    found: list[tuple[int, Predicate, Bools]] = []
    for i, first in enumerate(terms):
        if first.kind != "symptom" or first.other:
            continue
        for j, second in enumerate(terms):
            if second.about[:2] == first.about[:2] or (second.kind == "symptom" and j < i):
                continue
            both = columns[i] & columns[j]
            size = int(both.sum())
            smaller = min(int(columns[i].sum()), int(columns[j].sum()))
            if low <= size <= _PAIR_NARROWS * smaller:
                found.append((size, Predicate.of(first, second), both))
    found.sort(key=lambda entry: (-entry[0], entry[1]))
    return [entry[1] for entry in found[:MAX_PAIRS]], [entry[2] for entry in found[:MAX_PAIRS]]


def _recurs(term: Term, count: int, n: int) -> bool:
    """Whether ``term``, which holds for ``count`` of ``n``, is neither too rare nor too common.

    A fault is one however much else an agent does: of those it takes `MIN_ROWS`, and no share.
    """
    low, high = _bounds(n)
    return (MIN_ROWS if term.kind == "fault" else low) <= count <= high


def _bounds(n: int) -> tuple[float, float]:
    return max(MIN_ROWS, MIN_SHARE * n), MAX_SHARE * n
