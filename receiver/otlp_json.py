"""OTLP/JSON to OTLP protobuf, before anything is logged.

The JSON encoding of OTLP (specification 1.11, "JSON Protobuf Encoding") is proto3 JSON with
exceptions that ``google.protobuf.json_format`` does not know: ids are hex rather than base64
(json_format decodes them into 24 wrong bytes without an error), enums are integers, unknown fields
must be ignored. It is also slow. So the official message *descriptors* are compiled, once at
import, into one table per message, JSON name → encoder of that field's wire bytes, and a request is
one walk over what ``orjson`` parsed. No message object is built.

What a bad value costs:

- an id that is not hex becomes ``b""`` and one of the wrong length keeps its length, so that the
  check behind this module rejects that one span;
- a value nested deeper than ``MAX_VALUE_DEPTH`` is cut there, which is still deeper than that check
  accepts, so that it too costs its span only;
- a field of the wrong JSON type, or a body that is not JSON, costs the request (`InvalidRequest`).
"""

import re
from typing import NamedTuple

import orjson

from spanloop.processor.errors import InvalidRequest
from spanloop.receiver.otlp_json_messages import REQUESTS, Signal, encode_message
from spanloop.receiver.otlp_json_scalars import Json, Tally

MAX_JSON_DEPTH = 400
"""Brackets inside one another kept of a body that orjson refuses (it stops at 1,024)."""

MAX_REPAIR_BYTES = 8 * 1024 * 1024
MAX_PRUNE_BYTES = 2 * 1024 * 1024
"""Largest bodies whose text is repaired and whose depth is cut; per byte both cost far more than parsing."""


class Converted(NamedTuple):
    """A request in protobuf's encoding, with what was left out on the way."""

    body: bytes
    unknown_fields: int


def to_protobuf(signal: Signal, body: bytes) -> bytes:
    """Return an OTLP/JSON request body as the protobuf bytes of the same request.

    Raises:
        InvalidRequest: The body is not JSON, or a known field holds the wrong kind of value.
    """
    return convert(signal, body).body


def convert(signal: Signal, body: bytes) -> Converted:
    """Like `to_protobuf`, but also count the unknown fields that were ignored."""
    request = _parse(body)
    if type(request) is not dict:
        raise InvalidRequest("the body must be a JSON object")
    tally = Tally()
    encoded = encode_message(REQUESTS[signal], request, tally)
    return Converted(encoded, tally.unknown)


# --- reading JSON -------------------------------------------------------------------------------

_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair
    rb"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"  # half a pair
    rb"|\\."
)
_BRACKET_OR_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_HALF_PAIR_LENGTH = 6


def _parse(body: bytes) -> Json:
    try:
        parsed: Json = orjson.loads(body)
    except orjson.JSONDecodeError:
        parsed = _parse_repaired(body)
    return parsed


def _parse_repaired(body: bytes) -> Json:
    """Parse again what is JSON but for bad UTF-8, half surrogate pairs or endless nesting."""
    if len(body) > MAX_REPAIR_BYTES:
        raise InvalidRequest("the body is not valid JSON")
    body = body.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").encode()
    if b"\\ud" in body or b"\\uD" in body:
        body = _ESCAPE.sub(_whole_escape, body)
    if len(body) <= MAX_PRUNE_BYTES and body.count(b"[") + body.count(b"{") > MAX_JSON_DEPTH:
        body = _without_deep_values(body)
    try:
        parsed: Json = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        # `from None`: the original carries the whole body.
        raise InvalidRequest(f"the body is not valid JSON ({where}: {error.msg})") from None
    return parsed


def _whole_escape(match: re.Match[bytes]) -> bytes:
    escape = match.group()
    return b"\\ufffd" if len(escape) == _HALF_PAIR_LENGTH else escape


def _without_deep_values(body: bytes) -> bytes:
    """Replace every array or object below ``MAX_JSON_DEPTH`` brackets by null."""
    kept: list[bytes] = []
    depth = copied = 0
    for match in _BRACKET_OR_STRING.finditer(body):
        token = match.group()
        if token in b"[{":
            depth += 1
            if depth == MAX_JSON_DEPTH + 1:
                kept += (body[copied : match.start()], b"null")
        elif token in b"]}":
            if depth == MAX_JSON_DEPTH + 1:
                copied = match.end()
            depth -= 1
    if depth > MAX_JSON_DEPTH:
        raise InvalidRequest("the body is not valid JSON (it ends inside a deeply nested value)")
    kept.append(body[copied:])
    return b"".join(kept)
