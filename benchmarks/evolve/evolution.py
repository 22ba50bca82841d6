"""Thirty days of traffic, analysed day by day: when a failure becomes a pattern and a scenario, and retires.

A pattern is of a failure if at least half of the failure's runs so far show it, three at least, and at most
one in ten of the runs of its agent without a planted failure. A scenario is of a failure if it is aimed at
such a pattern and one of the failure's runs is among its recordings. A failure that has ended leaves stale
scenarios: those that are of it then. They should be retired within 7 days.
"""

import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.evolve.store import analysis_context, insert_day, insert_outcomes
from benchmarks.evolve.world import SCHEDULE, Failure, RealRun, RunTruth, simulate
from spanloop.optimizer.analysis import run_analysis
from spanloop.optimizer.scenarios import derive_scenarios, load_scenarios
from spanloop.optimizer.scenarios.scenario import Scenario
from spanloop.optimizer.statistics.intervals import wilson
from tests.support.analysis import AnalysisStore

WITHIN_DAYS = 7
SHOWN_BY = 0.5
AT_LEAST = 3
ELSEWHERE = 0.1


@dataclass(slots=True)
class _Fate:
    """What became of one failure; days from 0, None = never."""

    occurrences: int = 0
    pattern_day: int | None = None
    pattern_after: int | None = None
    scenario_day: int | None = None
    scenario_after: int | None = None
    stale: set[str] = field(default_factory=set[str])
    retired_day: dict[str, int] = field(default_factory=dict[str, int])
    unaimed_day: dict[str, int] = field(default_factory=dict[str, int])


def measure(
    store: AnalysisStore, real: Mapping[str, RealRun], *, days: int, runs_a_day: int, seed: int = 1
) -> dict[str, Any]:
    """Simulate, analyse each day, and measure.

    Args:
        store: empty.
        real: recorded runs to draw from; none = made-up ones alone.
        days: to simulate.
        runs_a_day: of each source.
        seed: of the world.
    """
    wanted = [failure for failure in SCHEDULE if real or not failure.real]
    fates = {failure.name: _Fate() for failure in wanted}
    truth: list[RunTruth] = []
    scenarios: list[Scenario] = []
    counts: defaultdict[str, int] = defaultdict(int)
    world = simulate(days=days, runs_a_day=runs_a_day, real=real, seed=seed)
    for day, (end, requests, known) in enumerate(world):
        truth += known
        insert_day(store, requests, f"day{day:013}")
        insert_outcomes(store, known, end, np.random.default_rng([seed, day, 2]))
        context = analysis_context(store)
        run_analysis(context)
        result = derive_scenarios(context)
        for name in ("derived", "updated", "merged", "retired", "revived"):
            counts[name] += getattr(result, name)
        scenarios = [
            scenario
            for agent in sorted({known.agent for known in truth})
            for scenario in load_scenarios(
                context, agent=agent, states=("active", "retired", "merged")
            )
        ]
        of = _patterns_of(store, truth, wanted)
        for failure in wanted:
            _look_inplace(fates[failure.name], failure, (day, days), truth, of, scenarios, store)
        told = {
            name: (f.occurrences, f.pattern_after, f.scenario_after) for name, f in fates.items()
        }
        print(f"day {day}: {len(truth)} runs, {told}", file=sys.stderr, flush=True)
    return {
        "days": days,
        "runs": len(truth),
        "scenarios": sum(scenario.state == "active" for scenario in scenarios),
        "counts": dict(counts),
        "failures": {name: _told(fate) for name, fate in fates.items()},
        **_summary(fates, wanted, days),
    }


def _patterns_of(
    store: AnalysisStore, truth: Sequence[RunTruth], wanted: Sequence[Failure]
) -> dict[str, set[str]]:
    """Return failure → the patterns that are of it."""
    rows = store.rows(
        "SELECT t.ConversationId AS run, groupArray(m.PatternId) AS shown FROM pattern_members AS m FINAL "
        "INNER JOIN trajectories AS t FINAL ON t.TrajectoryId = m.TrajectoryId GROUP BY run"
    )
    shown = {row["run"]: set(row["shown"]) for row in rows}
    found: dict[str, set[str]] = {}
    for failure in wanted:
        runs = [known for known in truth if known.failure == failure.name]
        agents = {known.agent for known in runs}
        others = [known for known in truth if not known.failure and known.agent in agents]
        hits, elsewhere = _count(runs, shown), _count(others, shown)
        found[failure.name] = {
            pattern
            for pattern, n in hits.items()
            if n >= max(AT_LEAST, SHOWN_BY * len(runs))
            and elsewhere[pattern] <= ELSEWHERE * len(others)
        }
    return found


def _count(runs: Sequence[RunTruth], shown: Mapping[str, set[str]]) -> defaultdict[str, int]:
    counts: defaultdict[str, int] = defaultdict(int)
    for known in runs:
        for pattern in shown.get(known.conversation, ()):
            counts[pattern] += 1
    return counts


def _look_inplace(
    fate: _Fate,
    failure: Failure,
    when: tuple[int, int],
    truth: Sequence[RunTruth],
    of: Mapping[str, set[str]],
    scenarios: Sequence[Scenario],
    store: AnalysisStore,
) -> None:
    """Note what the end of a day shows of ``failure``."""
    day, days = when
    runs = {known.conversation for known in truth if known.failure == failure.name}
    ids = {
        row["id"]
        for row in store.rows(
            "SELECT TrajectoryId AS id FROM trajectories FINAL WHERE ConversationId IN {runs:Array(String)}",
            runs=sorted(runs),
        )
    }
    own = {
        scenario.scenario_id: scenario for scenario in scenarios if ids & set(scenario.trajectories)
    }
    aimed = {
        name
        for name, s in own.items()
        if s.state == "active" and of[failure.name] & set(s.pattern_ids)
    }
    fate.occurrences = len(runs)
    if of[failure.name] and fate.pattern_day is None:
        fate.pattern_day, fate.pattern_after = day, len(runs)
    if aimed and fate.scenario_day is None:
        fate.scenario_day, fate.scenario_after = day, len(runs)
    last = max((d for d in range(days) if failure.shows(d, days)), default=0)
    if day == last and last < days - 1:
        fate.stale = aimed
    if day > last:
        for name in fate.stale:
            if own[name].state != "active":
                fate.retired_day.setdefault(name, day - last)
            if own[name].state != "active" or not own[name].pattern_ids:
                fate.unaimed_day.setdefault(name, day - last)


def _told(fate: _Fate) -> dict[str, Any]:
    return {
        "occurrences": fate.occurrences,
        "pattern_after": fate.pattern_after,
        "pattern_day": fate.pattern_day,
        "scenario_after": fate.scenario_after,
        "scenario_day": fate.scenario_day,
        "stale": len(fate.stale),
        "retired_after_days": sorted(fate.retired_day.values()),
        "aimed_no_longer_after_days": sorted(fate.unaimed_day.values()),
    }


def _summary(fates: Mapping[str, _Fate], wanted: Sequence[Failure], days: int) -> dict[str, Any]:
    new = [fates[f.name] for f in wanted if f.begins > 0]
    stale = sum(len(fate.stale) for fate in fates.values())
    quick = sum(
        sum(after <= WITHIN_DAYS for after in fate.retired_day.values()) for fate in fates.values()
    )
    unaimed = sum(
        sum(after <= WITHIN_DAYS for after in fate.unaimed_day.values()) for fate in fates.values()
    )
    interval = wilson(quick, stale)
    return {
        "new_failures": len(new),
        "new_failures_with_pattern": sum(fate.pattern_after is not None for fate in new),
        "new_failures_with_scenario": sum(fate.scenario_after is not None for fate in new),
        "occurrences_until_pattern": sorted(
            fate.pattern_after for fate in new if fate.pattern_after is not None
        ),
        "occurrences_until_scenario": sorted(
            fate.scenario_after for fate in new if fate.scenario_after is not None
        ),
        "stale_scenarios": stale,
        "stale_retired_within_7_days": quick / stale if stale else None,
        "stale_retired_interval": [interval.low, interval.high],
        "stale_retired_or_aimed_no_longer": unaimed / stale if stale else None,
        "days_after_the_end": days // 2,
    }
