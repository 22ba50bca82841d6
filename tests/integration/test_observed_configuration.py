"""What real spans tell of a configuration."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from spanloop.optimizer.assembly import assemble
from spanloop.optimizer.candidates import observe
from tests.support.analysis import AnalysisStore, open_analysis_store

TOOLS = [
    {
        "type": "function",
        "name": "renew",
        "description": "Renew a loan.",
        "parameters": {"type": "object", "properties": {"loan": {"type": "string"}}},
    }
]


def span(number: int, *, system: str | None, **extra: Any) -> Mapping[str, Any]:
    messages = [{"role": "user", "parts": [{"type": "text", "content": f"hello {number}"}]}]
    attributes: dict[str, Any] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.agent.name": "desk",
        "gen_ai.input.messages": json.dumps(messages),
        "gen_ai.conversation.id": f"c{number}",
        **extra,
    }
    if system is not None:
        attributes["gen_ai.system_instructions"] = json.dumps([{"type": "text", "content": system}])
    start = 1_780_000_000_000_000_000 + number * 10**12
    return {
        "traceId": f"{number + 1:032x}",
        "spanId": f"{number + 1:016x}",
        "name": "chat",
        "kind": 3,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 10**9),
        "attributes": attributes,
    }


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    opened = open_analysis_store(tmp_path_factory.mktemp("observed") / "db")
    carried = {"gen_ai.tool.definitions": json.dumps(TOOLS), "gen_ai.request.temperature": 0.25}
    run = {"spanloop.run.id": "run-1", "gen_ai.conversation.id": "run-1"}
    opened.insert_spans(
        [
            *(span(n, system="Be kind.", **carried) for n in range(5)),
            span(5, system=None),
            *(span(n, system="Be a candidate.", **carried, **run) for n in range(10, 30)),
        ]
    )
    assemble(opened.context())
    yield opened
    opened.client.close()


def test_instructions_tools_and_parameters_are_those_of_production(store: AnalysisStore) -> None:
    configuration = observe(store.context(), "desk").configuration
    assert configuration.components == {
        "instructions": "Be kind.",
        "tool.renew.description": "Renew a loan.",
    }
    assert configuration.tools == {"renew": True}
    assert configuration.parameters == {"temperature": 0.25}


def test_what_could_not_be_seen_is_said(store: AnalysisStore) -> None:
    seen = observe(store.context(), "desk")
    assert seen.trajectories == 6
    assert "1 of 6 trajectories carry no instructions" in seen.unseen
    assert "no model call carries max_tokens" in seen.unseen
    nobody = observe(store.context(), "nobody")
    assert nobody.configuration.components == {}
    assert "instructions are unknown" in nobody.unseen
