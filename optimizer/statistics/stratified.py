"""Difference that a binary feature makes with the stratum held fixed, for many features at once.

The estimate is the Mantel-Haenszel risk difference (Greenland and Robins, Biometrics 41 (1985) 55):
``sum_k w_k (mean y of x=1 in k - mean y of x=0 in k) / sum_k w_k`` with ``w_k = n1 n0 / n``. It is
the least-squares coefficient of x beside one constant per stratum, which makes many features one
matrix product and gives the error of clustered data: with ``x~`` = x less its stratum's mean,
``D = sum x~²`` and residuals e, ``V = sum_g (sum_{i in g} x~_i e_i)² c_g / D²``.

- ``c_g`` undoes the shrinking of residuals by the fitted constants, exactly under equal variances:
  the scalar form of CR2 (Bell and McCaffrey, Survey Methodology 28 (2002) 169).
- Degrees of freedom by Satterthwaite from the same working model, so that a feature whose evidence
  sits in a few clusters is not called certain.
- The larger of V with the fitted difference and V with none counts: cells of two or three that
  happen to separate perfectly would otherwise give an interval of no width.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.stats import t as student

from spanloop.optimizer.statistics.intervals import check_level
from spanloop.optimizer.statistics.multiplicity import max_t_adjusted

Floats = NDArray[np.float64]

_MIN_DF = 1.0
_CHUNK_CELLS = 4_000_000
"""Numbers in one block of features: 32 MB a temporary."""


class StratifiedLifts(NamedTuple):
    """One entry per feature, NaN where no stratum holds both the feature and its absence.

    Attributes:
        difference: mean outcome with the feature less without, within strata, -1 to 1.
        low: lower end of the interval.
        high: upper end.
        p_value: of no difference; one-sided if so asked.
        df: effective degrees of freedom.
        exposed: rows with the feature in strata that hold both.
        unexposed: rows without it there.
        strata: strata that hold both.
        marginal: the naive difference, all rows in one stratum.
        level: of the interval.
    """

    difference: Floats
    low: Floats
    high: Floats
    p_value: Floats
    df: Floats
    exposed: Floats
    unexposed: Floats
    strata: Floats
    marginal: Floats
    level: float


class Permuted(NamedTuple):
    """Permutation p-values of every feature.

    Attributes:
        p_value: (p,) of each alone.
        adjusted: (p,) adjusted for having looked at all of them (max-T).
    """

    p_value: Floats
    adjusted: Floats


class _Design(NamedTuple):
    """What does not depend on the feature: rows in order of stratum, and sums as sparse products."""

    by_stratum: sparse.csr_array  # (K, n) ones
    stratum: NDArray[np.int64]  # (n,)
    size: Floats  # (K,) rows
    by_cluster: sparse.csr_array  # (C, n) ones
    by_pair: sparse.csr_array  # (P, n) ones; a pair is a cluster within a stratum
    pair_cluster: sparse.csr_array  # (C, P)
    pair_stratum: sparse.csr_array  # (K, P)
    pair_size: Floats  # (P,) rows of the pair's stratum


def stratified_lifts(
    features: ArrayLike,
    outcome: ArrayLike,
    *,
    strata: ArrayLike,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    one_sided: bool = False,
) -> StratifiedLifts:
    """Return the within-stratum difference of ``outcome`` for every feature.

    Args:
        features: (n, p) or (n,) 0 or 1.
        outcome: (n,) 0 to 1 (1 = what the lift is of, for example dissatisfied).
        strata: (n,) labels; combine everything that is held fixed (intent x agent) into one.
        clusters: (n,) labels of units that are independent of each other; None = every row.
        level: of the two-sided interval.
        one_sided: p-values of "not greater" rather than of "no difference".

    Raises:
        ValueError: on lengths that differ or values outside 0 to 1.
    """
    check_level(level)
    x, y = _checked(features, outcome)
    design = _design(strata, clusters, y.size)
    y_within = y - (_sums(design.by_stratum, y) / design.size)[design.stratum]
    step = max(1, _CHUNK_CELLS // max(y.size, 1))
    parts = [
        _lifts_block(x[:, at : at + step], y, y_within, design) for at in range(0, x.shape[1], step)
    ]
    columns = np.concatenate(parts, axis=1) if parts else np.empty((7, 0))
    difference, error, df, exposed, unexposed, n_strata, marginal = columns
    return _with_interval(
        StratifiedLifts(
            difference, error, error, error, df, exposed, unexposed, n_strata, marginal, level
        ),
        one_sided=one_sided,
    )


def permuted_within_strata(
    features: ArrayLike,
    outcome: ArrayLike,
    *,
    strata: ArrayLike,
    rng: np.random.Generator,
    permutations: int = 999,
    one_sided: bool = True,
) -> Permuted:
    """Return exact (Monte-Carlo) p-values: outcomes are exchanged among the rows of a stratum.

    Exact for rows that are exchangeable within a stratum under the null, however small the cells:
    right where the stratum is the task, anti-conservative where rows of one task sit in a wider
    stratum (then use the clustered p-value of `stratified_lifts`, or `sign_flipped`). The statistic
    is ``x~'y`` over its permutation standard error, so that features of different frequency compete
    fairly in max-T.

    Args:
        features: (n, p) or (n,) 0 or 1.
        outcome: (n,) 0 to 1.
        strata: (n,) labels.
        rng: of the permutations.
        permutations: B.
        one_sided: whether only a rise counts.
    """
    x, y = _checked(features, outcome)
    design = _design(strata, None, y.size)
    x_within = x - (_sums(design.by_stratum, x) / design.size[:, None])[design.stratum]
    y_within = y - (_sums(design.by_stratum, y) / design.size)[design.stratum]
    scale = _permutation_errors(x_within, y_within, design)
    order = np.argsort(design.stratum, kind="stable")
    null = np.empty((permutations, x.shape[1]))
    for b in range(permutations):
        shuffled = order[np.lexsort((rng.random(y.size), design.stratum[order]))]
        drawn = np.empty(y.size)
        drawn[order] = y_within[shuffled]
        null[b] = drawn @ x_within / scale
    return _permuted(y_within @ x_within / scale, null, one_sided=one_sided)


def sign_flipped(
    features: ArrayLike,
    outcome: ArrayLike,
    *,
    strata: ArrayLike,
    clusters: ArrayLike,
    rng: np.random.Generator,
    permutations: int = 999,
    one_sided: bool = True,
) -> Permuted:
    """Return p-values from flipping the signs of whole clusters' scores (wild score bootstrap).

    The score of a cluster is ``sum x~_i (y_i - stratum mean)``, computed with no difference
    assumed; Kline and Santos, J. Econometric Methods 1 (2012) 23; Hemerik, Goeman and Finos, JRSS B
    82 (2020) 841, over its clustered error. One draw of signs serves all features, so that the
    adjusted p-values respect their dependence.

    Args:
        features: (n, p) or (n,) 0 or 1.
        outcome: (n,) 0 to 1.
        strata: (n,) labels.
        clusters: (n,) labels of independent units.
        rng: of the signs.
        permutations: B.
        one_sided: whether only a rise counts.
    """
    x, y = _checked(features, outcome)
    design = _design(strata, clusters, y.size)
    x_within = x - (_sums(design.by_stratum, x) / design.size[:, None])[design.stratum]
    y_within = y - (_sums(design.by_stratum, y) / design.size)[design.stratum]
    scores = _sums(design.by_cluster, x_within * y_within[:, None])
    own = _sums(design.by_cluster, x_within**2)
    touched = _sums(design.by_pair, x_within) ** 2 / design.pair_size[:, None]
    # Residuals of a small stratum that several clusters share are tied together, so that flipping
    # them apart would show too little spread.
    flippable = scores * np.sqrt(_unshrink(own, own - _sums(design.pair_cluster, touched)))
    error = np.sqrt(np.sum(flippable**2, axis=0))
    error[error <= 0] = np.inf
    signs = rng.integers(0, 2, size=(permutations, scores.shape[0])) * 2.0 - 1.0
    null = signs @ flippable / error
    return _permuted(scores.sum(axis=0) / error, null, one_sided=one_sided)


def _checked(features: ArrayLike, outcome: ArrayLike) -> tuple[Floats, Floats]:
    x = np.asarray(features, dtype=np.float64)
    x = x[:, None] if x.ndim == 1 else x
    y = np.asarray(outcome, dtype=np.float64)
    if x.ndim != 2 or y.ndim != 1 or x.shape[0] != y.size:
        raise ValueError(f"Features {x.shape} and outcome {y.shape} do not belong together.")
    if y.size and not (x.min() >= 0 and x.max() <= 1 and y.min() >= 0 and y.max() <= 1):
        raise ValueError("Features and outcomes lie between 0 and 1.")
    return x, y


def _design(strata: ArrayLike, clusters: ArrayLike | None, n: int) -> _Design:
    stratum = _codes(strata, n)
    cluster = np.arange(n) if clusters is None else _codes(clusters, n)
    n_strata, n_clusters = _count(stratum), _count(cluster)
    pairs, pair = np.unique(cluster * max(n_strata, 1) + stratum, return_inverse=True)
    size = np.bincount(stratum, minlength=n_strata).astype(np.float64)
    pair_stratum, pair_cluster = pairs % max(n_strata, 1), pairs // max(n_strata, 1)
    return _Design(
        by_stratum=_indicator(stratum, n_strata),
        stratum=stratum,
        size=size,
        by_cluster=_indicator(cluster, n_clusters),
        by_pair=_indicator(pair.reshape(-1), pairs.size),
        pair_cluster=_indicator(pair_cluster, n_clusters),
        pair_stratum=_indicator(pair_stratum, n_strata),
        pair_size=size[pair_stratum],
    )


def _codes(labels: ArrayLike, n: int) -> NDArray[np.int64]:
    values = np.asarray(labels)
    if values.shape != (n,):
        raise ValueError(f"Labels of shape {values.shape} for {n} rows.")
    return np.unique(values, return_inverse=True)[1].astype(np.int64).reshape(-1)


def _count(codes: NDArray[np.int64]) -> int:
    return int(codes.max()) + 1 if codes.size else 0


def _indicator(codes: NDArray[np.int64], n_groups: int) -> sparse.csr_array:
    ones = np.ones(codes.size)
    return sparse.csr_array((ones, (codes, np.arange(codes.size))), shape=(n_groups, codes.size))


def _sums(groups: sparse.csr_array, values: Floats) -> Floats:
    return np.asarray(groups @ values, dtype=np.float64)


def _lifts_block(x: Floats, y: Floats, y_within: Floats, design: _Design) -> Floats:
    """Return (7, p): difference, standard error, df, exposed, unexposed, strata, marginal."""
    with_feature = _sums(design.by_stratum, x)
    informative = (with_feature > 0) & (with_feature < design.size[:, None])
    x_within = x - (with_feature / design.size[:, None])[design.stratum]
    total = np.sum(x_within**2, axis=0)
    known = total > 1e-9
    safe = np.where(known, total, 1.0)
    difference = y_within @ x_within / safe
    variance, df = _clustered_variance(x_within, y_within, difference, safe, design)
    result = np.stack(
        [
            difference,
            np.sqrt(variance),
            df,
            np.sum(np.where(informative, with_feature, 0), axis=0),
            np.sum(np.where(informative, design.size[:, None] - with_feature, 0), axis=0),
            np.sum(informative, axis=0).astype(np.float64),
            _marginal(x, y),
        ]
    )
    result[:3, ~known] = np.nan
    return result


def _clustered_variance(
    x: Floats, y: Floats, difference: Floats, total: Floats, design: _Design
) -> tuple[Floats, Floats]:
    """Return variance and degrees of freedom per feature; ``x`` and ``y`` less stratum means."""
    own = _sums(design.by_cluster, x**2)
    touched = _sums(design.by_pair, x) ** 2 / design.pair_size[:, None]
    left = own - _sums(design.pair_cluster, touched)
    fitted = _sums(design.by_cluster, x * (y[:, None] - x * difference)) ** 2
    null = _sums(design.by_cluster, x * y[:, None]) ** 2
    with_difference = np.sum(fitted * _unshrink(own, left - own**2 / total), axis=0)
    without = np.sum(null * _unshrink(own, left), axis=0)
    variance = np.maximum(with_difference, without) / total**2
    share = np.sum(own**2, axis=0) / total**2
    shared = _sums(design.pair_stratum, touched) ** 2 - _sums(design.pair_stratum, touched**2)
    spread = share + share**2 + np.sum(shared, axis=0) / total**2
    # One cluster that is all the evidence there is cannot tell its own error.
    alone = np.max(own, axis=0, initial=0.0) > 0.999 * total
    return np.where(alone, np.inf, variance), np.maximum(1.0 / np.maximum(spread, 1e-12), _MIN_DF)


def _unshrink(own: Floats, left: Floats) -> Floats:
    """Return what makes squared scores of residuals unbiased, bounded where nothing is left."""
    return np.where(own > 0, own / np.maximum(left, 1e-3 * own + 1e-300), 0.0)


def _marginal(x: Floats, y: Floats) -> Floats:
    exposed = x.sum(axis=0)
    unexposed = x.shape[0] - exposed
    both = (exposed > 0) & (unexposed > 0)
    with_feature = y @ x
    difference = with_feature / np.where(both, exposed, 1.0) - (y.sum() - with_feature) / np.where(
        both, unexposed, 1.0
    )
    return np.where(both, difference, np.nan)


def _with_interval(lifts: StratifiedLifts, *, one_sided: bool) -> StratifiedLifts:
    """Turn the standard errors that ``lifts`` holds into intervals and p-values."""
    error = lifts.low
    df = np.where(np.isnan(lifts.df), 1.0, lifts.df)
    half = student.ppf(0.5 + lifts.level / 2, df) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(error > 0, lifts.difference / error, 0.0)
    p_value = student.sf(statistic, df) if one_sided else 2 * student.sf(np.abs(statistic), df)
    missing = np.isnan(lifts.difference)
    return lifts._replace(
        low=np.maximum(lifts.difference - half, -1.0),
        high=np.minimum(lifts.difference + half, 1.0),
        p_value=np.where(missing, np.nan, p_value),
    )


def _permutation_errors(x: Floats, y: Floats, design: _Design) -> Floats:
    """Return the standard deviation of ``x~'y`` over all permutations within strata."""
    y2 = _sums(design.by_stratum, y**2) / np.maximum(design.size - 1, 1)
    variance = y2 @ _sums(design.by_stratum, x**2)
    return np.where(variance > 1e-12, np.sqrt(np.maximum(variance, 0)), np.inf)


def _permuted(observed: Floats, null: Floats, *, one_sided: bool) -> Permuted:
    if not one_sided:
        observed, null = np.abs(observed), np.abs(null)
    # A permutation that gives the same table must count as reached, whatever the rounding.
    observed = observed - 1e-9
    p_value = (1.0 + np.sum(null >= observed, axis=0)) / (null.shape[0] + 1.0)
    return Permuted(p_value, max_t_adjusted(observed, null))
