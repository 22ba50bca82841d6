"""Places in a recorded run where a fault can be planted. Imports nothing of the product."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.truth.recorded import (
    ARGUMENTS,
    INPUT,
    OUTPUT,
    RESULT,
    TOOL_NAME,
    Item,
    Message,
    Part,
    Recorded,
    Run,
)

ID = re.compile(r"^(?=.*\d)(?!\d{4}-\d\d-\d\d)[#A-Za-z0-9][\w#-]{4,39}$")
"""A word with a digit, 5 to 40 characters, not a date."""

AMOUNT = re.compile(
    r"(?<![\w.,#-])(\$\d{1,3}(?:,\d{3})+(?:\.\d{2})?|\$\d{2,6}(?:\.\d{2})?|\d{2,6}\.\d{2})(?![\w%-]|[.,]\d)"
)
"""An amount of money: with a currency sign or two decimals."""

NUMBER = re.compile(r"(?<![\w.])\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A tool call that was answered, and the model call that asked for it."""

    chat: Recorded
    tool: Recorded
    id: str
    name: str
    arguments: dict[str, Any]


def answered(run: Run) -> list[Call]:
    """Return the calls whose answer a later model call of the run was given, in order."""
    heard = {
        part.get("id")
        for chat in run.chats
        for message in chat.messages.get(INPUT, [])
        for part in message["parts"]
        if part["type"] == "tool_call_response"
    }
    tools = run.tools()
    return [
        Call(
            chat=chat,
            tool=tools[part["id"]],
            id=part["id"],
            name=tools[part["id"]].text(TOOL_NAME),
            arguments=part["arguments"],
        )
        for chat, part in run.asked()
        if part.get("id") in tools and part["id"] in heard and isinstance(part["arguments"], dict)
    ]


def said_once(run: Run) -> list[Item]:
    """Return the texts that a model call of the run gave out and that the run tells once."""
    items = [i for i in run.items() if i.kind == "assistant"]
    texts = [i.text for i in items]
    return [i for i in items if texts.count(i.text) == 1 and i.text in spoken(i.span)]


def spoken(chat: Recorded) -> list[str]:
    """Return the texts that a model call gave out."""
    return [
        part["content"]
        for message in chat.messages.get(OUTPUT, [])
        for part in message["parts"]
        if part["type"] == "text" and part.get("content")
    ]


def told_before(run: Run, place: Item | Call) -> str:
    """Return what the user and the tools had said before ``place``, as one text."""
    tools = run.tools()
    told: list[str] = []
    for item in run.items():
        if _is(item, place):
            break
        if item.kind == "user":
            told.append(item.text)
        elif item.kind == "call" and item.text in tools:
            told.append(tools[item.text].text(RESULT))
    return "\n".join(told)


def around(run: Run, call: Call) -> tuple[str, str]:
    """Return the last two texts before ``call`` as one, and the first text of the agent after it."""
    items = run.items()
    at = next(k for k, item in enumerate(items) if _is(item, call))
    before = [i.text for i in items[:at] if i.kind != "call"][-2:]
    after = next((i.text for i in items[at:] if i.kind == "assistant"), "")
    return "\n".join(before), after


def wanted_by(run: Run, call: Call) -> str:
    """Return the words of the user that ``call`` answers at once, '' where something came between."""
    items = run.items()
    at = next(k for k, item in enumerate(items) if _is(item, call))
    earlier = [i for i in items[:at] if i.span is not call.chat or i.kind == "user"]
    return earlier[-1].text if earlier and earlier[-1].kind == "user" else ""


def everything(run: Run) -> str:
    """Return all text of the run, instructions included."""
    return "\n".join(a.value.string_value for s in run.spans for a in s.span.attributes)


def values(value: Any) -> list[str]:
    """Return the leaves of a JSON value as text."""
    if isinstance(value, Mapping):
        return [leaf for v in value.values() for leaf in values(v)]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [leaf for v in value for leaf in values(v)]
    return [value if isinstance(value, str) else json.dumps(value)]


def replaced(value: Any, old: str, new: str) -> Any:
    """Return a JSON value with every leaf ``old`` replaced by ``new``."""
    if isinstance(value, Mapping):
        return {k: replaced(v, old, new) for k, v in value.items()}
    if isinstance(value, list):
        return [replaced(v, old, new) for v in value]
    return new if value == old else value


def ids_in(text: str) -> set[str]:
    """Return the words of ``text`` that look like ids."""
    return {w for w in re.findall(r"[\w#-]+", text) if ID.match(w)}


def form_of(identifier: str) -> str:
    """Return the form of an id: ``#W0`` for ``#W1588712``, ``gift_card_0`` for ``gift_card_17``.

    Two words and a number without the word card are taken for a person's.
    """
    if re.fullmatch(r"[A-Z0-9]+", identifier) and not re.fullmatch(r"[A-Z]+\d+", identifier):
        return f"[A-Z0-9]{len(identifier)}" if not identifier.isdigit() else f"0{len(identifier)}"
    head = re.sub(r"\d+", "0", identifier)
    return "name_0" if re.fullmatch(r"[a-z]+_[a-z]+_0", head) and "card" not in head else head


def numbers(text: str) -> set[float]:
    """Return every number in ``text``."""
    return {number(found) for found in NUMBER.findall(text)}


def number(text: str) -> float:
    """Return the number that ``text`` writes."""
    return float(text.replace(",", "").replace("$", ""))


def nearby(text: str, rng: np.random.Generator) -> str:
    """Return another amount of about the same size, written the same way."""
    value = number(text) * rng.uniform(0.6, 1.6)
    decimals = len(text.rpartition(".")[2]) if "." in text else 0
    written = f"{value:,.{decimals}f}" if "," in text else f"{value:.{decimals}f}"
    return f"${written}" if text.startswith("$") else written


def cuts(text: str) -> list[int]:
    """Return where ``text`` may be cut inside a sentence: between lower-case words, 0.3 to 0.9 through."""
    found = [m.start() for m in re.finditer(r"(?<=[a-z,]) (?=[a-z])", text)]
    return [at for at in found if 0.3 * len(text) <= at <= 0.9 * len(text)]


def asks(part: Part, call_id: str) -> bool:
    """Whether ``part`` asks for the call."""
    return part["type"] == "tool_call" and part.get("id") == call_id


def responds(part: Part, call_id: str) -> bool:
    """Whether ``part`` answers the call."""
    return part["type"] == "tool_call_response" and part.get("id") == call_id


def only_call(call: Call) -> Part | None:
    """Return the part that asks for ``call`` if its model call asked for nothing else."""
    parts = [p for m in call.chat.messages.get(OUTPUT, []) for p in m["parts"]]
    asked = [p for p in parts if p["type"] == "tool_call"]
    return asked[0] if len(asked) == 1 else None


def answer(run: Run, call: Call, text: str) -> None:
    """Let the tool have answered ``text``."""
    run.rewrite(lambda p: {**p, "response": text} if responds(p, call.id) else p)
    call.tool.put(RESULT, text)


def argue(run: Run, call: Call, arguments: dict[str, Any]) -> None:
    """Let the call have had ``arguments``."""
    run.rewrite(lambda p: {**p, "arguments": arguments} if asks(p, call.id) else p)
    call.tool.put(ARGUMENTS, json.dumps(arguments, ensure_ascii=False, separators=(",", ":")))


def finish(chat: Recorded, reason: str) -> None:
    """Let the model call have ended for ``reason``."""
    for attribute in chat.span.attributes:
        if attribute.key == "gen_ai.response.finish_reasons":
            for value in attribute.value.array_value.values:
                value.string_value = reason
    chat.messages[OUTPUT] = [{**m, "finish_reason": reason} for m in chat.messages[OUTPUT]]


def repeat_in_histories(run: Run, call: Call, again: Part) -> bool:
    """Tell the second call and its answer after the first; whether histories tell calls at all."""
    whole = False
    for span in run.spans:
        told: list[Message] = []
        asked = False
        for message in span.messages.get(INPUT, []):
            asked |= any(asks(p, call.id) for p in message["parts"])
            answers = [p for p in message["parts"] if responds(p, call.id)]
            second = [{**p, "id": again["id"]} for p in answers]
            if answers and not asked:
                message = {**message, "parts": second}
            told.append(message)
            if answers and asked:
                told.append({"role": "assistant", "parts": [again]})
                told.append({"role": message["role"], "parts": second})
        whole |= asked
        if INPUT in span.messages:
            span.messages[INPUT] = told
    return whole


def end_before(run: Run, call: Call, *, promise: str, wanted: str) -> None:
    """End the run where ``call`` was asked for.

    The last words are ``promise`` of the agent, or ('') those of the user, ``wanted``.
    """
    end = call.chat.span.end_time_unix_nano
    part: Part = {"type": "text", "content": promise}
    said: list[Message] = [{"role": "assistant", "parts": [part], "finish_reason": "stop"}]
    enclosing = run.enclosing(call.chat)
    kept = [s for s in run.spans if s.start < call.chat.start or s in enclosing]
    for span in (s for s in enclosing if s.operation == "invoke_agent"):
        span.span.end_time_unix_nano = end
        span.messages[OUTPUT] = said if promise else []
        told = span.messages.get(INPUT, [])
        asked = [k for k, m in enumerate(told) if any(asks(p, call.id) for p in m["parts"])]
        span.messages[INPUT] = told[: asked[0]] if asked else told
    if promise:
        call.chat.messages[OUTPUT] = said
        finish(call.chat, "stop")
        kept.append(call.chat)
    run.spans = kept
    if not promise and wanted not in [i.text for i in run.items() if i.kind == "user"]:
        words: Message = {"role": "user", "parts": [{"type": "text", "content": wanted}]}
        enclosing[0].messages[INPUT] = [*enclosing[0].messages.get(INPUT, []), words]


def each(calls: Sequence[Call]) -> Iterator[tuple[Call, Call]]:
    """Yield every ordered pair of different calls."""
    for call in calls:
        for other in calls:
            if other is not call:
                yield call, other


def _is(item: Item, place: Item | Call) -> bool:
    if isinstance(place, Call):
        return item.kind == "call" and item.text == place.id
    return item.kind == place.kind and item.text == place.text
