"""Bets: valid at every look whatever the outcomes, soon right where there is an effect, never bankrupt."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from spanloop.optimizer.statistics.betting import (
    STAKES,
    first_reached,
    increments,
    log_wealth,
    mean_bounds,
)

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]

LEVEL = 0.05
RUNS = 1_500
ALLOWED = LEVEL + 3 * np.sqrt(LEVEL * (1 - LEVEL) / RUNS)


def signs(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return rng.choice([-1.0, 1.0], shape)


def discordant(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return rng.choice([-1.0, 0.0, 1.0], shape, p=[0.17, 0.66, 0.17])


def rare_losses(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Mostly a little up, rarely all down: the mean is 0, the median is not."""
    return np.where(rng.random(shape) < 0.05, -0.95, 0.05)


def rare_wins(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return -rare_losses(rng, shape)


def drifting(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """The spread changes half-way."""
    wide = rng.uniform(-1, 1, shape)
    return np.where(np.arange(shape[1]) < shape[1] // 2, 0.1 * wide, wide)


@pytest.mark.parametrize("draw", [signs, discordant, rare_losses, rare_wins, drifting])
@pytest.mark.parametrize("horizon", [30, 300])
def test_a_null_is_refuted_at_any_look_no_oftener_than_the_level(draw: Draw, horizon: int) -> None:
    gains = draw(np.random.default_rng(1), (RUNS, 200))
    wealth = log_wealth(increments(gains), level=LEVEL, horizon=horizon)
    assert (wealth.max(axis=1) >= -np.log(LEVEL)).mean() <= ALLOWED


def test_expected_wealth_does_not_grow_under_the_null() -> None:
    gains = discordant(np.random.default_rng(2), (20_000, 25))
    wealth = np.exp(log_wealth(increments(gains), level=LEVEL, horizon=25)[:, -1])
    assert wealth.mean() <= 1.0 + 4 * wealth.std() / np.sqrt(wealth.size)


def test_effects_of_any_size_are_found_by_the_horizon() -> None:
    rng = np.random.default_rng(3)
    found = {}
    for effect in (0.10, 0.30):
        gains = rng.choice(
            [-1.0, 0.0, 1.0], (400, 600), p=[0.17 - effect / 2, 0.66, 0.17 + effect / 2]
        )
        wealth = log_wealth(increments(gains), level=LEVEL, horizon=600)
        at = first_reached(wealth, LEVEL)
        found[effect] = ((at < 600).mean(), np.median(at))
    assert found[0.10][0] >= 0.9
    assert found[0.30][0] == 1.0
    assert found[0.30][1] <= 45


@settings(max_examples=60, deadline=None)
@given(
    gains=arrays(np.float64, st.integers(1, 60), elements=st.floats(-1, 1)),
    scale=st.floats(0.1, 3.0),
    level=st.floats(1e-6, 0.5),
    horizon=st.integers(1, 1000),
)
def test_wealth_stays_positive_and_no_step_loses_more_than_the_stake(
    gains: Floats, scale: float, level: float, horizon: int
) -> None:
    of = increments(gains * scale, floor=scale)
    wealth = np.append(0.0, log_wealth(of, level=level, horizon=horizon))
    most = max(stake.most for stake in STAKES)
    assert np.isfinite(wealth).all()
    assert (np.diff(wealth) >= np.log(1.0 - most) - 1e-9).all()


@settings(max_examples=40, deadline=None)
@given(
    gains=arrays(np.float64, 40, elements=st.floats(-1, 1)),
    later=arrays(np.float64, 15, elements=st.floats(-1, 1)),
    used=arrays(np.bool_, 40),
)
def test_stakes_look_backwards_only(gains: Floats, later: Floats, used: NDArray[np.bool_]) -> None:
    changed = np.append(gains[:25], later)
    kept, other = (
        log_wealth(increments(each, used=used), level=LEVEL, horizon=40)
        for each in (gains, changed)
    )
    assert np.allclose(kept[:25], other[:25])
    first_stake = log_wealth(increments(np.append(gains[:24], -1.0)), level=LEVEL, horizon=40)
    second = log_wealth(increments(np.append(gains[:24], 1.0)), level=LEVEL, horizon=40)
    assert np.allclose(first_stake[:24], second[:24])


def test_what_is_not_used_is_neither_bet_on_nor_counted() -> None:
    gains = discordant(np.random.default_rng(4), (1, 50))[0]
    used = np.arange(50) % 3 > 0
    alone = log_wealth(increments(gains[used]), level=LEVEL, horizon=40)
    among = log_wealth(
        increments(np.where(used, gains, np.nan), used=used), level=LEVEL, horizon=40
    )
    assert np.allclose(among[used], alone)


@pytest.mark.parametrize("bad", [-1.1, np.nan])
def test_a_loss_beyond_the_floor_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="largest possible loss"):
        increments([0.1, bad])


@pytest.mark.parametrize("mean", [-0.2, 0.0, 0.25])
def test_bounds_hold_the_mean_at_whatever_look_they_are_read(mean: float) -> None:
    rng = np.random.default_rng(5)
    missed = 0
    for _ in range(80):
        values = rng.choice([-1.0, 0.0, 1.0], 120, p=[0.2 - mean / 2, 0.6, 0.2 + mean / 2])
        for n in (10, 40, 120):
            low, high = mean_bounds(increments(values[:n]), np.ones(n), horizon=120)
            if not low <= mean <= high:
                missed += 1
                break
    assert missed <= 80 * 0.05 + 3 * np.sqrt(80 * 0.05 * 0.95)


def test_bounds_narrow_and_hold_the_weighted_mean() -> None:
    rng = np.random.default_rng(6)
    weight = rng.choice([0.2, 1.0], 400)
    values = np.where(weight < 0.5, 0.4, -0.1) + rng.uniform(-0.3, 0.3, 400)
    truth = (0.2 * 0.4 - 0.1) / 1.2
    widths = []
    for n in (20, 100, 400):
        low, high = mean_bounds(
            increments(weight[:n] * values[:n], size=weight[:n]), weight[:n], horizon=400
        )
        assert low <= truth <= high
        widths.append(high - low)
    assert widths[0] > widths[1] > widths[2]
    assert widths[2] < 0.2


def test_bounds_of_nothing_are_everything() -> None:
    assert mean_bounds(increments([]), np.empty(0), horizon=10) == (-1.0, 1.0)
