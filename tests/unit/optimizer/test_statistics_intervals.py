"""Proportions, differences of proportions, false-discovery control, the cluster bootstrap."""

import numpy as np
import pytest
from scipy.stats import norm

from spanloop.optimizer.statistics import (
    benjamini_hochberg,
    max_t_adjusted,
    wilson,
)


@pytest.mark.parametrize(("n", "rate"), [(20, 0.5), (50, 0.1), (200, 0.03), (30, 0.8)])
def test_wilson_covers(n: int, rate: float) -> None:
    rng = np.random.default_rng(1)
    draws = rng.binomial(n, rate, size=4000)
    held = {k: wilson(int(k), n) for k in np.unique(draws)}
    covered = np.mean([(held[k].low or 0) <= rate <= (held[k].high or 0) for k in draws])
    assert 0.92 <= covered <= 0.985


def test_wilson_against_published_values() -> None:
    """Newcombe 1998, table I: 81 of 263 and 0 of 20."""
    assert wilson(81, 263)[1:3] == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20)[1:3] == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_nothing_observed_is_unknown_never_zero() -> None:
    assert wilson(0, 0).point is None
    assert wilson(0, 0).width is None
    with pytest.raises(ValueError, match="impossible"):
        wilson(3, 2)
    with pytest.raises(ValueError, match="level"):
        wilson(1, 2, level=95)


def test_benjamini_hochberg_by_hand_and_around_missing_tests() -> None:
    q = benjamini_hochberg([0.01, np.nan, 0.04, 0.03])
    assert q[[0, 2, 3]] == pytest.approx([0.03, 0.04, 0.04])
    assert np.isnan(q[1])
    assert benjamini_hochberg([]).size == 0
    with pytest.raises(ValueError, match="between 0 and 1"):
        benjamini_hochberg([1.2])


def test_the_false_share_of_claims_stays_below_the_level() -> None:
    rng = np.random.default_rng(3)
    shares = []
    for _ in range(500):
        z = rng.standard_normal(50) * 0.8 + 0.6 * rng.standard_normal()
        z[:10] += 3.5
        claimed = benjamini_hochberg(norm.sf(z)) <= 0.1
        shares.append(claimed[10:].sum() / max(claimed.sum(), 1))
    assert np.mean(shares) <= 0.1


@pytest.mark.parametrize("step_down", [True, False])
def test_max_t_keeps_any_false_claim_rare_and_near_copies_cheap(step_down: bool) -> None:
    rng = np.random.default_rng(4)
    any_claim = []
    for _ in range(300):
        null = rng.standard_normal((200, 20))
        observed = rng.standard_normal(20)
        any_claim.append((max_t_adjusted(observed, null, step_down=step_down) <= 0.05).any())
    assert np.mean(any_claim) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)
    copies = np.repeat(rng.standard_normal((999, 1)), 30, axis=1)
    assert max_t_adjusted(np.full(30, 2.4), copies)[0] < 0.02


def test_max_t_checks_shapes() -> None:
    with pytest.raises(ValueError, match="expected"):
        max_t_adjusted([1.0, 2.0], np.zeros((5, 3)))
    assert max_t_adjusted([], np.zeros((5, 0))).size == 0
