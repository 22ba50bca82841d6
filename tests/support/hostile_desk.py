"""Spans of a library's desk, some conversations of which were written by an attacker.

A failing conversation looks a loan up twice in vain. What an attacker wrote stands in it as a user's
message or as a tool's result.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

START_NS = 1_790_000_000_000_000_000
SECOND_NS = 1_000_000_000
SYSTEM = "You are the desk of a library.\nHelp members with loans.\nNever waive a fee."
TOOLS = [
    {
        "type": "function",
        "name": name,
        "description": about,
        "parameters": {
            "type": "object",
            "properties": {"loan": {"type": "string"}},
            "required": ["loan"],
        },
    }
    for name, about in (("find_loan", "Find a loan."), ("renew_loan", "Renew a loan."))
]
REQUESTS = (
    "renew the atlas of rivers that I borrowed in spring",
    "my cookery book about bread is due tomorrow, may I keep it",
    "extend the loan of the guitar method for beginners",
    "the children would like to keep the dinosaur comic for longer",
    "prolong the dictionary of Portuguese verbs for me",
    "keep the field guide to moths another month",
    "more time with the biography of the astronomer",
    "the crime novel set in Trieste is not finished yet, extend it",
    "renewal of the sewing patterns magazine from March",
    "the exam is later, so extend the chemistry textbook",
)


@dataclass(frozen=True, kw_only=True)
class Attack:
    """What an attacker wrote into one conversation.

    Attributes:
        said: a further message of the user.
        result: instead of what the tool answers.
    """

    said: str = ""
    result: str = ""


def conversations(attacks: Sequence[Attack], *, first: int, good: int) -> list[dict[str, Any]]:
    """Return spans of ``good`` renewals that work and of one failing conversation for each attack."""
    spans: list[dict[str, Any]] = []
    for number in range(good):
        spans += _conversation(first + number, REQUESTS[number % len(REQUESTS)], None)
    for number, attack in enumerate(attacks, start=good):
        spans += _conversation(first + number, REQUESTS[number % len(REQUESTS)], attack)
    return spans


def _conversation(number: int, request: str, attack: Attack | None) -> list[dict[str, Any]]:
    base = START_NS + number * 600 * SECOND_NS
    loan = f"LN-{number:05d}"
    opening = f"Hello, {request}. It is loan {loan}."
    called = (
        [("find_loan", '{"loan": "' + loan + '"}', "ok"), ("renew_loan", '{"ok": true}', "ok")]
        if attack is None
        else [("find_loan", attack.result or '{"error": "timeout"}', "error")] * 2
    )
    history: list[dict[str, Any]] = [_said("user", opening)]
    spans = [_span(number, 0, base, {"gen_ai.operation.name": "invoke_agent"})]
    for at, (name, result, status) in enumerate(called):
        call = {"id": f"c{number}-{at}", "name": name, "arguments": {"loan": loan}}
        asks = {"role": "assistant", "parts": [{"type": "tool_call", **call}]}
        spans.append(_chat(number, 2 * at + 1, base, history, asks))
        spans.append(_tool(number, 2 * at + 2, base, call, (result, status)))
        answer = {"type": "tool_call_response", "id": call["id"], "response": result}
        history = [*history, asks, {"role": "tool", "parts": [answer]}]
    if attack is None:
        last = _said("assistant", "Your loan is renewed until the end of next month.")
        return [*spans, _chat(number, 8, base, history, last)]
    sorry = _said("assistant", "I am sorry, I cannot find it.")
    spans.append(_chat(number, 8, base, history, sorry))
    wrong = f"That is wrong, you did not help me at all. {attack.said}".strip()
    history = [*history, sorry, _said("user", wrong)]
    return [*spans, _chat(number, 9, base, history, _said("assistant", "I am sorry, I cannot."))]


def _said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _span(number: int, at: int, base: int, attributes: Mapping[str, Any]) -> dict[str, Any]:
    root = at == 0
    return {
        "traceId": f"{number + 1:032x}",
        "spanId": f"{number * 16 + at + 1:016x}",
        **({} if root else {"parentSpanId": f"{number * 16 + 1:016x}"}),
        "name": str(attributes["gen_ai.operation.name"]),
        "startTimeUnixNano": str(base + at * SECOND_NS),
        "endTimeUnixNano": str(base + (20 if root else at + 1) * SECOND_NS),
        "attributes": {
            "gen_ai.agent.name": "desk",
            "gen_ai.conversation.id": f"conversation-{number}",
            "user.id": f"user-{number}",
            **attributes,
        },
    }


def _chat(
    number: int, at: int, base: int, history: Sequence[Any], answer: Mapping[str, Any]
) -> dict[str, Any]:
    return _span(
        number,
        at,
        base,
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.system_instructions": [{"type": "text", "content": SYSTEM}],
            "gen_ai.tool.definitions": TOOLS,
            "gen_ai.input.messages": list(history),
            "gen_ai.output.messages": [{**answer, "finish_reason": "stop"}],
        },
    )


def _tool(
    number: int, at: int, base: int, call: Mapping[str, Any], outcome: tuple[str, str]
) -> dict[str, Any]:
    result, status = outcome
    span = _span(
        number,
        at,
        base,
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": call["name"],
            "gen_ai.tool.call.id": call["id"],
            "gen_ai.tool.call.arguments": json.dumps(call["arguments"]),
            "gen_ai.tool.call.result": result,
            **({"error.type": "timeout"} if status == "error" else {}),
        },
    )
    return {**span, "status": {"code": 2} if status == "error" else {}}
