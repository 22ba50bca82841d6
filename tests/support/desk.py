"""Spans of a small help desk: one request, one call of a tool, one answer."""

import json
from collections.abc import Mapping
from typing import Any

START_NS = 1_790_000_000_000_000_000
SECOND_NS = 1_000_000_000


def said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def conversation(
    number: int, topic: str, *, failed: bool, at_s: int, extra: Mapping[str, str]
) -> list[dict[str, Any]]:
    """A request, a call and an answer: two spans of one trace, of which the agent's has the messages."""
    start = START_NS + at_s * SECOND_NS
    question = f"Hello, {topic}, case {number % 7}"
    answer = "I am sorry, that did not work." if failed else f"Done: {topic} {number:05d}."
    common = {"gen_ai.agent.name": "desk", "user.id": f"u{number % 25}", **extra}
    call = {"id": f"c{number}", "name": f"update_{topic.split()[-1]}", "arguments": {"n": number}}
    messages = [
        said("user", question),
        {"role": "assistant", "parts": [{"type": "tool_call", **call}]},
        {
            "role": "tool",
            "parts": [{"type": "tool_call_response", "id": call["id"], "response": "{}"}],
        },
    ]
    trace = f"{number + 1:032x}"
    tool = {
        "traceId": trace,
        "spanId": f"{2 * number + 2:016x}",
        "parentSpanId": f"{2 * number + 1:016x}",
        "name": "execute_tool",
        "startTimeUnixNano": str(start + SECOND_NS),
        "endTimeUnixNano": str(start + 2 * SECOND_NS),
        "status": {"code": 2} if failed else {},
        "attributes": {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": call["name"],
            "gen_ai.tool.call.id": call["id"],
            "gen_ai.tool.call.arguments": json.dumps(call["arguments"]),
            "gen_ai.tool.call.result": "refused" if failed else "{}",
            **({"error.type": "refused"} if failed else {}),
            **common,
        },
    }
    chat = {
        "traceId": trace,
        "spanId": f"{2 * number + 1:016x}",
        "name": "chat m",
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 3 * SECOND_NS),
        "attributes": {
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": messages,
            "gen_ai.output.messages": [said("assistant", answer)],
            **common,
        },
    }
    return [chat, tool]
