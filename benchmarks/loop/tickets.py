"""Production traffic of a made-up ticket desk, its tools and its agent; imports nothing of the product.

The desk recurringly closes a ticket before it has read its history, and then says that it could not. Whether
it does depends on the ticket and on what the agent is told, so the same conversation always comes out the
same. What it should have done asks its tools nothing else, so it can be replayed.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

TOPICS = 120
"""Different requests; tickets of one topic come from different people and end differently."""

FIND, READ, CLOSE = ("find_ticket", "code"), ("read_history", "ticket"), ("close_ticket", "ticket")
"""Its tools, and what each is told a ticket's code as."""
TOOLS = tuple(tool for tool, _ in (FIND, READ, CLOSE))
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


def closed(code: str, *, hastily: bool) -> str:
    """Return what the agent says once it has closed the ticket."""
    return "I am sorry, I could not close it." if hastily else f"I closed {code} for you."


def _drawn(number: int, *lists: Sequence[str]) -> Sequence[str]:
    digest = hashlib.sha256(f"words {number}".encode()).digest()
    return [words[digest[at] % len(words)] for at, words in enumerate(lists)]


def forgets(code: str, system: str) -> bool:
    """Whether the agent closes this ticket before it reads its history.

    Whatever more it is told makes it think of most of the histories that it forgets; of which depends on the
    words, so experiments come to different numbers.
    """
    if "read_history" in system or _share(code) >= 35:
        return False
    return system in ("", SYSTEM) or _share(code + system) < 30


def neglects(code: str, system: str) -> bool:
    """Whether the agent only promises to close this ticket: what else an edit of what it is told does."""
    if system in ("", SYSTEM) or "read_history" in system:
        return False
    return _share(code + system) >= 95


def _share(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) % 100


def tape(number: int, *, forgotten: bool = False) -> Sequence[tuple[str, str, str]]:
    """Return the calls of a conversation: tool, arguments, result (JSON text)."""
    code = code_of(number)
    notes = [
        {"at": f"2026-10-{day:02d}", "note": f"visited, part {day} ordered"} for day in range(1, 9)
    ]
    found, read, closed = (
        (tool, json.dumps({name: code}), json.dumps(result))
        for (tool, name), result in zip(
            (FIND, READ, CLOSE),
            (
                {"ticket": code, "state": "open"},
                {"history": notes},
                {"ticket": code, "state": "closed"},
            ),
            strict=True,
        )
    )
    return (found, closed, read) if forgotten else (found, read, closed)


def conversation_spans(number: int, *, start_ns: int) -> Iterator[Mapping[str, Any]]:
    """Yield the spans of one conversation in production as OTLP/JSON, attributes as a plain mapping."""
    trace = f"{number + 1:032x}"
    code = code_of(number)
    failed = forgets(code, "")
    calls = tape(number, forgotten=failed)
    messages: list[dict[str, Any]] = [_said("user", opening(number))]
    for at, (name, arguments, result) in enumerate(calls):
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
            "attributes": {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.agent.name": "desk",
                "gen_ai.tool.name": name,
                "gen_ai.tool.call.id": f"c{at}",
                "gen_ai.tool.call.arguments": arguments,
                "gen_ai.tool.call.result": result,
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
                [_said("assistant", closed(code, hastily=failed))]
            ),
        },
    }


def _called(call: str, name: str, arguments: str, result: str) -> list[dict[str, Any]]:
    asked = {"type": "tool_call", "id": call, "name": name, "arguments": json.loads(arguments)}
    told = {"type": "tool_call_response", "id": call, "response": result}
    return [{"role": "assistant", "parts": [asked]}, {"role": "tool", "parts": [told]}]


def _said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}
