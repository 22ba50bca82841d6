"""The numbers behind a verdict, each with how it was computed."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from spanloop.optimizer.gate.evidence import EpisodeState, Evidence, Flags, Floats
from spanloop.optimizer.gate.guardrails import Guardrail, Looks
from spanloop.optimizer.gate.increments import Audited, Differences
from spanloop.optimizer.gate.settings import GateSettings
from spanloop.optimizer.gate.verdict import Number


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What every test says; entries (..., looks) unless said otherwise.

    Attributes:
        closed: (looks,) scenarios.
        at_cap: (looks,) no further scenario fits under the cap.
        gold: audited scenarios.
        effect: point estimate, missing against the candidate.
        log_e: logarithm of the e-value against an effect of 0 or less; the same missing for the
            candidate.
        better: the first has reached 1/level by now; ``better_at_best``: the second.
        useless: an effect of ``min_effect`` or more is refuted; ``log_e_below``: its e-value's
            logarithm.
        worst: what was bet on.
        horizon: increments planned.
    """

    closed: Looks
    at_cap: Flags
    gold: Floats
    effect: Floats
    log_e: Floats
    log_e_best: Floats
    better: Flags
    better_at_best: Flags
    useless: Flags
    log_e_below: Floats
    guardrails: tuple[Guardrail, ...]
    tape: Guardrail | None
    differences: Differences
    worst: Audited
    horizon: float


def numbers_of(
    evidence: Evidence, settings: GateSettings, level: float, found: Findings
) -> tuple[Number, ...]:
    """Return the numbers at the last look."""
    return (
        *_claim(settings, level, found),
        *_assessor(found),
        *(_guardrail(g) for g in (*found.guardrails, *((found.tape,) if found.tape else ()))),
        *_states(evidence),
        *_reliability(found, evidence),
    )


def e_value(logarithm: float) -> float:
    """Return the e-value of a logarithm; what is too great for a float is the greatest power of e."""
    return math.exp(min(logarithm, 709.0))


def _claim(settings: GateSettings, level: float, found: Findings) -> Iterator[Number]:
    bets = f"betting e-process, missing against the candidate, kept where it reached 1/{level:g}"
    yield Number(
        name="level", value=level, method="given: online rule, or divided on one locked set"
    )
    yield Number(name="e-value", value=e_value(found.log_e[-1]), method=f"{bets}; effect <= 0")
    if found.differences.missing:
        yield Number(
            name="e-value, missing for the candidate",
            value=e_value(found.log_e_best[-1]),
            method="the same with the other filling",
        )
    yield Number(
        name="e-value against a useful effect",
        value=e_value(found.log_e_below[-1]),
        method=f"betting e-process, missing for the candidate; effect >= {settings.min_effect:g};"
        f" rejected from {1 / settings.alpha:g}",
    )


def _assessor(found: Findings) -> Iterator[Number]:
    of = found.differences
    yield Number(
        name="audited scenarios",
        value=float(np.asarray(found.gold)[-1]),
        method="drawn for the gold share before any outcome",
    )
    if of.all_gold:
        return
    total = of.weight.sum()
    yield Number(
        name="effect by the assessor alone",
        value=float((of.judged.worst * of.weight).sum() / total) if total > 0 else None,
        method="weighted mean of judged differences; no claim rests on it",
    )
    audit = of.is_gold
    if audit.any():
        error = (of.judged.worst - of.gold.worst)[audit]
        yield Number(
            name="assessor's error on the difference",
            value=float(error.mean()),
            method="mean of judged less gold difference over audited scenarios; above 0 it flatters"
            " the candidate",
        )


def _guardrail(of: Guardrail) -> Number:
    figure = float(of.figure[-1])
    state = "broken" if of.broken[-1] else "shown" if of.shown[-1] else "not shown"
    return Number(
        name=f"guardrail {of.name}: {state}",
        value=None if math.isnan(figure) else figure,
        method=of.method,
    )


def _states(evidence: Evidence) -> Iterator[Number]:
    for name, arm in (("baseline", evidence.baseline), ("candidate", evidence.candidate)):
        for state in (EpisodeState.OWN_FAULT, EpisodeState.LOST):
            yield Number(
                name=f"{name} runs: {state.name.lower().replace('_', ' ')}",
                value=float((arm.state == state).sum()),
                method="count",
            )


def _reliability(found: Findings, evidence: Evidence) -> Iterator[Number]:
    repeats = evidence.baseline.state.shape[-1]
    if repeats == 1:
        return
    for name, arm in (("baseline", evidence.baseline), ("candidate", evidence.candidate)):
        known = ~np.isnan(arm.outcome).any(axis=-1)
        every = np.where(known, (arm.outcome >= 0.5).all(axis=-1), False)
        yield Number(
            name=f"{name} pass^{repeats}",
            value=float(every[known].mean()) if known.any() else None,
            method=f"share of {int(known.sum())} scenarios with all {repeats} repeats judged satisfied",
        )
