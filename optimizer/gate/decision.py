"""The verdict: conditions on anytime-valid tests, in one order, at every look.

`decide` answers for what is closed now; `run_sequential` goes through the looks of a whole
experiment; `run_batch` does the same for many experiments at once. All three apply `_codes` to
`_findings`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spanloop.optimizer.gate.evidence import Evidence, Flags, Floats
from spanloop.optimizer.gate.guardrails import Looks, guardrails, tape
from spanloop.optimizer.gate.increments import (
    Audited,
    audited,
    differences,
    first,
    shifted,
)
from spanloop.optimizer.gate.reporting import Findings, e_value, numbers_of
from spanloop.optimizer.gate.settings import GateSettings
from spanloop.optimizer.gate.verdict import Decision, Number, Verdict
from spanloop.optimizer.statistics.betting import (
    first_reached,
    log_wealth,
    mean_bounds,
    running_spread,
)

OUTCOMES: tuple[tuple[Decision, str], ...] = (
    ("continue", ""),
    ("ship", ""),
    ("reject", ""),
    ("reject", "guardrail"),
    ("unsupported", "off-tape"),
    ("inconclusive", "assessor unaudited"),
    ("unsupported", "missing"),
    ("inconclusive", "guardrail"),
    ("inconclusive", "budget"),
)
"""Decision and reason by code; see `_codes`."""

_CONTINUE, _SHIP, _USELESS, _HARM, _OFF_TAPE, _UNAUDITED, _MISSING, _UNGUARDED, _BUDGET = range(9)


class Look(NamedTuple):
    """One look: scenarios closed, e-value of the claim, decision."""

    closed: int
    e_value: float
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOutcome:
    """How many experiments ended; every entry (experiments,).

    Attributes:
        code: index into `OUTCOMES`.
        closed: scenarios when it ended.
        effect: point estimate then.
        log_e: logarithm of the e-value then.
    """

    code: NDArray[np.int64]
    closed: NDArray[np.int64]
    effect: Floats
    log_e: Floats

    @property
    def shipped(self) -> Flags:
        """Which ended with a ship."""
        return np.asarray(self.code == _SHIP)


def decide(evidence: Evidence, settings: GateSettings, level: float) -> Verdict:
    """Return the verdict on all scenarios that are closed, looking now.

    Args:
        evidence: closed scenarios in frozen order; at every look the earlier ones again and the new
            ones.
        settings: frozen with the plan.
        level: of the claim "better"; from the online rule, or divided among candidates on one
            locked set.

    Raises:
        ValueError: if a scenario occurs twice, or nothing is closed.
    """
    _check(evidence, level)
    looks = np.array([len(evidence.scenario_ids)])
    found = _findings(evidence, settings, np.asarray(level), looks)
    return _verdict(evidence, settings, level, found)


def run_sequential(
    evidence: Evidence, settings: GateSettings, level: float
) -> tuple[Verdict, Sequence[Look]]:
    """Return the verdict of a whole stored experiment, looked at in order, and the looks up to it.

    The last look is at the cap or at the last scenario, whichever comes first; without a decision
    there the verdict is ``continue``.
    """
    _check(evidence, level)
    evidence = replace(evidence, heaviest=evidence.heaviest or float(evidence.weight.max()))
    looks = _looks(evidence, settings)
    found = _findings(evidence, settings, np.asarray(level), looks)
    codes = _codes(found, settings)
    ended = np.flatnonzero(codes != _CONTINUE)
    last = int(ended[0]) if ended.size else looks.size - 1
    taken = [
        Look(int(looks[i]), e_value(found.log_e[i]), OUTCOMES[codes[i]][0]) for i in range(last + 1)
    ]
    return decide(first(evidence, int(looks[last])), settings, level), taken


def run_batch(evidence: Evidence, settings: GateSettings, level: ArrayLike) -> BatchOutcome:
    """Return how each of many experiments of one size ends, looked at in order.

    Args:
        evidence: every array with a leading axis, the experiment; ids, strata, shares are shared.
        settings: of all.
        level: of the claim, one or one for each experiment.
    """
    looks = _looks(evidence, settings)
    found = _findings(evidence, settings, np.asarray(level, dtype=np.float64), looks)
    codes = _codes(found, settings)
    over = codes != _CONTINUE
    last = np.where(over.any(axis=-1), over.argmax(axis=-1), looks.size - 1)[..., np.newaxis]

    def at_end(values: NDArray[np.generic]) -> NDArray[np.generic]:
        whole = np.broadcast_to(values, codes.shape)
        return np.take_along_axis(whole, last, axis=-1)[..., 0]

    return BatchOutcome(
        code=at_end(codes).astype(np.int64),
        closed=looks[last[..., 0]],
        effect=at_end(found.effect).astype(np.float64),
        log_e=at_end(found.log_e).astype(np.float64),
    )


def _findings(evidence: Evidence, settings: GateSettings, level: Floats, looks: Looks) -> Findings:
    """Return what every test says at every look."""
    of = differences(evidence)
    repeats = evidence.baseline.state.shape[-1]
    planned = settings.cap / repeats
    horizon = planned * settings.gold_share  # never from what is closed: stakes must not change
    worst = audited(of, filling="worst")
    best = audited(of, filling="best") if of.missing else worst
    spread = running_spread(worst.of.gain, worst.of.used, worst.of.size)
    log_e = log_e_best = _claim(worst, level, (horizon, spread))
    if of.missing:
        spread = running_spread(best.of.gain, best.of.used, best.of.size)
        log_e_best = _claim(best, level, (horizon, spread))
    below = log_wealth(
        shifted(best, settings.min_effect, sign=-1.0),
        level=settings.alpha,
        horizon=horizon,
        spread=spread,
    )
    need = -np.log(level)[..., np.newaxis]
    return Findings(
        closed=looks,
        at_cap=looks * repeats + repeats > settings.cap,
        gold=np.cumsum(of.is_gold, axis=-1, dtype=np.float64)[..., looks - 1],
        effect=_effect(worst, looks),
        log_e=log_e[..., looks - 1],
        log_e_best=log_e_best[..., looks - 1],
        better=log_e[..., looks - 1] >= need,
        better_at_best=log_e_best[..., looks - 1] >= need,
        useless=np.maximum.accumulate(below, axis=-1)[..., looks - 1] >= -math.log(settings.alpha),
        log_e_below=below[..., looks - 1],
        guardrails=tuple(guardrails(evidence, of, settings, looks)) if settings.guardrails else (),
        tape=tape(evidence, of.weight, settings, looks) if evidence.off_tape_possible else None,
        differences=of,
        worst=worst,
        horizon=horizon,
    )


def _claim(series: Audited, level: Floats, known: tuple[float, Floats]) -> Floats:
    """Return the log e-process of "mean <= 0", kept where it first reaches 1/level.

    Stopping to bet there is a choice from the past, so it stays an e-process; a claim once shown
    stays shown while guardrails are still waited for.
    """
    horizon, spread = known
    wealth = log_wealth(series.of, level=level, horizon=horizon, spread=spread)
    reached = first_reached(wealth, level)[..., np.newaxis]
    n = wealth.shape[-1]
    kept = np.take_along_axis(wealth, np.minimum(reached, n - 1), axis=-1)
    return np.where(np.arange(n, dtype=np.int64) >= reached, kept, wealth)


def _codes(found: Findings, settings: GateSettings) -> NDArray[np.int64]:
    """Return the decision at every look: the first condition that holds."""
    shape = found.log_e.shape
    guarded, broken = np.ones(shape, bool), np.zeros(shape, bool)
    for guardrail in found.guardrails:
        guarded, broken = guarded & guardrail.shown, broken | guardrail.broken
    on_tape = np.ones(shape, bool) if found.tape is None else found.tape.shown
    off_tape = np.zeros(shape, bool) if found.tape is None else found.tape.broken
    audited_ = found.gold > 0
    never_audited = ~audited_ & (settings.gold_share == 0)
    large_enough = found.effect >= settings.min_effect
    ship = found.better & large_enough
    at_cap = np.broadcast_to(found.at_cap, shape)
    conditions = (
        (never_audited, _UNAUDITED),
        (audited_ & ship & guarded & on_tape, _SHIP),
        (audited_ & found.useless, _USELESS),
        (audited_ & broken, _HARM),
        (off_tape, _OFF_TAPE),
        (at_cap & ~audited_, _UNAUDITED),
        (at_cap & ship & ~on_tape, _OFF_TAPE),
        (at_cap & ship, _UNGUARDED),
        (at_cap & found.better_at_best & ~found.better, _MISSING),
        (at_cap, _BUDGET),
    )
    return np.select(
        [np.broadcast_to(c, shape) for c, _ in conditions],
        [code for _, code in conditions],
        _CONTINUE,
    )


def _verdict(evidence: Evidence, settings: GateSettings, level: float, found: Findings) -> Verdict:
    code = int(_codes(found, settings)[-1])
    decision, reason = OUTCOMES[code]
    if reason == "guardrail":
        wrong = (
            [g.name for g in found.guardrails if g.broken[-1]]
            if code == _HARM
            else [g.name for g in found.guardrails if not g.shown[-1]]
        )
        reason = f"guardrail: {', '.join(wrong)}"
    return Verdict(
        decision=decision,
        reason=reason,
        e_value=e_value(found.log_e[-1]),
        closed=len(evidence.scenario_ids),
        effect=_effect_number(found),
        numbers=numbers_of(evidence, settings, level, found),
    )


def _effect(series: Audited, looks: Looks) -> Floats:
    total = np.cumsum(series.weight, axis=-1)[..., looks - 1]
    gained = np.cumsum(series.of.gain, axis=-1)[..., looks - 1]
    return np.asarray(np.where(total > 0, gained / np.maximum(total, 1e-12), np.nan))


def _effect_number(found: Findings) -> Number | None:
    effect = float(found.effect[-1])
    if math.isnan(effect):
        return None
    low, high = mean_bounds(found.worst.of, found.worst.weight, level=0.95, horizon=found.horizon)
    return Number(
        name="effect",
        value=effect,
        low=low,
        high=high,
        method="weighted mean of candidate less baseline by scenario, missing against the"
        " candidate, corrected by gold; 95 % betting confidence sequence",
    )


def _looks(evidence: Evidence, settings: GateSettings) -> Looks:
    """Return the numbers of closed scenarios at which to look: every ``look_every`` pairs, and at the end."""
    repeats = evidence.baseline.state.shape[-1]
    last = min(evidence.baseline.state.shape[-2], max(settings.cap // repeats, 1))
    step = max(math.ceil(settings.look_every / repeats), 1)
    return np.unique(np.append(np.arange(step, last + 1, step, dtype=np.int64), last))


def _check(evidence: Evidence, level: float) -> None:
    if not evidence.scenario_ids:
        raise ValueError("Nothing is closed; there is nothing to decide on.")
    if len(set(evidence.scenario_ids)) != len(evidence.scenario_ids):
        raise ValueError("A scenario enters an experiment once; its repeats are one increment.")
    if not 0.0 < level < 1.0:
        raise ValueError(f"A level lies between 0 and 1, not {level!r}.")
