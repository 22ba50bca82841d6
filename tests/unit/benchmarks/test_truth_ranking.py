import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks.truth.ranking import auc_draws, codes, compare, estimate, task_weights

RNG = np.random.default_rng(1)
GOOD = RNG.random(80) < 0.6
SCORES = RNG.normal(size=80) + GOOD
TASKS = np.arange(80) % 13
AGENTS = np.arange(80) % 4
ONCE = np.ones((1, 13))


def test_pooled_is_the_usual_auc() -> None:
    pooled = compare(GOOD, [SCORES], TASKS)
    assert auc_draws(pooled, ONCE)[0] == pytest.approx(roc_auc_score(GOOD, SCORES))


def test_within_weighs_groups_by_their_pairs() -> None:
    within = auc_draws(compare(GOOD, [SCORES], TASKS, within=AGENTS), ONCE)[0]
    parts = [(GOOD[a == AGENTS], SCORES[a == AGENTS]) for a in range(4)]
    pairs = [g.sum() * (~g).sum() for g, _ in parts]
    aucs = [roc_auc_score(g, s) for g, s in parts]
    assert within == pytest.approx(np.average(aucs, weights=pairs))


def test_a_draw_of_tasks_is_the_auc_of_the_drawn_runs() -> None:
    weights = task_weights(13, 5, np.random.default_rng(2))
    drawn = auc_draws(compare(GOOD, [SCORES], TASKS), weights)
    for k in range(6):
        rows = np.repeat(np.arange(80), weights[k][TASKS].astype(int))
        assert drawn[k] == pytest.approx(roc_auc_score(GOOD[rows], SCORES[rows]))


def test_ties_are_half_right_and_scores_of_draws_are_averaged() -> None:
    flat = np.zeros(80)
    both = compare(GOOD, [SCORES, flat], TASKS, same_task=True)
    one = compare(GOOD, [SCORES], TASKS, same_task=True)
    assert auc_draws(both, ONCE)[0] == pytest.approx((auc_draws(one, ONCE)[0] + 0.5) / 2)


def test_no_pair_is_no_figure() -> None:
    nothing = compare(GOOD, [SCORES], TASKS, within=np.arange(80))
    assert np.isnan(estimate(auc_draws(nothing, task_weights(13, 5, RNG))).value)


def test_codes_number_distinct_labels() -> None:
    assert codes(["b", "a", "b"]).tolist() == [1, 0, 1]
