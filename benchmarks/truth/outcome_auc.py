"""outcome_auc: does the probability of satisfaction order runs that succeeded before runs that did not?

Pooled and per domain, within agent, within task, with no labels, 10 % of tasks, 10 % of runs, and all;
beside the named baselines at the same labels. With ``train`` labels come from its set of the same name
(if none has it, from all its runs of the same kind of outcome) and every run of ``data`` is scored; else
labels and scores are cross-fitted by task. Peers are runs of the same store, unlabelled; ground truth
chooses none.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.truth import outcome_baselines as baselines
from benchmarks.truth.load import TruthData
from benchmarks.truth.outcome_runs import Runs, pooled, runs_by_set
from benchmarks.truth.ranking import (
    Compared,
    auc_draws,
    codes,
    compare,
    estimate,
    spearman_draws,
    task_weights,
)
from spanloop.optimizer.satisfaction.model import Examples, fit, prior_model

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

LEVELS = ("none", "10 % of tasks", "10 % of runs", "all")
SHARE = 0.1
FOLDS = 5
DRAWS_CROSS_FITTED = 3
DRAWS_TRAINED = 20
BOOTSTRAP = 1000
FEWEST_OF_EACH = 5
"""Runs of either outcome below which an AUC is not reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """Runs to be scored and runs to learn from, in one array: ``train`` first where there is one."""

    runs: Runs
    examples: Examples
    outcome: Floats
    tasks: NDArray[np.int64]
    baseline: baselines.BaselineRuns
    offset: int
    seed: int


def measure(data: TruthData, train: TruthData | None, *, seed: int) -> dict[str, Any]:
    """Measure every set that has an outcome of both kinds."""
    learned = runs_by_set(train) if train is not None else {}
    result: dict[str, Any] = {"sets": {}, "skipped": {}, "aims": [], "known": baselines.KNOWN}
    for name, runs in runs_by_set(data).items():
        teacher, told = learned_from(name, runs, learned)
        reason = _unfit(runs)
        if train is not None and teacher is None:
            reason = reason or "no runs with this kind of outcome to learn from"
        if reason:
            result["skipped"][name] = reason
            continue
        bench = _bench(runs, teacher, seed)
        found, aims = (_graded if runs.graded else _ordered)(bench, name)
        result["sets"][name] = {"learned from": told, **found}
        result["aims"] += aims
    return result


def learned_from(name: str, runs: Runs, learned: Mapping[str, Runs]) -> tuple[Runs | None, str]:
    """Return the runs whose labels are learned from, None = other folds of ``runs``; and what they are."""
    if name in learned:
        return learned[name], f"training runs of {name}"
    alike = {other: part for other, part in learned.items() if part.graded == runs.graded}
    if not alike:
        return None, "other folds of the same runs"
    return (
        pooled(list(alike.values())),
        f"all training runs pooled ({', '.join(sorted(alike))}): no set there is called {name}",
    )


def _unfit(runs: Runs) -> str | None:
    if runs.graded:
        return None if np.unique(runs.outcome).size > 1 else "satisfaction does not vary"
    rarer = int(min(runs.outcome.sum(), (1 - runs.outcome).sum()))
    return None if rarer >= FEWEST_OF_EACH else f"only {rarer} runs of the rarer outcome"


def _bench(runs: Runs, learned: Runs | None, seed: int) -> _Bench:
    parts = [runs] if learned is None else [learned, runs]
    kinds = [f"{a}|{d}" for part in parts for a, d in zip(part.agents, part.domains, strict=True)]
    return _Bench(
        runs=runs,
        examples=Examples(
            numbers=np.vstack([part.examples.numbers for part in parts]),
            counts=sparse.csr_array(sparse.vstack([part.examples.counts for part in parts])),
            groups=[group for part in parts for group in part.examples.groups],
        ),
        outcome=np.concatenate([part.outcome for part in parts]),
        tasks=codes([task for part in parts for task in part.tasks]),
        baseline=baselines.prepare(
            [text for part in parts for text in part.texts],
            kinds,
            np.concatenate([part.spans for part in parts]),
            seed,
        ),
        offset=0 if learned is None else learned.outcome.size,
        seed=seed,
    )


def _scores(bench: _Bench, level: str) -> dict[str, list[Floats]]:
    """Return name → scores of the runs, one array a draw of labels; ours is ``spanloop``."""
    scored = np.arange(bench.offset, bench.outcome.size)
    if level == "none":
        ours = prior_model(bench.examples.numbers[scored]).log_odds(bench.examples.subset(scored))
        return {
            "spanloop": [ours],
            **{k: [v] for k, v in baselines.unlabelled(bench.baseline, scored).items()},
        }
    draws = DRAWS_TRAINED if bench.offset else DRAWS_CROSS_FITTED
    found: dict[str, list[Floats]] = {}
    for draw in range(1 if level == "all" else draws):
        for name, values in _one_draw(bench, level, draw).items():
            found.setdefault(name, []).append(values)
    return found


def _one_draw(bench: _Bench, level: str, draw: int) -> dict[str, Floats]:
    rng = np.random.default_rng([bench.seed, draw])
    n = bench.outcome.size
    found: dict[str, Floats] = {}
    for pool, scored in _splits(bench, rng):
        learned = _labelled(bench, pool, level, rng)
        scores = dict(baselines.unlabelled(bench.baseline, scored))
        if bench.runs.graded:
            scores["ridge"] = baselines.ridge(bench.baseline, learned, scored, bench.outcome)
        else:
            scores |= baselines.labelled(bench.baseline, learned, scored, bench.outcome, bench.seed)
        scores["spanloop"] = _ours(bench, pool, learned, scored)
        for name, values in scores.items():
            found.setdefault(name, np.zeros(n))[scored] = values
    return {name: values[bench.offset :] for name, values in found.items()}


def _splits(bench: _Bench, rng: np.random.Generator) -> list[tuple[Rows, Rows]]:
    """Return (runs that may be labelled, runs that are scored) of each part."""
    rows = np.arange(bench.outcome.size)
    if bench.offset:
        return [(rows[: bench.offset], rows[bench.offset :])]
    fold = rng.permutation(int(bench.tasks.max()) + 1)[bench.tasks] % FOLDS
    return [(rows[fold != k], rows[fold == k]) for k in range(FOLDS)]


def _labelled(bench: _Bench, pool: Rows, level: str, rng: np.random.Generator) -> Rows:
    """Return which of ``pool`` are labelled; drawn again until both outcomes are among them."""
    if level == "all":
        return pool
    tasks = np.unique(bench.tasks[pool])
    for _ in range(50):
        if level == "10 % of runs":
            chosen = rng.choice(pool, max(2, round(SHARE * pool.size)), replace=False)
        else:
            drawn = rng.choice(tasks, max(2, round(SHARE * tasks.size)), replace=False)
            chosen = pool[np.isin(bench.tasks[pool], drawn)]
        if np.unique(bench.outcome[chosen]).size > 1:
            return np.sort(chosen)
    return pool


def _ours(bench: _Bench, pool: Rows, learned: Rows, scored: Rows) -> Floats:
    seen = pool if bench.offset else np.arange(bench.outcome.size)
    prior = prior_model(bench.examples.numbers[seen])
    outcome = bench.outcome
    if bench.runs.graded:
        low, high = outcome[learned].min(), outcome[learned].max()
        outcome = np.clip((outcome - low) / (high - low), 0.0, 1.0)
    model = fit(
        prior, bench.examples.subset(learned), outcome[learned], bench.examples.counts[seen]
    )
    return model.log_odds(bench.examples.subset(scored))


def _ordered(bench: _Bench, name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Report AUCs of a set whose runs succeeded or not."""
    good = bench.runs.outcome > 0.5
    tasks = codes(bench.runs.tasks)
    weights = task_weights(int(tasks.max()) + 1, BOOTSTRAP, np.random.default_rng(bench.seed))
    views = _views(bench.runs, good, tasks)
    report: dict[str, Any] = {"runs": int(good.size), "tasks": int(tasks.max()) + 1}
    aims: list[dict[str, Any]] = []
    for level in LEVELS:
        scores = _scores(bench, level)
        report[level] = {}
        for view, sums in views.items():
            draws = {who: auc_draws(sums(values), weights) for who, values in scores.items()}
            report[level][view] = _beside(draws)
        aims.append(_aim(f"{name}, {level}, within agent", report[level]["within agent"]))
    return report, aims


def _views(
    runs: Runs, good: NDArray[np.bool_], tasks: NDArray[np.int64]
) -> dict[str, Callable[[Sequence[Floats]], Compared]]:
    """Return name → which pairs are compared; of a domain's views runs elsewhere stand alone."""
    agents, domains = codes(runs.agents), codes(runs.domains)
    together = np.zeros_like(agents)
    alone = 1 + int(agents.max()) + np.arange(agents.size)
    views = {
        "pooled": partial(compare, good, tasks=tasks),
        "within agent": partial(compare, good, tasks=tasks, within=agents),
        "within task": partial(compare, good, tasks=tasks, same_task=True),
    }
    names = sorted(set(runs.domains))
    for code, domain in enumerate(names if len(names) > 1 else []):
        for name, within in ((domain, together), (f"{domain}, within agent", agents)):
            here = np.where(domains == code, within, alone)
            views[name] = partial(compare, good, tasks=tasks, within=here)
    return dict(views)


def _graded(bench: _Bench, name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Report Spearman's rho of a set whose runs have a satisfaction."""
    tasks = codes(bench.runs.tasks)
    rng = np.random.default_rng(bench.seed)
    weights = task_weights(int(tasks.max()) + 1, BOOTSTRAP // 5, rng)
    report: dict[str, Any] = {"runs": int(bench.runs.outcome.size)}
    aims: list[dict[str, Any]] = []
    for level in ("none", "10 % of runs"):
        draws = {
            who: spearman_draws(bench.runs.outcome, values, tasks, weights)
            for who, values in _scores(bench, level).items()
        }
        report[level] = {"spearman": _beside(draws)}
        aims.append(_aim(f"{name}, {level}, Spearman's rho", report[level]["spearman"]))
    return report, aims


def _beside(draws: Mapping[str, Floats]) -> dict[str, Any]:
    """Return every figure with its interval, and ours minus the best baseline, paired."""
    others = {who: values for who, values in draws.items() if who != "spanloop"}
    best = max(others, key=lambda who: np.nan_to_num(others[who][0], nan=-1.0))
    figures: dict[str, Any] = {who: _rounded(estimate(values)) for who, values in draws.items()}
    return {
        **figures,
        "best baseline": best,
        "difference": _rounded(estimate(draws["spanloop"] - others[best])),
    }


def _rounded(values: Sequence[float]) -> list[float | None]:
    return [round(v, 3) if np.isfinite(v) else None for v in values]


def _aim(aim: str, beside: Mapping[str, Any]) -> dict[str, Any]:
    low = beside["difference"][1]
    return {
        "aim": aim,
        "wanted": "interval of (spanloop - best baseline at the same labels) above 0",
        "measured": {
            "spanloop": beside["spanloop"][0],
            beside["best baseline"]: beside[beside["best baseline"]][0],
            "difference": beside["difference"],
        },
        "met": None if low is None else low > 0,
    }
