"""Scenarios for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from spanloop.optimizer.scenarios.scenario import (
    Content,
    Criterion,
    Scenario,
    Split,
    TapeCall,
    ToolSchema,
    UserTurn,
)

WHEN = datetime(2026, 5, 1, tzinfo=UTC)


def call(
    tool: str,
    arguments: Mapping[str, Any] | None = None,
    result: Any = None,
    *,
    status: str = "ok",
    writes: bool = False,
) -> TapeCall:
    return TapeCall(
        trajectory="t",
        position=0,
        tool=tool,
        arguments=json.dumps(arguments or {}),
        result=json.dumps(result) if result is not None else None,
        status="error" if status == "error" else "ok",
        writes=writes,
    )


def scenario(
    name: str,
    *,
    opening: str = "Please help.",
    turns: Sequence[str] = (),
    facts: Sequence[str] = (),
    tape: Sequence[TapeCall] = (),
    tools: Sequence[ToolSchema] = (),
    criteria: Sequence[Criterion] = (),
    patterns: Sequence[str] = (),
    split: Split = "train",
    satisfied: float | None = None,
) -> Scenario:
    return Scenario(
        scenario_id=name,
        agent="helper",
        pattern_ids=tuple(patterns),
        split=split,
        cluster_key=f"cluster-{name}",
        stratum="s1",
        content=Content(
            opening=opening,
            turns=tuple(UserTurn(text=text) for text in turns),
            facts=tuple(facts),
            tape=tuple(tape),
            tools=tuple(tools),
            criteria=tuple(criteria),
        ),
        production_satisfied=satisfied,
        first_seen=WHEN,
        last_seen=WHEN,
    )
