"""Does the ranking of steps name the agent and the step that people blamed?

Truth are runs of `who_when` and `agentrx_tau_retail` where people marked one step as the cause. Every method
ranks the same steps: what agents and tools did, in order. Users' messages are kept in the order, so that
neighbours are as in the log, but no method proposes them: a cause marked there counts as missed by all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.truth.load import TruthData
from benchmarks.truth.localisation_baselines import BASELINES, EXTRA, Guess, Positions, Run, Shown
from spanloop.optimizer.patterns.deviation import locate

SETS = ("who_when", "agentrx_tau_retail")
MEASURES = ("agent", "exact", "within_one", "top_3", "read")
"""``read`` is the share of steps read in ranked order until the cause: less is better."""
DRAWS = 4_000
STEPS = """
    SELECT
        TrajectoryId, Step, Kind, Agent, Status, TraceId, SpanId,
        toUnixTimestamp64Nano(Timestamp), lengthUTF8(ifNull(Text, ''))
    FROM {table} FINAL
    WHERE TrajectoryId IN {{ids:Array(String)}}
    ORDER BY TrajectoryId, Step
"""
SPANS = """
    SELECT SpanId, TraceId, toUnixTimestamp64Nano(Timestamp), Operation
    FROM {table}
    WHERE SpanId IN {{ids:Array(String)}}
"""
KNOWN = {
    "step_1": {"exact": [0.21, 0.18]},
    "most_active_agent": {"agent": [0.49, 0.61]},
    "position_only": {"exact": 0.29, "agent": 0.585},
}
"""Measured by others before this benchmark was written; pairs are dev and unseen runs."""
JUDGES = {"agent": 0.535, "exact": 0.142}
JUDGES_FULL_INPUTS = {"agent": 0.659, "exact": 0.303}

Scores = NDArray[np.float64]


def measure(data: TruthData, train: TruthData | None, *, seed: int) -> dict[str, Any]:
    """Score `locate` beside the baselines; positions are learned on ``train`` or cross-fitted."""
    runs, unmapped = read_runs(data)
    if not runs:
        return {"skipped": f"no annotated run of {' or '.join(SETS)}", "aims": []}
    positions = Positions.of(runs, read_runs(train)[0] if train else None, seed=seed)
    guesses: dict[str, Sequence[Guess]] = {
        "ours": _ours(data, runs),
        **{name: [guess(run) for run in runs] for name, guess in {**BASELINES, **EXTRA}.items()},
        "position_only": positions.guesses,
    }
    scores = {
        name: np.array([_score(run, guess) for run, guess in zip(runs, found, strict=True)])
        for name, found in guesses.items()
    }
    rng = np.random.default_rng(seed)
    parts = {"pooled": np.ones(len(runs), dtype=bool)}
    parts |= {name: np.array([run.set == name for run in runs]) for name in SETS}
    odd = np.array([run.half for run in runs])
    parts |= {"half_of_tasks": odd == 0, "other_half_of_tasks": odd == 1}
    tables = {
        name: _table(scores, np.array([run.task for run in runs]), chosen, rng=rng)
        for name, chosen in parts.items()
        if chosen.any()
    }
    return {
        "runs": {name: sum(run.set == name for run in runs) for name in SETS},
        "causes_without_a_step": unmapped,
        "causes_at_users": sum(run.cause_is_user for run in runs),
        **tables,
        "known": KNOWN,
        "published": {"judge": JUDGES, "judge_full_inputs": JUDGES_FULL_INPUTS},
        "aims": [_aim(tables["pooled"], name) for name in ("exact", "agent")],
    }


def read_runs(data: TruthData) -> tuple[list[Run], int]:
    """Return the annotated runs, and how many causes no step of their trajectory tells."""
    rows = [row for row in data.truth if row["set"] in SETS and _span(row)]
    ids = [str(row["trajectory_id"]) for row in rows]
    if not ids:
        return [], 0
    steps = _steps(data, ids)
    spans = _spans(data, [str(_span(row)) for row in rows])
    runs = [_run(row, steps[str(row["trajectory_id"])], spans) for row in rows]
    return runs, sum(run.cause is None for run in runs)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    trace: str
    start: int
    operation: str


def _span(row: Mapping[str, Any]) -> str | None:
    return row.get("mistake_span_id") or row.get("root_span_id")


def _run(row: Mapping[str, Any], steps: Sequence[Shown], spans: Mapping[str, _Span]) -> Run:
    acted = next((i for i, step in enumerate(steps) if step.kind != "user"), 0)
    shown = steps[acted:]
    span = str(_span(row))
    root = [f for f in row.get("failures") or () if f["step"] == row.get("root_step")]
    by_user = row.get("mistake_agent") is None and any(f["agent"] == "User" for f in root)
    agents = [step.agent for step in shown if step.kind == "assistant" and step.agent]
    agent = row.get("mistake_agent") or ("" if by_user or not agents else agents[0])
    cause = _cause(span, shown, span=spans.get(span), agent=str(agent))
    return Run(
        set=str(row["set"]),
        task=str(row.get("task_id") or row["trajectory_id"]),
        trajectory_id=str(row["trajectory_id"]),
        steps=tuple(shown),
        cause=cause,
        agent=str(agent),
    )


def _cause(span_id: str, steps: Sequence[Shown], *, span: _Span | None, agent: str) -> int | None:
    """Index of the step that the marked span tells.

    A span may also tell what was said to its agent: then what the blamed agent said counts, or what was said
    last. A model call that only asked for tools is told by the first call it asked for; the invocation of a
    turn, by what the user said in it.
    """
    direct = [i for i, s in enumerate(steps) if s.span == span_id and s.kind != "user"]
    if direct:
        return ([i for i in direct if steps[i].agent == agent] or direct)[-1]
    if span is None:
        return None
    turn = [i for i, s in enumerate(steps) if s.trace == span.trace]
    if span.operation == "invoke_agent":
        said = [i for i in turn if steps[i].kind == "user"]
        return said[0] if said else None
    later = [i for i in turn if steps[i].kind != "user" and steps[i].start >= span.start]
    return later[0] if later else None


def _steps(data: TruthData, ids: Sequence[str]) -> dict[str, list[Shown]]:
    rows = data.client.query(
        STEPS.format(table=data.context.renderer.table("trajectory_steps")),
        parameters={"ids": list(ids)},
    ).result_rows
    found: dict[str, list[Shown]] = {trajectory: [] for trajectory in ids}
    for trajectory, step, kind, agent, status, trace, span, start, length in rows:
        found[str(trajectory)].append(
            Shown(
                step=int(step),
                kind=str(kind),
                agent=str(agent),
                failed=status == "error",
                trace=str(trace),
                span=str(span),
                start=int(start),
                length=int(length),
            )
        )
    return found


def _spans(data: TruthData, ids: Sequence[str]) -> dict[str, _Span]:
    rows = data.client.query(
        SPANS.format(table=data.context.renderer.table("genai_spans")),
        parameters={"ids": list(ids)},
    ).result_rows
    return {
        str(span): _Span(trace=str(trace), start=int(start), operation=str(operation))
        for span, trace, start, operation in rows
    }


def _ours(data: TruthData, runs: Sequence[Run]) -> list[Guess]:
    found = {
        located.trajectory_id: located
        for located in locate(data.context, [run.trajectory_id for run in runs])
    }
    guesses: list[Guess] = []
    for run in runs:
        at = {step.step: i for i, step in enumerate(run.steps)}
        located = found[run.trajectory_id]
        ranked = [at[suspicion.step] for suspicion in located.ranked]
        guesses.append(Guess(ranked=ranked, agent=located.agent))
    return guesses


def _score(run: Run, guess: Guess) -> tuple[float, ...]:
    agent = float(guess.agent == run.agent)
    if run.cause is None:
        return agent, 0.0, 0.0, 0.0, 1.0
    ranked = list(guess.ranked)
    exact = bool(ranked) and ranked[0] == run.cause
    near = bool(ranked) and abs(ranked[0] - run.cause) <= 1
    read = (ranked.index(run.cause) + 1) / len(ranked) if run.cause in ranked else 1.0
    return agent, float(exact), float(near), float(run.cause in ranked[:3]), read


def _table(
    scores: Mapping[str, Scores],
    tasks: NDArray[np.str_],
    chosen: NDArray[np.bool_],
    *,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Return every figure with its interval, and the paired difference to the best baseline."""
    weights = _bootstrap(tasks[chosen], rng)
    table: dict[str, Any] = {"runs": int(chosen.sum())}
    for column, measure_name in enumerate(MEASURES):
        values = {name: rows[chosen, column] for name, rows in scores.items()}
        sign = -1.0 if measure_name == "read" else 1.0
        named = [name for name in values if name not in ("ours", *EXTRA)]
        best = max(named, key=lambda name: sign * values[name].mean())
        table[measure_name] = {
            **{name: _interval(of, weights) for name, of in values.items()},
            "best_baseline": best,
            "ours_minus_best": _interval(values["ours"] - values[best], weights),
            **{
                f"ours_minus_{name}": _interval(values["ours"] - values[name], weights)
                for name in EXTRA
            },
        }
    return table


def _bootstrap(tasks: NDArray[np.str_], rng: np.random.Generator) -> Scores:
    """Return (draws, runs) weights: how often each run's task was drawn."""
    names, index = np.unique(tasks, return_inverse=True)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=DRAWS)
    return drawn[:, index].astype(np.float64)


def _interval(values: Scores, weights: Scores) -> list[float]:
    means = weights @ values / weights.sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return [round(float(x), 3) for x in (values.mean(), low, high)]


def _aim(pooled: Mapping[str, Any], name: str) -> dict[str, Any]:
    difference = pooled[name]["ours_minus_best"]
    return {
        "aim": f"{name}: ours above {pooled[name]['best_baseline']}, the best baseline, pooled",
        "wanted": "paired interval above 0",
        "measured": difference,
        "met": difference[1] > 0,
    }
