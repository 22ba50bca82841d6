"""Answers that no tape has: made up by a model, or of real tools allowed by name. By default neither."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from spanloop.optimizer.models.chat import ChatModel, Message, ToolCall
from spanloop.optimizer.models.port import ModelFailure
from spanloop.optimizer.replay.episode import EpisodeRequest
from spanloop.optimizer.replay.quoting import mark_of, quoted, rule
from spanloop.optimizer.replay.world import ToolAnswer

MAX_ANSWER_CHARS = 20_000
EXAMPLES = 6
"""Recorded answers of the tool that the model is shown."""
SYNTHESIS = (
    "You stand in for a tool of a software agent in a test. Given the tool, recorded calls of it and what "
    "happened so far in this test, write the text that the tool would return to the asked call, in the form "
    "of the recorded answers, consistent with everything known. Where it could not know the answer, write "
    "the error it would return. Write that text and nothing else."
)

Tool = Callable[[str], Awaitable[str]]
"""Takes JSON text of arguments, returns what the agent is to see."""


class Beyond(Protocol):
    """Who may be asked for what the tape does not answer."""

    async def answer(
        self, call: ToolCall, request: EpisodeRequest, history: Sequence[Message]
    ) -> ToolAnswer | None:
        """Answer ``call``, or not."""
        ...


class LiveTools:
    """Real tools: only those given here, by name. What they change is really changed."""

    def __init__(self, tools: Mapping[str, Tool], *, timeout_s: float = 30.0) -> None:
        self._tools = dict(tools)
        self._timeout_s = timeout_s

    async def answer(
        self, call: ToolCall, request: EpisodeRequest, history: Sequence[Message]
    ) -> ToolAnswer | None:
        """Call the tool; see `Beyond`. One that raises, or takes too long, answers with an error."""
        del request, history
        tool = self._tools.get(call.name)
        if tool is None:
            return None
        try:
            async with asyncio.timeout(self._timeout_s):
                result = await tool(call.arguments)
        except Exception as error:  # noqa: BLE001 - somebody's tool: whatever it raises is its answer
            result = f'{{"error": "{type(error).__name__}"}}'
            return ToolAnswer(tier="live", result=result, status="error")
        return ToolAnswer(tier="live", result=result[:MAX_ANSWER_CHARS], status="ok")


class Synthesiser:
    """A model that makes an answer up. It never counts as on the tape."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model

    async def answer(
        self, call: ToolCall, request: EpisodeRequest, history: Sequence[Message]
    ) -> ToolAnswer | None:
        """Ask the model; see `Beyond`. None where it fails: then the call is a miss."""
        mark = mark_of(f"{request.run_id}:{request.seed}")
        content = request.scenario.content
        examples = [
            tape for tape in content.tape if tape.tool == call.name and tape.result is not None
        ]
        schema = next((tool for tool in content.tools if tool.name == call.name), None)
        entries: list[Mapping[str, str]] = [
            {"tool": call.name, "schema": schema.parameters if schema else "{}"},
            *({"recorded": e.arguments, "answer": e.result or ""} for e in examples[:EXAMPLES]),
            *({str(m.role): m.content or ""} for m in history[1:][-2 * EXAMPLES :]),
            {"asked": call.arguments},
        ]
        messages = [
            Message(role="system", content=f"{SYNTHESIS}\n{rule(mark)}"),
            Message(role="user", content=quoted(entries, mark)),
        ]
        nonce = f"{request.run_id}:{request.seed}:tool:{len(history)}:{call.id}"
        try:
            reply = await self._model.complete(messages, [], {"temperature": 0.0}, nonce=nonce)
        except ModelFailure:
            return None
        text = reply.message.content
        return (
            ToolAnswer(tier="synthesised", result=text[:MAX_ANSWER_CHARS], status="ok")
            if text
            else None
        )
