"""Levels over the life of the loop and on one locked set."""

import numpy as np
import pytest

from spanloop.optimizer.gate import OnlineLevels, e_bh, frozen_order, level_on_one_set
from spanloop.optimizer.statistics.online import e_lond_level, gamma


def test_shares_sum_to_at_most_one_and_the_first_tests_get_most() -> None:
    shares = np.array([gamma(t) for t in range(1, 20_001)])
    assert 0.85 < shares.sum() < 1.0
    assert (np.diff(shares) < 0).all()
    with pytest.raises(ValueError, match="from 1"):
        gamma(0)


def test_a_ship_makes_the_next_levels_larger() -> None:
    start = OnlineLevels()
    shipped = start.after("ship", 1000.0)
    lost = start.after("inconclusive", 0.4)
    assert shipped.next_level() == pytest.approx(2 * lost.next_level())
    assert lost.next_level() < start.next_level()
    assert OnlineLevels(tests=1, ships=1) == shipped
    assert start.next_level(candidates=4) == pytest.approx(start.next_level() / 4)


@pytest.mark.parametrize("e_value", [None, 5.0])
def test_a_ship_below_its_level_is_refused(e_value: float | None) -> None:
    with pytest.raises(ValueError, match="not what the rule allotted"):
        OnlineLevels().after("ship", e_value)


def test_the_false_share_stays_bounded_when_tests_depend_on_each_other() -> None:
    """All nulls of a stream share one e-value, as candidates tested on one locked set may."""
    rng = np.random.default_rng(1)
    shares = []
    for _ in range(400):
        shared = float(rng.random() < 0.02) * 50.0
        state, false = OnlineLevels(), 0
        for _ in range(60):
            good = rng.random() < 0.2
            e_value = 1e5 if good else shared
            decision = "ship" if e_value * state.next_level() >= 1 else "inconclusive"
            state = state.after(decision, e_value)  # type: ignore[arg-type]
            false += decision == "ship" and not good
        shares.append(false / max(state.ships, 1))
    assert np.mean(shares) <= 0.10


def test_e_lond_against_its_formula() -> None:
    assert e_lond_level(10, 3, alpha=0.1) == pytest.approx(0.1 * gamma(10) * 4)
    assert e_lond_level(1, 100, alpha=0.5) == 1.0


def test_one_locked_set_divides_the_level() -> None:
    assert level_on_one_set(0.05, 20) == pytest.approx(0.0025)
    with pytest.raises(ValueError, match="At least one"):
        level_on_one_set(0.05, 0)


def test_e_bh_claims_the_largest_that_carry_each_other() -> None:
    """m = 4 at .05: 80, 40, 26.7, 20 are needed of the first to the fourth."""
    assert e_bh([45.0, 3.0, 44.0, 1.0], alpha=0.05).tolist() == [True, False, True, False]
    assert e_bh([79.0, 3.0, 1.0, 1.0], alpha=0.05).tolist() == [False] * 4
    assert e_bh([], alpha=0.05).size == 0


def test_the_order_depends_on_ids_and_seed_only() -> None:
    ids = [f"scenario-{n}" for n in range(50)]
    asked_twice_backwards = [*reversed(ids), *ids]
    assert frozen_order(asked_twice_backwards, seed=3) == frozen_order(ids, seed=3)
    assert frozen_order(ids, seed=4) != frozen_order(ids, seed=3)
    assert sorted(frozen_order(ids, seed=3)) == sorted(ids)
    with pytest.raises(ValueError, match="without an id"):
        frozen_order(["a", ""], seed=1)
