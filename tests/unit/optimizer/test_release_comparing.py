"""The live comparison by simulation: how often it errs, how soon it sees harm, whom it does not trust.

Small runs of what `python -m benchmarks.releases` does in full.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from spanloop.optimizer.releases.comparing import Comparison, Traffic, compare, mismatch, watch

Floats = NDArray[np.float64]


def drawn(
    rng: np.random.Generator, n: int, *, share: float = 0.2, effect: float = 0.0, drift: float = 0.0
) -> Traffic:
    """Draw n trajectories: base rate 0.6, which swings by ``drift``."""
    canary = rng.random(n) < share
    rate = 0.6 + drift * np.sin(np.arange(n) / 100) + effect * canary
    outcome = (rng.random(n) < np.clip(rate, 0, 1)).astype(float)
    return Traffic(canary=canary, share=np.full(n, share), outcome=outcome)


def compared(traffic: Traffic) -> Comparison:
    return compare(traffic, margin=0.05, level=0.1, horizon=2_000)


def share_of(runs: int, seed: int, *, says: str, at_least: float, **world: float) -> float:
    rng = np.random.default_rng(seed)
    n = int(world.pop("n", 400))
    hits = [getattr(compared(drawn(rng, n, **world)), says) >= at_least for _ in range(runs)]
    return float(np.mean(hits))


@pytest.mark.parametrize("world", [{}, {"drift": 0.3}, {"share": 0.05}, {"share": 0.5}])
def test_an_equal_canary_is_seldom_rolled_back_whatever_traffic_does(
    world: dict[str, float],
) -> None:
    assert share_of(100, 1, says="e_worse", at_least=10, **world) <= 0.1 + 2 * 0.03


def test_a_canary_worse_by_the_margin_is_seldom_promoted() -> None:
    assert share_of(100, 2, says="e_not_worse", at_least=20, effect=-0.05) <= 0.05 + 2 * 0.022


def test_harm_is_seen_soon_and_a_gain_promoted() -> None:
    assert share_of(40, 3, says="e_worse", at_least=10, effect=-0.3, n=300) >= 0.8
    assert share_of(40, 4, says="e_worse", at_least=10, effect=-0.1, n=2_000) >= 0.8
    assert share_of(40, 5, says="e_not_worse", at_least=20, effect=0.1, n=2_000) >= 0.9


def test_bounds_hold_the_effect_and_shrink() -> None:
    rng = np.random.default_rng(6)
    found = [compared(drawn(rng, 800, effect=-0.1)) for _ in range(60)]
    bounds = [(f.low, f.high) for f in found if f.low is not None and f.high is not None]
    assert len(bounds) == 60
    assert np.mean([low <= -0.1 <= high for low, high in bounds]) >= 0.91
    few = compared(drawn(rng, 100))
    assert few.low is not None
    assert few.high is not None
    assert np.mean([high - low for low, high in bounds]) < few.high - few.low


def test_shares_may_grow_on_the_way() -> None:
    """Pooled means would call a canary better only because its share grew while traffic got easier."""
    rng = np.random.default_rng(7)
    errors = 0
    for _ in range(30):
        share = np.repeat([0.05, 0.5], 600)
        canary = rng.random(1_200) < share
        outcome = (rng.random(1_200) < np.repeat([0.3, 0.9], 600)).astype(float)
        found = compared(Traffic(canary=canary, share=share, outcome=outcome))
        errors += found.e_not_worse >= 20 and found.low is not None and found.low > 0
        assert found.e_mismatch < 1_000
    assert errors <= 2


def test_a_canary_that_loses_conversations_is_a_mismatch() -> None:
    rng = np.random.default_rng(8)
    traffic = drawn(rng, 4_000)
    lost = traffic.canary & (rng.random(4_000) < 0.4)
    kept = Traffic(
        canary=traffic.canary[~lost], share=traffic.share[~lost], outcome=traffic.outcome[~lost]
    )
    assert mismatch(traffic, horizon=2_000) < 1_000
    assert mismatch(kept, horizon=2_000) >= 1_000
    unjudged = np.where(lost, np.nan, traffic.outcome)  # there, but without an outcome
    assert (
        mismatch(
            Traffic(canary=traffic.canary, share=traffic.share, outcome=unjudged), horizon=2_000
        )
        >= 1_000
    )


def test_a_mismatch_is_seldom_claimed() -> None:
    rng = np.random.default_rng(9)
    claims = [mismatch(drawn(rng, 1_000, share=0.1), horizon=2_000) >= 1_000 for _ in range(200)]
    assert sum(claims) <= 2


@pytest.mark.parametrize("n_canary", [0, 50])
def test_with_one_side_only_nothing_is_said(n_canary: int) -> None:
    canary = np.arange(50) < n_canary
    found = compared(Traffic(canary=canary, share=np.full(50, 0.5), outcome=np.ones(50)))
    assert (found.effect, found.e_worse, found.e_not_worse) == (None, 1.0, 1.0)
    assert (found.n, found.n_other) == (n_canary, 50 - n_canary)
    empty = compared(Traffic(canary=canary[:0], share=np.zeros(0), outcome=np.zeros(0)))
    assert (empty.n, empty.e_mismatch) == (0, 1.0)


def fell(rng: np.random.Generator, before: float, after: float, n: int = 600) -> Comparison:
    was, is_ = ((rng.random(n) < rate).astype(float) for rate in (before, after))
    return watch(is_, was, tolerance=0.05, level=0.1, horizon=2_000)


def test_a_fall_below_the_figures_before_is_seen_and_a_steady_release_left_alone() -> None:
    rng = np.random.default_rng(10)
    assert np.mean([fell(rng, 0.7, 0.5).e_worse >= 10 for _ in range(20)]) >= 0.8
    assert np.mean([fell(rng, 0.7, 0.65).e_worse >= 10 for _ in range(40)]) <= 0.05
    steady = fell(rng, 0.7, 0.7)
    assert steady.low is not None
    assert steady.high is not None
    assert steady.low < 0 < steady.high
    unknown = watch(np.zeros(0), np.ones(5), tolerance=0.05, level=0.1, horizon=2_000)
    assert (unknown.effect, unknown.n, unknown.n_other, unknown.e_worse) == (None, 0, 5, 1.0)
