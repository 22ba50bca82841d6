"""Agents that run themselves: spanloop is their user, and their spans come back through the receiver."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

from spanloop.optimizer.models.port import ModelFailure
from spanloop.optimizer.models.rate_limit import RateLimiter
from spanloop.optimizer.models.stopwatch import Stopwatch
from spanloop.optimizer.replay.emission import EmissionFailed, Emitter
from spanloop.optimizer.replay.ending import Ended
from spanloop.optimizer.replay.episode import EpisodeRequest, EpisodeResult, RunState
from spanloop.optimizer.replay.recorder import closing_span, trace_id_of
from spanloop.optimizer.replay.stored_spans import RunSpans, SpanWatch
from spanloop.optimizer.replay.users import UserFactory


class Session(Protocol):
    """One conversation with the agent."""

    async def say(self, message: str) -> str:
        """Return the agent's answer.

        Raises:
            Ended: it gave none; whose fault that is, is in the state.
        """
        ...

    async def close(self) -> None:
        """Let go of the agent; idempotent."""
        ...


class OutsideTarget(ABC):
    """What `HttpTarget` and `PythonTarget` share."""

    name = "outside"
    spends_lease = False  # the agent pays for its own calls; what they cost is told by its spans

    def __init__(
        self, *, user: UserFactory, emitter: Emitter, spans: SpanWatch, limiter: RateLimiter
    ) -> None:
        self._user = user
        self._emitter = emitter
        self._spans = spans
        self._limiter = limiter
        self._now_ns: Callable[[], int] = time.time_ns

    @abstractmethod
    def open(self, request: EpisodeRequest) -> Session:
        """Begin a conversation."""

    async def run(self, request: EpisodeRequest) -> EpisodeResult:
        """Play one episode; see `Target`."""
        began_ns = self._now_ns()
        talk = _Talk(request, self._limiter, self._now_ns)
        state, kind = await self._talked(talk)
        told = None
        if state != "infrastructure":  # else it is played again, and what it told is of no use
            told = await self._spans.wait(
                request.run_id, began_ms=began_ns // 1_000_000, last_ms=talk.last_ns // 1_000_000
            )
        if told is None and state == "finished":
            state, kind = "infrastructure", "no_spans"
        if told and told.configurations - {request.configuration.hash}:
            # It could not fetch what is under test and ran something else: that tells nothing of this arm.
            state, kind = "infrastructure", "configuration"
        result = _result(talk, state, kind, told)
        try:
            await self._emitter.emit(
                [closing_span(request, result, began_ns=began_ns, ended_ns=self._now_ns())]
            )
        except EmissionFailed:
            return _result(talk, "infrastructure", "export", told)
        return result

    async def _talked(self, talk: "_Talk") -> tuple[RunState, str]:
        request = talk.request
        session = self.open(request)
        stopwatch = Stopwatch(request.timeout_s)
        try:
            async with stopwatch:
                try:
                    await talk.hold(session, self._user)
                finally:
                    talk.latency_ms = stopwatch.elapsed_s * 1000
        except TimeoutError:
            return "timed_out", "timeout"
        except ModelFailure as failure:  # of the user's model
            return "infrastructure", failure.kind
        except Ended as ended:
            return ended.state, ended.kind
        finally:
            await session.close()
        return "finished", ""


class _Talk:
    """One conversation as it goes."""

    def __init__(
        self, request: EpisodeRequest, limiter: RateLimiter, now_ns: Callable[[], int]
    ) -> None:
        self.request = request
        self._limiter = limiter
        self._now_ns = now_ns
        self.turns = 0
        self.last_ns = now_ns()
        self.latency_ms: float | None = None

    async def hold(self, session: Session, users: UserFactory) -> None:
        user = users(self.request)
        message: str | None = self.request.scenario.content.opening
        while message is not None:
            if self.turns >= self.request.max_steps:
                raise Ended("step_cap", "episode")
            self.turns += 1
            async with self._limiter.slot():
                self.last_ns = self._now_ns()
                answer = await session.say(message)
            message = await user.reply(answer)


def _result(talk: _Talk, state: RunState, kind: str, told: RunSpans | None) -> EpisodeResult:
    return EpisodeResult(
        run_id=talk.request.run_id,
        state=state,
        error_kind=kind,
        steps=told.calls if told else talk.turns,
        input_tokens=told.input_tokens if told else None,
        output_tokens=told.output_tokens if told else None,
        cost_usd=told.cost_usd if told else None,
        latency_ms=talk.latency_ms,
        trace_ids=told.trace_ids if told else (trace_id_of(talk.request.run_id),),
    )
