from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit

from spanloop.optimizer.satisfaction.features import NUMBERS
from spanloop.optimizer.satisfaction.model import (
    FOLDS,
    NAMES,
    PRIORS,
    Examples,
    cross_fit,
    fit,
    group_folds,
    platt,
    prior_model,
)
from spanloop.optimizer.satisfaction.text import WORD_BUCKETS, WordModel, hashed

Floats = NDArray[np.float64]
JUDGE = NAMES.index("judge")


def examples(numbers: Floats, texts: list[str] | None = None) -> Examples:
    n = numbers.shape[0]
    counts = hashed(texts) if texts else sparse.csr_array((n, WORD_BUCKETS))
    return Examples(numbers=numbers, counts=counts, groups=[f"g{i % 50}" for i in range(n)])


def drawn(n: int, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).normal(size=(n, len(NAMES)))


def test_without_labels_the_prior_weights_speak() -> None:
    numbers = drawn(200)
    model = prior_model(numbers)
    assert model.method == "prior"
    z = np.clip((numbers - numbers.mean(0)) / numbers.std(0), -4, 4)
    z[:, JUDGE] = np.clip((numbers[:, JUDGE] - 0.5) / 0.5, -4, 4)
    np.testing.assert_allclose(model.log_odds(examples(numbers)), z @ PRIORS, atol=1e-9)


def test_what_is_unknown_adds_nothing() -> None:
    numbers = drawn(50)
    model = prior_model(numbers)
    unknown = np.full((1, len(NAMES)), np.nan)
    assert model.log_odds(examples(unknown))[0] == model.intercept


def test_a_number_that_never_varies_adds_nothing() -> None:
    numbers = drawn(50)
    numbers[:, 0] = 7.0
    numbers[:, 1] = np.nan
    model = prior_model(numbers)
    assert np.isfinite(model.means).all()
    assert not model.contributions(numbers)[:, :2].any()


def test_verdicts_that_all_agree_say_something() -> None:
    numbers = np.full((4, len(NAMES)), np.nan)
    numbers[:2, JUDGE] = 0.0
    log_odds = prior_model(numbers).log_odds(examples(numbers))
    np.testing.assert_allclose(log_odds, [-PRIORS[JUDGE]] * 2 + [0.0] * 2)


def test_few_labels_hardly_move_the_weights_and_many_do() -> None:
    at = NAMES.index("consent")
    moved = []
    for n in (20, 5_000):
        numbers = drawn(n)
        satisfied = (numbers[:, at] > 0).astype(np.float64)
        model = fit(prior_model(numbers), examples(numbers), satisfied, examples(numbers).counts)
        moved.append(model.weights[at])
        assert model.method == "trained"
        assert model.labels == n
    assert abs(moved[0]) < 0.15
    assert moved[1] > 1.0


@pytest.mark.parametrize("satisfied", [[1.0] * 30, [1.0, 0.0]])
def test_labels_of_one_kind_or_too_few_leave_the_prior(satisfied: list[float]) -> None:
    numbers = drawn(len(satisfied))
    prior = prior_model(numbers)
    assert fit(prior, examples(numbers), np.array(satisfied), None) is prior


def test_held_out_scores_are_calibrated_where_the_prior_is_not() -> None:
    rng = np.random.default_rng(5)
    numbers = drawn(2_000)
    truth = 1.5 + 0.3 * numbers[:, 0]
    satisfied = (rng.random(2_000) < expit(truth)).astype(np.float64)
    labelled = examples(numbers)
    fitted = cross_fit(prior_model(numbers), labelled, satisfied, labelled.counts, rng=rng)
    held_out = expit(fitted.held_out)
    assert abs(held_out.mean() - satisfied.mean()) < 0.02
    lower = held_out < np.median(held_out)
    assert abs(held_out[lower].mean() - satisfied[lower].mean()) < 0.05


def test_the_score_of_a_labelled_row_does_not_depend_on_its_label() -> None:
    numbers = drawn(120)
    satisfied = (np.random.default_rng(2).random(120) < 0.5).astype(np.float64)
    flipped = satisfied.copy()
    own = [i for i in range(120) if i % 50 == 7]
    flipped[own] = 1 - flipped[own]
    texts = [f"word{i % 9} other{i % 4}" for i in range(120)]
    labelled = examples(numbers, texts)
    prior = prior_model(numbers)

    def raw(labels: Floats) -> Floats:
        folds = group_folds(labelled.groups, rng=np.random.default_rng(0))
        out = np.flatnonzero(folds == folds[7])
        kept = np.flatnonzero(folds != folds[7])
        model = fit(prior, labelled.subset(kept), labels[kept], labelled.counts)
        return model.log_odds(labelled.subset(out))

    np.testing.assert_array_equal(raw(satisfied), raw(flipped))


def test_the_base_is_one_function_of_numbers_that_all_have() -> None:
    rng = np.random.default_rng(4)
    own = len(NUMBERS)
    gaps = []
    for _ in range(12):
        numbers = rng.normal(size=(900, len(NAMES)))
        satisfied = (rng.random(900) < expit(0.8 + numbers[:, 0])).astype(np.float64)
        chosen = np.flatnonzero(np.arange(900) % 10 == 0)
        told = numbers.copy()
        told[:, own:] = np.nan
        told[chosen, own:] = 2.0 + rng.normal(size=(chosen.size, len(NAMES) - own))  # experts' look
        everything = examples(told)
        fitted = cross_fit(
            prior_model(told),
            everything.subset(chosen),
            satisfied[chosen],
            everything.counts,
            rng=rng,
        )
        base = expit(fitted.model.base_log_odds(told))
        rest = np.setdiff1d(np.arange(900), chosen)
        gaps.append(float(expit(fitted.held_out_base).mean() - base[rest].mean()))
    assert abs(np.mean(gaps)) < 0.02


def test_the_prior_stays_until_every_fold_can_learn() -> None:
    numbers = drawn(9)
    satisfied = np.array([1.0, 0.0] * 4 + [1.0])
    few = examples(numbers)
    prior = prior_model(numbers)
    fitted = cross_fit(prior, few, satisfied, few.counts, rng=np.random.default_rng(1))
    assert fitted.model is prior
    np.testing.assert_array_equal(fitted.held_out_base, prior.base_log_odds(numbers))


def test_a_group_of_most_rows_is_split_so_that_every_fold_can_learn() -> None:
    numbers = drawn(40)
    one = replace(examples(numbers), groups=["g"] * 40)
    satisfied = (numbers[:, 0] > 0).astype(np.float64)
    fitted = cross_fit(
        prior_model(numbers), one, satisfied, one.counts, rng=np.random.default_rng(1)
    )
    assert fitted.model.labels == 40


def test_folds_keep_groups_together() -> None:
    groups = [f"g{i % 13}" for i in range(100)] + [""] * 30
    folds = group_folds(groups, rng=np.random.default_rng(3))
    assert all(len(set(folds[:100][i::13].tolist())) == 1 for i in range(13))
    assert set(folds.tolist()) == set(range(FOLDS))


def test_platt_finds_the_level() -> None:
    rng = np.random.default_rng(1)
    log_odds = rng.normal(size=4_000)
    satisfied = (rng.random(4_000) < expit(0.7 + 2.0 * log_odds)).astype(np.float64)
    a, b = platt(log_odds, satisfied)
    assert a == pytest.approx(0.7, abs=0.15)
    assert b == pytest.approx(2.0, abs=0.2)


def test_words_are_learned_and_survive_storing() -> None:
    texts = ["u_good a_done"] * 15 + ["u_bad a_sorry"] * 15
    counts = hashed(texts)
    words = WordModel.fit(counts, np.array([1.0] * 15 + [0.0] * 15), counts)
    scores = words.log_odds(counts)
    assert scores[0] > 0 > scores[-1]
    stored = WordModel.from_json(words.as_json())
    np.testing.assert_allclose(stored.log_odds(counts), scores, atol=1e-4)
