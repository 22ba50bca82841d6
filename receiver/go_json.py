"""JSON as Go's ``encoding/json`` writes it, for values that leave the log as text.

The Collector's clickhouseexporter stores maps and arrays as ``pcommon.Value.AsString`` (pdata v1.67.0):
keys sorted, no HTML escapes, no spaces, ES6-like floats. Tables filled by either must hold the same text.
"""

import base64
import math
from collections.abc import Callable
from decimal import Decimal
from json.encoder import encode_basestring  # pyright: ignore[reportUnknownVariableType]
from typing import TypeAlias

JsonValue: TypeAlias = (
    "bool | int | float | str | bytes | list[JsonValue] | dict[str, JsonValue] | None"
)

_quote: Callable[[str], str] = encode_basestring
# Go escapes these two even without HTML escapes, since they end a line in JavaScript, and writes one escaped
# replacement character for each byte that is not UTF-8 (here: a surrogate of "surrogateescape").
_ESCAPED = str.maketrans(
    {"\u2028": "\\u2028", "\u2029": "\\u2029"} | {chr(c): "\\ufffd" for c in range(0xDC80, 0xDD00)}
)


class Unencodable(ValueError):
    """A NaN or infinity inside a container, which Go's encoder refuses as a whole."""


def encode(value: JsonValue) -> str:
    """Return ``value`` as Go would print it inside JSON.

    Raises:
        Unencodable: a float is not finite.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Unencodable
        return format_float(value)
    return _encode_text_or_container(value)


def _encode_text_or_container(
    value: str | bytes | list[JsonValue] | dict[str, JsonValue],
) -> str:
    if isinstance(value, str):
        return _quote(value).translate(_ESCAPED)
    if isinstance(value, bytes):
        return f'"{base64.b64encode(value).decode()}"'
    if isinstance(value, list):
        return "[" + ",".join(map(encode, value)) + "]"
    members = (f"{encode(key)}:{encode(value[key])}" for key in sorted(value, key=_raw))
    return "{" + ",".join(members) + "}"


def _raw(text: str) -> bytes:
    """Return the bytes that ``text`` was decoded from: Go sorts by them."""
    return text.encode("utf-8", "surrogateescape")


def format_float(value: float) -> str:
    """Return a finite ``value`` with the shortest digits, positional in [1e-6, 1e21)."""
    magnitude = abs(value)
    if magnitude != 0 and (magnitude < 1e-6 or magnitude >= 1e21):
        mantissa, exponent = repr(value).split("e")
        return f"{mantissa}e{exponent[0]}{exponent[1:].lstrip('0')}"
    text = format(Decimal(repr(value)), "f")
    return text[:-2] if text.endswith(".0") else text
