"""Populations with a known rate of satisfaction, and ways to draw labels from them.

The generator of `rate_coverage`. It imports nothing of the product and was committed before the
method it tests. Every random choice comes from the generator passed in.

A population is a fixed set of runs in clusters (tasks, users). Two questions are asked of it, with
two truths:

- *batch*: the runs are all there is; only the choice of labels is random; the truth is the mean of
  all outcomes.
- *population*: the batch's clusters are themselves a draw. A fresh batch is made by drawing as many
  clusters with replacement (each draw a cluster of its own, its runs unchanged); labels are drawn
  from that; the truth is the mean it was drawn from.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RUN_SHARES = (0.05, 0.10, 0.20, 0.40)
"""Shares of the runs that are labelled."""

CLUSTER_SHARES = (0.20, 0.40)
"""Shares of the clusters that are labelled, each with all of its runs."""

RATING_RATIOS = (3.0, 1.0 / 3.0)
"""How much likelier a dissatisfied user is to rate than a satisfied one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """Runs whose outcomes are all known to the benchmark.

    Attributes:
        name: of the cell.
        outcome: (N,) 0 or 1: 1 is satisfied.
        score: (N,) what an assessor that saw no outcome says, 0 to 1.
        cluster: (N,) codes 0 to G - 1.
    """

    name: str
    outcome: Floats
    score: Floats
    cluster: Ints

    @property
    def truth(self) -> float:
        """Share of satisfied runs."""
        return float(self.outcome.mean())


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One batch and the labels drawn from it.

    Attributes:
        runs: (M,) indexes into the population: the batch.
        cluster: (M,) codes of the batch's clusters.
        labelled: (M,) True where a label was drawn.
    """

    runs: Ints
    cluster: Ints
    labelled: NDArray[np.bool_]


def whole_batch(population: Population) -> tuple[Ints, Ints]:
    """Return the batch that is the population itself: run indexes and cluster codes."""
    return np.arange(population.outcome.size), population.cluster


def resampled_batch(population: Population, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return a batch of as many clusters drawn with replacement: run indexes and new codes."""
    order = np.argsort(population.cluster, kind="stable")
    counts = np.bincount(population.cluster)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    drawn = rng.integers(counts.size, size=counts.size)
    sizes = counts[drawn]
    codes = np.repeat(np.arange(drawn.size), sizes)
    within = np.arange(codes.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return order[np.repeat(starts[drawn], sizes) + within], codes


def label_runs(n_runs: int, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return (n_runs,) labels on a random ``share`` of the runs, without replacement."""
    labelled = np.zeros(n_runs, dtype=bool)
    labelled[rng.permutation(n_runs)[: round(share * n_runs)]] = True
    return labelled


def label_clusters(cluster: Ints, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return labels on every run of a random ``share`` of the clusters."""
    n_clusters = int(cluster.max()) + 1
    return label_runs(n_clusters, share, rng)[cluster]


def draw(
    population: Population, *, truth: str, unit: str, share: float, rng: np.random.Generator
) -> Draw:
    """Draw one batch and its labels.

    Args:
        population: to draw from.
        truth: "batch" or "population".
        unit: what is drawn at random: "run" or "cluster".
        share: of the units that are labelled.
        rng: of the choice.
    """
    runs, cluster = (
        whole_batch(population) if truth == "batch" else resampled_batch(population, rng)
    )
    labelled = (
        label_runs(runs.size, share, rng) if unit == "run" else label_clusters(cluster, share, rng)
    )
    return Draw(runs=runs, cluster=cluster, labelled=labelled)


def volunteers(
    outcome: Floats, *, ratio: float, rng: np.random.Generator, response: float = 0.10
) -> NDArray[np.bool_]:
    """Return who rates: ``response`` of the satisfied, ``ratio * response`` of the dissatisfied.

    For ratios below 1 the dissatisfied rate with ``response`` and the satisfied with
    ``response / ratio``, so that neither rates more often than ``3 * response``.
    """
    satisfied, dissatisfied = (
        (response, response * ratio) if ratio >= 1 else (response / ratio, response)
    )
    return rng.random(outcome.size) < np.where(outcome > 0.5, satisfied, dissatisfied)


def binary_assessor(
    outcome: Floats, *, sensitivity: float, specificity: float, rng: np.random.Generator
) -> Floats:
    """Return verdicts: a satisfied run is 1 with ``sensitivity``, any other 0 with ``specificity``."""
    p_yes = np.where(outcome > 0.5, sensitivity, 1.0 - specificity)
    return (rng.random(outcome.size) < p_yes).astype(np.float64)


def clustered_outcomes(
    sizes: Ints, *, rate: float, spread: float, rng: np.random.Generator
) -> tuple[Floats, Ints]:
    """Return outcomes and cluster codes; a cluster's log-odds are normal around the rate's.

    Args:
        sizes: (G,) runs of each cluster.
        rate: aimed at, 0 to 1 (the realised mean is the truth).
        spread: standard deviation of a cluster's log-odds; 0 = independent runs, 2 = strong clustering.
        rng: of the outcomes.
    """
    cluster = np.repeat(np.arange(sizes.size), sizes)
    centre = norm.ppf(rate) * np.sqrt(spread**2 + 1.7**2)
    odds = centre + spread * rng.standard_normal(sizes.size)
    outcome = rng.random(cluster.size) < expit(odds)[cluster]
    return outcome.astype(np.float64), cluster


def _even(rng: np.random.Generator) -> tuple[Floats, Ints]:
    return clustered_outcomes(np.full(200, 4), rate=0.6, spread=1.5, rng=rng)


def simulated_assessor(rng: np.random.Generator) -> Population:
    """800 runs in 200 clusters of 4; an assessor of sensitivity = specificity = 0.85."""
    outcome, cluster = _even(rng)
    score = binary_assessor(outcome, sensitivity=0.85, specificity=0.85, rng=rng)
    return Population(name="assessor_85", outcome=outcome, score=score, cluster=cluster)


def useless_assessor(rng: np.random.Generator) -> Population:
    """The same, and an assessor that knows nothing."""
    outcome, cluster = _even(rng)
    return Population(
        name="assessor_useless", outcome=outcome, score=rng.random(outcome.size), cluster=cluster
    )


def misleading_assessor(rng: np.random.Generator) -> Population:
    """The same, and a kind assessor that is wrong more often than right."""
    outcome, cluster = _even(rng)
    score = binary_assessor(outcome, sensitivity=0.80, specificity=0.05, rng=rng)
    return Population(name="assessor_misleading", outcome=outcome, score=score, cluster=cluster)


def graded_assessor(rng: np.random.Generator) -> Population:
    """The same, and a graded, over-confident assessor that knows something of cluster and run."""
    outcome, cluster = _even(rng)
    signal = 1.2 * (2 * outcome - 1) + rng.standard_normal(outcome.size)
    signal += 0.7 * rng.standard_normal(int(cluster.max()) + 1)[cluster]
    return Population(
        name="assessor_graded", outcome=outcome, score=expit(2.0 * signal), cluster=cluster
    )


def mostly_satisfied(rng: np.random.Generator) -> Population:
    """1,000 independent runs, 92 % satisfied, graded assessor: the normal interval's weak spot."""
    outcome, cluster = clustered_outcomes(
        np.ones(1000, dtype=np.int64), rate=0.92, spread=0, rng=rng
    )
    signal = 1.0 + (2 * outcome - 1) + rng.standard_normal(outcome.size)
    return Population(
        name="mostly_satisfied", outcome=outcome, score=expit(signal), cluster=cluster
    )


def mostly_dissatisfied(rng: np.random.Generator) -> Population:
    """600 runs in 150 clusters, 12 % satisfied, assessor of sensitivity 0.7 and specificity 0.9."""
    outcome, cluster = clustered_outcomes(np.full(150, 4), rate=0.12, spread=1.0, rng=rng)
    score = binary_assessor(outcome, sensitivity=0.7, specificity=0.9, rng=rng)
    return Population(name="mostly_dissatisfied", outcome=outcome, score=score, cluster=cluster)


def unequal_clusters(rng: np.random.Generator) -> Population:
    """120 clusters of 1 to 40 runs, the large ones less satisfied; assessor 0.85."""
    sizes = np.minimum(1 + rng.geometric(0.15, size=120), 40)
    large = sizes > np.median(sizes)
    happy, _ = clustered_outcomes(sizes, rate=0.70, spread=1.0, rng=rng)
    unhappy, cluster = clustered_outcomes(sizes, rate=0.50, spread=1.0, rng=rng)
    outcome = np.where(large[cluster], unhappy, happy)
    score = binary_assessor(outcome, sensitivity=0.85, specificity=0.85, rng=rng)
    return Population(name="unequal_clusters", outcome=outcome, score=score, cluster=cluster)


SYNTHETIC: Mapping[str, Callable[[np.random.Generator], Population]] = {
    "assessor_85": simulated_assessor,
    "assessor_useless": useless_assessor,
    "assessor_misleading": misleading_assessor,
    "assessor_graded": graded_assessor,
    "mostly_satisfied": mostly_satisfied,
    "mostly_dissatisfied": mostly_dissatisfied,
    "unequal_clusters": unequal_clusters,
}
