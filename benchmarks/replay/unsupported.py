"""When is a verdict unsupported? A fixed threshold of coverage against the arms' own difference.

Recorded runs of one configuration are two arms of an A/A (trials of tau_bench), runs of two agents on the
same tasks are an A/B (tau2_bench); both are answered from the tapes of the remaining runs. An agent that is
played again leaves the tape too, so its coverage is low in both arms alike. Neither rule sees an outcome.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.replay.runs import Run, Task, by_task, share
from spanloop.optimizer.gate.evidence import Floats
from spanloop.optimizer.replay.episode import ON_TAPE
from spanloop.optimizer.replay.world import Tape, ToolWorld

FIXED = 0.8
"""A threshold as one would set it by hand."""
MARGIN = 0.15
"""The gate's: by which the candidate's coverage may lie below the baseline's."""
QUANTILE = 1.645
"""One-sided 95 %."""
MIN_TASKS = 8


def measure(runs: Sequence[Run]) -> dict[str, Any]:
    """Compare every two trials, and every two agents, that share enough tasks."""
    tasks = by_task(runs)
    trials = _summary(_pairs(tasks, "tau_bench", lambda run: run.trial))
    agents = _summary(_pairs(tasks, "tau2_bench", lambda run: run.agent))
    return {
        "A/A, trials of one agent": trials,
        "A/B, agents on the same tasks": agents,
        "aims": [
            {
                "aim": "A/A called unsupported by the arms' difference",
                "wanted": "0",
                "measured": trials["by difference"]["share"],
                "met": trials["by difference"]["k"] == 0,
            }
        ],
    }


def _pairs(
    tasks: Mapping[Task, Sequence[Run]], name: str, arm_of: Any
) -> Iterator[tuple[Floats, Floats]]:
    """Yield coverages by task of every two arms."""
    arms: dict[str, dict[Task, Run]] = {}
    for task, alike in tasks.items():
        if task[0] == name:
            for run in alike:
                arms.setdefault(arm_of(run), {}).setdefault(task, run)
    for one, other in itertools.combinations(sorted(arms), 2):
        both = [
            (_coverage(arms[one][task], task, tasks, arms[other][task]),
             _coverage(arms[other][task], task, tasks, arms[one][task]))
            for task in sorted(arms[one].keys() & arms[other].keys())
            if len(tasks[task]) > 2
        ]  # fmt: skip
        known = [(a, b) for a, b in both if a is not None and b is not None]
        if len(known) >= MIN_TASKS:
            pair = np.array(known)
            yield pair[:, 0], pair[:, 1]
            yield pair[:, 1], pair[:, 0]


def _coverage(
    run: Run, task: Task, tasks: Mapping[Task, Sequence[Run]], other: Run
) -> float | None:
    """Answer ``run`` from all but the two runs that are compared."""
    if not run.calls:
        return None
    tape = [call for r in tasks[task] if r is not run and r is not other for call in r.calls]
    world = ToolWorld(Tape(tape))
    tiers = [world.answer(call.tool, call.arguments).tier for call in run.calls]
    return sum(tier in ON_TAPE for tier in tiers) / len(tiers)


def _summary(pairs: Iterator[tuple[Floats, Floats]]) -> dict[str, Any]:
    coverages: list[float] = []
    differences: list[float] = []
    fixed = differing = n = 0
    for baseline, candidate in pairs:
        n += 1
        difference = candidate - baseline
        error = difference.std(ddof=1) / np.sqrt(len(difference))
        fixed += bool(candidate.mean() < FIXED)
        differing += bool(difference.mean() + QUANTILE * error < -MARGIN)
        coverages.append(float(candidate.mean()))
        differences.append(float(difference.mean()))
    return {
        "pairs": n,
        "mean coverage": float(np.mean(coverages)) if n else None,
        "largest difference": float(np.max(np.abs(differences))) if n else None,
        f"below {FIXED}": share(fixed, n),
        "by difference": share(differing, n),
    }
