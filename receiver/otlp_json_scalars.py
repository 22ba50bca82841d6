"""JSON scalars to protobuf fields: every form that proto3 JSON and OTLP/JSON allow.

``scalar_encoder`` makes, for one field of a message descriptor, the function from a JSON value to
the field's wire bytes. Where OTLP departs from proto3 JSON: ids are hex, enums are integers.
"""

import base64
import binascii
import math
import re
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, TypeAlias

from google.protobuf.descriptor import FieldDescriptor

from spanloop.processor.errors import InvalidRequest

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types; `BYTES` is any length-delimited field."""


class Tally:
    """What one conversion counted; handed down, so that calls share no state."""

    __slots__ = ("unknown",)

    def __init__(self) -> None:
        self.unknown = 0


Encoder = Callable[[Json, Tally], bytes]
"""A field's value to its wire bytes, tag and length included."""


def _long_varint(number: int) -> bytes:
    number &= 0xFFFFFFFFFFFFFFFF  # negative numbers are sent as 64-bit two's complement
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


_N_SHORT_VARINTS = 4096
_SHORT_VARINTS = tuple(_long_varint(n) for n in range(_N_SHORT_VARINTS))


def varint(number: int) -> bytes:
    """Return a base-128 varint; negative numbers take ten bytes."""
    return _SHORT_VARINTS[number] if 0 <= number < _N_SHORT_VARINTS else _long_varint(number)


def tag_of(field: FieldDescriptor, wire_type: int) -> bytes:
    """Return the bytes that open a field on the wire."""
    return _long_varint(field.number << 3 | wire_type)


_INTEGER = re.compile(r"-?[0-9]{1,20}")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_EXACT_FLOAT = 2.0**53


def _read_integer(value: Json, name: str) -> int:
    if type(value) is int:
        return value
    if type(value) is str and _INTEGER.fullmatch(value):
        return int(value)
    if type(value) is float and value.is_integer() and abs(value) <= _EXACT_FLOAT:
        return int(value)
    raise InvalidRequest(f"{name} must be an integer, as a number or a string")


def _read_double(value: Json, name: str) -> float:
    if type(value) is float or type(value) is int:
        return float(value)
    if type(value) is str:
        if value in _NON_FINITE:
            return _NON_FINITE[value]
        if _NUMBER.fullmatch(value):
            return float(value)
    raise InvalidRequest(f'{name} must be a number, "NaN", "Infinity" or "-Infinity"')


def _read_base64(value: Json, name: str) -> bytes:
    """Decode standard or URL-safe base64, padded or not."""
    if type(value) is str:
        standard = value.replace("-", "+").replace("_", "/").rstrip("=")
        with suppress(binascii.Error, ValueError):
            return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    raise InvalidRequest(f"{name} must be base64 text")


def _read_id(value: Json, name: str) -> bytes:
    """Decode a hex id; what is not hex becomes empty, for the check of each span to reject."""
    if type(value) is not str:
        raise InvalidRequest(f"{name} must be hex text")
    try:
        return binascii.unhexlify(value)
    except (binascii.Error, ValueError):
        return b""


def _string_encoder(field: FieldDescriptor) -> Encoder:
    tag, name = tag_of(field, BYTES), field.full_name

    def encode(value: Json, _: Tally) -> bytes:
        if type(value) is not str:
            raise InvalidRequest(f"{name} must be a string")
        text = value.encode()
        return tag + varint(len(text)) + text

    return encode


def _bytes_encoder(field: FieldDescriptor) -> Encoder:
    tag, name = tag_of(field, BYTES), field.full_name
    read = _read_id if field.name.endswith("_id") else _read_base64

    def encode(value: Json, _: Tally) -> bytes:
        raw = read(value, name)
        return tag + varint(len(raw)) + raw

    return encode


def _bool_encoder(field: FieldDescriptor) -> Encoder:
    tag, name = tag_of(field, VARINT), field.full_name

    def encode(value: Json, _: Tally) -> bytes:
        if type(value) is not bool:
            raise InvalidRequest(f"{name} must be true or false")
        return tag + (b"\x01" if value else b"\x00")

    return encode


def _double_encoder(field: FieldDescriptor) -> Encoder:
    tag, name, pack = tag_of(field, FIXED64), field.full_name, struct.Struct("<d").pack

    def encode(value: Json, _: Tally) -> bytes:
        return tag + pack(_read_double(value, name))

    return encode


class _IntegerKind(NamedTuple):
    low: int
    high: int
    fixed: str | None
    """`struct` format of fixed-width types; None for varints."""


_INTEGER_KINDS = {
    FieldDescriptor.TYPE_ENUM: _IntegerKind(-(2**31), 2**31 - 1, None),
    FieldDescriptor.TYPE_INT32: _IntegerKind(-(2**31), 2**31 - 1, None),
    FieldDescriptor.TYPE_SINT32: _IntegerKind(-(2**31), 2**31 - 1, None),
    FieldDescriptor.TYPE_UINT32: _IntegerKind(0, 2**32 - 1, None),
    FieldDescriptor.TYPE_INT64: _IntegerKind(-(2**63), 2**63 - 1, None),
    FieldDescriptor.TYPE_UINT64: _IntegerKind(0, 2**64 - 1, None),
    FieldDescriptor.TYPE_FIXED32: _IntegerKind(0, 2**32 - 1, "<I"),
    FieldDescriptor.TYPE_FIXED64: _IntegerKind(0, 2**64 - 1, "<Q"),
    FieldDescriptor.TYPE_SFIXED64: _IntegerKind(-(2**63), 2**63 - 1, "<q"),
}
_WIRE_TYPES = {None: VARINT, "<Q": FIXED64, "<q": FIXED64, "<I": FIXED32}


def _zigzag(number: int) -> bytes:
    return varint(number << 1 if number >= 0 else ~(number << 1))


def _integer_encoder(field: FieldDescriptor) -> Encoder:
    low, high, fixed = _INTEGER_KINDS[field.type]
    tag, name = tag_of(field, _WIRE_TYPES[fixed]), field.full_name
    pack: Callable[[int], bytes] = struct.Struct(fixed).pack if fixed else varint
    if field.type == FieldDescriptor.TYPE_SINT32:
        pack = _zigzag

    def encode(value: Json, _: Tally) -> bytes:
        number = _read_integer(value, name)
        if not low <= number <= high:
            raise InvalidRequest(f"{name} is out of range")
        return tag + pack(number)

    return encode


def _enum_encoder(field: FieldDescriptor) -> Encoder:
    """Integers, as OTLP requires; a name of the enum means one thing only, so it is taken too."""
    encode_integer = _integer_encoder(field)
    if field.enum_type is None:
        raise TypeError(f"{field.full_name} is not an enum")
    numbers = {value.name: value.number for value in field.enum_type.values}

    def encode(value: Json, tally: Tally) -> bytes:
        if type(value) is str and not _INTEGER.fullmatch(value):
            if value not in numbers:
                tally.unknown += 1
                return b""
            value = numbers[value]
        return encode_integer(value, tally)

    return encode


_SCALARS: dict[int, Callable[[FieldDescriptor], Encoder]] = {
    FieldDescriptor.TYPE_STRING: _string_encoder,
    FieldDescriptor.TYPE_BYTES: _bytes_encoder,
    FieldDescriptor.TYPE_BOOL: _bool_encoder,
    FieldDescriptor.TYPE_DOUBLE: _double_encoder,
    FieldDescriptor.TYPE_ENUM: _enum_encoder,
}


def scalar_encoder(field: FieldDescriptor) -> Encoder:
    """Return the encoder of one value of a field that is not a message."""
    return _SCALARS.get(field.type, _integer_encoder)(field)
