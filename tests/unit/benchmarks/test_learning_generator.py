import numpy as np
import pytest

from benchmarks.learning import generator
from benchmarks.learning.generator import make_world, mean_shift


def test_an_agent_has_the_common_effect_as_often_as_the_cell_says() -> None:
    worlds = [make_world(repeat, 0.6) for repeat in range(20)]
    same = [
        np.mean(world.main[0, a] == world.main[0, b])
        for world in worlds
        for a in range(4)
        for b in range(a + 1, 4)
    ]
    zeros = np.mean([world.main[0] == 0 for world in worlds])
    assert zeros == pytest.approx(0.6, abs=0.03)
    assert np.mean(same) == pytest.approx(0.36 + 0.64 * 0.36, abs=0.03)


def test_drift_redraws_half_the_entries_of_a_quarter_of_the_agents() -> None:
    world = make_world(3, 0.9)
    changed = (world.main[0] != world.main[1]) | (world.side[0] != world.side[1])
    assert world.drifts.sum() == 3
    assert not changed[~world.drifts].any()
    assert 0 < changed[world.drifts].mean() <= 0.5


def test_pairs_are_the_same_for_everybody_and_new_on_every_occasion() -> None:
    world = make_world(5, 0.3)
    first, again = world.pairs((1, 2, 3), 4, 0), world.pairs((1, 2, 3), 4, 0)
    later = world.pairs((1, 2, 3), 4, 1)
    assert np.array_equal(first.candidate, again.candidate)
    assert not np.array_equal(first.candidate, later.candidate)
    assert first.on_pattern.sum() == generator.CAP_PAIRS / 2


@pytest.mark.parametrize("law", [(1.0, 1.0), generator.TRAFFIC_BETA])
@pytest.mark.parametrize("effect", [-0.2, -0.05, 0.0, 0.3])
def test_the_mean_shift_is_what_clipping_leaves(law: tuple[float, float], effect: float) -> None:
    p = np.random.default_rng(1).beta(*law, 400_000)
    assert mean_shift(effect, law) == pytest.approx(
        np.mean(np.clip(p + effect, 0, 1) - p), abs=1e-3
    )


def test_outcomes_have_the_effects_of_the_entry() -> None:
    world = make_world(0, 0.0)
    entry = tuple(int(i) for i in np.argwhere(world.main[0] > 0.3)[0])
    agent, category, intervention = entry
    main, side = world.effects(agent, category, intervention, 1)
    drawn = [world.pairs((agent, category, intervention), 1, occasion) for occasion in range(100)]
    on = np.concatenate([d.on_pattern for d in drawn])
    gain = np.concatenate([d.candidate - d.baseline for d in drawn])
    assert gain[on].mean() == pytest.approx(mean_shift(main, (1, 1)), abs=0.02)
    assert gain[~on].mean() == pytest.approx(mean_shift(side, generator.TRAFFIC_BETA), abs=0.02)
