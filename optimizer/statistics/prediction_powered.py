"""A mean from few labels and a score on everything: prediction-powered, never score alone.

The estimate is ``mean_labelled(y) + lambda (mean_all(f) - mean_labelled(f))``: the difference
estimator of survey sampling, as PPI++ (Angelopoulos, Duchi and Zrnic 2023, arXiv 2311.01453) with
lambda tuned for the least variance. It is right whatever the score f is worth; a useless score only
gets lambda 0. Written as a sum of one contribution per independent unit u,

    psi_u = U_u + lambda W_u,  U_u = sum_{i in u} w_i (y_i - y_bar) / sum w,
    W_u = A_u - sum_{i in u} w_i (f_i - f_bar_labelled) / sum w,

variance and best lambda are sums over units, whatever the design:

- *batch* asks for the mean of these N runs. Only the choice of labels is random: A = 0, a unit is
  what was drawn (a run, or a cluster with all of its runs), and ``1 - pi_u`` is the finite-
  population correction (Cochran, Sampling Techniques (1977), chapters 7 and 9A).
- *population* asks for the mean behind the batch. Clusters are a sample too: a unit is a cluster,
  labelled or not, ``A_u = (F_u - f_bar m_u) / N`` for its m_u runs with scores that sum to F_u, and
  nothing is corrected.

The variance is the delete-one-unit jackknife's, ``(c-1)/c sum_u (psi_u / (1 - h_u))²`` with the
unit's share h_u of the label weight (CR3; Bell and McCaffrey, Survey Methodology 28 (2002) 169).
Lambda was fitted to the same labels: psi_u therefore takes the lambda that the *other* units give
(cross-fitting, leave one unit out), and the score is used at all only where that variance, which no
longer flatters it, gives the narrower interval. Degrees of freedom are Satterthwaite's for the
correlation `ASSUMED_CORRELATION` within clusters, one less where lambda was fitted.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from spanloop.optimizer.statistics.intervals import check_level

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Target = Literal["batch", "population"]
Unit = Literal["run", "cluster"]

ASSUMED_CORRELATION = 0.3
"""Of outcomes within a cluster, when degrees of freedom are counted; the variance assumes none."""

MAX_LAMBDA = 3.0
"""A score that must be stretched further than this is noise on the scale of the outcome."""

MIN_OF_EACH = 5.0
"""Units of either outcome among the labelled before a slope is fitted to them."""

_TINY = 1e-14


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The labelled runs of one or many groups (an agent, a release, a simulated draw).

    Attributes:
        outcome: (n,) 0 to 1.
        score: (n,) the assessor's, made without the run's own label; constant where there is none.
        group: (n,) codes 0 to K - 1.
        cluster: (n,) codes, distinct between groups.
        weight: (n,) inverse probability of having been drawn, up to a factor.
        cluster_runs: (n,) runs that the row's cluster has in the batch.
        cluster_score: (n,) sum of their scores.
    """

    outcome: Floats
    score: Floats
    group: Ints
    cluster: Ints
    weight: Floats
    cluster_runs: Floats
    cluster_score: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Sums over all runs of each group, labelled or not; every entry (K,).

    Attributes:
        runs: N.
        score: sum of scores.
        clusters: G.
        runs_squared: sum over clusters of (runs of the cluster)².
        runs_score: sum over clusters of runs times sum of scores.
        score_squared: sum over clusters of (sum of scores)².
    """

    runs: Floats
    score: Floats
    clusters: Floats
    runs_squared: Floats
    runs_score: Floats
    score_squared: Floats


class Means(NamedTuple):
    """One entry per group; NaN where fewer than two units are labelled.

    Attributes:
        point: estimate; may leave 0 to 1 a little.
        variance: of the point.
        df: degrees of freedom of the variance.
        slope: lambda; 0 = labels alone.
        labelled: labelled runs.
        units: independent units among them.
        undrawn: share of the units that was not labelled; 1 for the population.
    """

    point: Floats
    variance: Floats
    df: Floats
    slope: Floats
    labelled: Floats
    units: Floats
    undrawn: Floats


class _Units(NamedTuple):
    """One entry per labelled unit: its group, U, W, share h, jackknife factor, labelled runs."""

    group: Ints
    label: Floats
    control: Floats
    share: Floats
    factor: Floats
    labelled: Floats


def prediction_powered_means(
    labels: Labels, batch: Batch, *, target: Target, unit: Unit, assisted: bool = True
) -> Means:
    """Return the mean outcome of every group.

    Args:
        labels: of all groups.
        batch: of all groups, K entries.
        target: whether these runs or the population behind them are asked for.
        unit: what was drawn at random to be labelled; the population's unit is the cluster.
        assisted: False for labels alone.
    """
    k = batch.runs.size
    weight = np.bincount(labels.group, labels.weight, minlength=k)
    share = labels.weight / np.where(weight > 0, weight, 1.0)[labels.group]
    y_bar = np.bincount(labels.group, share * labels.outcome, minlength=k)
    f_bar = np.bincount(labels.group, share * labels.score, minlength=k)
    everywhere = batch.score / np.maximum(batch.runs, 1.0)
    parts = (
        share,
        share * (labels.outcome - y_bar[labels.group]),
        share * (labels.score - f_bar[labels.group]),
    )
    by_run = target == "batch" and unit == "run"
    units = _of_runs(labels, parts) if by_run else _of_clusters(labels, parts, k)
    unlabelled = np.zeros(k)
    undrawn = np.ones(k)
    if target == "batch":
        drawn = batch.runs if unit == "run" else batch.clusters
        units, undrawn = _corrected(units, labels, drawn, by_run=by_run)
    else:
        units, unlabelled = _with_batch(units, labels, batch, everywhere)
    n_units = np.bincount(units.group, minlength=k).astype(np.float64)
    spread = n_units * np.minimum(y_bar, 1.0 - y_bar)
    fitted = _variances(units, unlabelled, n_units, allowed=assisted & (spread >= MIN_OF_EACH))
    unknown = n_units < 2
    point = np.where(unknown, np.nan, y_bar + fitted.slope * (everywhere - f_bar))
    return fitted._replace(
        point=point,
        variance=np.where(unknown, np.nan, fitted.variance),
        labelled=np.bincount(labels.group, minlength=k).astype(np.float64),
        undrawn=undrawn,
    )


def rate_bounds(means: Means, *, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return the score interval of every group's rate, in 0 to 1.

    Wilson's interval for the effective sample size ``p (1 - p) / variance`` and Student's quantile
    (`spanloop.optimizer.statistics.intervals.score_bounds`). Where the labels show no variance (all
    alike) the effective size is the units labelled over the share that was not.

    Args:
        means: rates; a group without an estimate gives NaN.
        level: of the interval.
    """
    check_level(level)
    p = np.clip(means.point, 0.0, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = p * (1.0 - p) / means.variance
        all_alike = ~(means.variance > _TINY) | ~(size > 0)
        size = np.where(all_alike, means.units / means.undrawn, size)
        z2 = student.ppf(0.5 + level / 2, means.df) ** 2 / size
    centre = (p + z2 / 2) / (1 + z2)
    half = np.sqrt(z2 * (p * (1 - p) + z2 / 4)) / (1 + z2)
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def _of_runs(labels: Labels, parts: tuple[Floats, Floats, Floats]) -> _Units:
    share, label, score = parts
    ones = np.ones(share.size)
    return _jackknifed(_Units(labels.group, label, -score, share, ones, ones))


def _of_clusters(labels: Labels, parts: tuple[Floats, Floats, Floats], k: int) -> _Units:
    _, first, code = np.unique(labels.cluster, return_index=True, return_inverse=True)
    code = code.reshape(-1)
    share, label, score = (_sums(code, part, first.size) for part in parts)
    counts = np.bincount(code, minlength=first.size).astype(np.float64)
    return _jackknifed(_Units(labels.group[first], label, -score, share, counts, counts))


def _jackknifed(units: _Units) -> _Units:
    n_units = np.bincount(units.group).astype(np.float64)[units.group]
    left_out = np.maximum(1.0 - units.share, 1e-9)
    return units._replace(factor=(n_units - 1.0) / n_units / left_out**2)


def _corrected(
    units: _Units, labels: Labels, available: Floats, *, by_run: bool
) -> tuple[_Units, Floats]:
    """Apply ``1 - pi`` to every unit; return the mean of it per group too."""
    if by_run:
        weight = labels.weight
    else:
        _, first = np.unique(labels.cluster, return_index=True)
        weight = labels.weight[first]
    k = available.size
    total = np.bincount(units.group, weight, minlength=k)
    expected = weight * (available / np.where(total > 0, total, 1.0))[units.group]
    undrawn = 1.0 - 1.0 / np.maximum(expected, 1.0)
    n_units = np.bincount(units.group, minlength=k)
    mean = np.bincount(units.group, undrawn, minlength=k) / np.maximum(n_units, 1)
    return units._replace(factor=units.factor * undrawn), mean


def _with_batch(
    units: _Units, labels: Labels, batch: Batch, everywhere: Floats
) -> tuple[_Units, Floats]:
    """Add A to the control of labelled clusters; return ``sum A²`` of the others per group."""
    _, first = np.unique(labels.cluster, return_index=True)
    runs, score = labels.cluster_runs[first], labels.cluster_score[first]
    group = units.group
    apart = (score - everywhere[group] * runs) / np.maximum(batch.runs, 1.0)[group]
    squares = batch.score_squared - 2 * everywhere * batch.runs_score
    squares = (squares + everywhere**2 * batch.runs_squared) / np.maximum(batch.runs, 1.0) ** 2
    others = squares - np.bincount(group, apart**2, minlength=batch.runs.size)
    correction = batch.clusters / np.maximum(batch.clusters - 1.0, 1.0)
    return units._replace(control=units.control + apart), np.maximum(others, 0.0) * correction


def _variances(
    units: _Units, unlabelled: Floats, n_units: Floats, *, allowed: NDArray[np.bool_]
) -> Means:
    """Choose lambda per group and return variance, degrees of freedom and lambda."""
    k = n_units.size

    def total(values: Floats) -> Floats:
        return _sums(units.group, values, k)

    f, u, w = units.factor, units.label, units.control
    uu, uw, ww = total(f * u * u), total(f * u * w), total(f * w * w) + unlabelled
    slope = _slope(uw, ww)
    others = _slope(uw[units.group] - f * u * w, ww[units.group] - f * w * w)
    assisted = total(f * (u + others * w) ** 2) + slope**2 * unlabelled
    v = units.share * (1.0 + ASSUMED_CORRELATION * (units.labelled - 1.0))
    df = np.maximum(total(v) ** 2 / np.maximum(total(v * v), _TINY) - 1.0, 1.0)
    narrower = (
        assisted * student.ppf(0.975, np.maximum(df - 1, 1)) ** 2 < uu * student.ppf(0.975, df) ** 2
    )
    use = allowed & (slope > 0) & (df > 2) & narrower
    return Means(
        point=np.full(k, np.nan),
        variance=np.where(use, assisted, uu),
        df=np.where(use, df - 1.0, df),
        slope=np.where(use, slope, 0.0),
        labelled=n_units,
        units=n_units,
        undrawn=np.ones(k),
    )


def _sums(codes: Ints, values: Floats, k: int) -> Floats:
    return np.bincount(codes, weights=values, minlength=k).astype(np.float64)


def _slope(covariance: Floats, variance: Floats) -> Floats:
    """Return lambda, between 0 (an assessor that is wrong more often than right) and the most."""
    usable = variance > _TINY
    return np.where(
        usable, np.clip(-covariance / np.where(usable, variance, 1.0), 0.0, MAX_LAMBDA), 0.0
    )
