"""The content of one span in canonical form: which column tells it, and what is moved where.

System messages at the head of the input become system instructions, so that histories compare equal whatever
carried them. A tool's answer is a message of role ``tool``, one each, as chat models have it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, takewhile
from typing import Any, NamedTuple

from spanloop.processor.messages.events import carried, told
from spanloop.processor.messages.forms import FORMS
from spanloop.processor.messages.model import (
    ANSWER,
    CALL,
    TEXT,
    Message,
    Part,
    instructions_text,
    messages_text,
    text_part,
)
from spanloop.processor.messages.reader import Caps, Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The content columns of a span, as in ``genai_spans``; ``logs`` are events of its log records.

    ``events`` and ``logs`` are JSON: ``[{"name": …, "attributes": {…}}]``.
    """

    system: str | None = None
    input_messages: str | None = None
    output_messages: str | None = None
    events: str | None = None
    logs: str | None = None
    input: str | None = None
    output: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """What was said to the model and what it answered; None is what nothing carried.

    Attributes:
        system: parts of the system instructions.
        input: messages, without system messages at their head.
        output: messages.
        cut: a bound was reached, or a text ends inside JSON.
    """

    system: list[Part] | None
    input: list[Message] | None
    output: list[Message] | None
    cut: bool

    def texts(self) -> tuple[str | None, str | None, str | None]:
        """Return instructions, input and output as JSON text."""
        return (
            None if self.system is None else instructions_text(self.system),
            None if self.input is None else messages_text(self.input),
            None if self.output is None else messages_text(self.output),
        )


DEFAULT_CAPS = Caps()


def read_content(content: Content, caps: Caps = DEFAULT_CAPS) -> Messages:
    """Return the messages of a span.

    The columns of messages are asked first, then span events, log records, and generic input and output.
    """
    return _Content(content, caps).read()


class _Told(NamedTuple):
    system: list[Message] | None
    input: list[Message] | None
    output: list[Message] | None


_NOTHING = _Told(None, None, None)


class _Content:
    """Reads one span; holds what its columns have in common."""

    __slots__ = ("_caps", "_content", "_cut")

    def __init__(self, content: Content, caps: Caps) -> None:
        self._content = content
        self._caps = caps
        self._cut = False

    def read(self) -> Messages:
        content = self._content
        heard, said_too = self._input_column(content.input_messages)
        said = _best(self._column(content.output_messages, "assistant"), said_too)
        system = self._column(content.system, "system")
        for text in (content.events, content.logs):
            if not heard or not said:
                events = self._told(text)
                system = _best(system, events.system)
                heard, said = _best(heard, events.input), _best(said, events.output)
        if not heard:
            heard = _best(heard, self._column(content.input, "user"))
        if not said:
            said = _best(said, self._column(content.output, "assistant"))
        return self._arranged(system, heard, self._with_text(said))

    def _reader(self, speaker: str) -> Reader:
        return Reader(FORMS, self._caps, speaker=speaker)

    def _column(self, text: str | None, speaker: str) -> list[Message] | None:
        """Return the messages of a column; None if it is missing or empty text."""
        if text is None or not text.strip():
            return None
        reader = self._reader(speaker)
        found = tidy(reader.column(text))
        if reader.cut and found and not found[-1].parts:  # the text ended before it said anything
            found.pop()
        self._cut |= reader.cut
        return found

    def _input_column(self, text: str | None) -> tuple[list[Message] | None, list[Message] | None]:
        """Read the input; a list of events in it tells the answer as well (Pydantic AI, version 1)."""
        events = self._told(text) if text and "gen_ai.choice" in text else _NOTHING
        if events.input is None and events.output is None:
            return self._column(text, "user"), None
        return events.input, events.output

    def _told(self, text: str | None) -> _Told:
        """Return what events tell."""
        if text is None:
            return _NOTHING
        reader = self._reader("user")
        events = told(reader.parsed(text))
        self._cut |= reader.cut
        if events is None:
            return _NOTHING
        return _Told(
            self._values(events.system, "system"),
            self._values(events.input, "user"),
            self._values(events.output, "assistant"),
        )

    def _values(self, values: Iterable[Any], speaker: str) -> list[Message] | None:
        present = carried(values)
        if not present:
            return None
        reader = self._reader(speaker)
        found = [
            message
            for value in present
            for message in (
                reader.column(value) if isinstance(value, str) else reader.messages(value)
            )
        ]
        found = tidy(reader.capped(found))
        self._cut |= reader.cut
        return found

    def _with_text(self, said: list[Message] | None) -> list[Message] | None:
        """Put the text before calls that were listed apart from it (``ai.response.text``, LiveKit)."""
        text = self._content.output
        if not said or not text or len(said) != 1 or text.lstrip()[:1] in ("[", "{"):
            return said
        (message,) = said
        if message.role == "assistant" and all(part.type == CALL for part in message.parts):
            reader = self._reader("assistant")
            message.parts.insert(0, text_part(reader.text(text)))
            self._cut |= reader.cut
        return said

    def _arranged(
        self,
        system: list[Message] | None,
        heard: list[Message] | None,
        said: list[Message] | None,
    ) -> Messages:
        said = _answer_of(said) if said else said
        head = list(takewhile(lambda message: message.role == "system", heard or []))
        if heard is not None:
            heard = heard[len(head) :]
            if said and _ends_with(heard, said[-1]):  # an agent's history, told at its end
                heard = heard[:-1]
            for message in heard:  # why an earlier answer ended is told by its own span
                message.finish_reason = None
        instructions = _distinct([*(system or []), *head])
        return Messages(
            system=instructions or ([] if system is not None else None),
            input=heard,
            output=said,
            cut=self._cut,
        )


def _best(one: list[Message] | None, other: list[Message] | None) -> list[Message] | None:
    """Return the first that tells something, else the first that is carried at all."""
    return one or other or (other if one is None else one)


def tidy(messages: list[Message]) -> list[Message]:
    """Give each tool's answer a message of its own, and join the items of one answer."""
    found: list[Message] = []
    for piece in chain.from_iterable(map(_pieces, messages)):
        if piece.item and found and found[-1].item:
            found[-1].parts += piece.parts
        else:
            found.append(piece)
    return found


def _pieces(message: Message) -> Sequence[Message]:
    if not any(part.type == ANSWER for part in message.parts):
        return (message,)
    found: list[Message] = []
    for is_answer, parts in groupby(message.parts, lambda part: part.type == ANSWER):
        if is_answer:
            found += [Message("tool", [part]) for part in parts]
        else:
            found.append(Message(message.role, list(parts), name=message.name, item=message.item))
    found[-1].finish_reason = message.finish_reason
    return found


def _answer_of(said: list[Message]) -> list[Message]:
    """Return what follows the last user: an output with users in it is a history (LangGraph's state)."""
    users = [place for place, message in enumerate(said) if message.role == "user"]
    return (said[users[-1] + 1 :] or said) if users else said


def _ends_with(heard: list[Message], answer: Message) -> bool:
    return bool(heard) and (heard[-1].role, heard[-1].parts) == ("assistant", answer.parts)


def _distinct(messages: Sequence[Message]) -> list[Part]:
    """Return the text of system messages once, however often and wherever it is carried."""
    found: list[Part] = []
    seen: set[str] = set()
    for part in (part for message in messages for part in message.parts):
        if part.type == TEXT and part.content and part.content not in seen:
            seen.add(part.content)
            found.append(part)
    return found
