"""What a derivation reads of the store: agents with new traffic, runs to compare, recordings in full."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from spanloop.optimizer.context import COMPARABLE_COMPLETENESS, Context
from spanloop.optimizer.scenarios.recording import MAX_SYSTEM_CHARS, Recording, read_recording
from spanloop.optimizer.scenarios.scenario import ToolSchema
from spanloop.optimizer.scenarios.settings import ScenarioSettings
from spanloop.optimizer.scenarios.sighting import MAX_MESSAGE_CHARS, MAX_MESSAGES, Sighting
from spanloop.optimizer.scenarios.storing import utc
from spanloop.optimizer.scenarios.tool_schemas import merge_tool_schemas, read_tool_schemas
from spanloop.processor.redaction import redact

RECORDINGS_A_STATEMENT = 200
MAX_OFFERED_CHARS = 400_000
"""Of a list of tools as it is carried."""


class AgentTraffic(NamedTuple):
    """An agent's comparable runs of production.

    Attributes:
        version: the highest of them and of their memberships in patterns.
    """

    project: str
    agent: str
    trajectories: int
    newest: datetime
    oldest: datetime
    version: int


def read_agents(context: Context) -> list[AgentTraffic]:
    """Return the agents with runs that can become scenarios."""
    rows = context.rows("scenarios/select_agents", {"completeness": COMPARABLE_COMPLETENESS})
    return [
        AgentTraffic(str(project), str(agent), int(n), utc(newest), utc(oldest), int(version))
        for project, agent, n, newest, oldest, version in rows
    ]


def read_sightings(
    context: Context,
    traffic: AgentTraffic,
    *,
    patterns: Collection[str],
    settings: ScenarioSettings,
) -> list[Sighting]:
    """Return the runs to compare: a random sample of the window, and members of ``patterns``."""
    since = traffic.newest - timedelta(days=settings.window_days)
    rows = context.rows(
        "scenarios/select_sightings",
        {
            "project": traffic.project,
            "agent": traffic.agent,
            "since": f"{since.timestamp():.3f}",
            "completeness": COMPARABLE_COMPLETENESS,
            "sample": settings.sample,
            "members": settings.members,
            "patterns": sorted(patterns),
            "seed": context.seed,
            "messages": MAX_MESSAGES,
            "chars": MAX_MESSAGE_CHARS,
        },
    )
    return [
        Sighting(
            key=str(key),
            owners=frozenset(
                f"{kind}:{name}"
                for kind, name in (("user", user), ("conversation", conversation))
                if name
            ),
            start=utc(start),
            stratum=str(stratum),
            probability=None if probability is None else float(probability),
            drawn=bool(drawn),
            patterns=frozenset(map(str, shown)),
            told=[str(text) for text in told],
            tools=frozenset(map(str, tools)),
        )
        for key, conversation, user, start, stratum, probability, drawn, shown, told, tools in rows
    ]


def read_recordings(context: Context, ids: Iterable[str]) -> dict[str, Recording]:
    """Return the recordings of ``ids`` that the store still holds, redacted."""
    wanted = sorted(set(ids))
    found: dict[str, Recording] = {}
    redacted = cache(redact)  # instructions and answers of tools repeat
    for begin in range(0, len(wanted), RECORDINGS_A_STATEMENT):
        rows = context.rows(
            "scenarios/select_recordings",
            {"ids": wanted[begin : begin + RECORDINGS_A_STATEMENT], "chars": MAX_SYSTEM_CHARS},
        )
        found |= {str(row[0]): read_recording(row, redacted) for row in rows}
    return found


def read_offered(
    context: Context, recordings: Mapping[str, Recording]
) -> dict[str, tuple[ToolSchema, ...]]:
    """Return the tools that each of ``recordings`` was offered."""
    offered: dict[str, tuple[ToolSchema, ...]] = {}
    traces = sorted({trace for recording in recordings.values() for trace in recording.trace_ids})
    read: dict[str, tuple[ToolSchema, ...]] = {}  # by text: most runs are offered the same
    for begin in range(0, len(traces), RECORDINGS_A_STATEMENT):
        rows: Sequence[Sequence[str]] = context.rows(
            "scenarios/select_offered",
            {"traces": traces[begin : begin + RECORDINGS_A_STATEMENT], "chars": MAX_OFFERED_CHARS},
        )
        for trace, carried in rows:
            if carried not in read:
                read[carried] = read_tool_schemas(carried)
            offered[trace] = read[carried]
    return {
        key: merge_tool_schemas(offered.get(trace, ()) for trace in recording.trace_ids)
        for key, recording in recordings.items()
    }
