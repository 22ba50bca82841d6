"""From a sample to the patterns to keep: by outcomes where people or systems gave enough, else by score.

Pure: the sample was read, and randomness comes in.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from spanloop.optimizer.patterns.contrast import Contrast, contrast, design, draw
from spanloop.optimizer.patterns.mining import (
    CHOICE_EVIDENCE,
    Basis,
    Finding,
    chance_to_miss,
    enough,
    finding_of,
    select,
)
from spanloop.optimizer.patterns.predicates import Predicate, Term
from spanloop.optimizer.patterns.sample import Sample, codes, strata_of
from spanloop.optimizer.patterns.suspects import sureness, suspected
from spanloop.optimizer.patterns.vocabulary import apply, build_vocabulary
from spanloop.optimizer.statistics.intervals import wilson

ALWAYS_AT_LEAST = 8
ALWAYS_ABOVE = 0.7
"""A kind of request always fails if that many judged runs, and all of them, do, so that the interval of its
share of failures lies above this."""
ALWAYS_AT_MOST = 6
"""Kinds of request that are shown for it, the most frequent ones: where outcomes follow from the request
alone, every failing kind is one, and they would leave no room for what their failures have in common."""
_SCORE_DRAWS = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a mining found.

    Attributes:
        findings: patterns to keep, the most harmful first.
        stored: what it says of the patterns that were stored before, in their order.
        basis: what contrasts rest on.
        looked_at: predicates that were contrasted.
        outcomes: judged rows that the contrast used.
    """

    findings: Sequence[Finding]
    stored: Sequence[Finding]
    basis: Basis
    looked_at: int
    outcomes: int


def choose(
    sample: Sample,
    stored: Sequence[Predicate],
    *,
    rng: np.random.Generator,
    given: Mapping[str, str] | None = None,
) -> Choice:
    """Return the patterns that ``sample`` shows.

    Args:
        sample: rows of one mining.
        stored: predicates of the patterns so far; they are contrasted with the rest.
        rng: of the tests.
        given: stratum by trajectory id, where the agent's owner knows it.
    """
    judged = sample.rows(_usable(sample))
    contrasted: Callable[[Sequence[Predicate]], NDArray[np.bool_]] | None = None
    if enough(judged.dissatisfied):
        choice, strata = _by_outcome(judged, stored, rng, given)
        contrasted = partial(_contrasted, judged=judged, strata=strata)
    else:
        choice = _by_score(sample, stored, rng)
    shown = [finding.predicate for finding in choice.findings]
    return replace(choice, findings=[*choice.findings, *suspected(sample, shown, contrasted)])


def _contrasted(
    predicates: Sequence[Predicate], *, judged: Sample, strata: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return of which ``predicates`` the outcomes in ``judged`` tell enough to choose by them."""
    matrix = apply(predicates, judged.facts)
    return design(matrix, strata, judged.agent_codes).evidence >= CHOICE_EVIDENCE


def _usable(sample: Sample) -> NDArray[np.bool_]:
    """Rows whose judgement counts: of a random sample where that is enough, else any."""
    sampled = sample.judged & sample.sampled
    return sampled if enough(sample.dissatisfied[sampled]) else sample.judged


def _by_outcome(
    judged: Sample,
    stored: Sequence[Predicate],
    rng: np.random.Generator,
    given: Mapping[str, str] | None,
) -> tuple[Choice, NDArray[np.int64]]:
    """Return the choice, and the (n,) strata that were held fixed for it."""
    vocabulary = build_vocabulary(judged.facts)
    n = len(vocabulary.predicates)
    matrix = np.hstack([vocabulary.matrix, apply(stored, judged.facts)])
    result, strata = _contrast(judged, matrix, rng, given)
    mined = _columns(result, n)
    findings = select(vocabulary.predicates, vocabulary.matrix, mined)
    miss = chance_to_miss(mined, len(findings))
    choice = Choice(
        findings=[*findings, *_always_failing(judged)],
        stored=[finding_of(p, n + i, result, "labels", miss=miss) for i, p in enumerate(stored)],
        basis="labels",
        looked_at=matrix.shape[1],
        outcomes=len(judged.facts),
    )
    return choice, strata


def _contrast(
    judged: Sample,
    matrix: NDArray[np.bool_],
    rng: np.random.Generator,
    given: Mapping[str, str] | None,
) -> tuple[Contrast, NDArray[np.int64]]:
    """Return the contrast within requests; where they hardly repeat, within kinds of request; and those.

    Within a kind difficulty still differs, so that nothing is claimed then.
    """
    requests = strata_of(judged, given)
    held_fixed = design(matrix, requests, judged.agent_codes)
    if np.any(held_fixed.evidence >= CHOICE_EVIDENCE):
        return contrast(held_fixed, judged.dissatisfied, draw(held_fixed, rng)), requests
    kinds = codes([facts.stratum for facts in judged.facts])
    coarse = design(matrix, kinds, judged.agent_codes)
    result = contrast(coarse, judged.dissatisfied, draw(coarse, rng, _SCORE_DRAWS))
    unknown = np.full(matrix.shape[1], np.nan)
    return result._replace(p_value=unknown, adjusted=unknown), kinds


def _by_score(sample: Sample, stored: Sequence[Predicate], rng: np.random.Generator) -> Choice:
    """Return symptoms by prevalence, weight and how they go with the score; no lift."""
    scored = sample.rows(~np.isnan(sample.probability))
    if not scored.facts:
        return Choice(findings=[], stored=[], basis="score association", looked_at=0, outcomes=0)
    vocabulary = build_vocabulary(scored.facts)
    faults = [i for i, p in enumerate(vocabulary.predicates) if _is_fault(p)]
    predicates = [*(vocabulary.predicates[i] for i in faults), *stored]
    matrix = np.hstack([vocabulary.matrix[:, faults], apply(stored, scored.facts)])
    kinds = codes([facts.stratum for facts in scored.facts])
    held_fixed = design(matrix, kinds, scored.agent_codes)
    result = contrast(held_fixed, 1.0 - scored.probability, draw(held_fixed, rng, _SCORE_DRAWS))
    weight = np.array([sureness(predicate, scored.weights) for predicate in predicates])
    harm = matrix.mean(axis=0) * weight * np.maximum(np.nan_to_num(result.rank), 0.0)
    # Order by harm; whether it is a pattern at all is still asked of the association.
    ranked = result._replace(
        rank=np.where(np.nan_to_num(result.rank) > 0, 1.0 + harm, np.nan),
        adjusted=np.ones(len(predicates)),
    )
    n = len(faults)
    return Choice(
        findings=select(
            predicates[:n], matrix[:, :n], _columns(ranked, n), basis="score association"
        ),
        stored=[finding_of(p, n + i, result, "score association") for i, p in enumerate(stored)],
        basis="score association",
        looked_at=matrix.shape[1],
        outcomes=0,
    )


def _is_fault(predicate: Predicate) -> bool:
    # Without outcomes only what a rule calls a fault can be one; a pair may narrow it down.
    return any(term.of_symptom or term.kind == "tool_error" for term in predicate.terms)


def _always_failing(judged: Sample) -> list[Finding]:
    """Return the kinds of request that fail whoever answers: a capability or context is missing."""
    outcomes: dict[str, list[float]] = defaultdict(list)
    for facts, bad in zip(judged.facts, judged.dissatisfied, strict=True):
        if facts.stratum:
            outcomes[facts.stratum].append(float(bad))
    found: list[tuple[int, str]] = []
    for stratum, values in outcomes.items():
        low = wilson(sum(values), len(values)).low or 0.0
        if len(values) >= ALWAYS_AT_LEAST and min(values) >= 0.5 and low >= ALWAYS_ABOVE:
            found.append((len(values), stratum))
    return [
        Finding(
            predicate=Predicate.of(Term("stratum", stratum)),
            column=-1,
            lift=None,
            low=None,
            high=None,
            p_value=None,
            adjusted=None,
            marginal=None,
            rank=0.0,
            basis="labels",
            always_fails=True,
        )
        for _, stratum in sorted(found, reverse=True)[:ALWAYS_AT_MOST]
    ]


def _columns(result: Contrast, n: int) -> Contrast:
    return Contrast(*(values[:n] for values in result))
