"""What a tool was given and what it answered, without what its instrumentation put around it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spanloop.processor.messages.forms import FORMS
from spanloop.processor.messages.lenient import NOT_JSON, is_list, is_object, parse, printed_string
from spanloop.processor.messages.model import canonical_json, dump, is_only_argument, storable
from spanloop.processor.messages.reader import Caps, Reader, first, label
from spanloop.processor.messages.vendors import only_result, vercel_output

Calls = Mapping[str, Sequence[Any]]
"""Arguments of the calls that models asked for, by the tool's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContent:
    """The content columns of a tool's span, as in ``genai_spans``."""

    name: str
    arguments: str | None
    result: str | None
    input: str | None = None
    output: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """What to read instead of the span's columns; None, and '' for the id, where they are right.

    Attributes:
        arguments: JSON text.
        result: text; JSON where the tool answered JSON.
        call_id: of the call, where only the content carries it.
        cut: a bound was reached.
    """

    arguments: str | None
    result: str | None
    call_id: str
    cut: bool


def read_tool(content: ToolContent, calls: Calls, caps: Caps) -> Tool:
    """Return what a tool's span carries, unwrapped.

    Args:
        content: of the span.
        calls: what models asked for in the same trace; tells the name of an only argument (LangChain).
        caps: bounds.
    """
    reader = Reader(FORMS, caps, speaker="tool")
    arguments, id_with_arguments = _arguments(content, calls, reader)
    result, id_with_result = _result(content.result, reader)
    return Tool(
        arguments=_changed(content.arguments, arguments),
        result=_changed(content.result, result),
        call_id=storable(id_with_arguments or id_with_result or _call_id(content, reader)),
        cut=reader.cut,
    )


def _changed(carried: str | None, found: str | None) -> str | None:
    return None if found is None or found == carried else storable(found)


# --- arguments ---------------------------------------------------------------------------------


def _arguments(content: ToolContent, calls: Calls, reader: Reader) -> tuple[str | None, str | None]:
    text = content.arguments
    if text is None or not text.strip():
        return text, None
    value, _, cut = parse(text)
    if value is NOT_JSON:
        asked = (given for given in calls.get(content.name, ()) if is_only_argument(text, given))
        found = next(asked, None)
        return (text if found is None else dump(found)), None
    if cut:  # half of the arguments would look like other arguments
        reader.cut = True
        return text, None
    call_id = None
    for inside in _AROUND_ARGUMENTS:
        inner, found_id = inside(value)
        value, call_id = inner, call_id or found_id
    return _same_or_new(text, reader.value(value)), call_id


def _langchain_call(value: Any) -> tuple[Any, str | None]:
    """``{"name", "args", "id", "type": "tool_call"}``, or what its callback was given."""
    if is_object(value):
        if value.get("type") == "tool_call" and "args" in value:
            return value["args"], label(value.get("id"))
        if "input_str" in value and "inputs" in value:
            extra = value.get("kwargs")
            call_id = extra.get("tool_call_id") if is_object(extra) else None
            return value["inputs"], label(call_id)
    return value, None


def _mcp_call(value: Any) -> tuple[Any, str | None]:
    """``{"method": "tools/call", "params": {"name", "arguments"}}``."""
    params = value.get("params", value) if is_object(value) else None
    if is_object(params) and "arguments" in params and set(params) <= _MCP_KEYS:
        return params["arguments"], None
    return value, None


def _keywords(value: Any) -> tuple[Any, str | None]:
    """``{"args": [], "kwargs": {…}}`` of a decorated function (OpenLLMetry)."""
    if is_object(value) and set(value) == {"args", "kwargs"} and not value["args"]:
        return value["kwargs"], None
    return value, None


_MCP_KEYS = {"name", "arguments", "_meta", "task"}
_AROUND_ARGUMENTS: tuple[Callable[[Any], tuple[Any, str | None]], ...] = (
    _langchain_call,
    _mcp_call,
    _keywords,
)

# --- result ------------------------------------------------------------------------------------

_PRINTED_MESSAGE = re.compile(r"\s*content=(?=['\"])")
_PRINTED_ID = re.compile(r"\btool_call_id='([^']{1,200})'")


def _result(text: str | None, reader: Reader) -> tuple[str | None, str | None]:
    if text is None or not text.strip():
        return text, None
    if printed := _PRINTED_MESSAGE.match(text):
        said = printed_string(text[printed.end() :])
        named = _PRINTED_ID.search(text)
        return (text if said is None else said), named.group(1) if named else None
    value, inner, cut = parse(text)
    if value is NOT_JSON:
        return inner, None  # text, without the quotes of a JSON string
    if cut:
        reader.cut = True
        return text, None
    unwrapped, call_id = _answered(value)
    if isinstance(unwrapped, str):
        return reader.text(unwrapped), call_id
    return _same_or_new(text, reader.value(unwrapped)), call_id


def _answered(value: Any) -> tuple[Any, str | None]:
    """Return what the tool said inside a message, a block or an envelope; ``value`` itself if it is none."""
    if is_list(value):
        texts = _texts(value)
        return (value if texts is None else texts), None
    fields = _langchain_fields(value)
    if fields is not None:
        content = fields.get("content")
        texts = _texts(content) if is_list(content) else content
        return (content if texts is None else texts), label(fields.get("tool_call_id"))
    if "response" in value and set(value) <= {"id", "name", "response"}:  # Google ADK
        return only_result(value["response"]), label(value.get("id"))
    if is_list(value.get("content")) and set(value) <= _MCP_RESULT:
        texts = _texts(value["content"])
        return (value if texts is None else texts), None
    return vercel_output(value) if "type" in value and "value" in value else value, None


_MCP_RESULT = {"content", "isError", "_meta", "structuredContent", "meta"}


def _langchain_fields(value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the fields of a ToolMessage, however it was dumped."""
    if is_object(value.get("output")) and ("lc" in value["output"] or len(value) == 1):
        value = value["output"]
    inner = value.get("kwargs") if "lc" in value else value.get("data")
    if is_object(inner) and ("lc" in value or value.get("type") == "tool"):
        return inner if "content" in inner else None
    return value if value.get("type") == "tool" and "tool_call_id" in value else None


def _texts(blocks: list[Any]) -> str | None:
    """Return the text of a list of text blocks, None if it is another list."""
    if not blocks or not all(map(_is_text, blocks)):
        return None
    return "\n".join(str(first(block, "text")) for block in blocks)


def _is_text(block: Any) -> bool:
    return (
        is_object(block)
        and isinstance(block.get("text"), str)
        and (set(block) == {"text"} or block.get("type") in ("text", "output_text"))
    )


def _call_id(content: ToolContent, reader: Reader) -> str:
    """Return the id that the generic input or output tells; they are LangChain's callback payloads."""
    for text in (content.output, content.input):
        if text and "tool_call_id" in text:
            value, _, _ = parse(text)
            fields = _langchain_fields(value) if is_object(value) else None
            if fields is None and is_object(value):
                fields = value.get("kwargs")
            found = label(fields.get("tool_call_id")) if is_object(fields) else None
            if found:
                return found
    return ""


def _same_or_new(text: str, value: Any) -> str:
    """Return ``text`` as it is if it says ``value`` already."""
    new = value if isinstance(value, str) else dump(value)
    return text if canonical_json(text) == canonical_json(new) else new
