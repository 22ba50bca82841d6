"""A message and its parts, as OTel's GenAI conventions have them, and their JSON text.

The form is that of ``gen_ai.input.messages`` (semantic-conventions-genai v0.1.0, gen-ai-input-messages.json):
``[{"role": …, "parts": [{"type": …}]}]``. Payloads of other media are left out: what kind they were is kept.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from spanloop.processor.messages.lenient import is_object

TEXT = "text"
REASONING = "reasoning"
CALL = "tool_call"
ANSWER = "tool_call_response"


@dataclass(slots=True)
class Part:
    """One part of a message; what the type does not have is None.

    Attributes:
        type: ``text``, ``reasoning``, ``tool_call``, ``tool_call_response``, or another one as carried.
        content: the text of ``text`` and ``reasoning``.
        id: of the tool call.
        name: of the tool.
        value: JSON value: the arguments of a call, the response to it; text where it is no JSON.
        modality: image, audio, video, document, of a part that is not text.
        mime_type: the same.
    """

    type: str
    content: str | None = None
    id: str | None = None
    name: str | None = None
    value: Any = None
    modality: str | None = None
    mime_type: str | None = None

    def fields(self) -> dict[str, Any]:
        """Return the part as a JSON object; the order of the keys is always the same."""
        found: dict[str, Any] = {"type": self.type}
        for key, value in (
            ("id", self.id),
            ("name", self.name),
            ("arguments" if self.type == CALL else "response", self.value),
            ("content", self.content),
            ("modality", self.modality),
            ("mime_type", self.mime_type),
        ):
            if value is not None:
                found[key] = value
        return found


@dataclass(slots=True)
class Message:
    """What one speaker said at once.

    Attributes:
        role: system, user, assistant or tool; others as carried.
        parts: in order.
        name: of the speaker, where carried.
        finish_reason: why the model stopped, where an answer carries it.
        item: one item of an answer, of which those beside it are more (OpenAI Responses).
    """

    role: str
    parts: list[Part] = field(default_factory=list[Part])
    name: str | None = None
    finish_reason: str | None = None
    item: bool = False

    def fields(self) -> dict[str, Any]:
        """Return the message as a JSON object."""
        found: dict[str, Any] = {"role": self.role}
        if self.name is not None:
            found["name"] = self.name
        found["parts"] = [part.fields() for part in self.parts]
        if self.finish_reason is not None:
            found["finish_reason"] = self.finish_reason
        return found


_ROLES = {
    "human": "user",
    "ai": "assistant",
    "model": "assistant",
    "chatbot": "assistant",
    "developer": "system",
    "function": "tool",
}


def role_of(role: Any, default: str) -> str:
    """Return ``role`` under its OTel name; ``default`` if there is none.

    >>> role_of("Human", "user"), role_of(None, "assistant"), role_of("critic", "user")
    ('user', 'assistant', 'critic')
    """
    if is_object(role):  # Semantic Kernel: {"Label": "user"}
        role = role.get("Label", role.get("label"))
    if not isinstance(role, str) or not role:
        return default
    return _ROLES.get(role.lower(), role.lower())


def text_part(content: str) -> Part:
    """Return a part that is plain text."""
    return Part(TEXT, content=content)


def messages_text(messages: Iterable[Message]) -> str:
    """Return ``messages`` as JSON text."""
    return dump([message.fields() for message in messages])


def instructions_text(parts: Iterable[Part]) -> str:
    """Return system instructions as JSON text."""
    return dump([part.fields() for part in parts])


def canonical_json(text: str) -> str:
    """Return ``text`` with its keys sorted and no blanks if it is JSON, else as it is.

    >>> canonical_json('{"b": 1, "a": [1, 2]}')
    '{"a":[1,2],"b":1}'
    >>> canonical_json("not JSON")
    'not JSON'
    """
    try:
        return dump(json.loads(text), sort_keys=True)
    except (ValueError, RecursionError):
        return text


def is_only_argument(bare: str, arguments: Any) -> bool:
    """Tell whether ``bare`` is the only argument of a call, as LangChain passes it to the tool.

    LangChain hands a tool of one argument the value alone, and OpenInference writes down what it saw.

    >>> is_only_argument("A1", {"order": "A1"}), is_only_argument("A1", {"order": "A1", "n": 1})
    (True, False)
    """
    if not is_object(arguments) or len(arguments) != 1:
        return False
    (value,) = arguments.values()
    return bare == (value if isinstance(value, str) else str(value))


def dump(value: object, *, sort_keys: bool = False) -> str:
    """Return ``value`` as compact JSON text that any database takes (no NaN, no lone surrogate)."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS if sort_keys else None).decode()
    except TypeError:  # an integer beyond 64 bits, or half a surrogate pair
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys)
        return storable(text)


def storable(text: str) -> str:
    """Return ``text`` without halves of surrogate pairs, which JSON may name and UTF-8 cannot write."""
    return text.encode("utf-8", "replace").decode()
