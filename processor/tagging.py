"""Compile the rule table to the SELECT of the materialized view ``otel_traces`` → ``genai_spans``.

The SELECT is a stack of sub-queries, each a plain list of expressions over the one below:

1. the attributes, their ids, what their heads say; JSON fields, flat keys and events as further pairs;
2. what the pairs say about dialect and class (`spanloop.processor.kinds`);
3. the carriers of columns, sorted; the columns, typed;
4. tokens, prices and cost (`spanloop.processor.usage`); the stored columns (`spanloop.processor.stored`).

Rows that are not GenAI spans never pass the first.
"""

from collections.abc import Iterable
from functools import cache

from spanloop.processor import kinds, pairs, usage
from spanloop.processor.dialects import DIALECTS
from spanloop.processor.keytable import (
    COLUMN_SHIFT,
    LAST_RESORT,
    N_CLASSES,
    PRIORITY_SHIFT,
    KeyTable,
    compile_keys,
    marker_heads,
    marker_keys,
)
from spanloop.processor.sqltext import array, first_of, lookup, number_array, quote
from spanloop.processor.stored import PROCESSOR_VERSION, stored_columns

__all__ = ["PROCESSOR_VERSION", "genai_filter", "genai_view_select", "rule_count"]

OWN_SCOPE = "spanloop"
"""Our own annotations: recognised by scope, never mined, priced or counted."""

_BASE = (
    "BatchId",
    "Project",
    "Timestamp",
    "TraceId",
    "SpanId",
    "ParentSpanId",
    "ServiceName",
    "SpanName",
    "SpanKind",
    "ScopeName",
    "Duration",
    "StatusCode",
    "StatusMessage",
    "Events.Name",
    "Events.Attributes",
)


def rule_count() -> int:
    """Return the number of rules: sources of columns, values that name a class, markers and the rest."""
    return sum(
        sum(map(len, d.columns.values()))
        + sum(map(len, d.classes.values()))
        + len(d.scopes + d.scope_prefixes + d.named_by + d.services + d.markers + d.duplicates)
        + sum(
            map(
                len,
                (
                    d.presence,
                    d.span_names,
                    d.indexed,
                    d.events,
                    d.message_events,
                    d.envelopes,
                    d.absent,
                ),
            )
        )
        for d in DIALECTS
    )


@cache
def genai_filter() -> str:
    """Return the condition over columns of ``otel_traces`` under which a span is a row of ``genai_spans``.

    It reads keys only, so that a stored batch can be counted without reading its values.
    """
    keys = "mapKeys(SpanAttributes)"
    prefixes = "|".join(p.replace(".", "[.]") for d in DIALECTS for p in d.scope_prefixes)
    genai = [
        f"ScopeName IN {array(s for d in DIALECTS for s in d.scopes)}",
        f"match(ScopeName, {quote(f'^({prefixes})')})",
        f"ServiceName IN {array(s for d in DIALECTS for s in d.services)}",
        f"arrayExists(k -> substringIndex(k, '.', 2) IN {array(marker_heads(DIALECTS))} "
        f"OR k IN {array(marker_keys(DIALECTS))}, {keys})",
    ]
    return (
        f"(({' OR '.join(genai)})"
        f" AND NOT match(ScopeName, {quote(f'^{OWN_SCOPE}([.]|$)')})"
        # Logfire announces a span before it ends and sends it again when it has ended.
        f" AND NOT has({keys}, 'logfire.pending_parent_id'))"
    )


@cache
def genai_view_select(database: str) -> str:
    """Return the SELECT of the view, over ``database``."""
    table = compile_keys(DIALECTS, kinds.class_keys())
    base = ", ".join(f"`{column}`" for column in _BASE)
    levels: tuple[Iterable[str], ...] = (
        [base, "mapKeys(SpanAttributes) AS ks0", "mapValues(SpanAttributes) AS vs0"],
        [
            "*",
            f"arrayMap(k -> {pairs.key_id(table, 'k')}, ks0) AS ids0",
            f"{pairs.heads(DIALECTS)} AS heads",
            pairs.flat_order(DIALECTS),
        ],
        ["*", *_further_pairs(table)],
        ["*", *_all_pairs(table)],
        ["*", *kinds.evidence(table)],
        ["*", f"{kinds.dialect()} AS dialect_id", f"{_usable(table)} AS usable"],
        ["*", f"{kinds.span_class()} AS cls"],
        [
            "*",
            f"arraySort(arrayFilter(h -> h > 0, arrayConcat({', '.join(_hits(table))}))) AS hits",
        ],
        ["*", *_found()],
        ["*", *usage.evidence()],
        ["*", *usage.tokens()],
        ["*", *usage.totals(database)],
        ["*", *usage.rates()],
        ["*", f"{usage.cost()} AS computed"],
        stored_columns(),
    )
    sql = ""
    for number, level in enumerate(levels):
        origin = f"(\n{sql}\n)" if number else f"`{database}`.otel_traces\nWHERE {genai_filter()}"
        sql = "SELECT\n    " + ",\n    ".join(level) + f"\nFROM {origin}"
    return sql


def _further_pairs(table: KeyTable) -> Iterable[str]:
    yield from pairs.flat_sorted(DIALECTS)
    yield f"{pairs.events(DIALECTS)} AS event_pairs"
    yield f"{pairs.opened(table, ('ks0', 'vs0', 'ids0'), pairs.envelope_pattern(DIALECTS))} AS x1"
    yield f"{_opened_again(table, 'x1')} AS x2"
    yield f"{_opened_again(table, 'x2')} AS x3"


def _opened_again(table: KeyTable, found: str) -> str:
    again = {
        key: number for key, number in table.ids.items() if number <= table.n_json and "#" in key
    }
    ids = f"arrayMap(x -> {lookup('x.1', again)}, {found})"
    return pairs.opened(table, (f"{found}.1", f"{found}.2", ids))


def _all_pairs(table: KeyTable) -> Iterable[str]:
    yield f"arrayConcat(x1, x2, x3, {pairs.flat(DIALECTS)}, event_pairs) AS more"
    yield "arrayConcat(CAST(ks0, 'Array(String)'), more.1) AS ks"
    yield "arrayConcat(vs0, more.2) AS vs"
    yield f"arrayConcat(ids0, arrayMap(x -> {pairs.key_id(table, 'x.1')}, more)) AS ids"


def _usable(table: KeyTable) -> str:
    """Return, for each pair: 0 it carries nothing, 1 its value is empty, 2 it has a value."""
    absent = array(
        f"{key}={value}" for d in DIALECTS for key, values in d.absent.items() for value in values
    )
    low, high = table.absent
    arms = [
        ("id = 0", "0"),
        ("empty(v)", "1"),
        (f"id BETWEEN {low} AND {high} AND concat(k, '=', v) IN {absent}", "0"),
    ]
    return f"arrayMap((k, v, id) -> {first_of(arms, '2')}, ks, vs, ids)"


def _hits(table: KeyTable) -> Iterable[str]:
    """Yield, for each matrix, the pairs: column and priority in the high half, position in the low half."""
    for matrix in table.targets:
        target = f"{number_array(matrix, 'UInt32')}[id * {N_CLASSES} + cls + 1]"
        demoted = f"{LAST_RESORT << PRIORITY_SHIFT} * (u = 1 AND NOT bitTest(t, 1))"
        place = f"bitShiftLeft(toUInt64(t + {demoted}), 32) + i"
        kept = f"if(t > 0 AND u > 0 AND (u = 2 OR bitTest(t, 0)), {place}, 0)"
        yield (
            f"arrayMap((t, u, i) -> {kept}, arrayMap(id -> {target}, ids), usable, arrayEnumerate(ids))"
        )


def _found() -> Iterable[str]:
    yield f"arrayMap(h -> toUInt16(bitShiftRight(h, {32 + COLUMN_SHIFT})), hits) AS found"
    yield "arrayMap(h -> toUInt32(bitAnd(h, 4294967295)), hits) AS places"
