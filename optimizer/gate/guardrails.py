"""What a ship must not break: large parts of traffic, small ones and fixed patterns, cost, latency, the tape.

Each guardrail is shown (safe), broken (harm shown) or neither, at every look. All must be shown
before a ship, so that there is nothing to correct for their number; a broken one rejects.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from spanloop.optimizer.gate.evidence import EpisodeState, Evidence, Flags, Floats
from spanloop.optimizer.gate.increments import Audited, Differences, audited, shifted
from spanloop.optimizer.gate.settings import GateSettings
from spanloop.optimizer.statistics.betting import (
    PRIOR_COUNT,
    PRIOR_VARIANCE,
    increments,
    log_wealth,
    running_spread,
)

Looks = NDArray[np.int64]

PRIOR_EFFECT_SD = 0.25
"""Effect of an edit on a part of traffic, before anything is known of it: N(centre, this²).

Around 0, P(harm > 10 points) is 0.34 without evidence, above the limit of 0.2: silence is not consent.
"""

SEEN = 8
"""Scenarios of a small stratum, or all that the plan has of it if fewer, that must be closed before it is
safe: about where they weigh as much as what the rest of traffic says of it."""

PRIOR_BIAS_SD = 0.10
"""By how much the assessor's error in a small part differs from its error overall: N(0, this²)."""

PEEKING = 1.2
"""Factor on the variance of a small part's mean: a posterior is not proof against repeated looks, and
at one the part looks better than it is. Keeps harmful cells of the benchmark below 5 %."""

CLIPPED_AT = math.log(1.5)
"""Of log ratios of cost and latency to the margin: dearer than 1.5 times the margin counts as that."""


class Guardrail(NamedTuple):
    """One guardrail at the looks.

    Attributes:
        shown: (..., looks) safe.
        broken: (..., looks) harm shown.
        figure: (..., looks) what it is about: an effect, a probability, a ratio.
        method: how the figure was computed.
    """

    name: str
    shown: Flags
    broken: Flags
    figure: Floats
    method: str


class _Whole(NamedTuple):
    """What small parts borrow from all traffic, at the looks.

    Attributes:
        of: all differences.
        noise: variance of gold differences; where only a share is gold, of the assessor's error.
        spread: variance of judged differences; unused where all is gold.
        size: scenarios that are closed at the end of the plan.
    """

    of: Differences
    noise: Floats
    spread: Floats
    size: float


def guardrails(
    evidence: Evidence, of: Differences, settings: GateSettings, looks: Looks
) -> Iterator[Guardrail]:
    """Yield every guardrail that applies.

    Args:
        evidence: closed scenarios.
        of: their differences.
        settings: margins and levels.
        looks: numbers of closed scenarios, each >= 1, at which they are wanted.
    """
    repeats = evidence.baseline.state.shape[-1]
    planned = settings.cap / repeats
    whole = _whole(evidence, of, looks, planned)
    counts = evidence.shares * planned if evidence.planned is None else evidence.planned
    for index, share in enumerate(evidence.shares):
        part = evidence.stratum == index
        name = f"stratum {evidence.strata[index]}"
        if share >= settings.major_share:
            if counts[index] >= settings.major_scenarios:
                yield _major(name, of, part, settings, (looks, float(counts[index])))
            else:
                yield _minor(name, whole, part, settings, looks)
        elif share >= settings.minor_share:
            yield _minor(name, whole, part, settings, looks, among=counts[index])
    tiny = np.flatnonzero((evidence.shares > 0) & (evidence.shares < settings.minor_share))
    if tiny.size:
        together, n = np.isin(evidence.stratum, tiny), counts[tiny].sum()
        yield _minor(f"{tiny.size} strata together", whole, together, settings, looks, among=n)
    for index, pattern in enumerate(evidence.patterns):
        part = evidence.fixed_patterns[..., index]
        yield _minor(f"pattern {pattern}", whole, part, settings, looks)
    arms = evidence.baseline, evidence.candidate
    if settings.max_cost_ratio is not None:
        pair = (arms[0].cost, arms[1].cost)
        yield _ratio("cost", pair, of.weight, settings.max_cost_ratio, (settings, looks, planned))
    if settings.max_latency_ratio is not None:
        pair = (arms[0].latency, arms[1].latency)
        ratio = settings.max_latency_ratio
        yield _ratio("latency", pair, of.weight, ratio, (settings, looks, planned))


def tape(evidence: Evidence, weight: Floats, settings: GateSettings, looks: Looks) -> Guardrail:
    """Return whether the candidate stays on the tape about as much as the baseline itself does.

    The baseline, played again, leaves the tape too; only what the candidate leaves it more makes a
    verdict unsupported. An episode without a tool call asked for nothing off the tape.

    What is asked is how far the outcomes of this very experiment rest on the tape. So it is enough that the
    scenarios of the plan leave little doubt, as it is for small parts of traffic: the e-process alone could
    show nothing with fewer than some dozens of equal weight, were all answers on the tape in both arms.
    """
    arms = evidence.baseline, evidence.candidate
    lost = (arms[0].state == EpisodeState.LOST) | (arms[1].state == EpisodeState.LOST)
    a, b = (np.where(np.isnan(arm.coverage), 1.0, arm.coverage) for arm in arms)
    difference = np.where(lost, 0.0, b - a).mean(axis=-1)
    gain = difference * weight
    planned = settings.cap / evidence.baseline.state.shape[-1]
    series = Audited(increments(gain, size=weight), weight)
    shown, broken = _tested(series, -settings.coverage_margin, settings, (looks, planned))
    mean = _running_mean(series, looks)
    variance = _variance(difference, mean, weight, looks)
    doubt = _probability_below(-settings.coverage_margin, mean, variance)
    return Guardrail(
        "tape",
        shown | (doubt <= settings.alpha),
        broken,
        mean,
        f"candidate's less baseline's share of answers from the tape; e-process, margin"
        f" {settings.coverage_margin:g}, level {settings.alpha:g}, or P(below -margin) at most that, prior"
        f" N(0, {PRIOR_EFFECT_SD:g}²)",
    )


def _variance(values: Floats, mean: Floats, weight: Floats, looks: Looks) -> Floats:
    """Return the variance of the weighted ``mean`` of ``values`` at the looks; their spread has a prior."""
    total = np.maximum(_sums(weight, looks), 1e-12)
    around = np.maximum(_sums(weight * values**2, looks) / total - mean**2, 0.0)
    spread = (PRIOR_COUNT * PRIOR_VARIANCE + looks * around) / (PRIOR_COUNT + looks)
    return np.asarray(PEEKING * spread * _sums(weight**2, looks) / total**2)


def _probability_below(
    bound: float, mean: Floats, variance: Floats, *, towards: Floats | float = 0.0
) -> Floats:
    """Return the posterior probability of a mean below ``bound``, shrunk towards ``towards``."""
    seen, prior = 1.0 / np.maximum(variance, 1e-12), 1.0 / PRIOR_EFFECT_SD**2
    centre = (mean * seen + towards * prior) / (seen + prior)
    return np.asarray(ndtr((bound - centre) * np.sqrt(seen + prior)))


def _major(
    name: str,
    of: Differences,
    part: Flags,
    settings: GateSettings,
    when: tuple[Looks, float],
) -> Guardrail:
    looks, planned = when
    worst = audited(of, filling="worst", within=part)
    horizon = planned * settings.gold_share
    shown, broken = _tested(worst, -settings.margin, settings, (looks, horizon))
    if of.missing:
        best = audited(of, filling="best", within=part)
        _, broken = _tested(best, -settings.margin, settings, (looks, horizon))
    enough = np.cumsum(part, axis=-1)[..., looks - 1] >= settings.major_scenarios
    return Guardrail(
        name,
        shown & enough,
        broken,
        _running_mean(worst, looks),
        f"mean difference, missing against the candidate; e-process against <= -{settings.margin:g}, level"
        f" {settings.alpha:g}, from {settings.major_scenarios} scenarios",
    )


def _tested(
    series: Audited, null: float, settings: GateSettings, when: tuple[Looks, float]
) -> tuple[Flags, Flags]:
    """Return at which looks "mean <= null" and "mean >= null" are refuted."""
    looks, horizon = when
    spread = running_spread(series.of.gain, series.of.used, series.of.size)
    refuted: list[Flags] = []
    for sign in (1.0, -1.0):
        bets = shifted(series, null, sign=sign)
        wealth = log_wealth(bets, level=settings.alpha, horizon=horizon, spread=spread)
        best = np.maximum.accumulate(wealth, axis=-1)[..., looks - 1]
        refuted.append(np.asarray(best >= -math.log(settings.alpha)))
    return refuted[0], refuted[1]


def _minor(
    name: str,
    whole: _Whole,
    part: Flags,
    settings: GateSettings,
    looks: Looks,
    *,
    among: float | None = None,
) -> Guardrail:
    """A small part: P(harm > margin), its mean shrunk, its variance pooled.

    A small stratum, of which the plan has ``among`` scenarios, is shrunk towards half of what the edit surely
    does to the rest of traffic (the mean there less its standard error, at least 0): partial pooling (Gelman
    and Hill 2007, chapter 12), where an edit may as well leave the part as it is. ``among`` None: towards no
    effect. Large strata have scenarios of their own to tell, and what mends other failures says nothing of a
    pattern that an earlier edit mended.
    """
    mean, variance = _part_mean(whole, part, looks)
    towards: Floats | float = 0.0
    seen, condition = np.ones(mean.shape, bool), ""
    if among is not None:
        rest, doubt = _part_mean(whole, ~part, looks)
        towards = np.maximum(rest - np.sqrt(doubt), 0.0) / 2.0
        closed = _sums(part & (whole.of.weight > 0.0), looks)  # what weighs nothing says nothing
        wanted = min(max(math.floor(among), 1), SEEN)
        seen = (closed >= wanted) | ((looks >= whole.size) & (closed > 0))
        condition = f", and {wanted} of its scenarios closed"
    probability = _probability_below(-settings.margin, mean, PEEKING * variance, towards=towards)
    centre = "0" if among is None else "half of what is sure of the rest"
    return Guardrail(
        name,
        (probability <= settings.max_harm_probability) & seen,
        np.zeros(probability.shape, bool),
        probability,
        f"P(effect < -{settings.margin:g}), prior N({centre}, {PRIOR_EFFECT_SD:g}²), variance within"
        f" strata, times {PEEKING:g}; at most {settings.max_harm_probability:g}{condition}",
    )


def _part_mean(whole: _Whole, part: Flags, looks: Looks) -> tuple[Floats, Floats]:
    """Return mean difference in a part and its variance, missing against the candidate, at the looks.

    Where only a share is gold: the mean judged difference of the part less the assessor's error there,
    known from the part's own gold and, up to `PRIOR_BIAS_SD`, from the gold elsewhere.
    """
    of = whole.of
    gold, judged = of.gold.worst, of.judged.worst

    def weighted(values: Floats, used: Flags) -> tuple[Floats, Floats]:
        weight = np.where(used, of.weight, 0.0)
        total = _sums(weight, looks)
        size = total**2 / np.maximum(_sums(weight**2, looks), 1e-12)
        kept = np.where(used, values, 0.0) * weight
        return _sums(kept, looks) / np.maximum(total, 1e-12), size

    if of.all_gold:
        mean, size = weighted(gold, part)
        return mean, whole.noise / np.maximum(size, 1e-9)
    error = np.where(of.is_gold, judged - gold, 0.0)
    here, size_here = weighted(error, part & of.is_gold)
    overall, size = weighted(error, of.is_gold)
    own = size_here / whole.noise
    borrowed = 1.0 / (whole.noise / np.maximum(size, 1e-9) + PRIOR_BIAS_SD**2)
    correction = (own * here + borrowed * overall) / (own + borrowed)
    assessed, size_all = weighted(judged, part)
    spread = whole.spread / np.maximum(size_all, 1e-9)
    return assessed - correction, spread + 1.0 / (own + borrowed)


def _whole(evidence: Evidence, of: Differences, looks: Looks, planned: float) -> _Whole:
    """Return the variances, pooled over all traffic but *within* its strata.

    An edit that mends one stratum and leaves another as it was makes them differ, which says nothing about
    how sure the mean of either is.
    """
    strata = [evidence.stratum == index for index in range(len(evidence.strata))]

    def pooled(values: Floats, used: Flags) -> Floats:
        kept = np.where(used, values, 0.0)
        around, free = _sums(kept * kept, looks), _sums(used, looks)
        for stratum in strata:
            n = _sums(used & stratum, looks)
            around = around - _sums(np.where(stratum, kept, 0.0), looks) ** 2 / np.maximum(n, 1.0)
            free = free - (n > 0)
        return (PRIOR_COUNT * PRIOR_VARIANCE + np.maximum(around, 0.0)) / (PRIOR_COUNT + free)

    gold, judged = of.gold.worst, of.judged.worst
    noise = gold if of.all_gold else judged - gold
    spread = pooled(judged, np.ones(judged.shape, bool))
    return _Whole(of, pooled(noise, of.is_gold), spread, planned)


def _sums(values: Floats | Flags, looks: Looks) -> Floats:
    """Return the sums of all values up to each look."""
    return np.asarray(np.cumsum(values, axis=-1, dtype=np.float64)[..., looks - 1])


def _ratio(
    name: str,
    arms: tuple[Floats, Floats],
    weight: Floats,
    most: float,
    when: tuple[GateSettings, Looks, float],
) -> Guardrail:
    """The typical ratio of an amount (mean log ratio over scenarios, clipped) and the ratio of totals.

    Few scenarios that become very dear move the typical ratio little: the totals, as they stand, must
    keep the margin too. A scenario whose amount is unknown in either arm counts as lying at the
    margin, and too many of them show nothing.
    """
    settings, looks, planned = when
    a, b, known = _amounts(*arms)
    counted = np.where(known, weight, 0.0)
    tiny = 1e-12
    room = math.log(most) - np.log((b + tiny) / (a + tiny))
    gain = np.clip(room / CLIPPED_AT, -1.0, 1.0) * counted
    series = Audited(increments(gain, size=weight), np.zeros(weight.shape))
    shown, broken = _tested(series, 0.0, settings, (looks, planned))

    unknown = 1.0 - _sums(known, looks) / looks
    totals_hold = _sums(counted * b, looks) <= most * _sums(counted * a, looks)
    weight_known = _sums(counted, looks)
    typical = most * np.exp(-CLIPPED_AT * _sums(gain, looks) / np.maximum(weight_known, tiny))
    return Guardrail(
        name,
        shown & totals_hold & (unknown <= settings.max_unknown_share),
        broken,
        np.where(weight_known > 0, typical, np.nan),
        f"typical ratio (mean log, clipped at 1.5 times the margin); e-process against >= {most:g}, level"
        f" {settings.alpha:g}; the ratio of totals must keep {most:g} too",
    )


def _amounts(baseline: Floats, candidate: Floats) -> tuple[Floats, Floats, Flags]:
    """Return the means over known repeats of both arms by scenario, and whether both are known."""
    means: list[Floats] = []
    everywhere = np.ones(baseline.shape[:-1], bool)
    for amounts in (baseline, candidate):
        known = np.isfinite(amounts) & (amounts >= 0)
        count = known.sum(axis=-1)
        means.append(np.where(known, amounts, 0.0).sum(axis=-1) / np.maximum(count, 1))
        everywhere = everywhere & (count > 0)
    return means[0], means[1], everywhere


def _running_mean(series: Audited, looks: Looks) -> Floats:
    total, gained = _sums(series.weight, looks), _sums(series.of.gain, looks)
    return np.asarray(np.where(total > 0, gained / np.maximum(total, 1e-12), np.nan))
