"""`benchmarks.learning` in small: the same code, one world."""

import numpy as np

from benchmarks.learning.policies import PolicyName
from benchmarks.learning.report import report
from benchmarks.learning.simulation import COUNTS, simulate

POLICIES: tuple[PolicyName, ...] = ("none", "library", "oracle")


def test_a_library_makes_wins_cheaper_in_a_world_where_agents_are_alike() -> None:
    counts = simulate(0.9, [0], POLICIES)
    assert counts.shape == (3, 1, 20, len(COUNTS))
    tokens, wins = (counts[..., COUNTS.index(name)].sum(axis=(1, 2)) for name in ("tokens", "wins"))
    none, library, oracle = tokens / wins
    assert oracle < library < none / 2
    assert wins[1] > wins[0]
    experiments = counts[..., COUNTS.index("experiments")]
    assert experiments.max() == 24
    told = report({0.9: counts}, POLICIES)["tau 0.9"]
    assert {aim["aim"].split(",")[0] for aim in told["aims"]} == {
        "gap closed",
        "harm per ship",
        "after drift",
    }
    assert np.isclose(
        told["windows"]["cycles 1-20"]["library"]["tokens_per_win"]["value"], tokens[1] / wins[1]
    )


def test_the_same_world_is_lived_through_the_same() -> None:
    first, again = (simulate(0.3, [1], ("none",)) for _ in range(2))
    assert np.array_equal(first, again)
