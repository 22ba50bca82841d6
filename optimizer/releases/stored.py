"""Releases and their audit trail as rows."""

import json
from collections.abc import Sequence
from typing import Any

from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.context import Context, time_of
from spanloop.optimizer.releases.lifecycle import Change
from spanloop.optimizer.releases.release import Event, Live, Release

_COLUMNS: tuple[str, ...] = (
    "ReleaseId",
    "Project",
    "AgentName",
    "Number",
    "State",
    "CanaryShare",
    "ConfigurationHash",
    "Configuration",
    "PreviousReleaseId",
    "CandidateId",
    "ExperimentId",
    "Effect",
    "LiveEffect",
    "LiveLow",
    "LiveHigh",
    "LiveN",
    "LiveEValueWorse",
    "CreatedAt",
    "ActivatedAt",
    "Version",
    "IsDeleted",
)
_EVENT_COLUMNS: tuple[str, ...] = (
    "EventId",
    "ReleaseId",
    "Project",
    "AgentName",
    "Action",
    "Actor",
    "Reason",
    "Evidence",
    "RecordedAt",
)


def load_releases(
    context: Context, *, agent: str = "", project: str = "", release: str = ""
) -> list[Release]:
    """Return releases by agent and number; '' = any; ``release``: of the agents that have this one."""
    parameters = {"project": project, "agent": agent, "release": release}
    return [_release(row) for row in context.rows("releases/select_releases", parameters)]


def load_served(context: Context) -> list[Release]:
    """Return every current release and canary."""
    return [_release(row) for row in context.rows("releases/select_served")]


def change_mark(context: Context) -> tuple[int, int]:
    """Return what differs once any release has changed; cheaper than reading them."""
    ((versions, total),) = context.rows("releases/select_mark")
    return int(versions), int(total)


def load_events(context: Context, *, agent: str = "", release: str = "") -> list[dict[str, Any]]:
    """Return the audit trail, oldest first."""
    rows = context.rows("releases/select_events", {"agent": agent, "release": release})
    return [
        {
            "event": row[0],
            "release": row[1],
            "agent": row[3],
            "action": row[4],
            "actor": row[5],
            "reason": row[6],
            "evidence": json.loads(row[7]),
            "at": time_of(row[8]).isoformat(),
        }
        for row in rows
    ]


def configuration_by_hash(
    context: Context, agent: str, hash_: str, *, project: str
) -> AgentConfiguration | None:
    """Return a configuration that is released or under test, None if there is none of that hash."""
    rows = context.rows(
        "releases/select_configuration", {"project": project, "agent": agent, "hash": hash_}
    )
    return AgentConfiguration.model_validate_json(rows[0][0]) if rows else None


def save(context: Context, change: Change) -> None:
    """Write the trail first: after a kill -9 it may hold an attempt, but it never lacks a change."""
    events = [dict(zip(_EVENT_COLUMNS, _event_row(e), strict=True)) for e in change.events]
    context.insert("release_events", events)
    releases = [dict(zip(_COLUMNS, _row(r), strict=True)) for r in change.releases]
    context.insert("releases", releases)


def _row(r: Release) -> list[Any]:
    live = r.live
    return [
        *(r.release_id, r.project, r.agent, r.number, r.state, r.share),
        *(r.configuration.hash, r.configuration.model_dump_json()),
        *(r.previous, r.candidate_id, r.experiment_id, r.effect),
        *(live.effect, live.low, live.high, live.n, live.e_worse),
        *(r.created_at, r.activated_at, r.version, 0),
    ]


def _event_row(event: Event) -> list[Any]:
    r = event.release
    evidence = json.dumps(event.evidence, sort_keys=True, ensure_ascii=False)
    return [
        *(event.event_id, r.release_id, r.project, r.agent),
        *(event.action, event.actor, event.reason, evidence, event.at),
    ]


def _release(row: Sequence[Any]) -> Release:
    return Release(
        release_id=row[0],
        project=row[1],
        agent=row[2],
        number=row[3],
        state=row[4],
        share=row[5],
        configuration=AgentConfiguration.model_validate_json(row[6]),
        previous=row[7],
        candidate_id=row[8],
        experiment_id=row[9],
        effect=row[10],
        live=Live(effect=row[11], low=row[12], high=row[13], n=row[14], e_worse=row[15]),
        created_at=time_of(row[16]),
        activated_at=None if row[17] is None else time_of(row[17]),
        version=row[18],
    )
