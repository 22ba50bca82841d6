"""Audit samples: every trajectory is drawn with the probability that is written down."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spanloop.optimizer.feedback.samples import allocate, draw_positions


@given(st.lists(st.integers(1, 500), min_size=1, max_size=8), st.integers(1, 300))
def test_strata_get_their_share_and_never_more_than_they_have(
    populations: list[int], n: int
) -> None:
    sizes = allocate(populations, n)
    assert all(1 <= size <= population for size, population in zip(sizes, populations, strict=True))
    assert sum(sizes) == min(max(n, len(populations)), sum(populations))


def test_every_position_is_equally_likely() -> None:
    rng = np.random.default_rng(7)
    draws = 4_000
    seen = np.zeros(10)
    for _ in range(draws):
        positions = draw_positions(10, 3, rng)
        assert len(set(positions)) == 3
        seen[np.array(positions) - 1] += 1
    expected = draws * 3 / 10
    assert np.all(np.abs(seen - expected) < 5 * np.sqrt(expected * 0.7))


def test_the_same_seed_draws_the_same() -> None:
    first = draw_positions(1_000, 20, np.random.default_rng(3))
    assert first == draw_positions(1_000, 20, np.random.default_rng(3))
    assert first != draw_positions(1_000, 20, np.random.default_rng(4))
    assert draw_positions(5, 5, np.random.default_rng(1)) == [1, 2, 3, 4, 5]
