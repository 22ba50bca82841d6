"""The verdict: what ships, what does not, and why; from arrays, without I/O."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as checked
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import ndtr

from spanloop.optimizer.gate import (
    OUTCOMES,
    ArmRuns,
    EpisodeState,
    Evidence,
    GateSettings,
    Verdict,
    decide,
    run_batch,
    run_sequential,
)
from spanloop.optimizer.gate.guardrails import PEEKING, PRIOR_EFFECT_SD
from spanloop.optimizer.gate.increments import audited, differences, first
from spanloop.optimizer.statistics.betting import PRIOR_COUNT, PRIOR_VARIANCE

Floats = NDArray[np.float64]
LEVEL = 0.05
CAP = 300
PLAIN = GateSettings(cap=CAP, gold_share=1.0, guardrails=False)
GUARDED = GateSettings(cap=CAP, gold_share=1.0)


def arm(outcome: Floats, **given: Any) -> ArmRuns:
    """All judged and all gold; everything costs 1 and takes 1, on the tape."""
    ones = np.ones(outcome.shape)
    values = {
        "outcome": outcome,
        "state": np.zeros(outcome.shape, np.int8),
        "gold": outcome,
        "cost": ones,
        "latency": ones,
        "coverage": ones,
    }
    return ArmRuns(**{**values, **given})


def evidence(baseline: ArmRuns, candidate: ArmRuns, **given: Any) -> Evidence:
    n = baseline.state.shape[-2]
    shape = baseline.state.shape[:-1]
    values = {
        "scenario_ids": tuple(f"s{i}" for i in range(n)),
        "stratum": np.broadcast_to(np.arange(n) % 2, shape),
        "strata": ("even", "odd"),
        "shares": np.array([0.5, 0.5]),
        "fixed_patterns": np.zeros((*shape, 0), bool),
        "patterns": (),
        "weight": np.ones(shape),
        "is_gold": np.ones(shape, bool),
        "baseline": baseline,
        "candidate": candidate,
        "heaviest": 1.0,
    }
    return Evidence(**{**values, **given})


def outcomes(rate: float, seed: int, shape: tuple[int, ...] = (CAP, 1)) -> Floats:
    return (np.random.default_rng(seed).random(shape) < rate).astype(float)


def pair(baseline: float = 0.5, candidate: float = 0.8, seed: int = 1, **given: Any) -> Evidence:
    return evidence(arm(outcomes(baseline, seed)), arm(outcomes(candidate, seed + 1000)), **given)


def named(verdict: Verdict, beginning: str) -> float | None:
    (found,) = [n for n in verdict.numbers if n.name.startswith(beginning)]
    return found.value


def ended(of: Evidence, settings: GateSettings = PLAIN, level: float = LEVEL) -> Verdict:
    return run_sequential(of, settings, level)[0]


def test_a_better_candidate_ships_with_its_numbers() -> None:
    verdict, looks = run_sequential(pair(), GUARDED, LEVEL)
    assert (verdict.decision, verdict.reason) == ("ship", "")
    assert verdict.closed < CAP
    assert verdict.e_value >= 1 / LEVEL
    assert verdict.effect is not None
    assert verdict.effect.low is not None
    assert verdict.effect.high is not None
    assert verdict.effect.low < 0.3 < verdict.effect.high
    assert [look.decision for look in looks[:-1]] == ["continue"] * (len(looks) - 1)
    assert all(number.method for number in verdict.numbers)
    assert named(verdict, "level") == LEVEL


def test_an_equal_candidate_is_not_shipped_and_budget_is_said() -> None:
    verdict = ended(pair(0.5, 0.5, seed=3))
    assert verdict.decision in ("inconclusive", "reject")
    assert ended(pair(0.5, 0.5, seed=3), PLAIN.model_copy(update={"min_effect": 0.9})).decision == (
        "reject"
    )
    few = first(pair(0.5, 0.55, seed=2), 20)
    assert decide(few, PLAIN, LEVEL).decision == "continue"
    assert decide(few, PLAIN.model_copy(update={"cap": 20}), LEVEL).reason == "budget"


def test_a_worse_candidate_is_rejected_early() -> None:
    verdict = ended(pair(0.8, 0.5))
    assert (verdict.decision, verdict.reason) == ("reject", "")
    assert verdict.closed < CAP


def test_a_stricter_level_takes_longer() -> None:
    assert ended(pair(), level=1e-5).closed > ended(pair()).closed


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("repeats", [1, 3])
def test_looking_one_by_one_in_order_and_in_a_batch_are_the_same(seed: int, repeats: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (90, repeats)
    gold = rng.random(90) < 0.5
    state = rng.choice([0, 0, 0, 0, 1, 2], shape).astype(np.int8)
    of = evidence(
        arm(outcomes(0.5, seed, shape), cost=rng.uniform(1, 2, shape)),
        arm(outcomes(0.9, seed + 50, shape), state=state, cost=rng.uniform(1, 2, shape)),
        is_gold=gold,
        weight=rng.uniform(0.2, 1.0, 90),
        patterns=("p",),
        fixed_patterns=rng.random((90, 1)) < 0.3,
        off_tape_possible=True,
    )
    settings = GateSettings(cap=90 * repeats, gold_share=0.5)
    verdict, looks = run_sequential(of, settings, LEVEL)
    for look in looks:
        alone = decide(first(of, look.closed), settings, LEVEL)
        assert alone.decision == look.decision
        assert alone.e_value == pytest.approx(look.e_value)

    def batched(values: NDArray[Any]) -> NDArray[Any]:
        return np.stack([values, values])

    def both(runs: ArmRuns) -> ArmRuns:
        return ArmRuns(**{f: batched(getattr(runs, f)) for f in ArmRuns.__slots__})

    many = replace(
        of,
        stratum=batched(of.stratum),
        fixed_patterns=batched(of.fixed_patterns),
        weight=batched(of.weight),
        is_gold=batched(of.is_gold),
        baseline=both(of.baseline),
        candidate=both(of.candidate),
    )
    batch = run_batch(many, settings, [LEVEL, LEVEL])
    assert [OUTCOMES[code][0] for code in batch.code] == [verdict.decision] * 2
    assert batch.closed.tolist() == [verdict.closed] * 2


def test_a_scenario_enters_once_and_something_must_be_closed() -> None:
    twice = replace(pair(), scenario_ids=("s0",) * CAP)
    with pytest.raises(ValueError, match="enters an experiment once"):
        decide(twice, PLAIN, LEVEL)
    with pytest.raises(ValueError, match="Nothing is closed"):
        decide(first(pair(), 0), PLAIN, LEVEL)
    with pytest.raises(ValueError, match="between 0 and 1"):
        decide(pair(), PLAIN, 0.0)


def test_repeats_of_a_scenario_are_one_increment() -> None:
    """Five copies of the same thirty outcomes are worth no more than the thirty."""
    a, b = outcomes(0.5, 3, (30, 1)), outcomes(0.8, 4, (30, 1))
    once = decide(evidence(arm(a), arm(b)), PLAIN.model_copy(update={"cap": 30}), LEVEL)
    copies = evidence(arm(np.repeat(a, 5, axis=1)), arm(np.repeat(b, 5, axis=1)))
    again = decide(copies, PLAIN.model_copy(update={"cap": 150}), LEVEL)
    assert again.e_value == pytest.approx(once.e_value)


# What is missing


def test_the_candidates_own_fault_is_a_failure_and_the_baselines_a_success() -> None:
    own = np.full((CAP, 1), EpisodeState.OWN_FAULT, np.int8)
    good, unknown = np.ones((CAP, 1)), np.full((CAP, 1), np.nan)
    crashed = evidence(arm(outcomes(0.5, 5)), arm(unknown, state=own))
    assert ended(crashed).decision == "reject"
    of = differences(evidence(arm(unknown, state=own), arm(good)))
    assert (of.judged.worst == 0.0).all()
    assert (of.judged.best == 1.0).all()


def test_when_the_two_fillings_disagree_nothing_is_claimed() -> None:
    candidate = outcomes(0.8, 6)
    lost = np.where((candidate == 0) | (np.arange(CAP)[:, np.newaxis] % 4 == 0), 2, 0)
    of = evidence(arm(outcomes(0.6, 7)), arm(candidate, state=lost.astype(np.int8)))
    verdict = ended(of)
    assert (verdict.decision, verdict.reason) == ("unsupported", "missing")
    assert verdict.closed == CAP
    assert named(verdict, "candidate runs: lost") == lost.sum() / 2
    assert (named(verdict, "e-value, missing for") or 0) >= 1 / LEVEL > verdict.e_value


def test_losing_failures_does_not_ship_a_null() -> None:
    """Dropped pairs would show +.2; filled against the candidate they show nothing."""
    rng = np.random.default_rng(8)
    a, b = (outcomes(0.6, seed, (400, CAP, 1)) for seed in (9, 10))
    lost = np.where((b == 0) & (rng.random(b.shape) < 0.5), 2, 0).astype(np.int8)
    batch = run_batch(evidence(arm(a), arm(b, state=lost)), PLAIN, LEVEL)
    assert batch.shipped.mean() <= 0.05 + 3 * np.sqrt(0.0475 / 400)
    dropped = run_batch(evidence(arm(a), arm(np.where(lost == 2, a, b))), PLAIN, LEVEL)
    assert dropped.shipped.mean() > 0.5


# The assessor


def judged(truth: Floats, kind: float, seed: int) -> Floats:
    """A judge that sees 90 % of successes and takes ``kind`` of the failures for one."""
    rng = np.random.default_rng(seed)
    return (rng.random(truth.shape) < np.where(truth == 1, 0.9, kind)).astype(float)


def audit(effect: float, gold_share: float, runs: int = 300) -> Evidence:
    shape = (runs, CAP, 1)
    a, b = outcomes(0.6, 11, shape), outcomes(0.6 + effect, 12, shape)
    gold = np.random.default_rng(13).random(shape[:-1]) < gold_share
    nan = np.where(gold[..., np.newaxis], 0.0, np.nan)
    return evidence(
        arm(judged(a, 0.1, 14), gold=a + nan), arm(judged(b, 0.5, 15), gold=b + nan), is_gold=gold
    )


def test_a_kinder_judge_ships_nothing_and_says_unaudited_without_gold() -> None:
    settings = PLAIN.model_copy(update={"gold_share": 0.0})
    batch = run_batch(audit(0.2, 0.0, 20), settings, LEVEL)
    assert {OUTCOMES[code] for code in batch.code} == {("inconclusive", "assessor unaudited")}
    assert (batch.closed == 10).all()
    planned = PLAIN.model_copy(update={"gold_share": 0.25})
    batch = run_batch(audit(0.2, 0.0, 20), planned, LEVEL)
    assert {OUTCOMES[code] for code in batch.code} == {("inconclusive", "assessor unaudited")}
    assert (batch.closed == CAP).all()


def test_gold_corrects_a_kinder_judge_and_keeps_power() -> None:
    settings = PLAIN.model_copy(update={"gold_share": 0.3})
    null, better = audit(0.0, 0.3), audit(0.25, 0.3)
    assert run_batch(null, settings, LEVEL).shipped.mean() <= 0.05 + 3 * np.sqrt(0.0475 / 300)
    assert run_batch(better, settings, LEVEL).shipped.mean() >= 0.8
    unaudited = replace(better, is_gold=np.ones_like(better.is_gold))
    believed = replace(
        unaudited,
        baseline=replace(null.baseline, gold=null.baseline.outcome),
        candidate=replace(null.candidate, gold=null.candidate.outcome),
    )
    assert run_batch(believed, PLAIN, LEVEL).shipped.mean() > 0.9


def test_unaudited_scenarios_sharpen_what_the_audited_say() -> None:
    of = audit(0.1, 0.3)
    parts = differences(of)
    gains = audited(parts)
    corrected = gains.of.gain[gains.of.used]
    plain = parts.gold.worst[of.is_gold]
    assert corrected.mean() == pytest.approx(plain.mean(), abs=0.02)
    assert corrected.std() < 0.95 * plain.std()
    assert (gains.of.gain >= -gains.of.floor - 1e-9).all()


# Guardrails


def test_harm_to_a_large_stratum_is_not_averaged_away() -> None:
    a = outcomes(0.45, 16)
    odd = (np.arange(CAP) % 2 == 1)[:, np.newaxis]
    b = np.where(odd, outcomes(0.15, 17), 1.0)
    assert (b - a).mean() > 0.1
    verdict = ended(evidence(arm(a), arm(b)), GUARDED)
    assert (verdict.decision, verdict.reason) == ("reject", "guardrail: stratum odd")


def test_a_fixed_pattern_must_not_come_back() -> None:
    covers = np.random.default_rng(18).random(CAP) < 0.1
    a, b = outcomes(0.6, 19), outcomes(0.85, 20)
    b[covers] = outcomes(0.2, 21)[covers]
    given: dict[str, Any] = {"patterns": ("refund",), "fixed_patterns": covers[:, np.newaxis]}
    verdict = ended(evidence(arm(a), arm(b), **given), GUARDED)
    assert verdict.decision == "inconclusive"
    assert verdict.reason == "guardrail: pattern refund"
    assert (named(verdict, "guardrail pattern refund: not shown") or 0) > 0.2


def test_a_part_that_was_never_seen_is_not_taken_for_safe() -> None:
    given: dict[str, Any] = {"patterns": ("unseen",), "fixed_patterns": np.zeros((CAP, 1), bool)}
    verdict = ended(pair(**given), GUARDED)
    assert verdict.reason == "guardrail: pattern unseen"
    assert named(verdict, "guardrail pattern unseen") == pytest.approx(0.345, abs=0.01)


def test_strata_that_are_too_small_are_guarded_together() -> None:
    tiny = np.where(np.arange(CAP) % 20 == 0, 1 + np.arange(CAP) // 20 % 3, 0)
    given: dict[str, Any] = {
        "stratum": tiny,
        "strata": ("most", "x", "y", "z"),
        "shares": np.array([0.94, 0.02, 0.02, 0.02]),
    }
    verdict = ended(pair(0.4, 0.95, **given), GUARDED)
    assert verdict.decision == "ship"
    assert named(verdict, "guardrail 3 strata together: shown") is not None


FEW = np.isin(np.arange(60), (3, 11, 41))
"""Where the scenarios of a stratum stand that has three of 60."""


def with_few(baseline: float, candidate: float, gain: float = 0.5, **given: Any) -> Evidence:
    """A candidate that gains much, and what it does to the few."""
    a, b = outcomes(0.4, 27, (60, 1)), outcomes(0.4 + gain, 28, (60, 1))
    a[FEW], b[FEW] = baseline, candidate
    values: dict[str, Any] = {
        "stratum": FEW.astype(np.int64),
        "strata": ("most", "few"),
        "shares": np.array([0.94, 0.06]),
        "planned": np.array([57, 3]),
    }
    return evidence(arm(a), arm(b), **{**values, **given})


SMALL = GUARDED.model_copy(update={"cap": 60})


@pytest.mark.parametrize("as_it_was", [0.0, 1.0])
def test_a_few_that_stay_as_they_were_do_not_hold_what_helps_all_others(as_it_was: float) -> None:
    verdict = ended(with_few(as_it_was, as_it_was), SMALL)
    assert verdict.decision == "ship"
    assert verdict.closed > FEW.nonzero()[0].max()  # all of them were looked at
    assert named(verdict, "guardrail stratum few: shown") is not None


def test_a_few_that_are_harmed_hold_what_helps_all_others() -> None:
    verdict = ended(with_few(1.0, 0.0), SMALL)
    assert (verdict.decision, verdict.reason) == ("inconclusive", "guardrail: stratum few")


def test_what_a_few_begin_from_is_half_of_what_is_sure_of_the_rest() -> None:
    a, b = np.zeros((60, 1)), np.where(FEW, 0.0, 1.0)[:, np.newaxis]  # all others are mended
    small = {
        "stratum": FEW.astype(np.int64),
        "strata": ("most", "few"),
        "planned": np.array([57, 3]),
    }
    given: dict[str, Any] = {**small, "shares": np.array([0.94, 0.06])}
    verdict = decide(evidence(arm(a), arm(b), **given), SMALL, LEVEL)

    # Within the strata nothing varies: what is left is the prior's.
    noise = PRIOR_COUNT * PRIOR_VARIANCE / (PRIOR_COUNT + 60 - 2)
    centre = (1.0 - np.sqrt(noise / 57)) / 2
    seen, prior = 3 / (PEEKING * noise), 1 / PRIOR_EFFECT_SD**2
    mean = centre * prior / (seen + prior)  # 0 was seen
    expected = ndtr((-SMALL.margin - mean) * np.sqrt(seen + prior))
    assert named(verdict, "guardrail stratum few: shown") == pytest.approx(expected)


def test_eight_of_a_small_stratum_are_waited_for_and_no_more() -> None:
    at = [0, 1, 2, 40, 42, 44, 46, 48, 56, 57, 58, 59]
    few = np.isin(np.arange(60), at)
    a, b = np.zeros((60, 1)), np.where(few, 0.0, 1.0)[:, np.newaxis]
    given: dict[str, Any] = {
        "stratum": few.astype(np.int64),
        "strata": ("most", "few"),
        "shares": np.array([0.94, 0.06]),
        "planned": np.array([48, 12]),
    }
    verdict, looks = run_sequential(evidence(arm(a), arm(b), **given), SMALL, LEVEL)
    assert looks[0].closed < 40
    assert verdict.decision == "ship"
    assert at[7] < verdict.closed < at[11]


def test_scenarios_that_weigh_nothing_say_nothing_of_a_stratum() -> None:
    verdict = ended(with_few(1.0, 1.0, weight=np.where(FEW, 0.0, 1.0)), SMALL)
    assert (verdict.decision, verdict.reason) == ("inconclusive", "guardrail: stratum few")


@pytest.mark.parametrize("planned", [[42, 18], None])
def test_a_large_stratum_must_speak_for_itself(planned: list[int] | None) -> None:
    """It has scenarios enough; 12 points of all traffic are no small harm."""
    large = np.arange(60) % 10 < 3
    a, b = outcomes(0.2, 5, (60, 1)), outcomes(0.9, 6, (60, 1))
    a[large], b[large] = 1.0, 1.0
    given: dict[str, Any] = {
        "stratum": large.astype(np.int64),
        "strata": ("most", "large"),
        "shares": np.array([0.7, 0.3]),
        "planned": None if planned is None else np.array(planned),
    }
    verdict = decide(first(evidence(arm(a), arm(b), **given), 20), SMALL, LEVEL)
    assert named(verdict, "guardrail stratum large: not shown") is not None  # six are not enough


def test_what_helps_others_says_nothing_of_a_pattern_that_was_mended_before() -> None:
    one: dict[str, Any] = {
        "stratum": np.zeros(60, np.int64),
        "strata": ("all",),
        "shares": np.array([1.0]),
    }
    fixed: dict[str, Any] = {
        "patterns": ("mended",),
        "fixed_patterns": FEW[:, np.newaxis],
        "planned": None,
    }
    verdict = ended(with_few(1.0, 1.0, **one, **fixed), SMALL)
    assert (verdict.decision, verdict.reason) == ("inconclusive", "guardrail: pattern mended")


@pytest.mark.parametrize("what", ["cost", "latency"])
def test_dearer_or_slower_is_rejected_unless_not_guarded(what: str) -> None:
    rng = np.random.default_rng(22)
    amounts = np.exp(0.5 * rng.standard_normal((CAP, 1)))
    a = arm(outcomes(0.5, 23), **{what: amounts})
    b = arm(
        outcomes(0.8, 24), **{what: 1.3 * amounts * np.exp(0.2 * rng.standard_normal((CAP, 1)))}
    )
    verdict = ended(evidence(a, b), GUARDED)
    assert (verdict.decision, verdict.reason) == ("reject", f"guardrail: {what}")
    free = GUARDED.model_copy(update={f"max_{what}_ratio": None})
    assert ended(evidence(a, b), free).decision == "ship"


def test_a_few_very_dear_scenarios_are_seen_in_the_totals() -> None:
    dear = np.where(np.arange(CAP) % 15 == 0, 20.0, 0.9)[:, np.newaxis]
    of = evidence(arm(outcomes(0.5, 25)), arm(outcomes(0.8, 26), cost=dear))
    verdict = ended(of, GUARDED)
    assert (verdict.decision, verdict.reason) == ("inconclusive", "guardrail: cost")


def test_unknown_cost_is_no_proof_of_equal_cost() -> None:
    unknown = np.full((CAP, 1), np.nan)
    verdict = ended(evidence(arm(outcomes(0.5, 27)), arm(outcomes(0.8, 28), cost=unknown)), GUARDED)
    assert (verdict.decision, verdict.reason) == ("inconclusive", "guardrail: cost")
    assert named(verdict, "guardrail cost") is None


def test_leaving_the_tape_more_than_the_baseline_does_is_unsupported() -> None:
    rng = np.random.default_rng(29)
    mostly_off = rng.uniform(0.0, 0.4, (CAP, 1))
    on = rng.uniform(0.6, 1.0, (CAP, 1))
    a, b = outcomes(0.5, 30), outcomes(0.8, 31)
    left = evidence(arm(a, coverage=on), arm(b, coverage=mostly_off), off_tape_possible=True)
    assert ended(left).decision == "unsupported"
    assert ended(left).reason == "off-tape"
    both = evidence(
        arm(a, coverage=mostly_off), arm(b, coverage=mostly_off), off_tape_possible=True
    )
    assert ended(both).decision == "ship"
    assert ended(replace(left, off_tape_possible=False)).decision == "ship"
    silent = evidence(
        arm(a, coverage=np.full((CAP, 1), np.nan)),
        arm(b, coverage=np.full((CAP, 1), np.nan)),
        off_tape_possible=True,
    )
    assert ended(silent).decision == "ship"


@pytest.mark.parametrize(("off", "wanted"), [(0, "ship"), (1, "ship"), (12, "unsupported")])
def test_few_scenarios_tell_whether_they_were_played_on_the_tape(off: int, wanted: str) -> None:
    """Of 30 scenarios, the candidate leaves the tape in ``off``, and does all of them right."""
    n = 30
    coverage = np.where(np.arange(n) < off, 0.0, 1.0)[:, np.newaxis]
    of = evidence(
        arm(np.zeros((n, 1))), arm(np.ones((n, 1)), coverage=coverage), off_tape_possible=True
    )
    settings = GateSettings(gold_share=1.0, guardrails=False, cap=n)
    assert ended(of, settings).decision == wanted


def test_a_part_that_stays_as_it_was_does_not_hold_back_what_mends_the_rest() -> None:
    """Of 66 scenarios, six are of a small stratum in which nothing changes; all others are mended."""
    n = 66
    small = np.arange(n) % 11 == 0
    of = evidence(
        arm(small.astype(np.float64)[:, np.newaxis]),
        arm(np.ones((n, 1))),
        stratum=small.astype(np.int64),
        shares=np.array([0.9, 0.1]),
    )
    settings = GUARDED.model_copy(
        update={"cap": n, "max_cost_ratio": None, "max_latency_ratio": None}
    )

    assert ended(of, settings).decision == "ship"
    broken = replace(of, candidate=arm(1.0 - small.astype(np.float64)[:, np.newaxis]))
    assert ended(broken, settings).decision != "ship"


# Traffic and order


def test_the_claim_is_about_traffic_not_about_scenarios() -> None:
    """Most scenarios get better, most traffic gets worse."""
    rare = np.arange(CAP) % 4 > 0
    a = outcomes(0.5, 32)
    b = np.where(rare[:, np.newaxis], outcomes(0.9, 33), outcomes(0.1, 34))
    weight = np.where(rare, 0.1, 1.0)
    assert ended(evidence(arm(a), arm(b))).decision == "ship"
    weighted = ended(evidence(arm(a), arm(b), weight=weight))
    assert weighted.decision == "reject"
    assert weighted.effect is not None
    assert (weighted.effect.value or 0) < 0


def test_weights_that_differ_cost_power_but_not_validity() -> None:
    rng = np.random.default_rng(35)
    shape = (400, CAP, 1)
    weight = rng.choice([0.1, 1.0], shape[:-1], p=[0.8, 0.2])
    null = evidence(arm(outcomes(0.5, 36, shape)), arm(outcomes(0.5, 37, shape)), weight=weight)
    better = evidence(arm(outcomes(0.5, 36, shape)), arm(outcomes(0.8, 37, shape)), weight=weight)
    assert run_batch(null, PLAIN, LEVEL).shipped.mean() <= 0.05 + 3 * np.sqrt(0.0475 / 400)
    assert run_batch(better, PLAIN, LEVEL).shipped.mean() >= 0.9


def test_a_later_look_never_changes_what_an_earlier_one_bet() -> None:
    """The first scenarios are all gold by chance: stakes must come from the plan, not from them."""
    of = pair(0.5, 0.6, seed=40)
    gold = np.arange(CAP) % 4 == 0
    gold[:20] = True
    of = replace(of, is_gold=gold)
    settings = PLAIN.model_copy(update={"gold_share": 0.25})
    for look in run_sequential(of, settings, LEVEL)[1][:4]:
        assert decide(first(of, look.closed), settings, LEVEL).e_value == pytest.approx(
            look.e_value
        )


@checked(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    n=st.integers(1, 60),
    gold=st.floats(0, 1),
    repeats=st.integers(1, 3),
)
def test_increments_stay_in_bounds_and_evidence_stays_a_number(
    seed: int, n: int, gold: float, repeats: int
) -> None:
    rng = np.random.default_rng(seed)
    shape = (n, repeats)

    def any_arm() -> ArmRuns:
        hole = np.where(rng.random(shape) < 0.2, np.nan, 0.0)
        return arm(
            rng.random(shape) + hole,
            gold=rng.random(shape) - hole,
            state=rng.choice([0, 0, 1, 2], shape).astype(np.int8),
            cost=rng.exponential(1.0, shape) + hole,
            coverage=rng.random(shape) + hole,
        )

    of = evidence(
        any_arm(),
        any_arm(),
        is_gold=rng.random(n) < gold,
        weight=rng.exponential(1.0, n),
        heaviest=None,
        off_tape_possible=True,
    )
    parts = differences(of)
    for filling in ("worst", "best"):
        bets = audited(parts, filling=filling).of
        assert (bets.gain >= -bets.floor - 1e-9).all()
        assert (bets.floor <= 3.0).all()
    assert (parts.judged.worst <= parts.judged.best).all()
    verdict = decide(of, GateSettings(cap=n * repeats, gold_share=0.5), LEVEL)
    assert 0.0 <= verdict.e_value < np.inf
    assert verdict.decision != "continue"
