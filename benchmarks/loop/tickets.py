"""Production traffic of a made-up ticket desk, its tools and its agent; imports nothing of the product.

The desk recurringly closes a ticket without having read its history, which its tool refuses. Whether it does
depends on the ticket and on what the agent is told, so the same conversation always comes out the same.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

TOPICS = 120
"""Different requests; tickets of one topic come from different people and end differently."""

TOOLS = ("find_ticket", "read_history", "close_ticket")
THINGS = [
    "heating",
    "lift",
    "doorbell",
    "shower",
    "window",
    "balcony",
    "cellar",
    "mailbox",
    "oven",
    "drain",
    "lamp",
    "lock",
    "gutter",
    "boiler",
    "fence",
    "intercom",
    "blinds",
    "toilet",
    "fridge",
    "radiator",
    "staircase",
    "garage",
    "antenna",
    "skylight",
]
PLACES = [
    "kitchen",
    "bathroom",
    "hallway",
    "bedroom",
    "attic",
    "laundry",
    "courtyard",
    "nursery",
    "study",
    "pantry",
]
TROUBLES = [
    "is cold",
    "leaks",
    "rattles at night",
    "smells of gas",
    "is stuck",
    "flickers",
    "was scratched by movers",
    "lets rain in",
    "hums loudly",
    "froze over",
    "is mouldy",
    "fell down",
]
SINCES = [
    "the weekend",
    "Tuesday",
    "last month",
    "the storm",
    "we moved in",
    "Easter",
    "your visit",
]
CLOSING = "Please close it, {reason}."
REASONS = [
    "my neighbour fixed it",
    "it works again",
    "we are moving out",
    "the caretaker came",
    "I was wrong about it",
    "it can wait until spring",
    "my insurance pays",
]
SYSTEM = "You are the desk of a housing company. Look things up before you answer."


def code_of(number: int) -> str:
    """Return the code of a ticket."""
    return f"T-{number:05d}"


def opening(number: int) -> str:
    """Return what the user asks first."""
    thing, place, trouble, since = _drawn(number % TOPICS, THINGS, PLACES, TROUBLES, SINCES)
    return f"What became of ticket {code_of(number)}? The {thing} in the {place} {trouble} since {since}."


def second(number: int) -> str:
    """Return what the user asks then."""
    return CLOSING.format(reason=_drawn(number % TOPICS + 1, REASONS)[0])


def found(code: str) -> str:
    """Return what the agent says once it has looked the ticket up."""
    return f"Ticket {code} is open since Monday."


def closed(code: str, *, refused: bool) -> str:
    """Return what the agent says once it has tried to close the ticket."""
    return "I am sorry, I could not close it." if refused else f"I closed {code} for you."


def _drawn(number: int, *lists: Sequence[str]) -> Sequence[str]:
    digest = hashlib.sha256(f"words {number}".encode()).digest()
    return [words[digest[at] % len(words)] for at, words in enumerate(lists)]


def forgets(code: str, system: str) -> bool:
    """Whether the agent closes this ticket without reading its history."""
    if "read_history" in system:
        return False
    return _share(code) < 35


def neglects(code: str, system: str) -> bool:
    """Whether the agent only promises to close this ticket: an edit of what it is told moves whom it fails.

    No edit helps on the whole, so nothing should ship; which tickets fail tells experiments apart.
    """
    if system in ("", SYSTEM) or "read_history" in system:
        return False
    return _share(code + system) < 20


def _share(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) % 100


def tape(number: int, *, forgotten: bool = False) -> Sequence[tuple[str, str, str]]:
    """Return the calls of a conversation: tool, arguments, result (JSON text)."""
    code = code_of(number)
    if forgotten:
        return (
            (
                "find_ticket",
                json.dumps({"code": code}),
                json.dumps({"ticket": code, "state": "open"}),
            ),
            (
                "close_ticket",
                json.dumps({"ticket": code}),
                json.dumps({"error": "history not read"}),
            ),
        )
    history = [
        {"at": f"2026-10-{day:02d}", "note": f"visited, part {day} ordered"} for day in range(1, 9)
    ]
    return (
        ("find_ticket", json.dumps({"code": code}), json.dumps({"ticket": code, "state": "open"})),
        ("read_history", json.dumps({"ticket": code}), json.dumps({"history": history})),
        (
            "close_ticket",
            json.dumps({"ticket": code}),
            json.dumps({"ticket": code, "state": "closed"}),
        ),
    )


def conversation_spans(number: int, *, start_ns: int) -> Iterator[Mapping[str, Any]]:
    """Yield the spans of one conversation in production as OTLP/JSON, attributes as a plain mapping."""
    trace = f"{number + 1:032x}"
    code = code_of(number)
    failed = forgets(code, "")
    calls = tape(number, forgotten=failed)
    messages: list[dict[str, Any]] = [_said("user", opening(number))]
    for at, (name, arguments, result) in enumerate(calls):
        broken = failed and name == "close_ticket"
        if name == "close_ticket":
            messages += [_said("assistant", found(code)), _said("user", second(number))]
        messages += _called(f"c{at}", name, arguments, result)
        yield {
            "traceId": trace,
            "spanId": f"{8 * number + 2 + at:016x}",
            "parentSpanId": f"{8 * number + 1:016x}",
            "name": f"execute_tool {name}",
            "startTimeUnixNano": str(start_ns + at * 1_000_000_000),
            "endTimeUnixNano": str(start_ns + at * 1_000_000_000 + 1_000_000),
            "status": {"code": 2} if broken else {},
            "attributes": {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.agent.name": "desk",
                "gen_ai.tool.name": name,
                "gen_ai.tool.call.id": f"c{at}",
                "gen_ai.tool.call.arguments": arguments,
                "gen_ai.tool.call.result": result,
                **({"error.type": "refused"} if broken else {}),
            },
        }
    yield {
        "traceId": trace,
        "spanId": f"{8 * number + 1:016x}",
        "name": "chat",
        "startTimeUnixNano": str(start_ns),
        "endTimeUnixNano": str(start_ns + 9_000_000_000),
        "attributes": {
            "gen_ai.operation.name": "chat",
            "gen_ai.agent.name": "desk",
            "user.id": f"u{number}",
            "gen_ai.system_instructions": json.dumps([{"type": "text", "content": SYSTEM}]),
            "gen_ai.input.messages": json.dumps(messages),
            "gen_ai.output.messages": json.dumps(
                [_said("assistant", closed(code, refused=failed))]
            ),
        },
    }


def _called(call: str, name: str, arguments: str, result: str) -> list[dict[str, Any]]:
    asked = {"type": "tool_call", "id": call, "name": name, "arguments": json.loads(arguments)}
    told = {"type": "tool_call_response", "id": call, "response": result}
    return [{"role": "assistant", "parts": [asked]}, {"role": "tool", "parts": [told]}]


def _said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}
