"""SQL that makes everything look like an attribute: JSON fields, indexed flat keys and span events.

Content arrives four ways (DESIGN section 6): a JSON string, double-encoded JSON, nested OTLP values (which
arrive as JSON text), and indexed flat keys. Nothing here throws; all of it is empty, and costs next to
nothing, for spans that have none.
"""

import re
from collections.abc import Sequence

from spanloop.processor.keytable import KeyTable, marker_heads
from spanloop.processor.rules import Dialect
from spanloop.processor.sqltext import array, lookup, number_array, quote

MAX_FIELDS = 256
"""Top-level fields of one JSON object that are looked at."""

MAX_FLAT_KEYS = 4096
"""Indexed flat keys kept of one group on one span; an index above 9999 is left out, so that an index bomb
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


def flat(dialects: Sequence[Dialect]) -> str:
    """Return, for each group of indexed flat keys on the span, ``#prefix`` → JSON object of suffix → text."""
    numbered = groups(dialects)
    starts = number_array((len(prefix) + 1 for prefix in numbered), "UInt8")
    names = array(f"#{prefix}" for prefix in numbered)
    suffix = f"substring(k, {starts}[g])"
    belongs = f"h = g AND match({suffix}, {quote('^[0-9]{1,4}([.]|$)')})"
    keys = f"arraySlice(arrayFilter((k, h) -> {belongs}, ks0, flat_groups), 1, {MAX_FLAT_KEYS})"
    values = f"arraySlice(arrayFilter((v, k, h) -> {belongs}, vs0, ks0, flat_groups), 1, {MAX_FLAT_KEYS})"
    text = f"toJSONString(mapFromArrays(arrayMap(k -> {suffix}, {keys}), {values}))"
    return (
        f"arrayMap(g -> ({names}[g], replaceRegexpOne({text}, '^[{{][}}]$', '')), "
        "arrayDistinct(arrayFilter(h -> h > 0, flat_groups)))"
    )


def events(dialects: Sequence[Dialect]) -> str:
    """Return the attributes of the span events that carry columns: ``event#key``."""
    names = array(dict.fromkeys(event.event for dialect in dialects for event in dialect.events))
    pairs = "arrayMap((k, v) -> (concat(n, '#', k), v), mapKeys(a), mapValues(a))"
    per_event = f"if(n IN {names}, {pairs}, CAST([], '{PAIRS}'))"
    return f"arrayFlatten(arrayMap((n, a) -> {per_event}, Events.Name, Events.Attributes))"
