"""pattern_lift: do patterns mined on some tasks matter on tasks that mining has not seen?

Half of the tasks are mined as the product does it, their outcomes entering as sampled assessments; the
predicates are then asked of the runs of the other half, and the halves change places. There the lift is taken
within the true task, with the agent held fixed, neither of which the product was told. A ranking by the naive
(marginal) difference over the same predicates stands beside. Success shuffled within the true task tells how
often anything is claimed where there is nothing.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from benchmarks.truth.load import TruthData
from spanloop.optimizer.context import Context
from spanloop.optimizer.patterns.choosing import Choice, choose
from spanloop.optimizer.patterns.contrast import contrast, design, draw, residual
from spanloop.optimizer.patterns.mining import CLAIM, overlap
from spanloop.optimizer.patterns.naming import title_of
from spanloop.optimizer.patterns.predicates import Predicate
from spanloop.optimizer.patterns.sample import Sample, codes, read_sample, strata_of
from spanloop.optimizer.patterns.vocabulary import apply, build_vocabulary
from spanloop.optimizer.statistics.intervals import wilson
from spanloop.optimizer.statistics.multiplicity import benjamini_hochberg

TOP = 10
SHUFFLES = 200
DRAWS = 499
BOOTSTRAPS = 2_000
MIN_EVIDENCE = 2.0
"""Sum of squared within-task deviations below which the unseen half cannot tell a lift."""

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


class Runs(NamedTuple):
    """Runs with a known task and outcome, as the product sees them, and the truth beside.

    Attributes:
        sample: n rows as mining reads them.
        tasks: (n,) set, domain and task.
        agents: (n,) who answered, by ground truth.
        failed: (n,) 0 or 1.
    """

    sample: Sample
    tasks: Sequence[str]
    agents: Sequence[str]
    failed: Floats

    def rows(self, chosen: Bools) -> "Runs":
        """Return the runs where ``chosen`` is true."""
        kept: list[int] = np.flatnonzero(chosen).tolist()
        return Runs(
            self.sample.rows(chosen),
            [self.tasks[i] for i in kept],
            [self.agents[i] for i in kept],
            self.failed[kept],
        )


def measure(data: TruthData, train: TruthData | None, *, seed: int) -> dict[str, Any]:
    """Mine, apply, compare, shuffle. Sets whose tasks were not run several times are left out."""
    rows, skipped = usable(data.truth)
    if not rows:
        return {"skipped": skipped, "aims": []}
    runs = _read(data.context, rows)
    if train is not None and usable(train.truth)[0]:
        folds = [(_read(train.context, usable(train.truth)[0]), runs)]
    else:
        first = _first_half(runs, seed)
        halves = runs.rows(first), runs.rows(~first)
        folds = [halves, halves[::-1]]
    judged = [_fold(mined, unseen, seed + i) for i, (mined, unseen) in enumerate(folds)]
    result: dict[str, Any] = {
        "skipped": skipped,
        "mean_lift": {name: _pooled([fold[name] for fold in judged]) for name in judged[0]},
        "folds": [
            {
                "mined": {"runs": len(mined.tasks), "tasks": len(set(mined.tasks))},
                "unseen": {"runs": len(unseen.tasks), "tasks": len(set(unseen.tasks))},
                **{name: one.report for name, one in fold.items()},
            }
            for (mined, unseen), fold in zip(folds, judged, strict=True)
        ],
        "false_discovery": false_discovery(runs, seed),
    }
    return result | {"aims": _aims(result)}


class Judged(NamedTuple):
    """What a list of patterns is worth on unseen tasks.

    Attributes:
        report: figures, pattern by pattern.
        mean: of their lifts; None where no lift can be told.
        drawn: (`BOOTSTRAPS`,) the mean in resamples of tasks.
    """

    report: Mapping[str, Any]
    mean: float | None
    drawn: Floats


def _fold(mined: Runs, unseen: Runs, seed: int) -> dict[str, Judged]:
    """Mine ``mined`` with the strata that the product infers, and with the task given; and naively."""
    result: dict[str, Judged] = {}
    for name, given in (("inferred_strata", None), ("given_strata", _given(mined))):
        choice = choose(mined.sample, [], rng=np.random.default_rng(seed), given=given)
        judged = _judged(_top(choice), unseen, seed)
        result[name] = judged._replace(
            report={
                **judged.report,
                "claimed": sum(finding.claimed for finding in choice.findings),
                "patterns": len(choice.findings),
                "looked_at": choice.looked_at,
                "failures_covered_by_all": _covered(_predicates(choice), unseen),
            }
        )
    result["marginal_ranking"] = _judged(_marginal_top(mined), unseen, seed)
    return result


def _pooled(judged: Sequence[Judged]) -> list[float] | None:
    """Return the mean over folds, whose tasks differ, with its interval."""
    means = [one.mean for one in judged if one.mean is not None]
    if not means:
        return None
    drawn = np.mean([one.drawn for one in judged if one.mean is not None], axis=0)
    return _interval(float(np.mean(means)), drawn)


def usable(truth: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], dict[str, str]]:
    """Return rows of sets with tasks that were run several times with either outcome, and why not."""
    by_set: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in truth:
        by_set[str(row["set"])].append(row)
    kept: list[Mapping[str, Any]] = []
    skipped: dict[str, str] = {}
    for name, rows in by_set.items():
        known = [row for row in rows if row.get("success") is not None and "task_id" in row]
        outcomes: defaultdict[str, set[bool]] = defaultdict(set)
        for row in known:
            outcomes[_task(row)].add(bool(row["success"]))
        if sum(len(seen) == 2 for seen in outcomes.values()) >= 5:
            kept += known
        else:
            skipped[name] = "fewer than 5 tasks with both a success and a failure"
    return kept, skipped


def _task(row: Mapping[str, Any]) -> str:
    return f"{row['set']}/{row.get('domain', '')}/{row['task_id']}"


def _read(context: Context, rows: Sequence[Mapping[str, Any]]) -> Runs:
    """Tell the product the outcomes, read what mining reads, and take them back."""
    by_id = {str(row["trajectory_id"]): row for row in rows}
    with _told(context, rows):
        sample = read_sample(context, max_others=0)
    kept = np.array([facts.trajectory_id in by_id for facts in sample.facts], dtype=np.bool_)
    sample = sample.rows(kept)
    truth = [by_id[facts.trajectory_id] for facts in sample.facts]
    return Runs(
        sample,
        [_task(row) for row in truth],
        [str(row.get("agent", "")) for row in truth],
        np.array([0.0 if row["success"] else 1.0 for row in truth]),
    )


@contextmanager
def _told(context: Context, rows: Sequence[Mapping[str, Any]]) -> Iterator[None]:
    _assess(context, rows, deleted=0)
    try:
        yield
    finally:
        _assess(context, rows, deleted=1)


def _assess(context: Context, rows: Sequence[Mapping[str, Any]], *, deleted: int) -> None:
    names = (
        "AssessmentId",
        "Project",
        "TraceId",
        "Source",
        "Name",
        "Satisfied",
        "Selection",
        "SelectionProbability",
        "Carrier",
        "Timestamp",
        "Version",
        "IsDeleted",
    )
    at = datetime.fromtimestamp(context.now_ms / 1000, UTC)
    table = context.renderer.table("assessments")
    newest = context.client.query(f"SELECT max(Version) FROM {table}")  # noqa: S608
    version = max(context.now_ms, int(newest.result_rows[0][0]) + 1)
    traces = context.renderer.table("trajectory_traces")
    told = context.client.query(f"SELECT TraceId, Project FROM {traces} FINAL").result_rows  # noqa: S608
    projects = {str(trace): str(project) for trace, project in told}
    context.client.insert(
        "assessments",
        [
            [
                f"pattern_lift/{row['trace_id']}",
                projects.get(row["trace_id"], ""),
                row["trace_id"],
                "outcome",
                "success",
                float(bool(row["success"])),
                "sampled",
                1.0,
                "analysis",
                at,
                version,
                deleted,
            ]
            for row in rows
        ],
        column_names=names,
        database=context.renderer.settings.database,
    )


def _first_half(runs: Runs, seed: int) -> Bools:
    """Choose half of the tasks; a task that two sets share stays on one side."""
    keys = [task.split("/", 1)[1] for task in runs.tasks]
    order = np.random.default_rng(seed).permutation(sorted(set(keys)))
    first = set(order[: len(order) // 2].tolist())
    return np.array([key in first for key in keys], dtype=np.bool_)


def _given(runs: Runs) -> Mapping[str, str]:
    return {
        facts.trajectory_id: task for facts, task in zip(runs.sample.facts, runs.tasks, strict=True)
    }


def _predicates(choice: Choice) -> list[Predicate]:
    return [finding.predicate for finding in choice.findings if not finding.always_fails]


def _top(choice: Choice) -> list[Predicate]:
    return [f.predicate for f in choice.findings if f.lift is not None][:TOP]


def _marginal_top(mined: Runs) -> list[Predicate]:
    """Return the ten largest naive differences over the same predicates, no two alike."""
    vocabulary = build_vocabulary(mined.sample.facts)
    chosen: list[int] = []
    for j in np.argsort(-_naive(vocabulary.matrix, mined.failed), kind="stable"):
        if len(chosen) == TOP:
            break
        if all(overlap(vocabulary.matrix[:, j], vocabulary.matrix[:, k]) <= 0.6 for k in chosen):
            chosen.append(int(j))
    return [vocabulary.predicates[j] for j in chosen]


def _naive(matrix: Bools, failed: Floats) -> Floats:
    size = matrix.sum(axis=0)
    bad = failed @ matrix
    rest = (failed.sum() - bad) / np.maximum(failed.size - size, 1)
    return np.asarray(bad / np.maximum(size, 1) - rest, dtype=np.float64)


def _judged(predicates: Sequence[Predicate], unseen: Runs, seed: int) -> Judged:
    """Return the lift of each predicate on unseen tasks, and of all together, with intervals."""
    matrix = apply(predicates, unseen.sample.facts)
    tasks = codes(unseen.tasks)
    held_fixed = design(matrix, tasks, codes(unseen.agents))
    y = residual(unseen.failed[:, None], held_fixed.strata, held_fixed.agents)
    n_tasks = int(tasks.max()) + 1
    moved = np.zeros((n_tasks, matrix.shape[1]))
    np.add.at(moved, held_fixed.strata, held_fixed.within * y)
    weight = np.zeros_like(moved)
    np.add.at(weight, held_fixed.strata, held_fixed.within**2)
    rng = np.random.default_rng(seed)
    times = rng.multinomial(n_tasks, np.full(n_tasks, 1 / n_tasks), size=BOOTSTRAPS)
    lifts = moved.sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-9)
    drawn = (times @ moved) / np.maximum(times @ weight, 1e-9)
    known = weight.sum(axis=0) >= MIN_EVIDENCE
    naive = _naive(matrix, unseen.failed)
    patterns = [
        {
            "pattern": title_of(predicate),
            "members": int(matrix[:, j].sum()),
            "evidence": round(float(weight[:, j].sum()), 1),
            "lift": _interval(lifts[j], drawn[:, j]) if known[j] else None,
            "marginal_lift": round(float(naive[j]), 3),
        }
        for j, predicate in enumerate(predicates)
    ]
    together = np.mean(drawn[:, known], axis=1) if known.any() else np.empty(0)
    mean = float(np.mean(lifts[known])) if known.any() else None
    return Judged(
        {
            "mean_lift": None if mean is None else _interval(mean, together),
            "positive": f"{int(np.sum(lifts[known] > 0))} of {int(known.sum())}",
            "failures_covered": _covered(predicates, unseen),
            "successes_covered": _covered(predicates, unseen, failures=False),
            "top_ten": patterns,
        },
        mean,
        together,
    )


def _interval(point: float, drawn: Floats) -> list[float]:
    """Return [point, low, high] of a bootstrap over tasks."""
    low, high = np.quantile(drawn, [0.025, 0.975])
    return [round(float(point), 3), round(float(low), 3), round(float(high), 3)]


def _covered(predicates: Sequence[Predicate], runs: Runs, *, failures: bool = True) -> float | None:
    asked = np.asarray(runs.failed == (1.0 if failures else 0.0), dtype=np.bool_)
    if not asked.any() or not predicates:
        return None
    shown = np.any(apply(predicates, runs.sample.facts), axis=1)
    return round(float(np.mean(shown[asked])), 3)


def false_discovery(runs: Runs, seed: int) -> dict[str, Any]:
    """Return the share of shuffles of success within the true task that claim anything."""
    vocabulary = build_vocabulary(runs.sample.facts)
    tasks, agents = codes(runs.tasks), runs.sample.agent_codes
    rng = np.random.default_rng(seed)
    given = design(vocabulary.matrix, tasks, agents)
    inferred = design(vocabulary.matrix, strata_of(runs.sample), agents)
    draws = draw(given, rng, DRAWS), draw(inferred, rng, DRAWS)
    slots = np.argsort(tasks, kind="stable")
    claimed = np.zeros((SHUFFLES, 2), dtype=np.bool_)
    naive: list[int] = []
    for i in range(SHUFFLES):
        shuffled = np.empty_like(runs.failed)
        shuffled[slots] = runs.failed[np.lexsort((rng.random(tasks.size), tasks))]
        for j, held_fixed in enumerate((given, inferred)):
            adjusted = contrast(held_fixed, shuffled, draws[j]).adjusted
            claimed[i, j] = bool(np.any(adjusted <= CLAIM))
        naive.append(_marginal_claims(vocabulary.matrix, shuffled))
    return {
        "shuffles": SHUFFLES,
        "predicates": len(vocabulary.predicates),
        "a_task_given": _share(claimed[:, 0]),
        "b_inferred": _share(claimed[:, 1]),
        "marginal_claims_a_shuffle": {
            "median": float(np.median(naive)),
            "share_with_any": float(np.mean(np.array(naive) > 0)),
        },
    }


def _marginal_claims(matrix: Bools, failed: Floats) -> int:
    """Return how many naive differences are claimed at a false-discovery rate of 5 %."""
    size = matrix.sum(axis=0).astype(np.float64)
    spread = failed.mean() * (1 - failed.mean()) * (1 / size + 1 / (failed.size - size))
    p_values = norm.sf(_naive(matrix, failed) / np.sqrt(np.maximum(spread, 1e-12)))
    return int(np.sum(benjamini_hochberg(p_values) <= 0.05))


def _share(claimed: Bools) -> list[float]:
    share = wilson(int(claimed.sum()), claimed.size)
    return [round(float(value or 0.0), 3) for value in (share.point, share.low, share.high)]


def _aims(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    a, b = (result["false_discovery"][name] for name in ("a_task_given", "b_inferred"))
    lifts: Mapping[str, list[float] | None] = result["mean_lift"]
    mean = lifts["inferred_strata"]
    return [
        {
            "aim": "shuffles with any claim, task given",
            "wanted": "<= 0.10",
            "measured": a,
            "met": a[0] <= 0.10,
        },
        {
            "aim": "shuffles with any claim, strata inferred",
            "wanted": "<= 0.20",
            "measured": b,
            "met": b[0] <= 0.20,
        },
        {
            "aim": "mean lift of the top ten on unseen tasks, task and agent held fixed",
            "wanted": "interval above 0",
            "measured": lifts,
            "met": mean is not None and mean[1] > 0,
        },
    ]
