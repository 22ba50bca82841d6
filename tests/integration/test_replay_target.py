"""Episodes over real HTTP and the real receiver: a scripted model, tapes, spans, and reading them back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client

from spanloop.examples.scripted_model import ScriptedModel, start_scripted_model
from spanloop.exporter.render import Renderer, SchemaSettings
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.context import Context
from spanloop.optimizer.models import Lease, ModelSettings
from spanloop.optimizer.models.cache import ReplyCache
from spanloop.optimizer.models.chat import LiteLlmChat
from spanloop.optimizer.models.guarded import GuardedChat
from spanloop.optimizer.models.rate_limit import RateLimiter, RateLimits
from spanloop.optimizer.replay import (
    EpisodeRequest,
    EpisodeResult,
    HttpMapping,
    HttpTarget,
    OtlpEmitter,
    ReplayTarget,
    StoredSpans,
    look_in,
    play_all,
    recover,
    scripted_user,
)
from spanloop.optimizer.replay.recorder import trace_id_of
from spanloop.optimizer.scenarios.scenario import ToolSchema, UserTurn
from tests.conftest import ServerProcess
from tests.support.episodes import request, scenario
from tests.support.outside_agent import OutsideAgent

N = 24
ORDER = {"order_id": "ORD-1001", "status": "delivered", "items": ["Aurora Lamp"]}
TAPE = [("lookup_order", {"order_id": "ORD-1001"}, ORDER)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    started = ServerProcess(tmp_path_factory.mktemp("replay"), {}, {}).start()
    yield started
    started.close()


class ReadOnly(Context):
    """A context on the SQL endpoint, which takes no settings."""

    @property
    def settings(self) -> dict[str, Any]:
        return {}


@pytest.fixture(scope="module")
def client(server: ServerProcess) -> Iterator[Client]:
    host, _, port = server.sql.removeprefix("http://").rpartition(":")
    connected = clickhouse_connect.get_client(host=host, port=int(port))
    yield connected
    connected.close()


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    with start_scripted_model() as running:
        yield running


def asked(n: int) -> EpisodeRequest:
    played = scenario(TAPE, opening="Where is my order ORD-1001?")
    content = played.content.model_copy(update={"tools": (ToolSchema(name="lookup_order"),)})
    configuration = AgentConfiguration(components={"instructions": "Help with orders."})
    return request(
        played.model_copy(update={"content": content, "agent": "clerk"}),
        f"run-{n}",
        configuration=configuration,
    )


def play(
    server: ServerProcess, model: ScriptedModel, cache: ReplyCache, lease: Lease
) -> dict[str, EpisodeResult]:
    limiter = RateLimiter(RateLimits(in_flight=20))
    settings = ModelSettings(
        model="openai/scripted-support-1", api_base=model.base_url, api_key="none"
    )
    done: dict[str, EpisodeResult] = {}

    async def run() -> None:
        emitter = OtlpEmitter(server.grpc)
        chat = LiteLlmChat(settings)
        guarded = GuardedChat(model=chat, lease=lease, limiter=limiter, cache=cache)
        target = ReplayTarget(model=guarded, emitter=emitter)
        try:
            await play_all(
                (asked(n) for n in range(N)),
                target,
                limiter,
                lambda request, result: done.update({request.run_id: result}),
            )
        finally:
            emitter.close()
            await chat.aclose()

    asyncio.run(run())
    return done


@pytest.fixture(scope="module")
def played(
    server: ServerProcess, model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, EpisodeResult], Path, Lease]:
    path = tmp_path_factory.mktemp("cache") / "replies.sqlite"
    cache = ReplyCache(path, now_ms=lambda: time.time_ns() // 1_000_000)
    lease = Lease(max_tokens=10_000_000)
    done = play(server, model, cache, lease)
    cache.close()
    return done, path, lease


def test_concurrent_episodes_are_played_and_their_spans_acknowledged(
    server: ServerProcess, client: Client, played: Any
) -> None:
    done, _, lease = played
    assert len(done) == N
    assert {result.state for result in done.values()} == {"finished"}
    assert {(result.steps, result.coverage) for result in done.values()} == {(2, 1.0)}
    assert lease.tokens == sum(
        (r.input_tokens or 0) + (r.output_tokens or 0) for r in done.values()
    )
    deadline = time.monotonic() + 60
    count = "SELECT count() FROM genai_spans WHERE startsWith(RunId, 'run-')"
    while client.query(count).result_rows[0][0] < 4 * N:
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.2)
    told = client.query(
        "SELECT Class, count(), uniqExact(ConversationId), any(AgentName), any(ServiceName) "
        "FROM genai_spans GROUP BY Class ORDER BY Class"
    ).result_rows
    assert [tuple(row) for row in told] == [
        ("agent", N, N, "clerk", "clerk"),
        ("llm", 2 * N, N, "clerk", "clerk"),
        ("tool", N, N, "clerk", "clerk"),
    ]
    requests = client.query("SELECT uniqExact(BatchId) FROM otel_traces").result_rows[0][0]
    assert requests <= N // 3  # spans of many episodes share a request


def test_what_was_paid_for_is_not_paid_for_again(
    server: ServerProcess, model: ScriptedModel, played: Any
) -> None:
    done, path, _ = played
    cache = ReplyCache(path, now_ms=lambda: time.time_ns() // 1_000_000)
    lease = Lease(max_tokens=10_000_000)
    before = model.requests_served
    again = play(server, model, cache, lease)
    cache.close()
    assert (model.requests_served, lease.tokens) == (before, 0)
    assert {run: (r.state, r.input_tokens, r.tiers) for run, r in again.items()} == {
        run: (r.state, r.input_tokens, r.tiers) for run, r in done.items()
    }


def test_episodes_are_read_back_from_their_spans(client: Client, played: Any) -> None:
    done, _, _ = played
    context = ReadOnly(client=client, renderer=Renderer(settings=SchemaSettings()), now_ms=0)
    found = recover(context, [*done, "never-run"])
    assert set(found) == set(done)
    for run, result in found.items():
        assert result.trace_ids == (trace_id_of(run),)
        assert (result.state, result.tiers, result.coverage, result.steps) == (
            done[run].state, done[run].tiers, 1.0, 2,
        )  # fmt: skip
        assert result.input_tokens == done[run].input_tokens
        assert result.latency_ms == pytest.approx(done[run].latency_ms)


def test_an_agent_outside_is_played_by_http_and_its_spans_come_back(
    server: ServerProcess, client: Client
) -> None:
    context = ReadOnly(client=client, renderer=Renderer(settings=SchemaSettings()), now_ms=0)
    limiter = RateLimiter(RateLimits(in_flight=4))
    done: dict[str, EpisodeResult] = {}

    async def run(agent: OutsideAgent, names: list[str]) -> None:
        emitter = OtlpEmitter(server.grpc)
        target = HttpTarget(
            agent.url,
            mapping=HttpMapping(
                message="messages.0.content",
                conversation="id",
                answer="choices.0.message.content",
                constant={"stream": False},
            ),
            user=scripted_user,
            emitter=emitter,
            spans=StoredSpans(look_in(context), settle_s=0.5),
            limiter=limiter,
        )
        played = scenario(opening="one", turns=[UserTurn(text="two")])
        try:
            await play_all(
                (request(played, name) for name in names),
                target,
                limiter,
                lambda request, result: done.update({request.run_id: result}),
            )
        finally:
            emitter.close()

    names = [f"http-{n}" for n in range(6)]
    with OutsideAgent(server.grpc) as agent:
        asyncio.run(run(agent, names))
        agent.ran = "0" * 32
        asyncio.run(run(agent, ["http-default"]))
        agent.ran, agent.status = "", 500
        asyncio.run(run(agent, ["http-crash"]))
    asyncio.run(run(agent, ["http-gone"]))  # nobody listens any more
    assert {done[name].state for name in names} == {"finished"}
    for name in names:
        result = done[name]
        assert (result.steps, result.input_tokens, result.output_tokens) == (2, 20, 4)
        assert (result.trace_ids, result.coverage) == ((trace_id_of(name),), None)
    assert (done["http-crash"].state, done["http-crash"].error_kind) == ("crashed", "500")
    default = done["http-default"]
    assert (default.state, default.error_kind) == ("infrastructure", "configuration")
    assert (done["http-gone"].state, done["http-gone"].error_kind) == (
        "infrastructure",
        "ConnectError",
    )
    assert agent.bodies[0]["stream"] is False
    deadline = time.monotonic() + 60
    while len(found := recover(context, done)) < len(done):
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.2)
    assert found == done
    stray = "SELECT count() FROM genai_spans WHERE SpanName = 'episode'"
    assert client.query(stray).result_rows[0][0] == 0
