"""SQL that decides what a span is: its dialect and its class."""

from collections.abc import Iterable

from spanloop.processor.dialects import CLASS_KEYS_FIRST, DIALECTS
from spanloop.processor.keytable import CLASS_FLAG, MARKER_SHIFT, KeyTable, class_id, dialect_ids
from spanloop.processor.rules import PRESENCE_ORDER, SpanClass
from spanloop.processor.sqltext import (
    array,
    first_of,
    lookup,
    number_array,
    quote,
    strings,
)

_NONE = 65535
_PRESENCE = 15
_MARKER = 63


def class_keys() -> list[str]:
    """Return the keys whose values name the class, the most trusted first."""
    listed = [key for dialect in DIALECTS for key in dialect.classes]
    return list(dict.fromkeys([*CLASS_KEYS_FIRST, *listed]))


def evidence(table: KeyTable) -> Iterable[str]:
    """Yield what the keys say: the best class-naming value, class-suggesting key, and marker."""
    infos = f"arrayMap(id -> {number_array(table.infos, 'UInt16')}[id + 1], ids)"
    ranks = lookup(_NAMED, _class_ranks())
    yield (
        f"arrayMin(arrayMap((k, v, n) -> if(bitAnd(n, {CLASS_FLAG}) > 0, toUInt16({ranks} - 1), "
        f"toUInt16({_NONE})), ks, vs, {infos})) AS class_rank"
    )
    suggested = f"arrayFilter(n -> n > 0, arrayMap(n -> bitAnd(n, {_PRESENCE}), {infos}))"
    yield f"arrayMin({suggested}) AS presence"
    marked = f"arrayMap(n -> bitShiftRight(n, {MARKER_SHIFT}), {infos})"
    heads = f"arrayMap(h -> bitAnd(h, {_MARKER}), heads)"
    yield f"arrayMin(arrayFilter(m -> m > 0, arrayConcat({marked}, {heads}))) AS marker"
    names = dict.fromkeys(name for dialect in DIALECTS for name in dialect.message_events)
    yield f"hasAny(Events.Name, {array(names)}) AS has_messages"


_NAMED = "concat(k, '=', lower(substringIndex(trim(BOTH '\"' FROM v), ' ', 1)))"
"""A class-naming attribute: MLflow's values are quoted, Vercel appends the function's name after a blank."""


def dialect() -> str:
    """Return the number of the dialect: by scope or service, else by markers, else the canonical one."""
    ids = dialect_ids(DIALECTS)
    exact = {scope: ids[d.name] for d in DIALECTS for scope in (*d.scopes, *d.named_by)}
    scope = lookup("ScopeName", exact, "UInt8")
    prefixes = [
        (f"match(ScopeName, {quote(_starts(d.scope_prefixes))})", str(ids[d.name]))
        for d in DIALECTS
        if d.scope_prefixes
    ]
    services = [
        (f"ServiceName IN ({strings(d.services)})", str(ids[d.name]))
        for d in DIALECTS
        if d.services
    ]
    arms = [(f"{scope} > 0", scope), *prefixes, *services, ("marker > 0", "toUInt8(marker)")]
    return first_of(arms, str(ids[DIALECTS[0].name]))


def _starts(prefixes: Iterable[str]) -> str:
    return "^(" + "|".join(prefix.replace(".", "[.]") for prefix in prefixes) + ")"


def dialect_name() -> str:
    """Return the name of the dialect, from its number."""
    ids = dialect_ids(DIALECTS)
    return f"{array(sorted(ids, key=ids.__getitem__))}[dialect_id]"


def span_class() -> str:
    """Return the number of the class: a value that names it, the span's name, what the keys suggest."""
    names = {f"{d.name}:{name}": class_id(c) for d in DIALECTS for name, c in d.span_names.items()}
    named = lookup(
        f"concat({dialect_name()}, ':', substringIndex(SpanName, ' ', 1))", names, "UInt8"
    )
    suggested = number_array((class_id(c) for c in PRESENCE_ORDER), "UInt8")
    llm, other = class_id("llm"), class_id("other")
    arms = [
        (f"SpanName IN ({strings(s for d in DIALECTS for s in d.duplicates)})", str(other)),
        (f"class_rank NOT IN (0, {_NONE})", "toUInt8(bitAnd(class_rank, 15) + 1)"),
        (f"{named} > 0", named),
        ("presence > 0", f"{suggested}[presence]"),
        ("has_messages", str(llm)),
    ]
    return f"toUInt8({first_of(arms, str(other))})"


def _class_ranks() -> dict[str, int]:
    """Return "key=value" → rank: the order of the keys, and the class in the low 4 bits."""
    ranks: dict[str, int] = {}
    for order, key in enumerate(class_keys(), start=1):
        for d in DIALECTS:
            values: dict[str, SpanClass] = dict(d.classes.get(key, {}))
            for value, named in values.items():
                ranks.setdefault(f"{key}={value.lower()}", order * 16 + class_id(named))
    return ranks
