"""A canary that evidence takes back, and a test episode at the agent's door: all of it real but the model.

The server, its API, the client in the agent, spans over OTLP, feedback over HTTP, the analysis, the check.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from spanloop.client import ConfigClient, Options, configuration_hash
from spanloop.examples.scripted_model import ScriptedModel, start_scripted_model
from spanloop.examples.support_agent import (
    LiteLLMModel,
    OrderDatabase,
    SupportAgent,
    Telemetry,
    TelemetrySettings,
    TrafficPlan,
    load_configuration,
    run_traffic,
)
from spanloop.examples.support_agent.serving import AgentServer, SupportDesk
from spanloop.examples.support_agent.traffic import SCRIPTED
from spanloop.service.admin_calls import call, stream
from tests.conftest import ServerProcess

REPAIRED = load_configuration("repaired")
# What a person might let in by mistake: an agent without tools.
BARE = {**REPAIRED.behaviour(), "tools": dict.fromkeys(REPAIRED.tools, False)}
OPTIONS = Options(refresh_s=0.2, accept_runs=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    directory = tmp_path_factory.mktemp("canary")
    started = ServerProcess(directory, {"analysis": {"idle_s": 0}}, {}).start()
    yield started
    started.close()


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    with start_scripted_model() as started:
        yield started


@pytest.fixture
def client(server: ServerProcess) -> Iterator[ConfigClient]:
    made = ConfigClient(server.http, REPAIRED.name, None, REPAIRED.behaviour(), OPTIONS)
    yield made
    made.close()


@pytest.fixture
def telemetry(server: ServerProcess) -> Iterator[Telemetry]:
    made = Telemetry(TelemetrySettings(endpoint=f"http://{server.grpc}"))
    yield made
    made.shutdown()


def socket(server: ServerProcess) -> str:
    lock: dict[str, str] = json.loads((server.directory / "data" / "lock").read_text())
    return lock["admin"]


def admin(server: ServerProcess, does: str, **arguments: Any) -> Any:
    """Ask the running server as the command does, without a process for it."""
    return call(socket(server), "releases", does=does, arguments=arguments)


def rows(server: ServerProcess, sql: str) -> list[dict[str, Any]]:
    answer = httpx.get(server.sql, params={"query": f"{sql} FORMAT JSON"})
    assert answer.is_success, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def register(
    server: ServerProcess, configuration: dict[str, Any], *, share: float = 1.0
) -> dict[str, Any]:
    registered: dict[str, Any] = admin(
        server,
        "register",
        agent=REPAIRED.name,
        configuration=configuration,
        actor="test",
        project="default",
        share=share,
    )
    return registered


def served(server: ServerProcess) -> Any:
    return httpx.get(f"{server.http}/v1/agents/{REPAIRED.name}/config").json()


def wait_for(reached: Any) -> None:
    until = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_canary_that_satisfies_less_is_taken_back(
    server: ServerProcess, client: ConfigClient, telemetry: Telemetry, model: ScriptedModel
) -> None:
    current = register(server, REPAIRED.behaviour())
    canary = register(server, BARE, share=0.5)
    assert (current["state"], canary["state"]) == ("current", "canary")
    probes = (f"probe-{i}" for i in itertools.count())
    wait_for(lambda: client.for_conversation(next(probes)).canary)

    telemetry.tracer_provider.add_span_processor(client.span_processor())
    agent = SupportAgent(
        REPAIRED, database=OrderDatabase(), model=scripted(model), telemetry=telemetry
    )
    # Ids are given, so that the same conversations get the canary each time.
    ids = (f"conversation-{i}" for i in itertools.count())
    plan = TrafficPlan(conversations=40, client=client)
    results = run_traffic(agent, plan, new_id=lambda: next(ids))
    agent.database.close()
    telemetry.flush()
    feedback = [
        {"conversation_id": r.conversation_id, "label": f"thumbs_{'up' if r.satisfied else 'down'}"}
        for r in results
    ]
    assert httpx.post(f"{server.http}/v1/feedback", json=feedback).is_success
    spans = sum(turn.model_calls + len(turn.tool_calls) + 1 for r in results for turn in r.turns)
    wait_for(lambda: len(rows(server, "SELECT SpanId FROM genai_spans")) == spans)
    under = rows(server, "SELECT DISTINCT Release FROM genai_spans")
    assert {row["Release"] for row in under} == {current["release"], canary["release"]}

    assert list(stream(socket(server), "analyze"))[-1]["result"]["stages"]
    (verdict,) = admin(server, "check", live={"settle_s": 0.0})
    assert verdict["decision"] == "rolled_back", verdict
    evidence = verdict["evidence"]
    assert (evidence["labelled"], evidence["n"] + evidence["n_other"]) == (40, 40)
    assert evidence["high"] < 0
    assert evidence["e_mismatch"] < 1_000
    trail = admin(server, "show", release=canary["release"])["events"]
    assert [(e["action"], e["actor"]) for e in trail] == [
        ("registered", "test"),
        ("canary", "test"),
        ("rolled_back", "spanloop"),
    ]
    assert trail[-1]["evidence"]["e_worse"] >= 10
    wait_for(lambda: served(server)["canary"] is None)
    wait_for(lambda: not any(client.for_conversation(f"probe-{i}").canary for i in range(20)))
    checked = json.loads(server.run("releases", "check", "--json").stdout)
    assert [(c["decision"], c["reason"]) for c in checked] == [("nothing", "nothing is under way")]


def test_an_episode_is_played_at_the_agents_door_under_the_configuration_it_names(
    server: ServerProcess, client: ConfigClient, telemetry: Telemetry, model: ScriptedModel
) -> None:
    tested = register(server, BARE)
    current = register(server, REPAIRED.behaviour())
    wait_for(lambda: client.for_conversation("probe").release_id == current["release"])
    desk = SupportDesk(REPAIRED, client=client, model=scripted(model), telemetry=telemetry)
    trace_id = "5" * 32
    headers = {
        "traceparent": f"00-{trace_id}-{'6' * 16}-01",
        "baggage": f"spanloop.run.id=run-7,spanloop.configuration={tested['hash']}",
    }
    question = {"conversation_id": "run-7", "message": "Where is my order ORD-1003?"}
    with AgentServer(desk) as door, httpx.Client(base_url=door.url.removesuffix("/chat")) as http:
        under_test = http.post("/chat", json=question, headers=headers)
        in_production = http.post("/chat", json={**question, "conversation_id": "c-7"})
        refused = http.post("/chat", json={"message": "?"})
    assert (under_test.status_code, in_production.status_code) == (200, 200)
    assert under_test.json()["answer"] != in_production.json()["answer"]
    assert refused.status_code == 400
    telemetry.flush()
    seen = (
        "SELECT DISTINCT RunId AS run, Release AS release, TraceId = {trace} AS its_trace, "
        "SpanAttributes['spanloop.configuration'] AS hash FROM genai_spans "
        "INNER JOIN otel_traces USING (TraceId, SpanId) WHERE ConversationId IN ('run-7', 'c-7') ORDER BY run"
    ).replace("{trace}", f"'{trace_id}'")
    wait_for(lambda: len(rows(server, seen)) == 2)
    assert rows(server, seen) == [
        {"run": "", "release": current["release"], "its_trace": 0, "hash": ""},
        {"run": "run-7", "release": "", "its_trace": 1, "hash": tested["hash"]},
    ]
    assert configuration_hash(BARE) == tested["hash"]


def scripted(model: ScriptedModel) -> LiteLLMModel:
    return LiteLLMModel(replace(SCRIPTED, api_base=model.base_url))
