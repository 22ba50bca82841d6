"""Raters that chose themselves, tasks run again."""

import numpy as np
import pytest

from spanloop.optimizer.statistics import (
    pass_hat_k,
    volunteered_bounds,
    wilson,
)


@pytest.mark.parametrize("ratio", [1 / 3, 0.6, 1.0, 3.0])
def test_bounds_hold_the_truth_for_every_plausible_response_ratio(ratio: float) -> None:
    rng = np.random.default_rng(33)
    satisfied = rng.random(2000) < 0.7
    truth = float(satisfied.mean())
    held, naive = [], []
    for _ in range(800):
        rates = rng.random(2000) < np.where(satisfied, 0.06, 0.06 * ratio)
        raters = int(rates.sum())
        happy = int((rates & satisfied).sum())
        among = wilson(happy, raters)
        found = volunteered_bounds(among, seen=(happy, raters - happy, 2000))
        held.append((found.low or 0) <= truth <= (found.high or 0))
        naive.append((among.low or 0) <= truth <= (among.high or 0))
        assert found.point is None
    assert np.mean(held) >= 0.95
    if ratio in (3.0, 1 / 3):
        assert np.mean(naive) < 0.5


def test_bounds_use_what_was_seen_and_know_nothing_of_nobody() -> None:
    whole = volunteered_bounds(wilson(90, 100), seen=(90, 10, 100))
    assert (whole.low, whole.high) == pytest.approx((0.9, 0.9))
    assert not volunteered_bounds(wilson(0, 0)).known
    with pytest.raises(ValueError, match="in order"):
        volunteered_bounds(wilson(1, 2), ratios=(3.0, 1.0))


def test_pass_hat_k_by_hand() -> None:
    found = pass_hat_k([4, 2, 0], [4, 4, 4], 2)
    assert found.point == pytest.approx((1 + 1 / 6 + 0) / 3)
    assert found.method == "pass^2"
    assert pass_hat_k([1, 1], [1, 3], 3).point is None
    with pytest.raises(ValueError, match="successes"):
        pass_hat_k([3], [2], 1)


def test_pass_hat_k_is_unbiased_and_covers() -> None:
    rng = np.random.default_rng(34)
    rates = np.array([0.2, 0.5, 0.8, 0.95, 1.0])
    truth = float(np.mean(rates**3))
    points, covered = [], []
    for _ in range(500):
        p = rng.choice(rates, size=60)
        found = pass_hat_k(rng.binomial(5, p), np.full(60, 5), 3)
        points.append(found.point)
        covered.append((found.low or 0) <= truth <= (found.high or 0))
    assert np.mean(np.array(points, dtype=float)) == pytest.approx(truth, abs=0.01)
    assert 0.93 <= np.mean(covered) <= 0.98
