"""How well scores order good runs before bad ones, with intervals over tasks; nothing of the product.

An AUC is a share of pairs. Pairs are summed once for each couple of tasks; a bootstrap over tasks then
only weighs the sums, so that every comparison (pooled, within agent, within task) comes with its
interval at no cost.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

Floats = NDArray[np.float64]


class Estimate(NamedTuple):
    """A figure and its 95 % interval; NaN where no pair can be compared."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Sums over pairs (a good run, a bad run) by the tasks of both.

    Attributes:
        pairs: (tasks, tasks) how many pairs; rows are tasks of the good runs.
        right: the same, of those that the scores order rightly; a tie is half right.
        same_task: only pairs of one task were compared, so that a task drawn twice is two tasks.
    """

    pairs: Floats
    right: Floats
    same_task: bool


def compare(
    good: NDArray[np.bool_],
    scores: Sequence[Floats],
    tasks: NDArray[np.int64],
    *,
    within: NDArray[np.int64] | None = None,
    same_task: bool = False,
) -> Compared:
    """Sum over pairs within ``within`` (codes; None = all), averaged over the ``scores`` of several draws."""
    n_tasks = int(tasks.max()) + 1
    pairs = np.zeros((n_tasks, n_tasks))
    right = np.zeros((n_tasks, n_tasks))
    allowed = np.ones((good.sum(), (~good).sum()), dtype=bool)
    if within is not None:
        allowed &= within[good][:, None] == within[~good][None, :]
    if same_task:
        allowed &= tasks[good][:, None] == tasks[~good][None, :]
    i, j = np.nonzero(allowed)
    of_good, of_bad = tasks[good][i], tasks[~good][j]
    np.add.at(pairs, (of_good, of_bad), 1.0)
    for drawn in scores:
        ordered = (np.sign(drawn[good][i] - drawn[~good][j]) + 1) / 2
        np.add.at(right, (of_good, of_bad), ordered / len(scores))
    return Compared(pairs=pairs, right=right, same_task=same_task)


def task_weights(n_tasks: int, draws: int, rng: np.random.Generator) -> Floats:
    """Return (draws + 1, n_tasks): how often each task is drawn; first the tasks as they are."""
    drawn = rng.multinomial(n_tasks, np.full(n_tasks, 1 / n_tasks), size=draws)
    return np.vstack([np.ones(n_tasks), drawn.astype(np.float64)])


def auc_draws(compared: Compared, weights: Floats) -> Floats:
    """Return the AUC under each row of ``weights``."""
    if compared.same_task:
        pairs, right = weights @ np.diag(compared.pairs), weights @ np.diag(compared.right)
    else:
        pairs = ((weights @ compared.pairs) * weights).sum(axis=1)
        right = ((weights @ compared.right) * weights).sum(axis=1)
    aucs = np.full(pairs.shape, np.nan)
    np.divide(right, pairs, out=aucs, where=pairs > 0)
    return aucs


def spearman_draws(
    truth: Floats, scores: Sequence[Floats], tasks: NDArray[np.int64], weights: Floats
) -> Floats:
    """Return Spearman's rho under each row of ``weights``, averaged over the ``scores``."""

    def rho(counts: Floats) -> float:
        rows = np.repeat(np.arange(truth.size), counts[tasks].astype(np.int64))
        return float(np.mean([spearmanr(truth[rows], drawn[rows])[0] for drawn in scores]))

    return np.array([rho(counts) for counts in weights])


def estimate(draws: Floats) -> Estimate:
    """Return the first of ``draws`` with the 2.5 and 97.5 % points of the others."""
    others = draws[1:][np.isfinite(draws[1:])]
    if not others.size:
        return Estimate(float(draws[0]), float("nan"), float("nan"))
    low, high = np.quantile(others, [0.025, 0.975])
    return Estimate(float(draws[0]), float(low), float(high))


def codes(labels: Sequence[str]) -> NDArray[np.int64]:
    """Return a number for each distinct label."""
    return np.unique(np.asarray(labels, dtype=str), return_inverse=True)[1].astype(np.int64)


Statistic = Callable[[Sequence[Floats]], Floats]
"""Scores of several draws → the figure under each row of weights."""
