"""Means from few labels and a score on everything: coverage, width, honesty, edges."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spanloop.optimizer.statistics import (
    Batch,
    Labels,
    clustered_rate,
    prediction_powered_means,
    rate_bounds,
)
from spanloop.optimizer.statistics.prediction_powered import Target, Unit

Floats = NDArray[np.float64]


def draws(
    rng: np.random.Generator, how: tuple[Target, Unit], n_draws: int, **world: Any
) -> tuple[Labels, Batch, float]:
    """Label 60 of 300 runs (15 of 75 clusters), ``n_draws`` times, and return the truth."""
    target, unit = how
    size, n_clusters = 4, 75
    effect = rng.standard_normal((1 if target == "batch" else n_draws, n_clusters))
    effect = np.broadcast_to(effect, (n_draws, n_clusters))
    p = 1 / (1 + np.exp(-(world.get("level", 0.5) + 1.2 * effect)))
    p = np.repeat(p, size, axis=1)
    uniform = rng.random(p.shape[1]) if target == "batch" else rng.random(p.shape)
    y = (uniform < p).astype(float)
    noise = rng.standard_normal(p.shape[1]) if target == "batch" else rng.standard_normal(p.shape)
    f = world.get("signal", 1.0) * (2 * y - 1) + noise
    f = 1 / (1 + np.exp(-2 * f))
    if unit == "run":
        chosen = rng.permuted(np.tile(np.arange(300) < 60, (n_draws, 1)), axis=1)
    else:
        chosen = rng.permuted(np.tile(np.arange(n_clusters) < 15, (n_draws, 1)), axis=1)
        chosen = np.repeat(chosen, size, axis=1)
    cluster = np.arange(n_draws)[:, None] * n_clusters + np.repeat(np.arange(n_clusters), size)
    sums = f.reshape(n_draws, n_clusters, size).sum(axis=2)
    runs = np.full(n_draws, 300.0)
    row, _ = np.nonzero(chosen)
    labels = Labels(
        outcome=y[chosen],
        score=f[chosen],
        group=row,
        cluster=cluster[chosen],
        weight=np.ones(row.size),
        cluster_runs=np.full(row.size, float(size)),
        cluster_score=np.repeat(sums, size, axis=1)[chosen],
    )
    batch = Batch(
        runs=runs,
        score=f.sum(axis=1),
        clusters=np.full(n_draws, float(n_clusters)),
        runs_squared=np.full(n_draws, n_clusters * size**2.0),
        runs_score=size * f.sum(axis=1),
        score_squared=np.sum(sums**2, axis=1),
    )
    if target == "batch":
        return labels, batch, float(y[0].mean())
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    inner = 1 / (1 + np.exp(-(world.get("level", 0.5) + 1.2 * nodes)))
    return labels, batch, float(weights @ inner / weights.sum())


DESIGNS: list[tuple[Target, Unit]] = [
    ("batch", "run"),
    ("batch", "cluster"),
    ("population", "run"),
    ("population", "cluster"),
]


@pytest.mark.parametrize("how", DESIGNS)
@pytest.mark.parametrize("signal", [0.0, 1.0, -1.0])
@pytest.mark.parametrize("level", [0.5, 1.8])
def test_intervals_cover_and_are_never_wider_than_labels_alone(
    how: tuple[Target, Unit], signal: float, level: float
) -> None:
    rng = np.random.default_rng(21)
    labels, batch, truth = draws(rng, how, 1500, signal=signal, level=level)
    means = prediction_powered_means(labels, batch, target=how[0], unit=how[1])
    alone = prediction_powered_means(labels, batch, target=how[0], unit=how[1], assisted=False)
    low, high = rate_bounds(means)
    low_alone, high_alone = rate_bounds(alone)
    few = how[1] == "cluster"
    for below, above in ((low, high), (low_alone, high_alone)):
        covered = np.mean((below <= truth) & (truth <= above))
        assert (0.915 if few else 0.93) <= covered <= 0.985
    ratio = np.mean(high - low) / np.mean(high_alone - low_alone)
    assert ratio <= 1.005
    if signal == 1.0 and level == 0.5:
        assert ratio < 0.85
    if signal == -1.0:
        assert np.mean(means.slope > 0) < 0.02


def test_the_batch_is_narrower_than_the_population_behind_it() -> None:
    rng = np.random.default_rng(22)
    labels, batch, _ = draws(rng, ("batch", "run"), 200)
    these = prediction_powered_means(labels, batch, target="batch", unit="run")
    behind = prediction_powered_means(labels, batch, target="population", unit="run")
    assert np.mean(these.variance) < 0.8 * np.mean(behind.variance)
    assert these.undrawn[0] == pytest.approx(0.8)


def one_group(
    outcome: list[float], score: list[float] | None = None, *, runs: int = 100
) -> tuple[Labels, Batch]:
    y = np.array(outcome, dtype=float)
    f = np.zeros(y.size) if score is None else np.array(score)
    labels = Labels(
        outcome=y,
        score=f,
        group=np.zeros(y.size, dtype=np.int64),
        cluster=np.arange(y.size),
        weight=np.ones(y.size),
        cluster_runs=np.ones(y.size),
        cluster_score=f,
    )
    total = np.array([runs * f.mean() if y.size else 0.0])
    one = np.array([float(runs)])
    square = np.array([runs * float(np.mean(f**2)) if y.size else 0.0])
    batch = Batch(
        runs=one,
        score=total,
        clusters=one,
        runs_squared=one,
        runs_score=total,
        score_squared=square,
    )
    return labels, batch


def test_it_is_the_textbook_estimate_of_a_simple_random_sample() -> None:
    """Cochran (1977), theorem 2.2 with the finite-population correction."""
    labels, batch = one_group([1, 1, 0, 1, 0, 1, 1, 1, 0, 1])
    means = prediction_powered_means(labels, batch, target="batch", unit="run")
    assert means.point[0] == pytest.approx(0.7)
    assert means.variance[0] == pytest.approx(0.9 * (0.7 * 0.3 / 9))
    assert means.df[0] == pytest.approx(9)


def test_labels_that_are_all_alike_still_leave_doubt() -> None:
    labels, batch = one_group([1.0] * 12)
    low, high = rate_bounds(prediction_powered_means(labels, batch, target="batch", unit="run"))
    assert 0.6 < low[0] < 0.85
    assert high[0] == 1.0


def test_a_batch_labelled_whole_is_known_exactly() -> None:
    labels, batch = one_group([1, 0, 1, 1], runs=4)
    means = prediction_powered_means(labels, batch, target="batch", unit="run")
    low, high = rate_bounds(means)
    assert (low[0], means.point[0], high[0]) == pytest.approx((0.75, 0.75, 0.75))


@pytest.mark.parametrize("outcome", [[], [1.0]])
def test_none_or_one_label_gives_no_estimate(outcome: list[float]) -> None:
    labels, batch = one_group(outcome)
    means = prediction_powered_means(labels, batch, target="population", unit="run")
    assert np.isnan(means.point[0])
    assert np.isnan(rate_bounds(means)[0][0])


def test_unequal_chances_of_being_drawn_are_weighted_away() -> None:
    rng = np.random.default_rng(23)
    y = (rng.random(600) < np.where(np.arange(600) < 200, 0.2, 0.8)).astype(float)
    chance = np.where(np.arange(600) < 200, 0.4, 0.1)
    covered = []
    for _ in range(400):
        chosen = rng.random(600) < chance
        labels, batch = one_group(y[chosen].tolist(), runs=600)
        labels = Labels(
            outcome=labels.outcome,
            score=labels.score,
            group=labels.group,
            cluster=labels.cluster,
            weight=1 / chance[chosen],
            cluster_runs=labels.cluster_runs,
            cluster_score=labels.cluster_score,
        )
        means = prediction_powered_means(labels, batch, target="batch", unit="run")
        low, high = rate_bounds(means)
        covered.append(low[0] <= y.mean() <= high[0])
    assert 0.93 <= np.mean(covered) <= 0.985


def test_clustered_rates_cover() -> None:
    rng = np.random.default_rng(25)
    sizes = rng.integers(1, 9, size=25)
    clusters = np.repeat(np.arange(25), sizes)
    rates = []
    for _ in range(600):
        effect = rng.standard_normal(25)[clusters]
        outcome = (rng.random(clusters.size) < 1 / (1 + np.exp(-effect))).astype(float)
        rate = clustered_rate(outcome, clusters)
        rates.append((rate.low or 0) <= 0.5 <= (rate.high or 1))
    assert 0.93 <= np.mean(rates) <= 0.98


def test_one_cluster_is_unknown_and_inputs_are_checked() -> None:
    assert clustered_rate([1, 0, 1], [5, 5, 5]).point is None
    assert clustered_rate([]).point is None
    assert clustered_rate([0.0, 1.0]).point == 0.5
    with pytest.raises(ValueError, match="between 0 and 1"):
        clustered_rate([2.0])
    with pytest.raises(ValueError, match="belong together"):
        clustered_rate([1.0, 0.0], [1])
