"""What the scripted model sees of one request: the prompt, the tools and the turn so far."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from spanloop.examples.scripted_model.protocol import ChatRequest, RequestMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One tool call of the conversation with what came back."""

    tool: str
    arguments: Mapping[str, Any]
    result: Mapping[str, Any]

    @property
    def error(self) -> str | None:
        """The tool's own error message, None when it worked."""
        message = self.result.get("error")
        return None if message is None else str(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """One request, read once: every rule of the script is a function of this value only."""

    system: str
    tools: Mapping[str, str]
    """Offered tool name -> its description."""
    question: str
    """The latest user message."""
    earlier_questions: tuple[str, ...]
    """The user's previous messages, newest first."""
    steps: tuple[Step, ...]
    """Tool calls since the latest user message, in order."""
    earlier_steps: tuple[Step, ...] = field(default=())
    """Tool calls of previous turns, in order."""

    def offers(self, tool: str) -> bool:
        """Whether the request lets the model call this tool."""
        return tool in self.tools

    def made(self, tool: str) -> tuple[Step, ...]:
        """The calls of one tool in this turn, in order."""
        return tuple(step for step in self.steps if step.tool == tool)

    def guidance(self, tool: str) -> str:
        """The description of a tool plus the section of the prompt that is about it."""
        pattern = rf"^#+ Tool: {re.escape(tool)}\n(.*?)(?=^#|\Z)"
        section = re.search(pattern, self.system, re.MULTILINE | re.DOTALL)
        return f"{self.tools.get(tool, '')}\n{section.group(1) if section else ''}"


def read_transcript(request: ChatRequest) -> Transcript:
    """Split a chat request into prompt, tools, questions and tool steps."""
    messages = request.messages
    asked = [i for i, message in enumerate(messages) if message.role == "user"]
    last = asked[-1] if asked else len(messages)
    return Transcript(
        system="\n".join(m.text for m in messages if m.role in ("system", "developer")),
        tools={tool.function.name: tool.function.description for tool in request.tools},
        question=messages[asked[-1]].text if asked else "",
        earlier_questions=tuple(messages[i].text for i in reversed(asked[:-1])),
        steps=_steps(messages[last:]),
        earlier_steps=_steps(messages[:last]),
    )


def _steps(messages: Sequence[RequestMessage]) -> tuple[Step, ...]:
    results = {m.tool_call_id: m.text for m in messages if m.role == "tool"}
    return tuple(
        Step(
            tool=call.function.name,
            arguments=_json_object(call.function.arguments),
            result=_json_object(results[call.id]),
        )
        for message in messages
        for call in message.tool_calls or ()
        if call.id in results
    )


def _json_object(text: str) -> Mapping[str, Any]:
    try:
        value: Any = json.loads(text)
    except ValueError:
        return {"text": text}
    if not isinstance(value, dict):
        return {"value": value}
    return cast(Mapping[str, Any], value)
