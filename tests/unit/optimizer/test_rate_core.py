"""What a rate says where evidence is thin, one-sided or absent."""

import numpy as np

from spanloop.optimizer.satisfaction.rate_core import (
    Raters,
    bounded_by_raters,
    pass_k,
    raters_rates,
    rates,
)
from spanloop.optimizer.statistics import Batch, Interval, Labels


def evidence(outcome: list[float], runs: int = 100) -> tuple[Labels, Batch]:
    y = np.array(outcome, dtype=float)
    zero, one = np.zeros(y.size), np.ones(y.size)
    total, nothing = np.array([float(runs)]), np.zeros(1)
    return (
        Labels(
            outcome=y,
            score=zero,
            group=np.zeros(y.size, dtype=np.int64),
            cluster=np.arange(y.size),
            weight=one,
            cluster_runs=one,
            cluster_score=zero,
        ),
        Batch(
            runs=total,
            score=nothing,
            clusters=total,
            runs_squared=total,
            runs_score=nothing,
            score_squared=nothing,
        ),
    )


def raters(runs: float, satisfied: float) -> Interval:
    sums = [np.array([v]) for v in (runs, satisfied, runs, runs, satisfied, satisfied)]
    return raters_rates(Raters(*sums))[0]


def test_four_labels_are_no_evidence_and_five_are_little() -> None:
    four = rates(*evidence([1, 1, 0, 1]))[0]
    assert (four.point, four.low, four.method, four.n) == (None, None, "unknown", 4)
    five = rates(*evidence([1, 1, 0, 1, 1]))[0]
    assert five.method == "labels"
    assert five.point == 0.8
    assert (five.width or 0) > 0.5


def test_no_label_at_all_is_unknown_never_zero() -> None:
    nothing = rates(*evidence([]))[0]
    assert (nothing.point, nothing.high) == (None, None)


def test_raters_give_bounds_wider_than_their_own_interval() -> None:
    among = raters(40, 30)
    assert among.point == 0.75
    bounds = bounded_by_raters(among, 1000)
    assert bounds.point is None
    assert (bounds.low or 1) < (among.low or 0)
    assert (bounds.high or 0) > (among.high or 1)


def test_few_raters_bound_nothing() -> None:
    assert bounded_by_raters(raters(4, 4), 1000).method == "unknown"
    assert raters(0, 0).point is None


def test_pass_k_needs_repeats_of_a_scenario_by_one_configuration() -> None:
    runs = [("s1", "a", 1.0), ("s1", "a", 1.0), ("s2", "a", 1.0), ("s2", "a", 0.0)]
    assert pass_k(runs) == [(1, 0.75), (2, 0.5)]
    assert pass_k([("s1", "a", 1.0), ("s1", "b", 1.0), ("s2", "a", 0.0)]) == []
    assert pass_k([("", "a", 1.0)] * 5) == []
