"""Within-stratum lift: right on average, honest about its error, whatever the clusters and cells."""

import numpy as np
import pytest
from numpy.typing import NDArray

from spanloop.optimizer.statistics import permuted_within_strata, sign_flipped, stratified_lifts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def clustered_features(
    rng: np.random.Generator, clusters: Ints, *, features: int, share: float
) -> Floats:
    """Features that clusters share in part, as many independent ones as asked for."""
    n_clusters = int(clusters.max()) + 1
    score = rng.standard_normal((clusters.size, features))
    score += rng.standard_normal((n_clusters, features))[clusters]
    return (score > np.quantile(score, 1 - share)).astype(float)


def outcomes(rng: np.random.Generator, strata: Ints, clusters: Ints) -> Floats:
    odds = rng.standard_normal(int(strata.max()) + 1)[strata]
    odds = odds + rng.standard_normal(int(clusters.max()) + 1)[clusters]
    return (rng.random(strata.size) < 1 / (1 + np.exp(-odds))).astype(float)


LAYOUTS = {
    "rows": (np.repeat(np.arange(40), 5), np.arange(200)),
    "within": (np.repeat(np.arange(20), 8), np.arange(160) // 4),
    "stratum": (np.repeat(np.arange(30), 6), np.repeat(np.arange(30), 6)),
    "crossing": (np.tile(np.arange(8), 30), np.repeat(np.arange(30), 8)),
    "pairs": (np.repeat(np.arange(90), 2), np.arange(180)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("share", [0.3, 0.06])
def test_features_without_effect_are_claimed_at_the_nominal_rate_at_most(
    layout: str, share: float
) -> None:
    strata, clusters = LAYOUTS[layout]
    rng = np.random.default_rng(7)
    p_values, flips = [], []
    for _ in range(4):
        y = outcomes(rng, strata, clusters)
        x = clustered_features(rng, clusters, features=300, share=share)
        p_values.append(stratified_lifts(x, y, strata=strata, clusters=clusters).p_value)
        flips.append(
            sign_flipped(
                x, y, strata=strata, clusters=clusters, rng=rng, permutations=199, one_sided=False
            ).p_value
        )
    assert np.nanmean(np.concatenate(p_values) <= 0.05) <= 0.065
    assert np.mean(np.concatenate(flips) <= 0.05) <= 0.075


def test_the_interval_covers_the_difference_within_strata_not_the_marginal_one() -> None:
    rng = np.random.default_rng(8)
    strata = np.repeat(np.arange(25), 12)
    clusters = np.arange(300) // 3
    easy = (np.arange(25) % 2 == 0)[strata]
    covered, marginal = [], []
    for _ in range(300):
        x = (rng.random(300) < np.where(easy, 0.15, 0.6)).astype(float)
        base = np.where(easy, 0.1, 0.6) + 0.1 * (rng.random(100) < 0.5)[clusters]
        y = (rng.random(300) < base + 0.15 * x).astype(float)
        found = stratified_lifts(x, y, strata=strata, clusters=clusters)
        covered.append(found.low[0] <= 0.15 <= found.high[0])
        marginal.append(found.marginal[0])
    assert 0.93 <= np.mean(covered) <= 0.99
    assert np.mean(marginal) > 0.3


def test_it_is_the_mantel_haenszel_difference() -> None:
    rng = np.random.default_rng(9)
    strata = rng.integers(6, size=80)
    x = (rng.random(80) < 0.4).astype(float)
    y = rng.random(80)
    top = bottom = 0.0
    for k in range(6):
        inside = strata == k
        n1, n0 = x[inside].sum(), (1 - x[inside]).sum()
        if n1 and n0:
            weight = n1 * n0 / (n1 + n0)
            top += weight * (y[inside & (x == 1)].mean() - y[inside & (x == 0)].mean())
            bottom += weight
    found = stratified_lifts(x, y, strata=strata)
    assert found.difference[0] == pytest.approx(top / bottom)


def test_a_feature_that_no_stratum_holds_beside_its_absence_is_unknown() -> None:
    strata = np.array([0, 0, 1, 1])
    found = stratified_lifts([1, 1, 0, 0], [1, 1, 0, 0], strata=strata)
    assert np.isnan(found.difference[0])
    assert np.isnan(found.p_value[0])
    assert found.strata[0] == 0
    assert found.marginal[0] == 1.0


def test_one_cluster_alone_proves_nothing() -> None:
    strata = np.zeros(20, dtype=int)
    x = np.repeat([1.0, 0.0], 10)
    found = stratified_lifts(x, x, strata=strata, clusters=np.zeros(20, dtype=int))
    assert (found.low[0], found.high[0], found.p_value[0]) == (-1.0, 1.0, 1.0)


def test_perfect_separation_in_small_cells_still_has_width() -> None:
    strata = np.repeat(np.arange(3), 4)
    x = np.tile([1.0, 1.0, 0.0, 0.0], 3)
    found = stratified_lifts(x, x, strata=strata)
    assert found.difference[0] == 1.0
    assert 0.0 < found.low[0] < 0.8


def test_permutation_is_exact_in_tiny_cells_and_bounds_any_false_claim() -> None:
    rng = np.random.default_rng(10)
    strata = np.repeat(np.arange(12), 4)
    single, any_claim = [], []
    for _ in range(60):
        x = (rng.random((48, 40)) < 0.3).astype(float)
        y = (rng.random(48) < np.linspace(0.1, 0.9, 12)[strata]).astype(float)
        found = permuted_within_strata(x, y, strata=strata, rng=rng, permutations=199)
        single.append(found.p_value <= 0.05)
        any_claim.append(bool((found.adjusted <= 0.10).any()))
    assert np.mean(single) <= 0.06
    assert np.mean(any_claim) <= 0.10 + 3 * np.sqrt(0.09 / 60)


def test_permutation_finds_a_strong_feature_among_many() -> None:
    rng = np.random.default_rng(11)
    strata = np.repeat(np.arange(20), 10)
    x = (rng.random((200, 60)) < 0.3).astype(float)
    y = (rng.random(200) < 0.2 + 0.45 * x[:, 7]).astype(float)
    found = permuted_within_strata(x, y, strata=strata, rng=rng, permutations=499)
    flipped = sign_flipped(x, y, strata=strata, clusters=np.arange(200), rng=rng)
    assert np.flatnonzero(found.adjusted <= 0.05).tolist() == [7]
    assert np.flatnonzero(flipped.adjusted <= 0.05).tolist() == [7]


def test_lengths_and_ranges_are_checked() -> None:
    with pytest.raises(ValueError, match="belong together"):
        stratified_lifts([1, 0], [1, 0, 1], strata=[0, 0, 0])
    with pytest.raises(ValueError, match="between 0 and 1"):
        stratified_lifts([1, 0], [2, 0], strata=[0, 0])
    with pytest.raises(ValueError, match="Labels"):
        stratified_lifts([1, 0], [1, 0], strata=[0])
