"""Do derived scenarios cover the traffic they come from, with few, and with nothing on two sides?

What is a near-duplicate is measured here by a similarity of its own: the Jaccard index of the sets of four
words in a row that users said, digits masked; nothing of the product. So is which task a run belongs to: the
data sets know, and the product does not.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.truth.load import TruthData
from spanloop.optimizer.scenarios import derive_scenarios, load_scenarios
from spanloop.optimizer.scenarios.scenario import Scenario
from spanloop.optimizer.statistics.intervals import wilson

SHINGLE = 4
NEAR_DUPLICATE = 0.5
"""Jaccard index from which on two runs tell the same story in the same words."""

MIN_SHINGLES = 8
"""Of a run that can be compared: two short greetings are alike and leak nothing."""

SPLITS = ("train", "validation", "test", "fresh")


def measure(data: TruthData, *, seed: int = 1) -> dict[str, Any]:
    """Derive the scenarios of an analysed store and measure them.

    Args:
        data: runs of the recorded sets, analysed, and their truth.
        seed: of the control that pairs runs with scenarios at random.
    """
    derived = derive_scenarios(data.context)
    agents = [
        str(row[0])
        for row in data.client.query(
            "SELECT DISTINCT AgentName FROM trajectories FINAL ORDER BY 1"
        ).result_rows
    ]
    scenarios = [s for agent in agents for s in load_scenarios(data.context, agent=agent)]
    told = _told(data)
    leaks = _leaks(_sides(scenarios), {run: shingles(text) for run, text in told.items()})
    openings = _leaks(
        _sides(scenarios), {run: shingles(text) for run, text in _opened(data).items()}
    )
    coverage = _share(derived.covered, derived.sampled)
    per_trajectory = len(scenarios) / max(derived.sampled, 1)
    return {
        "trajectories": derived.sampled,
        "scenarios": len(scenarios),
        "by_split": {s: sum(x.split == s for x in scenarios) for s in SPLITS},
        "clusters": len({s.cluster_key for s in scenarios}),
        "coverage": coverage,
        "closeness": _closeness(data, scenarios, told, seed),
        "leakage": leaks,
        "leakage_of_openings": openings,
        "tasks_on_two_sides": _tasks_on_two_sides(data, scenarios),
        "aims": [
            _aim("coverage", ">= 0.95", coverage["share"], coverage["share"] >= 0.95),
            _aim("scenarios per trajectory", "<= 0.2", per_trajectory, per_trajectory <= 0.2),
            _aim("near-duplicates on two sides", "0", leaks["pairs"], leaks["pairs"] == 0),
            _aim(
                "openings of near-duplicates on two sides",
                "0",
                openings["pairs"],
                openings["pairs"] == 0,
            ),
        ],
    }


def _aim(aim: str, wanted: str, measured: float, met: bool) -> dict[str, Any]:
    return {"aim": aim, "wanted": wanted, "measured": measured, "met": met}


def _share(k: int, n: int) -> dict[str, Any]:
    interval = wilson(k, n)
    return {"k": k, "n": n, "share": k / max(n, 1), "low": interval.low, "high": interval.high}


def _told(data: TruthData) -> dict[str, str]:
    """Return what the user said in each run."""
    rows = data.client.query(
        "SELECT TrajectoryId, arrayStringConcat(arrayMap(x -> x.2, arraySort(groupArray((Step, "
        "ifNull(Text, ''))))), '\n') FROM trajectory_steps FINAL WHERE Kind = 'user' GROUP BY TrajectoryId"
    ).result_rows
    return {str(run): str(text) for run, text in rows}


def shingles(text: str) -> frozenset[str]:
    """Return the sets of `SHINGLE` words in a row, lower case, digits masked."""
    words = re.findall(r"[^\W_]+", re.sub(r"\d", "0", text.lower()))
    return frozenset(" ".join(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1))


def _opened(data: TruthData) -> dict[str, str]:
    """Return what the user said first in each run."""
    rows = data.client.query("SELECT TrajectoryId, Opening FROM trajectories FINAL").result_rows
    return {str(run): str(text or "") for run, text in rows}


def _leaks(sides: Mapping[str, set[str]], texts: Mapping[str, frozenset[str]]) -> dict[str, Any]:
    """Count pairs of runs that scenarios of different splits are made of and that are near-duplicates.

    Args:
        sides: splits by run.
        texts: shingles by run.
    """
    runs = sorted(run for run in sides if len(texts.get(run, ())) >= MIN_SHINGLES)
    pairs, highest = 0, 0.0
    alike: list[tuple[str, str]] = []
    for i, a in enumerate(runs):
        for b in runs[i + 1 :]:
            if sides[a] & sides[b]:
                continue
            pairs += 1
            both = len(texts[a] & texts[b])
            similarity = both / (len(texts[a]) + len(texts[b]) - both)
            highest = max(highest, similarity)
            if similarity >= NEAR_DUPLICATE:
                alike.append((a, b))
    torn = sum(len(held) > 1 for held in sides.values())
    return {
        "pairs": len(alike) + torn,
        "runs_on_two_sides": torn,
        "compared": pairs,
        "share": _share(len(alike), pairs),
        "highest_similarity": highest,
        "threshold": NEAR_DUPLICATE,
        "examples": [list(pair) for pair in alike[:5]],
    }


def _sides(scenarios: Iterable[Scenario]) -> dict[str, set[str]]:
    sides: defaultdict[str, set[str]] = defaultdict(set)
    for scenario in scenarios:
        for run in scenario.trajectories:
            sides[run].add(scenario.split)
    return dict(sides)


def _tasks_on_two_sides(data: TruthData, scenarios: Sequence[Scenario]) -> dict[str, Any]:
    """Count tasks of which runs of one source stand on several sides; the product knows no tasks."""
    sides = _sides(scenarios)
    tasks: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    runs: defaultdict[tuple[str, ...], int] = defaultdict(int)
    for row in data.truth:
        task = tuple(str(row.get(key)) for key in ("set", "domain", "source", "task_id"))
        held = sides.get(row["trajectory_id"], set())
        tasks[task] |= held
        runs[task] += bool(held)
    several = [task for task, n in runs.items() if n > 1]
    return _share(sum(len(tasks[task]) > 1 for task in several), len(several))


def _closeness(
    data: TruthData, scenarios: Sequence[Scenario], told: Mapping[str, str], seed: int
) -> dict[str, Any]:
    """Compare runs with the nearest scenario, and with one drawn at random: words, and tools called.

    Words: overlap coefficient of the words of four letters or more, in what users said.
    """
    rng = np.random.default_rng(seed)
    rows = data.client.query(
        "SELECT TrajectoryId, AgentName, "
        "arrayDistinct(arrayFilter((n, k) -> k = 'tool', StepNames, StepKinds)) "
        "FROM trajectories FINAL ORDER BY TrajectoryId"
    ).result_rows
    own: defaultdict[str, list[tuple[frozenset[str], frozenset[str]]]] = defaultdict(list)
    for scenario in scenarios:
        text = "\n".join([scenario.content.opening, *(t.text for t in scenario.content.turns)])
        own[scenario.agent].append((_words(text), frozenset(c.tool for c in scenario.content.tape)))
    nearest: list[tuple[float, float]] = []
    drawn: list[tuple[float, float]] = []
    for run, agent, tools in rows:
        candidates = own[str(agent)]
        if not candidates:
            continue
        words, called = _words(told.get(str(run), "")), frozenset(map(str, tools))
        scores = [(_overlap(words, w), _held(called, t)) for w, t in candidates]
        nearest.append(max(scores, key=lambda score: score[0] * score[1]))
        drawn.append(scores[int(rng.integers(len(scores)))])
    return {
        name: {
            "words": float(np.median([w for w, _ in pairs])),
            "tools_on_tape": float(np.mean([t for _, t in pairs])),
        }
        for name, pairs in (("nearest", nearest), ("random", drawn))
        if pairs
    }


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]{4,}", text.lower()))


def _overlap(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / max(min(len(a), len(b)), 1)


def _held(called: frozenset[str], tape: frozenset[str]) -> float:
    return len(called & tape) / len(called) if called else 1.0
