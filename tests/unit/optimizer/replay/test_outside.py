"""Agents outside, without a network: callables, and waiting for their spans."""

import asyncio
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry import baggage, trace

from spanloop.optimizer.models.rate_limit import RateLimiter, RateLimits
from spanloop.optimizer.replay import EpisodeResult, KeepingEmitter, scripted_user
from spanloop.optimizer.replay.http_target import trace_headers
from spanloop.optimizer.replay.python_target import PythonTarget
from spanloop.optimizer.replay.recorder import root_span_id_of, trace_id_of
from spanloop.optimizer.replay.recovery import episode_of
from spanloop.optimizer.replay.stored_spans import RunSpans, StoredSpans
from spanloop.optimizer.scenarios.scenario import UserTurn
from spanloop.processor.errors import ConfigError
from tests.support.episodes import request, scenario

TOLD = RunSpans(
    spans=4, newest_ms=0, trace_ids=("t",), calls=3, input_tokens=30, output_tokens=3, cost_usd=None
)
HERE = __name__
release = threading.Event()


class Told:
    def __init__(self, spans: RunSpans | None) -> None:
        self._spans = spans

    async def wait(self, run_id: str, *, began_ms: int, last_ms: int) -> RunSpans | None:
        return self._spans


def polite(configuration: Mapping[str, Any], run_id: str) -> Any:
    heard: list[str] = []

    def say(message: str) -> str:
        heard.append(message)
        span = trace.get_current_span().get_span_context()
        return (
            f"{run_id} {configuration['components']['instructions']} {heard} {span.trace_id:032x}"
        )

    return say


async def patient(configuration: Mapping[str, Any], run_id: str) -> Any:
    async def say(message: str) -> str:
        await asyncio.sleep(0)
        return str(baggage.get_baggage("spanloop.run.id"))

    return say


def broken(configuration: Mapping[str, Any], run_id: str) -> Any:
    raise KeyError("secret")


def stuck(configuration: Mapping[str, Any], run_id: str) -> Any:
    return lambda message: str(release.wait(20))


async def asleep(configuration: Mapping[str, Any], run_id: str) -> Any:
    await asyncio.sleep(20)


def play(name: str, told: RunSpans | None = TOLD, **changes: Any) -> tuple[EpisodeResult, Any]:
    answers: list[str] = []

    class Listening:
        def __init__(self, asked: Any) -> None:
            self._user = scripted_user(asked)

        async def reply(self, answer: str) -> str | None:
            answers.append(answer)
            return await self._user.reply(answer)

    emitter = KeepingEmitter()
    target = PythonTarget(
        f"{HERE}:{name}",
        user=Listening,
        emitter=emitter,
        spans=Told(told),
        limiter=RateLimiter(RateLimits()),
    )
    asked = request(scenario(opening="one", turns=[UserTurn(text="two")]), **changes)
    result = asyncio.run(target.run(asked))
    return result, (answers, emitter)


def test_a_callable_holds_a_conversation_under_the_configuration() -> None:
    result, (answers, emitter) = play("polite")
    assert answers == [
        f"run-1 Be a clerk. {heard} {trace_id_of('run-1')}" for heard in (["one"], ["one", "two"])
    ]
    assert (result.state, result.steps, result.input_tokens) == ("finished", 3, 30)
    assert (result.coverage, result.cost_usd) == (None, None)
    (closing,) = emitter.spans
    assert f"{closing.context.span_id:016x}" == root_span_id_of("run-1")
    read = {name: str(value) for name, value in closing.attributes.items()}
    assert episode_of(read, "t") == result


def test_an_async_callable_does_too() -> None:
    result, (answers, _) = play("patient")
    assert (result.state, answers) == ("finished", ["run-1", "run-1"])


def test_a_crash_is_a_state_without_its_text() -> None:
    result, _ = play("broken")
    assert (result.state, result.error_kind) == ("crashed", "KeyError")


@pytest.mark.parametrize("name", ["stuck", "asleep"])
def test_who_does_not_answer_in_time_has_timed_out(name: str) -> None:
    began_s = time.monotonic()
    result, _ = play(name, timeout_s=0.05)
    assert (result.state, result.error_kind) == ("timed_out", "timeout")
    assert time.monotonic() - began_s < 10
    release.set()


def test_an_agent_whose_spans_never_come_cannot_be_judged() -> None:
    result, _ = play("polite", None)
    assert (result.state, result.error_kind) == ("infrastructure", "no_spans")
    result, _ = play("broken", None)
    assert result.state == "crashed"


@pytest.mark.parametrize("name", ["polite", "broken"])
def test_an_agent_that_ran_another_configuration_tells_nothing_of_this_one(name: str) -> None:
    asked = request(scenario()).configuration.hash
    stamped = [replace(TOLD, configurations=frozenset(s)) for s in ((asked,), (asked, "0" * 32))]
    right, _ = play(name, stamped[0])
    assert right.state == {"polite": "finished", "broken": "crashed"}[name]
    wrong, _ = play(name, stamped[1])
    assert (wrong.state, wrong.error_kind) == ("infrastructure", "configuration")
    assert wrong.input_tokens == 30  # it was paid for all the same


@pytest.mark.parametrize(
    "path", ["nothing", "no.such.module:x", f"{HERE}:absent", f"{HERE}:HERE", ":"]
)
def test_a_target_that_cannot_be_called_is_told_at_the_start(path: str) -> None:
    with pytest.raises(ConfigError):
        PythonTarget(
            path,
            user=scripted_user,
            emitter=KeepingEmitter(),
            spans=Told(None),
            limiter=RateLimiter(RateLimits()),
        )


def test_headers_carry_run_and_configuration() -> None:
    asked = request(scenario(), "run/1, é")
    headers = trace_headers(asked)
    assert headers["traceparent"] == (
        f"00-{trace_id_of(asked.run_id)}-{root_span_id_of(asked.run_id)}-01"
    )
    assert headers["baggage"] == (
        f"spanloop.run.id=run%2F1%2C%20%C3%A9,spanloop.configuration={asked.configuration.hash}"
    )


def test_spans_are_waited_for_until_they_settle_for_all_runs_at_a_time() -> None:
    looks: list[Sequence[str]] = []
    now_ms = time.time_ns() // 1_000_000

    def look(run_ids: Sequence[str], since_ms: int) -> Mapping[str, RunSpans]:
        looks.append(run_ids)
        n = len(looks)
        grown = RunSpans(
            spans=min(n, 3), newest_ms=now_ms, trace_ids=(), calls=0,
            input_tokens=None, output_tokens=None, cost_usd=None,
        )  # fmt: skip
        return {run: grown for run in run_ids if run != "silent"}

    async def run() -> list[RunSpans | None]:
        watch = StoredSpans(look, settle_s=0.05, deadline_s=0.5, every_s=0.02)
        return await asyncio.gather(
            *(watch.wait(run, began_ms=now_ms, last_ms=now_ms) for run in ("a", "b", "silent"))
        )

    a, b, silent = asyncio.run(run())
    assert a == b
    assert a is not None
    assert a.spans == 3
    assert silent is None
    assert set(looks[0]) == {"a", "b", "silent"}
    assert set(looks[-1]) == {"silent"}


def test_a_store_that_fails_fails_who_waits() -> None:
    def look(run_ids: Sequence[str], since_ms: int) -> Mapping[str, RunSpans]:
        raise ConnectionError

    async def run() -> None:
        await StoredSpans(look).wait("a", began_ms=0, last_ms=0)

    with pytest.raises(ConnectionError):
        asyncio.run(run())
