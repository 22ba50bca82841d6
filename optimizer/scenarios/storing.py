"""Scenarios as rows: read, written as new versions, and how far an agent's traffic has been read."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from spanloop.optimizer.configuration import digest
from spanloop.optimizer.context import Context, time_of
from spanloop.optimizer.scenarios.scenario import Content, Scenario, Split, State

_READ = (
    "scenario_id",
    "project",
    "agent",
    "state",
    "merged_into",
    "origin",
    "pattern_ids",
    "split",
    "generation",
    "cluster_key",
    "stratum",
    "goal",
    "content",
    "trajectories",
    "trace_ids",
    "weight",
    "production_satisfied",
    "validity",
    "validity_runs",
    "first_seen",
    "last_seen",
    "version",
)


ACTIVE: tuple[State, ...] = ("active",)


class Derivation(NamedTuple):
    """How far an agent's traffic has been read.

    Attributes:
        cut: start from which on traffic may become fresh.
        version: the highest that was read.
        generation: of the locked set.
        trajectories: that there were; fewer are there after an erasure.
    """

    cut: datetime
    version: int
    generation: int
    trajectories: int


def load_scenarios(
    context: Context,
    *,
    agent: str,
    splits: Collection[Split] | None = None,
    states: Collection[State] = ACTIVE,
) -> list[Scenario]:
    """Return the scenarios of ``agent``, ordered by id.

    Args:
        context: of the store.
        agent: name.
        splits: only of these; None = of all.
        states: only in these.
    """
    return [
        scenario
        for scenario in read_scenarios(context, agent=agent)
        if (splits is None or scenario.split in splits) and scenario.state in states
    ]


def read_scenarios(context: Context, *, agent: str, project: str | None = None) -> list[Scenario]:
    """Return all scenarios of ``agent`` (of one project, or of all), whatever their state, ordered by id."""
    rows = context.rows(
        "scenarios/select_scenarios",
        {"agent": agent, "project": project or "", "all_projects": project is None},
    )
    return [_scenario(dict(zip(_READ, row, strict=True))) for row in rows]


def save_scenarios(context: Context, scenarios: Iterable[Scenario]) -> None:
    """Write ``scenarios`` as new versions, all or none; each version is above the one it was read at."""
    context.insert("scenarios", [_row(scenario, context.now_ms) for scenario in scenarios])


def read_derivation(context: Context, *, project: str, agent: str) -> Derivation | None:
    """Return how far the traffic of ``agent`` is read; None = not at all."""
    rows = context.rows("scenarios/select_derivation", {"id": _id_of(project, agent)})
    if not rows:
        return None
    cut, version, generation, trajectories = rows[0]
    return Derivation(
        cut=utc(cut),
        version=int(version),
        generation=int(generation),
        trajectories=int(trajectories),
    )


def write_derivation(
    context: Context, derivation: Derivation, *, project: str, agent: str, counts: Mapping[str, int]
) -> None:
    """Note how far the traffic of ``agent`` is read, and what was done."""
    now = time_of(context.now_ms)
    known = {
        "version": derivation.version,
        "generation": derivation.generation,
        "trajectories": derivation.trajectories,
    }
    context.insert(
        "analyses",
        [
            {
                "AnalysisId": _id_of(project, agent),
                "Stage": "scenarios",
                "StartedAt": now,
                "FinishedAt": now,
                "Cursor": derivation.cut,
                "Counts": {**counts, **known},
            }
        ],
    )


def utc(moment: datetime) -> datetime:
    """Return ``moment`` with its time zone: the store's clients leave UTC unsaid."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _id_of(project: str, agent: str) -> str:
    return digest(["scenarios", project, agent])


def _scenario(row: Mapping[str, Any]) -> Scenario:
    return Scenario.model_validate(
        {
            **row,
            "content": Content.model_validate_json(row["content"]),
            "first_seen": utc(row["first_seen"]),
            "last_seen": utc(row["last_seen"]),
        }
    )


def _row(scenario: Scenario, now_ms: int) -> dict[str, Any]:
    content = scenario.content.model_dump_json()
    return {
        "ScenarioId": scenario.scenario_id,
        "Project": scenario.project,
        "AgentName": scenario.agent,
        "State": scenario.state,
        "MergedInto": scenario.merged_into,
        "Origin": scenario.origin,
        "PatternIds": list(scenario.pattern_ids),
        "Split": scenario.split,
        "Generation": scenario.generation,
        "ClusterKey": scenario.cluster_key,
        "Stratum": scenario.stratum,
        "Goal": scenario.goal,
        "Content": content,
        "ContentHash": hashlib.sha256(content.encode()).hexdigest(),
        "TapeCalls": len(scenario.content.tape),
        "Trajectories": list(scenario.trajectories),
        "TraceIds": list(scenario.trace_ids),
        "Weight": scenario.weight,
        "ProductionSatisfied": scenario.production_satisfied,
        "Validity": scenario.validity,
        "ValidityRuns": scenario.validity_runs,
        "FirstSeen": scenario.first_seen,
        "LastSeen": scenario.last_seen,
        "Version": max(now_ms, scenario.version + 1),
        "IsDeleted": 0,
    }
