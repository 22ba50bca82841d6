"""The recorded runs of a task as the measures see them: what assembly made of them, beside their task."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from benchmarks.truth.load import TruthData
from spanloop.optimizer.scenarios.scenario import TapeCall
from spanloop.optimizer.statistics.intervals import wilson

Task = tuple[str, str, str]
"""Set, domain, task id."""


class Step(NamedTuple):
    """A step as it can be compared; texts that a kind does not have are ''."""

    kind: str
    text: str
    tool: str
    arguments: str
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One recorded run."""

    trajectory: str
    task: Task
    agent: str
    trial: str
    system: str
    steps: Sequence[Step]
    calls: Sequence[TapeCall]


def read_runs(data: TruthData, sets: Iterable[str]) -> Sequence[Run]:
    """Return the runs of ``sets``, by task, agent and trial."""
    steps: dict[str, list[Sequence[Any]]] = defaultdict(list)
    for row in data.client.query(
        "SELECT TrajectoryId, Kind, Text, Name, Arguments, Result, Status FROM trajectory_steps FINAL "
        "ORDER BY TrajectoryId, Step"
    ).result_rows:
        steps[str(row[0])].append(row[1:])
    systems = {
        str(trajectory): str(system)
        for trajectory, system in data.client.query(
            "SELECT TrajectoryId, ifNull(System, '') FROM trajectories FINAL"
        ).result_rows
    }
    runs = [
        Run(
            trajectory=truth["trajectory_id"],
            task=(truth["set"], str(truth["domain"]), str(truth["task_id"])),
            agent=str(truth["agent"]),
            trial=str(truth["trial"]),
            system=systems[truth["trajectory_id"]],
            steps=[_step(row) for row in steps[truth["trajectory_id"]]],
            calls=_calls(truth["trajectory_id"], steps[truth["trajectory_id"]]),
        )
        for truth in data.truth
        if truth["set"] in set(sets)
    ]
    return sorted(runs, key=lambda run: (run.task, run.agent, run.trial, run.trajectory))


def by_task(runs: Iterable[Run]) -> Mapping[Task, Sequence[Run]]:
    """Return runs by task, tasks in order."""
    found: dict[Task, list[Run]] = defaultdict(list)
    for run in runs:
        found[run.task].append(run)
    return found


def share(k: int, n: int) -> dict[str, Any]:
    """Return a proportion with its Wilson interval (95 %)."""
    if not n:
        return {"k": 0, "n": 0, "share": None, "low": None, "high": None}
    interval = wilson(k, n)
    return {"k": k, "n": n, "share": k / n, "low": interval.low, "high": interval.high}


def _step(row: Sequence[Any]) -> Step:
    kind, text, name, arguments, result, _ = row
    if kind == "tool":
        return Step("tool", "", str(name), arguments or "", result or "")
    return Step(str(kind), text or "", "", "", "")


def _calls(trajectory: str, rows: Sequence[Sequence[Any]]) -> Sequence[TapeCall]:
    tools = [row for row in rows if row[0] == "tool"]
    return [
        TapeCall(
            trajectory=trajectory,
            position=position,
            tool=str(name),
            arguments=arguments or "",
            result=result,
            status=status if status in ("ok", "error") else "",
        )
        for position, (_, _, name, arguments, result, status) in enumerate(tools)
    ]
