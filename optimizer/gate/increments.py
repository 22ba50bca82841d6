"""What each scenario says: one number, filled where something is missing and corrected where it was audited.

The last axis of every result is the scenario, in frozen order; axes before it are separate
experiments.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from spanloop.optimizer.gate.evidence import ArmRuns, EpisodeState, Evidence, Flags, Floats
from spanloop.optimizer.statistics.betting import Increments, earlier, increments

PRIOR_SLOPE = 0.5
"""Of gold on judged differences, before any was seen; weighs as `_PRIOR_WEIGHT` scenarios of variance 1/4."""
_PRIOR_WEIGHT = 4.0 * 0.25


class Filled(NamedTuple):
    """Candidate less baseline, mean over repeats: what is missing counts against it, and for it."""

    worst: Floats
    best: Floats


@dataclass(frozen=True, slots=True)
class Differences:
    """Of all scenarios.

    Attributes:
        judged: by the assessor.
        gold: by people or criteria in code; means nothing where ``is_gold`` is false.
        is_gold: drawn for the gold share, and that before any outcome.
        weight: in traffic, the heaviest of the plan = 1.
        missing: whether the two fillings differ anywhere.
    """

    judged: Filled
    gold: Filled
    is_gold: Flags
    weight: Floats
    missing: bool

    @property
    def all_gold(self) -> bool:
        """Whether there is nothing to correct."""
        return bool(self.is_gold.all())


class Audited(NamedTuple):
    """What may be bet on, and the weight that belongs to each increment (0 where not used)."""

    of: Increments
    weight: Floats


def differences(evidence: Evidence) -> Differences:
    """Return what every scenario says.

    A run that ended by its arm's own fault, was lost or has no outcome is filled: the candidate's
    with 0 and the baseline's with 1 (worst), or the other way round (best), except that an arm's
    own fault is no success of it.
    """
    judged = _filled(evidence.baseline.outcome, evidence.candidate.outcome, evidence)
    same = evidence.candidate.gold is evidence.candidate.outcome
    same = same and evidence.baseline.gold is evidence.baseline.outcome
    gold = judged if same else _filled(evidence.baseline.gold, evidence.candidate.gold, evidence)
    missing = bool(
        (judged.worst != judged.best).any() or ((gold.worst != gold.best) & evidence.is_gold).any()
    )
    heaviest = evidence.heaviest or float(evidence.weight.max(initial=0.0)) or 1.0
    return Differences(judged, gold, evidence.is_gold, evidence.weight / heaviest, missing)


def audited(of: Differences, *, filling: str = "worst", within: Flags | None = None) -> Audited:
    """Return one increment per audited scenario; its mean is the weighted effect, right or wrong assessor.

    ``gold - a (judged - mean judged of the unaudited scenarios since the last audited one)``: the
    gold share was drawn at random, so what is subtracted has mean 0; it takes with it the part of
    the noise that judged and gold differences share (prediction-powered inference, Angelopoulos et
    al., Science 382 (2023) 669, as a bet). The slope a, 0 to 1, comes from earlier audited
    scenarios. Where everything is gold this is the gold difference.

    Args:
        of: all scenarios.
        filling: ``worst`` or ``best``.
        within: the part that is asked about; None for all.
    """
    inside = np.ones(of.is_gold.shape, bool) if within is None else within
    gold = getattr(of.gold, filling) * of.weight
    audit = of.is_gold & inside
    weight = np.where(audit, of.weight, 0.0)
    if of.all_gold:
        return Audited(increments(np.where(audit, gold, 0.0), used=audit, size=weight), weight)
    judged = np.where(inside, getattr(of.judged, filling) * of.weight, 0.0)
    gold = np.where(audit, gold, 0.0)
    reference, count = _since_last(audit, np.where(audit, 0.0, judged), inside & ~audit)
    slope = _slope(gold, np.where(audit, judged, 0.0), audit) * count / (count + 1.0)
    gain = np.where(audit, gold - slope * (judged - reference), 0.0)
    return Audited(increments(gain, used=audit, floor=1.0 + 2.0 * slope, size=weight), weight)


def shifted(of: Audited, null: float, *, sign: float = 1.0) -> Increments:
    """Return the bets against "the weighted mean is at most ``null``" (sign 1), "at least" (sign -1)."""
    gain = np.where(of.of.used, sign * (of.of.gain - null * of.weight), 0.0)
    return Increments(gain, of.of.used, of.of.floor + sign * null, of.of.size)


def first(evidence: Evidence, n: int) -> Evidence:
    """Return the evidence as it stood when ``n`` scenarios were closed; leading axes stay."""

    def arm(runs: ArmRuns) -> ArmRuns:
        return ArmRuns(
            outcome=runs.outcome[..., :n, :],
            state=runs.state[..., :n, :],
            gold=runs.gold[..., :n, :],
            cost=runs.cost[..., :n, :],
            latency=runs.latency[..., :n, :],
            coverage=runs.coverage[..., :n, :],
        )

    return replace(
        evidence,
        scenario_ids=evidence.scenario_ids[:n],
        stratum=evidence.stratum[..., :n],
        fixed_patterns=evidence.fixed_patterns[..., :n, :],
        weight=evidence.weight[..., :n],
        is_gold=evidence.is_gold[..., :n],
        baseline=arm(evidence.baseline),
        candidate=arm(evidence.candidate),
    )


def _filled(baseline: Floats, candidate: Floats, evidence: Evidence) -> Filled:
    own, lost = EpisodeState.OWN_FAULT, EpisodeState.LOST
    a, b = evidence.baseline.state, evidence.candidate.state
    a_own, b_own = a == own, b == own
    a_gap = (a == lost) | (np.isnan(baseline) & ~a_own)
    b_gap = (b == lost) | (np.isnan(candidate) & ~b_own)
    if not (a_own.any() or b_own.any() or a_gap.any() or b_gap.any()):
        plain = candidate.mean(axis=-1) - baseline.mean(axis=-1)
        return Filled(plain, plain)
    worst = _mean(candidate, b_own | b_gap, 0.0) - _mean(baseline, a_own | a_gap, 1.0)
    best = _mean(np.where(b_own, 0.0, candidate), b_gap, 1.0) - _mean(baseline, a_own | a_gap, 0.0)
    return Filled(worst, best)


def _mean(values: Floats, gaps: Flags, filling: float) -> Floats:
    return np.asarray(np.where(gaps, filling, values).mean(axis=-1))


def _since_last(audit: Flags, values: Floats, plain: Flags) -> tuple[Floats, Floats]:
    """Return mean and number of the ``plain`` values between the last audited scenario and each position."""
    positions = np.arange(audit.shape[-1], dtype=np.int64)
    last = np.maximum.accumulate(np.where(audit, positions, -1), axis=-1)
    last = np.concatenate([np.full((*last.shape[:-1], 1), -1), last[..., :-1]], axis=-1)

    def since(sums: Floats) -> Floats:
        at_last = np.take_along_axis(sums, np.maximum(last, 0), axis=-1)
        return sums - np.where(last >= 0, at_last, 0.0)

    count = since(np.cumsum(plain, axis=-1, dtype=np.float64))
    return since(np.cumsum(values, axis=-1)) / np.maximum(count, 1.0), count


def _slope(gold: Floats, judged: Floats, audit: Flags) -> Floats:
    """Return the slope of gold on judged differences of earlier audited scenarios, 0 to 1."""
    n = np.maximum(earlier(audit.astype(np.float64)), 1.0)
    mean_gold, mean_judged = earlier(gold) / n, earlier(judged) / n
    covariance = earlier(gold * judged) - n * mean_gold * mean_judged
    variance = np.maximum(earlier(judged * judged) - n * mean_judged**2, 0.0)
    slope = (PRIOR_SLOPE * _PRIOR_WEIGHT + covariance) / (_PRIOR_WEIGHT + variance)
    return np.clip(slope, 0.0, 1.0)
