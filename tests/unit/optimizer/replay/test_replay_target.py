"""Episodes of the recorded loop, without I/O."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.models import BudgetExhausted, Lease, ModelFailure
from spanloop.optimizer.models.chat import ChatTool, Message
from spanloop.optimizer.models.fakes import ScriptedChat
from spanloop.optimizer.models.guarded import GuardedChat
from spanloop.optimizer.models.rate_limit import RateLimiter, RateLimits
from spanloop.optimizer.replay import (
    EpisodeRequest,
    EpisodeResult,
    KeepingEmitter,
    ReplayTarget,
    play_all,
)
from spanloop.optimizer.replay.replay_target import UNKNOWN_TOOL, offered_tools
from spanloop.optimizer.scenarios.scenario import ToolSchema, UserTurn
from tests.support.episodes import calls, request, says, scenario

READ = ("get_order", {"order_id": "#W1"}, {"order_id": "#W1", "status": "sent"})
Script = Callable[[Sequence[Message], Sequence[ChatTool]], Message | ModelFailure]


def clerk(messages: Sequence[Message], tools: Sequence[ChatTool]) -> Message:
    """Looks once, then answers with what it found."""
    if messages[-1].role == "tool":
        return says(f"Found: {messages[-1].content}")
    return calls("get_order", {"order_id": "#W1"}, f"c{len(messages)}")


def stubborn(messages: Sequence[Message], tools: Sequence[ChatTool]) -> Message:
    return calls("get_order", {"order_id": "#W9"}, f"c{len(messages)}")


def play(script: Script, asked: EpisodeRequest, **options: Any) -> tuple[EpisodeResult, Any]:
    emitter = options.pop("emitter", KeepingEmitter())
    target = ReplayTarget(model=ScriptedChat(script, usd_a_call=0.01), emitter=emitter, **options)
    return asyncio.run(target.run(asked)), emitter


def test_an_episode_is_played_to_its_end_and_told_in_spans() -> None:
    turns = [UserTurn(text="and now?")]
    result, emitter = play(clerk, request(scenario([READ, READ], turns=turns)))
    assert (result.state, result.steps, result.coverage) == ("finished", 4, 1.0)
    assert dict(result.tiers) == {"exact": 2}
    assert (result.input_tokens, result.output_tokens) == (400, 40)
    assert result.cost_usd == pytest.approx(0.04)
    assert result.first_divergence is None
    names = [span.name for span in emitter.spans]
    assert names == [
        "chat chat", "execute_tool get_order", "chat chat",
        "chat chat", "execute_tool get_order", "chat chat", "invoke_agent clerk",
    ]  # fmt: skip
    root = emitter.spans[-1]
    assert {span.parent and span.parent.span_id for span in emitter.spans[:-1]} == {
        root.context.span_id
    }
    assert {span.attributes["spanloop.run.id"] for span in emitter.spans} == {"run-1"}
    assert {span.attributes["gen_ai.conversation.id"] for span in emitter.spans} == {"run-1"}
    assert root.attributes["spanloop.replay.coverage"] == 1.0
    assert emitter.spans[1].attributes["spanloop.replay.tier"] == "exact"
    assert root.resource.attributes["service.name"] == "clerk"
    assert result.trace_ids == (f"{root.context.trace_id:032x}",)
    last = json.loads(emitter.spans[5].attributes["gen_ai.input.messages"])
    assert [message["role"] for message in last] == [
        "user", "assistant", "tool", "assistant", "user", "assistant", "tool",
    ]  # fmt: skip


def test_a_run_told_twice_is_told_in_the_same_spans() -> None:
    ids = [
        [span.context.span_id for span in play(clerk, request(scenario([READ])))[1].spans]
        for _ in range(2)
    ]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == len(ids[0])


def test_what_a_configuration_says_reaches_the_model() -> None:
    seen: list[tuple[str | None, Sequence[ChatTool]]] = []

    def look(messages: Sequence[Message], tools: Sequence[ChatTool]) -> Message:
        seen.append((messages[0].content, tools))
        return says("done")

    played = scenario([READ])
    schemas = (ToolSchema(name="get_order", description="as recorded"), ToolSchema(name="pay"))
    content = played.content.model_copy(update={"tools": schemas, "system": "recorded system"})
    configuration = AgentConfiguration(
        components={"instructions": "Be brief.", "tool.get_order.description": "Reads an order."},
        tools={"pay": False},
    )
    played = played.model_copy(update={"content": content})
    play(look, request(played, configuration=configuration))
    (system, tools) = seen[0]
    assert system == "Be brief."
    assert [(tool.name, tool.description) for tool in tools] == [("get_order", "Reads an order.")]
    play(look, request(played, configuration=AgentConfiguration()))
    assert seen[1][0] == "recorded system"
    called = offered_tools(scenario([READ]).content, AgentConfiguration())
    assert [tool.name for tool in called] == ["get_order"]


def test_a_tool_that_is_not_offered_does_not_exist() -> None:
    def naughty(messages: Sequence[Message], tools: Sequence[ChatTool]) -> Message:
        last = messages[-1]
        return says(str(last.content)) if last.role == "tool" else calls("pay", {"all": True})

    configuration = AgentConfiguration(tools={"pay": False})
    asked = request(scenario([("pay", {"all": True}, "paid")]), configuration=configuration)
    result, emitter = play(naughty, asked)
    assert (result.state, dict(result.tiers)) == ("finished", {})
    assert json.loads(emitter.spans[-1].attributes["gen_ai.output.messages"])[0]["parts"] == [
        {"type": "text", "content": UNKNOWN_TOOL}
    ]


def test_misses_are_seen_counted_and_end_an_episode_that_has_left_the_tape() -> None:
    result, _ = play(stubborn, request(scenario([READ])))
    assert (result.state, dict(result.tiers)) == ("tape_miss", {"miss": 3})
    assert (result.coverage, result.first_divergence, result.steps) == (0.0, 1, 3)


def test_steps_are_capped_by_turn_and_by_episode() -> None:
    def looker(messages: Sequence[Message], tools: Sequence[ChatTool]) -> Message:
        return calls("get_order", {"order_id": "#W1"}, f"c{len(messages)}")

    result, _ = play(looker, request(scenario([READ]), max_steps=7))
    assert (result.state, result.error_kind, result.steps) == ("step_cap", "turn", 7)
    configuration = AgentConfiguration(parameters={"max_steps": 2})
    result, _ = play(looker, request(scenario([READ]), configuration=configuration))
    assert (result.state, result.steps) == ("step_cap", 2)
    turns = [UserTurn(text="go on")] * 9
    result, _ = play(clerk, request(scenario([READ], turns=turns), max_steps=5))
    assert (result.state, result.error_kind, result.steps) == ("step_cap", "episode", 5)


@pytest.mark.parametrize(
    ("kind", "state"),
    [("503", "infrastructure"), ("timeout", "infrastructure"), ("400", "crashed")],
)
def test_a_failing_model_is_a_state_and_still_told(kind: str, state: str) -> None:
    result, emitter = play(lambda m, t: ModelFailure(kind, "x"), request(scenario([READ])))
    assert (result.state, result.error_kind) == (state, kind)
    assert result.cost_usd == 0.0
    assert [span.attributes["error.type"] for span in emitter.spans] == [kind, kind]


def test_an_episode_that_takes_too_long_is_a_state() -> None:
    class Slow(ScriptedChat):
        async def complete(self, *args: Any, **options: Any) -> Any:
            await asyncio.sleep(10)

    target = ReplayTarget(model=Slow(clerk), emitter=KeepingEmitter())
    result = asyncio.run(target.run(request(scenario([READ]), timeout_s=0.01)))
    assert (result.state, result.steps) == ("timed_out", 1)
    assert result.latency_ms is not None
    assert result.latency_ms >= 10


def test_spans_that_are_not_acknowledged_are_a_fault_of_the_infrastructure() -> None:
    result, _ = play(clerk, request(scenario([READ])), emitter=KeepingEmitter(fails=True))
    assert (result.state, result.error_kind) == ("infrastructure", "export")


def test_a_failed_run_takes_no_other_down_and_many_are_played_at_a_time() -> None:
    def moody(messages: Sequence[Message], tools: Sequence[ChatTool]) -> Message | ModelFailure:
        said = messages[1].content
        if said == "bug":
            raise KeyError("bug")
        return ModelFailure("503", "down") if said == "down" else clerk(messages, tools)

    openings = {f"run-{n}": ["fine", "down", "bug"][n % 3] for n in range(60)}
    requests = (
        request(scenario([READ], opening=opening), run_id) for run_id, opening in openings.items()
    )
    target = ReplayTarget(model=ScriptedChat(moody), emitter=KeepingEmitter())
    done: dict[str, EpisodeResult] = {}
    asyncio.run(
        play_all(
            requests,
            target,
            RateLimiter(RateLimits(in_flight=8)),
            lambda asked, result: done.update({asked.run_id: result}),
        )
    )
    wanted = {"fine": "finished", "down": "infrastructure", "bug": "infrastructure"}
    assert {run: result.state for run, result in done.items()} == {
        run: wanted[opening] for run, opening in openings.items()
    }
    assert {r.error_kind for r in done.values()} == {"", "503", "internal:KeyError"}


def test_an_empty_budget_stops_what_has_not_begun() -> None:
    lease = Lease(max_tokens=10_000)
    limiter = RateLimiter(RateLimits(in_flight=4))
    chat = GuardedChat(model=ScriptedChat(clerk), lease=lease, limiter=limiter)
    target = ReplayTarget(model=chat, emitter=KeepingEmitter())
    done: list[str] = []
    with pytest.raises(BudgetExhausted):
        asyncio.run(
            play_all(
                (request(scenario([READ]), f"run-{n}") for n in range(1_000)),
                target,
                limiter,
                lambda asked, result: done.append(asked.run_id),
            )
        )
    assert 0 < len(done) < 100
    assert lease.tokens <= 10_000
