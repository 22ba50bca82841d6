"""SQL that makes everything look like an attribute: JSON fields, indexed flat keys and span events.

Content arrives four ways (DESIGN section 6): a JSON string, double-encoded JSON, nested OTLP values (which
arrive as JSON text), and indexed flat keys. Nothing here throws; all of it is empty, and costs next to
nothing, for spans that have none.
"""

import re
from collections.abc import Iterable, Sequence

from spanloop.processor.keytable import KeyTable, marker_heads
from spanloop.processor.rules import Dialect
from spanloop.processor.sqltext import array, lookup, number_array, quote

MAX_FIELDS = 256
"""Top-level fields of one JSON object that are looked at."""

MAX_FLAT_KEYS = 4096
"""Indexed flat keys kept of one span; an index above 9999 is left out, so that an index bomb
(``gen_ai.prompt.999999999.content``) costs its own text and no more."""

GROUP_SHIFT = 6
PAIRS = "Array(Tuple(String, String))"


def key_id(table: KeyTable, key: str) -> str:
    """Return the id of ``key``."""
    return lookup(key, table.ids)


def opened(table: KeyTable, triples: tuple[str, str, str], envelope: str | None = None) -> str:
    """Return the fields of attributes that rules read as JSON, ``key#field``, and the text itself, ``key#``.

    ``triples`` are the arrays of keys, values and ids; ``envelope`` is the pattern of wrapped values to
    open too.
    """
    text = _unquoted("v")
    fields = f"arraySlice(JSONExtractKeysAndValuesRaw({text}), 1, {MAX_FIELDS})"
    named = (
        f"arrayMap(f -> (concat(k, '#', f.1), if(f.2 = 'null', '', {_unquoted('f.2')})), {fields})"
    )
    pairs = f"arrayPushBack({named}, (concat(k, '#'), {text}))"
    chosen = f"id BETWEEN 1 AND {table.n_json}"
    if envelope is not None:
        low, high = table.wrapped
        chosen += f" OR id BETWEEN {low} AND {high} AND match(v, {quote(envelope)})"
    per_attribute = f"if({chosen}, {pairs}, CAST([], '{PAIRS}'))"
    return f"arrayFlatten(arrayMap((k, v, id) -> {per_attribute}, {', '.join(triples)}))"


def envelope_pattern(dialects: Sequence[Dialect]) -> str:
    """Return the pattern of how wrapped values start."""
    starts = dict.fromkeys(
        envelope.starts for dialect in dialects for envelope in dialect.envelopes
    )
    return "^(" + "|".join(re.escape(start).replace("\\ ", " ") for start in starts) + ")"


def _unquoted(value: str) -> str:
    return f"if(startsWith({value}, '\"'), JSONExtractString({value}), {value})"


def groups(dialects: Sequence[Dialect]) -> dict[str, int]:
    """Number the prefixes of indexed flat keys."""
    prefixes = dict.fromkeys(prefix for dialect in dialects for prefix in dialect.indexed)
    return {prefix: number for number, prefix in enumerate(prefixes, start=1)}


def heads(dialects: Sequence[Dialect]) -> str:
    """Return, for each key, the dialect that its head marks and the group of flat keys it may belong to."""
    table = dict(marker_heads(dialects))
    for prefix, group in groups(dialects).items():
        head = ".".join(prefix.split(".")[:2])
        table[head] = table.get(head, 0) + (group << GROUP_SHIFT)
    return f"arrayMap(k -> {lookup(_HEAD, table)}, ks0)"


_HEAD = "substringIndex(k, '.', 2)"


def flat_order(dialects: Sequence[Dialect]) -> str:
    """Return the place of each attribute among the flat keys, by group, then as sent; 0 if it is none."""
    group = f"bitShiftRight(h, {GROUP_SHIFT})"
    belongs = f"{group} > 0 AND match({_suffix(dialects, group)}, {quote('^[0-9]{1,4}([.]|$)')})"
    place = f"toUInt64({group}) * {_ROOM} + i"
    return (
        f"arrayMap((k, h, i) -> if({belongs}, {place}, 0), ks0, {heads(dialects)}, arrayEnumerate(ks0))"
        " AS flat_order"
    )


def flat_sorted(dialects: Sequence[Dialect]) -> Iterable[str]:
    """Yield the flat keys of a span in that order: their places, suffixes and values."""
    places = "arrayFilter(o -> o > 0, flat_order)"
    suffix = _suffix(dialects, f"intDiv(o, {_ROOM})")
    keys = f"arrayMap((k, o) -> {suffix}, arrayFilter((k, o) -> o > 0, ks0, flat_order), {places})"
    values = "arrayFilter((v, o) -> o > 0, vs0, flat_order)"
    yield f"{_capped(f'arraySort({places})')} AS flat_at"
    yield f"{_capped(f'arraySort((k, o) -> o, {keys}, {places})')} AS flat_keys"
    yield f"{_capped(f'arraySort((v, o) -> o, {values}, {places})')} AS flat_values"


def flat(dialects: Sequence[Dialect]) -> str:
    """Return, for each group of flat keys on the span, the pair ``#prefix`` → JSON object of suffix → text.

    Groups are cut out of the sorted arrays; a lambda that captured the values would copy them per group.
    """
    names = array(f"#{prefix}" for prefix in groups(dialects))
    numbers = f"arrayMap(o -> intDiv(o, {_ROOM}), flat_at)"
    parts = [
        f"arraySplit((x, n) -> n != 0, {of}, arrayDifference({numbers}))"
        for of in ("flat_keys", "flat_values")
    ]
    return (
        f"arrayMap((g, k, v) -> ({names}[g], toJSONString(mapFromArrays(k, v))), "
        f"arrayDistinct({numbers}), {', '.join(parts)})"
    )


_ROOM = 1 << 24


def _capped(expression: str) -> str:
    return f"arraySlice({expression}, 1, {MAX_FLAT_KEYS})"


def _suffix(dialects: Sequence[Dialect], group: str) -> str:
    starts = number_array((len(prefix) + 1 for prefix in groups(dialects)), "UInt8")
    return f"substring(k, {starts}[{group}])"


def events(dialects: Sequence[Dialect]) -> str:
    """Return the attributes of the span events that carry columns: ``event#key``."""
    names = array(dict.fromkeys(event.event for dialect in dialects for event in dialect.events))
    pairs = "arrayMap((k, v) -> (concat(n, '#', k), v), mapKeys(a), mapValues(a))"
    per_event = f"if(n IN {names}, {pairs}, CAST([], '{PAIRS}'))"
    return f"arrayFlatten(arrayMap((n, a) -> {per_event}, Events.Name, Events.Attributes))"
