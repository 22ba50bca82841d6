"""Read the tools that a model was offered, whichever of the usual forms a span carries them in."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from spanloop.optimizer.scenarios.scenario import ToolSchema
from spanloop.processor.redaction import redact

MAX_TOOLS = 200
MAX_SCHEMA_CHARS = 20_000
_SCHEMA_KEYS = (
    "parameters",
    "input_schema",
    "inputSchema",
    "args_schema",
    "parameters_json_schema",
)


def read_tool_schemas(carried: str) -> tuple[ToolSchema, ...]:
    """Return the tools in ``carried`` (JSON text), each once, in order; what is not understood is left out.

    Known: OpenTelemetry and OpenAI Responses (``{name, description, parameters}``), OpenAI chat
    (``{type, function: {…}}``), Anthropic (``input_schema``), Google (``{function_declarations: […]}``), and
    lists of any of them, or of their JSON texts.
    """
    tools: dict[str, ToolSchema] = {}
    for entry in _entries(_parsed(carried), depth=0):
        name = entry.get("name")
        if isinstance(name, str) and name and len(tools) < MAX_TOOLS:
            tools.setdefault(name, _schema(name, entry))
    return tuple(tools.values())


def infer_tool_schemas(calls: Iterable[tuple[str, str]]) -> tuple[ToolSchema, ...]:
    """Return tools as ``calls`` show them: arguments with their JSON types, those of all calls required.

    Args:
        calls: (tool, arguments as JSON text), redacted.
    """
    seen: dict[str, list[dict[str, Any]]] = {}
    for name, arguments in calls:
        parsed = _parsed(arguments)
        if isinstance(parsed, dict):
            seen.setdefault(name, []).append(cast("dict[str, Any]", parsed))
    return tuple(
        ToolSchema(
            name=name[:256], parameters=json.dumps(_schema_of(seen[name]), ensure_ascii=False)
        )
        for name in sorted(seen)[:MAX_TOOLS]
    )


def _schema_of(calls: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    properties: dict[str, set[str]] = {}
    for arguments in calls:
        for key, value in arguments.items():
            properties.setdefault(key, set()).add(_type_of(value))
    return {
        "type": "object",
        "properties": {
            key: {"type": next(iter(types)) if len(types) == 1 else sorted(types)}
            for key, types in sorted(properties.items())
        },
        "required": sorted(key for key in properties if all(key in call for call in calls)),
    }


def _type_of(value: Any) -> str:
    return next((name for kind, name in _TYPES if isinstance(value, kind)), "null")


_TYPES: tuple[tuple[type, str], ...] = (
    (str, "string"),
    (bool, "boolean"),  # before int, which it is too
    (int, "integer"),
    (float, "number"),
    (list, "array"),
    (dict, "object"),
)


def merge_tool_schemas(lists: Iterable[tuple[ToolSchema, ...]]) -> tuple[ToolSchema, ...]:
    """Return the tools of ``lists``, the first description of each."""
    merged: dict[str, ToolSchema] = {}
    for tools in lists:
        for tool in tools:
            merged.setdefault(tool.name, tool)
    return tuple(merged.values())[:MAX_TOOLS]


def _entries(value: Any, *, depth: int) -> Iterator[Mapping[str, Any]]:
    if depth > 3:
        return
    if isinstance(value, str):
        value = _parsed(value)
    if isinstance(value, list):
        for item in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _entries(item, depth=depth + 1)
    elif isinstance(value, dict):
        entry = cast("dict[str, Any]", value)
        for key in ("function_declarations", "functionDeclarations", "tools"):
            if isinstance(entry.get(key), list):
                yield from _entries(entry[key], depth=depth + 1)
        if isinstance(entry.get("function"), dict):
            yield entry["function"]
        elif "name" in entry:
            yield entry


def _schema(name: str, entry: Mapping[str, Any]) -> ToolSchema:
    key = next((key for key in _SCHEMA_KEYS if entry.get(key)), "")
    schema = entry.get(key, "{}")
    text = schema if isinstance(schema, str) else json.dumps(schema, ensure_ascii=False)
    description = entry.get("description")
    return ToolSchema(
        name=redact(name)[:256],
        description=redact(description)[:MAX_SCHEMA_CHARS] if isinstance(description, str) else "",
        parameters=redact(text) if len(text) <= MAX_SCHEMA_CHARS else "{}",
    )


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
