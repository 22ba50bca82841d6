"""The benchmark of small strata, in small: the same code, fewer runs."""

import numpy as np
import pytest

from benchmarks.gate.small_strata import CASES, SCENARIOS, evidence, ships


@pytest.mark.parametrize("case", ["fails before and after", "satisfied before and after"])
def test_a_few_that_stay_as_they_were_do_not_hold_a_release(case: str) -> None:
    assert ships(case, 4, gain=0.35, gold_share=1.0, runs=30) > 0.4


def test_a_few_that_are_harmed_hold_it() -> None:
    assert ships("harmed by 100 points", 4, gain=0.35, gold_share=1.0, runs=30) == 0.0


def test_its_weights_give_each_stratum_its_share() -> None:
    drawn = evidence(CASES["harmed by 20 points"], 4, 0.3, 1.0, np.random.default_rng(1))
    assert len(drawn.weight) == SCENARIOS
    assert (drawn.stratum == 6).sum() == 4
    of_each = np.bincount(drawn.stratum, weights=drawn.weight)
    assert of_each == pytest.approx(drawn.shares)
