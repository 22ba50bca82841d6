"""Reads a column's text into messages by asking each form in turn, within bounds.

A form (`Form`) is what one family of SDKs writes: how its messages, its content blocks and the objects around
them look. A reader knows no form by itself; `spanloop.processor.messages.forms` holds them and their order.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spanloop.processor.messages.lenient import NOT_JSON, is_list, is_object, parse
from spanloop.processor.messages.model import (
    ANSWER,
    CALL,
    REASONING,
    Message,
    Part,
    dump,
    role_of,
    text_part,
)

Object = Mapping[str, Any]
Block = Callable[[Object, "Reader"], list[Part]]
MaybeBlock = Callable[[Object, "Reader"], list[Part] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """Bounds of what is read from one column; what lies beyond is left out and flagged.

    Attributes:
        text: characters of a column.
        part: characters of one text part.
        messages: messages.
        parts: parts of all messages together.
        depth: nesting of objects and arrays, in content and in arguments.
    """

    text: int = 4 * 1024 * 1024
    part: int = 1024 * 1024
    messages: int = 10_000
    parts: int = 40_000
    depth: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What one family of SDKs writes.

    Attributes:
        name: of the family.
        signs: keys of which a message of this form has at least one; only then it is asked.
        message: reads an object that is a message (or several) of this form; None if it is not.
        inside: takes an object that holds messages apart; `NOT_JSON` if it is not of this form.
        blocks: readers of content blocks by the block's type.
        keyed: readers of content blocks without a type, by the key that gives them away; None if it lied.
    """

    name: str
    signs: frozenset[str] = frozenset()
    message: "Callable[[Object, Reader], list[Message] | None] | None" = None
    inside: Callable[[Object], Any] | None = None
    blocks: "Mapping[str, Block]" = field(default_factory=dict[str, Any])
    keyed: "Mapping[str, MaybeBlock]" = field(default_factory=dict[str, Any])


class Forms:
    """The forms in the order in which they are asked, as tables: the first form that has a key wins."""

    __slots__ = ("blocks", "inside", "keyed", "messages")

    def __init__(self, forms: Sequence[Form]) -> None:
        self.messages = [(form.signs, form.message) for form in forms if form.message]
        self.inside = [form.inside for form in forms if form.inside]
        self.blocks = {kind: read for form in reversed(forms) for kind, read in form.blocks.items()}
        keyed = {key: read for form in reversed(forms) for key, read in form.keyed.items()}
        self.keyed = {key: keyed[key] for form in forms for key in form.keyed}


class Reader:
    """Reads one column. Raises on nothing; ``cut`` tells that a bound was reached or the text broken.

    Args:
        forms: what is recognised.
        caps: bounds.
        speaker: role of text that names none: ``user`` for inputs, ``assistant`` for outputs.
    """

    __slots__ = ("_caps", "_depth", "_forms", "_parts", "cut", "speaker")

    def __init__(self, forms: Forms, caps: Caps, *, speaker: str) -> None:
        self._forms = forms
        self._caps = caps
        self._depth = 0
        self._parts = 0
        self.cut = False
        self.speaker = speaker

    # --- from a column to messages -------------------------------------------------------------

    def column(self, text: str) -> list[Message]:
        """Return the messages in a column's text."""
        return self.capped(self.messages(self.parsed(text)))

    def capped(self, messages: list[Message]) -> list[Message]:
        """Return the first of ``messages``, as many as are allowed."""
        if len(messages) > self._caps.messages:
            self.cut = True
            return messages[: self._caps.messages]
        return messages

    def parsed(self, text: str) -> Any:
        """Return the JSON array or object that ``text`` is, else the text."""
        if len(text) > self._caps.text:
            text, self.cut = text[: self._caps.text], True
        value, text, cut = parse(text)
        self.cut |= cut
        return text if value is NOT_JSON else value

    def messages(self, value: Any) -> list[Message]:
        """Return the messages in ``value``, whatever form they have."""
        if value is None or value == "":
            return []
        if self._depth >= self._caps.depth:
            self.cut = True
            return []
        self._depth += 1
        try:
            if is_list(value):
                return self._of_list(value)
            if is_object(value):
                return self._of_object(value)
            return self._spoken(value)
        finally:
            self._depth -= 1

    def _spoken(self, value: Any) -> list[Message]:
        """Read bare text; some print a whole history into it."""
        text = self.text(value)
        lines = spoken(text) if self.speaker == "user" else []
        return [Message(role, [text_part(said)]) for role, said in lines] or self.said(
            [text_part(text)]
        )

    def said(self, parts: list[Part], role: str | None = None) -> list[Message]:
        """Return ``parts`` as one message of ``role``, by default that of the column."""
        return [Message(role or self.speaker, parts)] if parts else []

    def _of_list(self, items: list[Any]) -> list[Message]:
        if _is_pair(items):
            items = [{"role": items[0], "content": items[1]}]
        elif len(items) == 1 and isinstance(items[0], str):
            return self.messages(items[0])
        found: list[Message] = []
        # Blocks and bare texts between messages: one message of the column's speaker.
        loose: list[Part] = []
        for item in items:
            if len(found) > self._caps.messages:
                break
            told = self._told(item) if is_object(item) else None
            if told is None and (not isinstance(item, dict | list) or self._is_block(item)):
                loose += self.parts(item)
                continue
            found += self.said(loose)
            loose = []
            found += self.messages(item) if told is None else told
        return found + self.said(loose)

    def _told(self, item: Object) -> list[Message] | None:
        """Return the messages that ``item`` is, None if no form knows it as one."""
        for signs, read in self._forms.messages:
            if not signs.isdisjoint(item) and (found := read(item, self)) is not None:
                return found
        return None

    def _is_block(self, item: Any) -> bool:
        if not is_object(item):
            return False
        kind = item.get("type")
        if isinstance(kind, str):
            return kind in self._forms.blocks
        return any(key in item for key in self._forms.keyed)

    def _of_object(self, item: Object) -> list[Message]:
        if (told := self._told(item)) is not None:
            return told
        for inside in self._forms.inside:
            if (value := inside(item)) is not NOT_JSON:
                return self.messages(value)
        return self.said(self.parts(item)) if item else []

    # --- from content to parts -----------------------------------------------------------------

    def parts(self, content: Any) -> list[Part]:
        """Return the parts of a message's content: text, a block, or a list of both."""
        if content is None or content == "":
            return []
        if is_list(content):
            return [part for item in content for part in self.parts_once(item)]
        return self.parts_once(content)

    def parts_once(self, block: Any) -> list[Part]:
        """Return the parts of one block of content, within the bounds of parts and depth."""
        if self._parts >= self._caps.parts or self._depth >= self._caps.depth:
            self.cut = True
            return []
        self._parts += 1
        if not is_object(block):
            return [text_part(self.text(block))] if block not in (None, "") else []
        self._depth += 1
        try:
            return self._of_block(block)
        finally:
            self._depth -= 1

    def _of_block(self, block: Object) -> list[Part]:
        kind = block.get("type")
        if isinstance(kind, str):
            read = self._forms.blocks.get(kind)
            if read is not None:
                return read(block, self)
        for key, read_keyed in self._forms.keyed.items():
            if key in block and (parts := read_keyed(block, self)) is not None:
                return parts
        if isinstance(kind, str):  # of a kind that nobody knows yet: what it says is kept
            said = block.get("content") or block.get("text")
            return [
                Part(
                    kind,
                    content=self.text(said) if isinstance(said, str) else None,
                    id=label(block.get("id")),
                    name=label(block.get("name")),
                )
            ]
        return [text_part(self.text(block))]

    # --- what forms build parts of ---------------------------------------------------------------

    def text(self, value: Any) -> str:
        """Return ``value`` if it is text, else its JSON, within the bound of a part."""
        text = value if isinstance(value, str) else dump(self.value(value))
        if len(text) > self._caps.part:
            self.cut = True
            return text[: self._caps.part]
        return text

    def thought(self, text: Any) -> list[Part]:
        """Return reasoning, if there is any."""
        said = self.plain(text)
        return [Part(REASONING, content=said)] if said else []

    def call(self, name: Any, arguments: Any, call_id: Any = None) -> Part:
        """Return a tool call; arguments that are JSON text are read."""
        return Part(
            CALL, id=label(call_id), name=label(name) or "", value=self.arguments(arguments)
        )

    def answer(self, response: Any, call_id: Any = None, name: Any = None) -> Part:
        """Return a tool's answer: its text where it is text, else JSON."""
        return Part(ANSWER, id=label(call_id), name=label(name), value=self.response(response))

    def arguments(self, arguments: Any) -> Any:
        """Return the arguments of a call as a JSON value; text that is none stays text."""
        if isinstance(arguments, str):
            value, arguments, cut = parse(arguments)
            if not arguments.strip():
                return {}
            self.cut |= cut
            # Half the arguments are worse than their text: they would look like other arguments.
            if value is NOT_JSON or cut:
                return self.text(arguments)
            arguments = value
        return self.value(arguments)

    def response(self, response: Any) -> Any:
        """Return what a tool answered; a list of text blocks is its text."""
        if isinstance(response, str):
            return self.text(response)
        if is_list(response) and response and all(map(_is_text_block, response)):
            return self.text("\n".join(_block_text(block) for block in response))
        if is_object(response) and _is_text_block(response):
            return self.text(_block_text(response))
        return self.value(response)

    def plain(self, content: Any) -> str:
        """Return the text in ``content``, its blocks joined by line ends."""
        if isinstance(content, str):
            return self.text(content)
        return "\n".join(part.content for part in self.parts(content) if part.content)

    def value(self, value: Any, depth: int = 0) -> Any:
        """Return a JSON value, cut off where it is nested too deep."""
        if not isinstance(value, dict | list):
            return value
        if depth >= self._caps.depth:
            self.cut = True
            return None
        if is_object(value):
            return {key: self.value(inner, depth + 1) for key, inner in value.items()}
        return [self.value(inner, depth + 1) for inner in value] if is_list(value) else None


def spoken(text: str) -> list[tuple[str, str]]:
    r"""Return who says what in a printed history (OpenLIT, LangChain's prompts); [] if it is none.

    >>> spoken("system: be brief\nuser: hi\nthere")
    [('system', 'be brief'), ('user', 'hi\nthere')]
    """
    if not _SPEAKER.match(text):
        return []
    _, *pieces = _SPEAKER.split(text)
    return [
        (role_of(role, "user"), said.removesuffix("\n"))
        for role, said in zip(pieces[::2], pieces[1::2], strict=True)
    ]


_SPEAKER = re.compile(r"^(system|user|assistant|tool|System|Human|AI): ", re.MULTILINE)


def label(value: Any) -> str | None:
    """Return ``value`` as an id or a name; None if it is missing, empty or no plain value."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def first(item: Object, *keys: str) -> Any:
    """Return the value of the first of ``keys`` that ``item`` has, None if it has none."""
    for key in keys:
        if (value := item.get(key)) is not None:
            return value
    return None


def _is_pair(items: list[Any]) -> bool:
    """Tell whether this is LangGraph's short form of a message: ``["user", "hello"]``."""
    return len(items) == 2 and items[0] in _PAIR_ROLES and isinstance(items[1], str)


_PAIR_ROLES = ("user", "human", "assistant", "ai", "system")


def _is_text_block(block: Any) -> bool:
    return (
        is_object(block)
        and isinstance(_text_of(block), str)
        and (len(block) == 1 or block.get("type") in ("text", "output_text", "input_text"))
    )


def _text_of(block: Object) -> Any:
    return first(block, "text", "content") if "type" in block else block.get("text")


def _block_text(block: Object) -> str:
    return str(_text_of(block))
