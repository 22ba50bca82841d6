"""The contrast claims what was planted, and nothing where difficulty is all there is."""

import numpy as np
from numpy.typing import NDArray

from spanloop.optimizer.patterns.contrast import contrast, design, draw, residual
from spanloop.optimizer.patterns.mining import CLAIM, enough, select
from spanloop.optimizer.patterns.predicates import Predicate, Term

N_PREDICATES = 60
PREDICATES = [Predicate.of(Term("tool", f"t{j:02}")) for j in range(N_PREDICATES)]


def _world(
    rng: np.random.Generator, *, tasks: int, runs: int, effect: float, coupled: bool = True
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Runs whose task drives what they do and whether they fail; predicate 0 has ``effect``.

    ``coupled``: hard tasks show every predicate more often, so that all naive differences are large.
    """
    task = np.repeat(np.arange(tasks), runs)
    agent = np.tile(np.arange(runs), tasks)
    difficulty = rng.normal(size=tasks)
    taste = rng.normal(size=(tasks, N_PREDICATES)) + coupled * difficulty[:, None]
    logits = taste[task] + rng.normal(size=(task.size, N_PREDICATES))
    matrix = logits > 0.7
    chance = 1 / (1 + np.exp(-1.5 * difficulty[task])) + effect * (matrix[:, 0] - 0.3)
    failed = (rng.random(task.size) < np.clip(chance, 0.02, 0.98)).astype(np.float64)
    return matrix, failed, task, agent


def test_difficulty_alone_claims_nothing() -> None:
    rng = np.random.default_rng(3)
    claims = naive = 0
    for _ in range(40):
        matrix, failed, task, agent = _world(rng, tasks=30, runs=5, effect=0.0)
        held_fixed = design(matrix, task, agent)
        result = contrast(held_fixed, failed, draw(held_fixed, rng, 199))
        claims += bool(np.any(result.adjusted <= CLAIM))
        naive += bool(np.any(result.marginal > 0.2))

    assert naive == 40  # the naive difference is large in every world
    assert claims <= 5  # 5 % of 40 are expected at most; 6 or more have probability 0.003


def test_a_planted_effect_is_claimed_and_estimated() -> None:
    rng = np.random.default_rng(4)
    matrix, failed, task, agent = _world(rng, tasks=80, runs=6, effect=0.4)
    held_fixed = design(matrix, task, agent)
    result = contrast(held_fixed, failed, draw(held_fixed, rng, 499))
    findings = select(PREDICATES, matrix, result)

    assert findings[0].predicate == PREDICATES[0]
    assert findings[0].claimed
    assert findings[0].low is not None
    assert findings[0].high is not None
    assert findings[0].low < 0.35 < findings[0].high
    assert sum(finding.claimed for finding in findings) <= 2


def test_strata_that_mix_tasks_do_not_pass_for_evidence() -> None:
    # Two tasks of different difficulty share every stratum. Exchanging rows of a stratum takes their
    # difference for an effect; flipping whole strata does not.
    rng = np.random.default_rng(5)
    claims = 0
    for _ in range(40):
        matrix, failed, task, agent = _world(rng, tasks=30, runs=5, effect=0.0, coupled=False)
        held_fixed = design(matrix, rng.permutation(30)[task] // 2, agent)
        result = contrast(held_fixed, failed, draw(held_fixed, rng, 199))
        claims += bool(np.any(result.adjusted <= CLAIM))

    assert claims <= 5


def test_intervals_of_chosen_patterns_hold_although_they_were_chosen() -> None:
    # Nothing has an effect: what is chosen is the largest of 60 by chance alone.
    rng = np.random.default_rng(9)
    naive = held = shown = 0
    for _ in range(40):
        matrix, failed, task, agent = _world(rng, tasks=40, runs=20, effect=0.0, coupled=False)
        held_fixed = design(matrix, task, agent)
        result = contrast(held_fixed, failed, draw(held_fixed, rng, 19))
        for finding in select(PREDICATES, matrix, result, limit=2):
            assert finding.low is not None
            shown += 1
            naive += bool(result.low[finding.column] <= 0)
            held += finding.low <= 0

    assert shown == 80
    assert naive / shown < 0.9
    assert held / shown >= 0.95


def test_a_claimed_pattern_keeps_its_95_percent_interval() -> None:
    rng = np.random.default_rng(4)
    matrix, failed, task, agent = _world(rng, tasks=80, runs=6, effect=0.4)
    held_fixed = design(matrix, task, agent)
    result = contrast(held_fixed, failed, draw(held_fixed, rng, 499))
    claimed, *others = select(PREDICATES, matrix, result)

    assert (claimed.claimed, claimed.low, claimed.high) == (True, result.low[0], result.high[0])
    assert others
    for finding in others:
        assert finding.claimed or (finding.low or 0.0) < result.low[finding.column]


def test_the_residual_is_that_of_least_squares() -> None:
    rng = np.random.default_rng(6)
    strata, agents = rng.integers(0, 7, 60), rng.integers(0, 4, 60)
    values = rng.normal(size=(60, 2))
    dummies = np.hstack([np.eye(7)[strata], np.eye(4)[agents]])
    fitted = dummies @ np.linalg.lstsq(dummies, values, rcond=None)[0]

    assert np.allclose(residual(values, strata, agents), values - fitted, atol=1e-6)


def test_strata_of_one_run_tell_nothing() -> None:
    matrix = np.array([[True], [False], [True], [False]])
    held_fixed = design(matrix, np.arange(4), np.zeros(4, dtype=np.int64))
    rng = np.random.default_rng(7)
    result = contrast(held_fixed, np.array([1.0, 0.0, 1.0, 0.0]), draw(held_fixed, rng, 9))

    assert np.isnan(result.lift[0])
    assert result.adjusted[0] == 1.0
    assert select(PREDICATES[:1], matrix, result) == []


def test_the_same_question_at_two_thresholds_is_one_pattern() -> None:
    rng = np.random.default_rng(8)
    matrix, failed, task, agent = _world(rng, tasks=60, runs=6, effect=0.4)
    narrower = matrix[:, :1] & (rng.random((matrix.shape[0], 1)) < 0.4)
    both = np.hstack([matrix[:, :1], narrower])
    predicates = [Predicate.of(Term("tool", "a", value=v)) for v in (1.0, 2.0)]
    held_fixed = design(both, task, agent)

    findings = select(predicates, both, contrast(held_fixed, failed, draw(held_fixed, rng, 199)))

    assert len(findings) == 1


def test_too_few_outcomes_are_not_contrasted() -> None:
    assert not enough(np.array([1.0] * 30))
    assert not enough(np.array([1.0, 0.0] * 5))
    assert enough(np.array([1.0, 0.0] * 15))
