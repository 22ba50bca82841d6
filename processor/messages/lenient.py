"""JSON as it is found in traces: cut off, encoded twice, printed by Python, or no JSON at all.

Nothing is evaluated and nothing raises. A text that ends inside JSON is closed where it ends, so that what
was carried can be read; the caller is told.
"""

import json
import re
import sys
from typing import Any, Final, NamedTuple, TypeGuard

NOT_JSON: Final = object()
"""The value of a text that is no JSON array or object."""

_ENCODINGS = 4
"""How often a text may be encoded as a JSON string inside a JSON string."""


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Tell whether a JSON value is an object."""
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Tell whether a JSON value is an array."""
    return isinstance(value, list)


class Parsed(NamedTuple):
    """What a text holds.

    Attributes:
        value: an array, an object, or `NOT_JSON`.
        text: what is left once quotes of an encoded string are taken off.
        cut: the text ends inside JSON, or breaks off in its middle.
    """

    value: Any
    text: str
    cut: bool


def parse(text: str) -> Parsed:
    """Read a JSON array or object, be it encoded as a string, cut off, or printed by Python.

    >>> parse('[{"role": "user", "content": "hel')
    Parsed(value=[{'role': 'user', 'content': 'hel'}], text='[{"role": "user", "content": "hel', cut=True)
    """
    for _ in range(_ENCODINGS):
        head = text.lstrip()[:2]
        if head[:1] in ("[", "{"):
            return _container(text)
        if head[:1] != '"':
            break
        inner = _loads(text)
        if inner is NOT_JSON and text.lstrip()[1:2] in ("[", "{"):  # cut off while encoded
            inner = _loads(_LOST_ESCAPE.sub("", text) + '"')
        if not isinstance(inner, str):
            break
        text = inner
    return Parsed(NOT_JSON, text, cut=False)


def _container(text: str) -> Parsed:
    try:
        return Parsed(_loads_or_raise(text), text, cut=False)
    except json.JSONDecodeError as error:
        printed = _printed(text)
        if printed is not NOT_JSON:
            return Parsed(printed, text, cut=False)
        return _salvaged(text, error)
    except (ValueError, RecursionError):  # nested deeper than the parser goes
        return Parsed(NOT_JSON, text, cut=False)


def _loads(text: str) -> Any:
    try:
        return _loads_or_raise(text)
    except (ValueError, RecursionError):
        return NOT_JSON


def _loads_or_raise(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError:
        raise
    except ValueError:  # an integer of more digits than Python converts
        return _LONG_INTEGERS.decode(text)


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) < 4_000 else digits


_DECODER = json.JSONDecoder(strict=False)
_LONG_INTEGERS = json.JSONDecoder(strict=False, parse_int=_integer)


# --- texts that are cut off ----------------------------------------------------------------------

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+("?)|[\[\]{},]', re.DOTALL)
_CLOSER = {"[": "]", "{": "}"}
_LOST_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?$")
_LABEL = re.compile(r'"(?:role|type|kind|name|\w*[iI]d)"\s*:$')
_DEEPEST = 200


def _salvaged(text: str, error: json.JSONDecodeError) -> Parsed:
    """Close the text where it breaks off, and read what stands before."""
    if error.msg == "Extra data" and text[error.pos] not in "[{":
        return Parsed(NOT_JSON, text, cut=False)
    at_end = _breaks_at_end(text, error)
    value = _loads(_closed(text if at_end else text[: error.pos]))
    # Text may begin with a bracket and be no JSON ("[1] says …"): broken earlier, it must hold an object.
    if isinstance(value, dict | list) and value and (at_end or _holds_an_object(value)):
        return Parsed(value, text, cut=True)
    return Parsed(NOT_JSON, text, cut=False)


def _breaks_at_end(text: str, error: json.JSONDecodeError) -> bool:
    if error.msg.startswith("Unterminated string"):
        return True
    # Inside true, null, a number or an escape; not "Extra data", which stands behind a whole value.
    return len(text) - error.pos <= 6 and not error.msg.startswith("Extra data")


def _holds_an_object(value: Any) -> bool:
    first = value[0] if is_list(value) else next(iter(value.values()))
    return isinstance(first, dict | list)


def _closed(text: str) -> str:
    """Return the longest beginning of ``text`` that can be closed, with what closes it."""
    due = ""  # brackets that are open, the innermost first
    end, closers = 0, ""
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token[0] == '"':
            if not match.group(1):
                return _with_open_string(text, match.start(), due) or text[:end] + closers
            continue
        if token in _CLOSER:
            due = _CLOSER[token] + due
        elif token != ",":
            if not due.startswith(token):
                break
            due = due[1:]
        if len(due) > _DEEPEST:
            break
        end, closers = (match.start() if token == "," else match.end()), due
    return text[:end] + closers


def _with_open_string(text: str, start: int, due: str) -> str | None:
    """Return the text with its last string closed; None if that is a key, or a label, wrong if halved."""
    before = text[:start].rstrip()
    if _LABEL.search(before):
        return None
    if before.endswith(":") or (due.startswith("]") and before.endswith(("[", ","))):
        return _LOST_ESCAPE.sub("", text) + '"' + due
    return None


# --- texts that Python printed -------------------------------------------------------------------

_PRINTED = re.compile(r"[\[({\s]*'")
_PYTHON = re.compile(
    r"""'((?:[^'\\]|\\.)*+)'|"((?:[^"\\]|\\.)*+)"|\b(?:True|False|None)\b|[()]|,(?=\s*[)\]}])"""
)
_WORDS = {"True": "true", "False": "false", "None": "null", "(": "[", ")": "]", ",": ""}
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}


def _printed(text: str) -> Any:
    """Return the value of a dict, list or tuple as Python prints it, by turning it into JSON."""
    return _loads(_PYTHON.sub(_as_json, text)) if _PRINTED.match(text) else NOT_JSON


def printed_string(text: str) -> str | None:
    r"""Return the string that ``text`` begins with, in Python's notation.

    >>> printed_string(r"'it\'s' name='x'")
    "it's"
    """
    match = _PYTHON.match(text)
    return _unescaped(match) if match and match.group()[0] in "'\"" else None


def _as_json(match: re.Match[str]) -> str:
    token = match.group()
    return json.dumps(_unescaped(match)) if token[0] in "'\"" else _WORDS[token]


def _unescaped(match: re.Match[str]) -> str:
    return _ESCAPE.sub(_letter, match.group(1) if match.group(1) is not None else match.group(2))


def _letter(match: re.Match[str]) -> str:
    for digits in match.group(1, 2, 3):
        if digits:
            number = int(digits, 16)
            return chr(number) if number <= sys.maxunicode else "\N{REPLACEMENT CHARACTER}"
    letter = match.group(4)
    return _LETTERS.get(letter, letter)
