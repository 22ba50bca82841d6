"""Scenarios, tapes and requests of episodes, made of plain values."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.models.chat import Message, ToolCall
from spanloop.optimizer.replay.episode import EpisodeRequest
from spanloop.optimizer.scenarios.scenario import Content, Scenario, TapeCall, UserTurn

Recorded = tuple[str, Mapping[str, Any], Any]
"""Tool, arguments, result; a result that begins with ``Error`` is one."""


def tape(*recordings: Sequence[Recorded]) -> list[TapeCall]:
    return [
        TapeCall(
            trajectory=f"t{number}",
            position=position,
            tool=tool,
            arguments=json.dumps(arguments),
            result=text(result),
            status="error" if text(result).startswith("Error") else "ok",
        )
        for number, calls in enumerate(recordings)
        for position, (tool, arguments, result) in enumerate(calls)
    ]


def text(result: Any) -> str:
    return result if isinstance(result, str) else json.dumps(result)


def scenario(
    *recordings: Sequence[Recorded], opening: str = "hello", turns: Sequence[UserTurn] = ()
) -> Scenario:
    day = datetime(2026, 11, 1, tzinfo=UTC)
    return Scenario(
        scenario_id="s1",
        agent="clerk",
        content=Content(opening=opening, turns=tuple(turns), tape=tuple(tape(*recordings))),
        first_seen=day,
        last_seen=day,
    )


def request(scenario: Scenario, run_id: str = "run-1", **changes: Any) -> EpisodeRequest:
    configuration = AgentConfiguration(components={"instructions": "Be a clerk."})
    fields = {"scenario": scenario, "configuration": configuration, "run_id": run_id, **changes}
    return EpisodeRequest(**fields)


def says(content: str) -> Message:
    return Message(role="assistant", content=content)


def calls(tool: str, arguments: Mapping[str, Any], call_id: str = "c1") -> Message:
    call = ToolCall(id=call_id, name=tool, arguments=json.dumps(arguments))
    return Message(role="assistant", tool_calls=(call,))
