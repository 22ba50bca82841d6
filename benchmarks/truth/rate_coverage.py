"""Do the intervals of the satisfaction rate hold the truth as often as they say?

Labels are drawn at random, thousands of times, from runs whose outcomes are all known (benchmarks.md §1):
5, 10, 20, 40 % of the runs, 20 and 40 % of the tasks. Two truths, never mixed: the mean of this batch, and
the mean of the population behind it (batches made by drawing tasks again). What is measured is
`spanloop.optimizer.satisfaction.rate_core`, the code that answers in the product.

Assessors: on recorded runs the probability that the product stored before any label was seen, and a simulated
one of sensitivity = specificity = 0.85; on generated populations theirs (`rate_populations`). Beside ours:

- *labels alone*: the same code without the score;
- *naive labels*: Wilson's interval as if runs were independent and the batch endless;
- *naive score*: the mean score of all runs with Wilson's interval, as if the assessor were right.

In the volunteer cells nobody is drawn: users rate as they please, the dissatisfied 3 times or 1/3 as likely.
"""

import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.truth.load import TruthData
from benchmarks.truth.rate_populations import (
    CLUSTER_SHARES,
    RATING_RATIOS,
    RUN_SHARES,
    SYNTHETIC,
    Population,
    binary_assessor,
    draw,
    volunteers,
)
from benchmarks.truth.rate_report import MONTE_CARLO_LEVEL, aims, rounded, summary
from benchmarks.truth.rate_retrained import retrained_aim, retrained_cells
from spanloop.optimizer.satisfaction.rate_core import (
    Raters,
    bounded_by_raters,
    raters_rates,
    rates,
)
from spanloop.optimizer.statistics import Batch, Interval, Labels, prediction_powered_means, wilson
from spanloop.optimizer.statistics.prediction_powered import Target, Unit, rate_bounds

DRAWS = 2_000
DESIGNS: Sequence[tuple[Unit, float]] = (
    *(("run", share) for share in RUN_SHARES),
    *(("cluster", share) for share in CLUSTER_SHARES),
)
TRUTHS: Sequence[Target] = ("batch", "population")

Floats = NDArray[np.float64]


def measure(
    data: TruthData, train: TruthData | None, *, seed: int, draws: int = DRAWS
) -> dict[str, Any]:
    """Measure every cell.

    Args:
        data: recorded runs with ground truth.
        train: not used: nothing is fitted here.
        seed: of every draw.
        draws: simulations a cell.
    """
    del train
    recorded, skipped = recorded_populations(data, seed)
    populations = [*recorded, *synthetic_populations(seed)]
    cells = [
        coverage_cell(population, truth, unit, share, draws=draws, seed=seed)
        for population in populations
        for truth in TRUTHS
        for unit, share in DESIGNS
    ]
    raters = [
        volunteer_cell(population, ratio, draws=draws, seed=seed)
        for population in populations
        if not population.name.endswith("/assessor_85")
        for ratio in RATING_RATIOS
    ]
    retrained = retrained_cells(data, seed=seed)
    return {
        "aims": [*aims(cells, raters), retrained_aim(retrained)],
        "summary": summary(cells),
        "cells": cells,
        "volunteers": raters,
        "retrained": retrained,
        "skipped": skipped,
    }


def recorded_populations(data: TruthData, seed: int) -> tuple[list[Population], dict[str, str]]:
    """Return the recorded sets, each with two assessors, and why others are left out."""
    stored = data.client.query(
        f"SELECT TrajectoryId, Base FROM {data.context.renderer.table('trajectory_satisfaction')} "  # noqa: S608
        "FINAL WHERE Base IS NOT NULL"
    ).result_rows
    probability = {str(name): float(p) for name, p in stored}
    result: list[Population] = []
    skipped: dict[str, str] = {}
    for name in data.sets:
        rows = [r for r in data.truth if r["set"] == name and r.get("success") is not None]
        outcome = np.array([float(bool(r["success"])) for r in rows])
        if outcome.size == 0 or outcome.min() == outcome.max():
            skipped[name] = "all runs have one outcome, so there is no rate to estimate"
            continue
        cluster = np.unique([_task(r) for r in rows], return_inverse=True)[1].reshape(-1)
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        simulated = binary_assessor(outcome, sensitivity=0.85, specificity=0.85, rng=rng)
        known = [probability.get(str(r["trajectory_id"]), math.nan) for r in rows]
        score = np.array(known)
        score = np.where(
            np.isnan(score), 0.5 if np.isnan(score).all() else np.nanmean(score), score
        )
        result += [
            Population(name=f"{name}/product", outcome=outcome, score=score, cluster=cluster),
            Population(
                name=f"{name}/assessor_85", outcome=outcome, score=simulated, cluster=cluster
            ),
        ]
    return result, skipped


def _task(row: Mapping[str, Any]) -> str:
    """Return the task within its domain; a run of no task is one of its own."""
    task = row.get("task_id")
    return f"{row.get('domain')}\x00{row['trajectory_id'] if task is None else task}"


def synthetic_populations(seed: int) -> Iterator[Population]:
    """Yield the generated ones."""
    for name, make in SYNTHETIC.items():
        yield make(np.random.default_rng([seed, zlib.crc32(name.encode())]))


def coverage_cell(
    population: Population, truth: Target, unit: Unit, share: float, *, draws: int, seed: int
) -> dict[str, Any]:
    """Draw labels ``draws`` times and count how often intervals hold the truth."""
    rng = np.random.default_rng(
        [seed, zlib.crc32(f"{population.name}{truth}{unit}{share}".encode())]
    )
    labels, batch = drawn(population, (truth, unit, share), draws, rng)
    ours = rates(labels, batch, target=truth, unit=unit)
    known = np.array([each.known for each in ours])
    low, high = ends(ours)
    alone = prediction_powered_means(labels, batch, target=truth, unit=unit, assisted=False)
    low_alone, high_alone = rate_bounds(alone)
    n_clusters = clusters_drawn(labels, draws)
    width, width_alone = high - low, high_alone - low_alone
    held = (low <= population.truth) & (population.truth <= high)
    held_alone = (low_alone <= population.truth) & (population.truth <= high_alone)
    answered = int(known.sum())
    error = wilson(int(held[known].sum()), answered, level=MONTE_CARLO_LEVEL)
    rho2 = float(np.corrcoef(population.outcome, population.score)[0, 1] ** 2)
    rho2 = 0.0 if math.isnan(rho2) else rho2
    drawn_share = 0.0 if truth == "batch" else share
    return {
        "population": population.name,
        "truth": truth,
        "drawn": f"{share:.0%} of {'runs' if unit == 'run' else 'tasks'}",
        "labels": round(float(np.mean(alone.labelled)), 1),
        "clusters": round(float(n_clusters.mean()), 1),
        "unknown": round(1 - answered / draws, 4),
        "coverage": rounded(error.point),
        "monte_carlo": [rounded(error.low), rounded(error.high)],
        "coverage_labels_alone": rounded(float(held_alone[known].mean()) if answered else None),
        **naive(population, labels, batch),
        "width": rounded(float(width[known].mean()) if answered else None),
        "width_labels_alone": rounded(float(width_alone[known].mean()) if answered else None),
        "width_ratio": rounded(
            float(width[known].mean() / width_alone[known].mean()) if answered else None
        ),
        "width_ratio_theory": rounded(math.sqrt(1 - rho2 * (1 - drawn_share))),
        "score_used": rounded(
            float(np.mean([each.method == "prediction_powered" for each in ours]))
        ),
    }


def drawn(
    population: Population,
    design: tuple[Target, Unit, float],
    draws: int,
    rng: np.random.Generator,
) -> tuple[Labels, Batch]:
    """Return the labels of every draw, one group each, and the sums of its batch."""
    truth, unit, share = design
    centred = population.score - population.score.mean()
    rows: dict[str, list[NDArray[Any]]] = {
        name: [] for name in ("run", "group", "cluster", "m", "f")
    }
    sums = np.empty((draws, 6))
    offset = 0
    for d in range(draws):
        one = draw(population, truth=truth, unit=unit, share=share, rng=rng)
        n_clusters = int(one.cluster.max()) + 1
        runs = np.bincount(one.cluster, minlength=n_clusters).astype(np.float64)
        score = np.bincount(one.cluster, centred[one.runs], minlength=n_clusters)
        sums[d] = (runs.sum(), score.sum(), n_clusters, runs @ runs, runs @ score, score @ score)
        cluster = one.cluster[one.labelled]
        rows["run"].append(one.runs[one.labelled])
        rows["group"].append(np.full(cluster.size, d))
        rows["cluster"].append(cluster + offset)
        rows["m"].append(runs[cluster])
        rows["f"].append(score[cluster])
        offset += n_clusters
    run, group, cluster, m, f = (np.concatenate(parts) for parts in rows.values())
    labels = Labels(
        outcome=population.outcome[run],
        score=centred[run],
        group=group,
        cluster=cluster,
        weight=np.ones(run.size),
        cluster_runs=m,
        cluster_score=f,
    )
    return labels, _batch(sums)


def _batch(sums: Floats) -> Batch:
    runs, score, clusters, runs_squared, runs_score, score_squared = np.ascontiguousarray(sums.T)
    return Batch(
        runs=runs,
        score=score,
        clusters=clusters,
        runs_squared=runs_squared,
        runs_score=runs_score,
        score_squared=score_squared,
    )


def ends(found: Sequence[Interval]) -> tuple[Floats, Floats]:
    """Return lower and upper ends, NaN where unknown."""
    low = np.array([math.nan if each.low is None else each.low for each in found])
    high = np.array([math.nan if each.high is None else each.high for each in found])
    return low, high


def clusters_drawn(labels: Labels, draws: int) -> Floats:
    """Return how many distinct clusters each draw labelled."""
    _, first = np.unique(labels.cluster, return_index=True)
    return np.bincount(labels.group[first], minlength=draws).astype(np.float64)


def naive(population: Population, labels: Labels, batch: Batch) -> dict[str, float | None]:
    """Return how often the naive intervals hold the truth."""
    draws = batch.runs.size
    n = np.bincount(labels.group, minlength=draws).astype(np.float64)
    yes = np.bincount(labels.group, labels.outcome, minlength=draws).astype(np.float64)
    trusted = np.clip(batch.score + population.score.mean() * batch.runs, 0, batch.runs)
    return {
        "coverage_naive_labels": share_held(population.truth, yes, n),
        "coverage_naive_score": share_held(population.truth, trusted, batch.runs),
    }


def share_held(truth: float, successes: Floats, n: Floats) -> float | None:
    """Return the share of Wilson intervals, each as of ``n`` independent runs, that hold ``truth``."""
    some = n > 0
    if not some.any():
        return None
    p, z2 = successes[some] / n[some], 1.959964**2 / n[some]
    half = np.sqrt(z2 * (p * (1 - p) + z2 / 4)) / (1 + z2)
    return rounded(float(np.mean(np.abs(truth - (p + z2 / 2) / (1 + z2)) <= half)))


def volunteer_cell(
    population: Population, ratio: float, *, draws: int, seed: int
) -> dict[str, Any]:
    """Let users rate as they please; count how often bounds, and the naive interval, hold the truth."""
    rng = np.random.default_rng([seed, zlib.crc32(f"{population.name}{ratio:.3f}".encode())])
    sums = np.empty((draws, 6))
    for d in range(draws):
        rated = volunteers(population.outcome, ratio=ratio, rng=rng)
        code = population.cluster[rated]
        m = np.bincount(code).astype(np.float64) if code.size else np.zeros(1)
        y = np.bincount(code, population.outcome[rated]) if code.size else np.zeros(1)
        sums[d] = (m.sum(), y.sum(), np.count_nonzero(m), m @ m, m @ y, y @ y)
    among = raters_rates(Raters(*np.ascontiguousarray(sums.T)))
    bounds = [bounded_by_raters(each, population.outcome.size) for each in among]
    low, high = ends(bounds)
    known = ~np.isnan(low)
    held = (low <= population.truth) & (population.truth <= high)
    answered = int(known.sum())
    error = wilson(int(held[known].sum()), answered, level=MONTE_CARLO_LEVEL)
    return {
        "population": population.name,
        "dissatisfied_rate_times": round(ratio, 3),
        "raters": round(float(sums[:, 0].mean()), 1),
        "truth": rounded(population.truth),
        "rate_among_raters": rounded(float(np.nanmean(sums[:, 1] / np.maximum(sums[:, 0], 1)))),
        "bounds": [rounded(float(np.nanmean(low))), rounded(float(np.nanmean(high)))]
        if answered
        else None,
        "coverage_bounds": rounded(error.point),
        "monte_carlo": [rounded(error.low), rounded(error.high)],
        "coverage_naive": share_held(population.truth, sums[:, 1], sums[:, 0]),
        "corrected_rates_shown": sum(each.point is not None for each in bounds),
        "unknown": round(1 - answered / draws, 4),
    }
