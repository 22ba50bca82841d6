"""Forms under which arguments of tool calls count as the same.

Nothing here knows a tool: forms are what JSON, ISO 8601 and case leave open. What a tool makes of an argument
is learned from its tape (`knowledge.py`).
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

_ISO_MIDNIGHT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ]00:00(:00(\.0+)?)?(Z|[+-]00:?00)?", re.IGNORECASE
)
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d+)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")
_IDENTIFIES = re.compile(r"(?=.*\d)(?=.*[A-Za-z#])\S{3,}|\d{4,}|\S+@\S+|[A-Z]{5,}")
_PROSE_WORDS = 4
Json = Any


def parsed(text: str) -> Json:
    """Return JSON text as a value; other text is itself.

    >>> parsed('{"a": 1}'), parsed("plain")
    ({'a': 1}, 'plain')
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def members(value: Json) -> Mapping[str, Json]:
    """Return ``value`` if it is an object, else one without members."""
    return cast(Mapping[str, Json], value) if isinstance(value, dict) else {}


def items(value: Json) -> Sequence[Json]:
    """Return ``value`` if it is a list, else an empty one."""
    return cast(Sequence[Json], value) if isinstance(value, list) else ()


def canonical(value: Json) -> str:
    """Return JSON text that is the same for the same value, whatever the order of keys."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def normal(value: Json) -> Json:
    """Return ``value`` in the form in which near-identical arguments meet.

    Case and white space of texts, integers written as decimals or as text, midnight after an ISO date, and
    members that are null or empty make no difference.

    >>> normal({"b": " New  York", "a": 2.0, "c": None, "on": "2024-05-20T00:00:00Z"})
    {'a': '2', 'b': 'new york', 'on': '2024-05-20'}
    """
    match value:
        case dict():
            named = members(cast(Json, value))
            return {
                name.casefold(): form
                for name in sorted(named)
                if (form := normal(named[name])) not in (None, "", {}, [])
            }
        case list():
            return [normal(item) for item in items(cast(Json, value))]
        case bool() | None:
            return value
        case int() | float():
            return _number(repr(value))
        case _:
            return _text(str(value))


def _text(text: str) -> str:
    text = " ".join(text.split()).casefold()
    midnight = _ISO_MIDNIGHT.fullmatch(text)
    if midnight:
        return midnight[1]
    return _number(text) if _NUMBER.fullmatch(text) else text


def _number(text: str) -> str:
    whole, point, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}{point}{fraction}" if fraction else whole


def leaves(value: Json) -> Iterator[str]:
    """Yield every scalar in ``value`` as text, but truth values and null."""
    match value:
        case dict():
            for member in members(cast(Json, value)).values():
                yield from leaves(member)
        case list():
            for item in items(cast(Json, value)):
                yield from leaves(item)
        case bool() | None:
            return
        case _:
            yield str(value)


def identifiers(value: Json) -> frozenset[str]:
    """Return the scalars in ``value`` that look like names of things: codes, addresses, long numbers.

    >>> sorted(identifiers({"order": "W-12", "n": 2, "on": "2024-05-20", "cabin": "economy", "to": "a@b"}))
    ['W-12', 'a@b']
    """
    return frozenset(
        leaf for leaf in leaves(value) if _IDENTIFIES.fullmatch(leaf) and not _DATE.fullmatch(leaf)
    )


def is_prose(value: Json) -> bool:
    """Return whether ``value`` is a text of several words, as people write.

    >>> is_prose("the customer wants a refund"), is_prose("12 * (3 + 4) - 1")
    (True, False)
    """
    return isinstance(value, str) and sum(w.isalpha() for w in value.split()) >= _PROSE_WORDS


def records(value: Json, depth: int = 6) -> Iterator[Mapping[str, Json]]:
    """Yield every object in ``value``, the outermost first."""
    if depth == 0:
        return
    match value:
        case dict():
            named = members(cast(Json, value))
            yield named
            for member in named.values():
                yield from records(member, depth - 1)
        case list():
            for item in items(cast(Json, value)):
                yield from records(item, depth - 1)
        case _:
            return
