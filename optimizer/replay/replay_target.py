"""The agent's loop played without the agent: model, configuration and user are real, its tools are a tape."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.models.chat import (
    ChatModel,
    ChatReply,
    ChatTool,
    Message,
    ToolCall,
    close_connections,
)
from spanloop.optimizer.models.port import ModelFailure
from spanloop.optimizer.models.stopwatch import Stopwatch
from spanloop.optimizer.replay.beyond import Beyond
from spanloop.optimizer.replay.emission import EmissionFailed, Emitter
from spanloop.optimizer.replay.ending import Ended
from spanloop.optimizer.replay.episode import EpisodeRequest, EpisodeResult, RunState
from spanloop.optimizer.replay.recorder import Recorder, trace_id_of
from spanloop.optimizer.replay.users import UserFactory, UserSimulator, scripted_user
from spanloop.optimizer.replay.world import Tape, ToolAnswer, ToolWorld
from spanloop.optimizer.scenarios.scenario import Content

MAX_MISSES = 3
"""Calls without an answer after which an episode ends: what an agent does then tells nothing of it."""
OWN_FAULTS = frozenset({"400", "413", "422"})
"""Refusals that answer the request itself (too long, malformed): its arm's own; others are nobody's."""
UNKNOWN_TOOL = '{"error": "unknown_tool", "message": "There is no tool of this name."}'
TAPES_KEPT = 256


class ReplayTarget:
    """Plays episodes; needs nothing from the agent's owner.

    Give it a guarded model (`GuardedChat`): budget, rate and cache are there. ``beyond`` is asked, in its
    order, for what the tape does not answer; without it that is a miss.
    """

    name = "replay"
    spends_lease = True

    def __init__(
        self,
        *,
        model: ChatModel,
        emitter: Emitter,
        user: UserFactory = scripted_user,
        now_ns: Callable[[], int] = time.time_ns,
        beyond: Sequence[Beyond] = (),
        max_misses: int = MAX_MISSES,
    ) -> None:
        self._model = model
        self._beyond = beyond
        self._emitter = emitter
        self._user = user
        self._now_ns = now_ns
        self._max_misses = max_misses
        self._tape = lru_cache(TAPES_KEPT)(_tape_of)

    async def run(self, request: EpisodeRequest) -> EpisodeResult:
        """Play one episode; see `Target`."""
        content = request.scenario.content
        episode = _Episode(
            request=request,
            model=self._model,
            world=ToolWorld(self._tape(_Hashed(content.hash, content))),
            recorder=Recorder(request, self._model.name, self._now_ns),
            beyond=self._beyond,
            max_misses=self._max_misses,
        )
        state, kind = await self._played(episode)
        result = episode.result(state, kind)
        try:
            await self._emitter.emit(episode.recorder.spans(result, episode.answer))
        except EmissionFailed:
            return episode.result("infrastructure", "export")
        return result

    async def aclose(self) -> None:
        """Close the model's connections of the running event loop."""
        await close_connections(self._model)

    async def _played(self, episode: "_Episode") -> tuple[RunState, str]:
        stopwatch = Stopwatch(episode.request.timeout_s)
        try:
            async with stopwatch:
                try:
                    await episode.play(self._user(episode.request))
                finally:
                    episode.latency_ms = stopwatch.elapsed_s * 1000
        except TimeoutError:
            return "timed_out", "timeout"
        except ModelFailure as failure:
            return ("crashed" if failure.kind in OWN_FAULTS else "infrastructure"), failure.kind
        except Ended as ended:
            return ended.state, ended.kind
        return "finished", ""


@dataclass(frozen=True, slots=True)
class _Hashed:
    """A content compared by its hash alone."""

    hash: str
    value: Content = field(compare=False)


def _tape_of(content: _Hashed) -> Tape:
    return Tape(content.value.tape)


@dataclass(slots=True, kw_only=True)
class _Episode:
    request: EpisodeRequest
    model: ChatModel
    world: ToolWorld
    recorder: Recorder
    beyond: Sequence[Beyond]
    max_misses: int
    steps: int = 0
    first_divergence: int | None = None
    answer: str | None = None
    latency_ms: float | None = None
    replies: list[ChatReply] = field(default_factory=list[ChatReply])

    async def play(self, user: UserSimulator) -> None:
        content, configuration = self.request.scenario.content, self.request.configuration
        tools = offered_tools(content, configuration)
        messages = [Message(role="system", content=configuration.system_prompt() or content.system)]
        if content.greeting:
            messages.append(Message(role="assistant", content=content.greeting))
        said: str | None = content.opening
        while said is not None:
            messages.append(Message(role="user", content=said))
            self.answer = await self._turn(messages, tools)
            said = await user.reply(self.answer)

    async def _turn(self, messages: list[Message], tools: Sequence[ChatTool]) -> str:
        """Let the model call tools until it says something."""
        allowed = int(
            self.request.configuration.parameters.get("max_steps", self.request.max_steps)
        )
        for _ in range(allowed):
            reply = await self._ask(messages, tools)
            messages.append(reply.message)
            if not reply.message.tool_calls:
                return reply.message.content or ""
            for call in reply.message.tool_calls:
                content = await self._call(call, messages, tools)
                messages.append(Message(role="tool", content=content, tool_call_id=call.id))
        raise Ended("step_cap", "turn")

    async def _ask(self, messages: Sequence[Message], tools: Sequence[ChatTool]) -> ChatReply:
        if self.steps >= self.request.max_steps:
            raise Ended("step_cap", "episode")
        self.steps += 1
        began_ns = self.recorder.now_ns()
        try:
            reply = await self.model.complete(
                messages,
                tools,
                self.request.configuration.parameters,
                nonce=f"{self.request.run_id}:{self.request.seed}:{self.steps}",
            )
        except ModelFailure as failure:
            self.recorder.chat(began_ns, messages, tools, failure.kind)
            raise
        self.recorder.chat(began_ns, messages, tools, reply)
        self.replies.append(reply)
        return reply

    async def _call(
        self, call: ToolCall, messages: Sequence[Message], tools: Sequence[ChatTool]
    ) -> str:
        began_ns = self.recorder.now_ns()
        if all(tool.name != call.name for tool in tools):
            self.recorder.tool(began_ns, call, None)
            return UNKNOWN_TOOL
        answer = await self._answer(call, messages)
        self.world.observe(call.name, call.arguments, answer)
        self.recorder.tool(began_ns, call, answer)
        if not answer.on_tape and self.first_divergence is None:
            self.first_divergence = self.steps
        if self.world.tiers["miss"] >= self.max_misses:
            raise Ended("tape_miss", "misses")
        return answer.result

    async def _answer(self, call: ToolCall, messages: Sequence[Message]) -> ToolAnswer:
        told = self.world.look_up(call.name, call.arguments)
        if told.tier == "miss":
            for other in self.beyond:
                answer = await other.answer(call, self.request, messages)
                if answer is not None:
                    return answer
        return told

    def result(self, state: RunState, kind: str) -> EpisodeResult:
        replies = self.replies
        costs = [reply.cost_usd for reply in replies]
        return EpisodeResult(
            run_id=self.request.run_id,
            state=state,
            error_kind=kind,
            tiers=dict(self.world.tiers),
            first_divergence=self.first_divergence,
            steps=self.steps,
            input_tokens=_total([reply.input_tokens for reply in replies]),
            output_tokens=_total([reply.output_tokens for reply in replies]),
            cost_usd=None if None in costs else sum(c for c in costs if c is not None),
            latency_ms=self.latency_ms,
            trace_ids=(trace_id_of(self.request.run_id),),
        )


def offered_tools(content: Content, configuration: AgentConfiguration) -> Sequence[ChatTool]:
    """Return the recorded tools that the configuration offers, described as it says.

    Where the recording does not carry what was offered, the tools that were called are.
    """
    schemas = {tool.name: (tool.description, tool.parameters) for tool in content.tools}
    if not schemas:
        schemas = {call.tool: ("", "{}") for call in content.tape}
    return [
        ChatTool(
            name=name,
            description=configuration.components.get(f"tool.{name}.description", description),
            parameters=parameters,
        )
        for name, (description, parameters) in schemas.items()
        if configuration.tools.get(name, True)
    ]


def _total(counts: Sequence[int | None]) -> int | None:
    return None if None in counts else sum(count for count in counts if count is not None)
