"""Compile the rule table to numbers: an id per source key, and what a key carries on a span of each class.

A span's attributes are scanned once: every key becomes an id by one table look-up, and a matrix (id × class)
says which column it may carry and how good a carrier it is. What was found is sorted, and a column is then
one short search over small integers. Hundreds of look-ups ``SpanAttributes['…']``, each a scan over the
keys, would cost several times as much (0.12 µs each on a span of 17 attributes), and so would analysing
them: the engine analyses the view on every insert and pays about 0.06 ms for each function call in it.

What is not an attribute is made to look like one before (`spanloop.processor.pairs`): a field inside JSON
text is ``key#field``, an attribute of a span event ``event#key``, indexed flat keys ``#prefix``.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from spanloop.processor.rules import (
    AGGREGATES,
    BRANCH_CLASSES,
    CLASSES,
    COLUMN_CLASSES,
    COLUMNS,
    EMPTY_MEANS_EMPTY,
    PRESENCE_ORDER,
    Dialect,
    Source,
    SpanClass,
    as_source,
)

N_CLASSES = len(CLASSES) + 1
"""Width of a row of the matrix; class 0 is unused."""

CLASS_FLAG = 16
MARKER_SHIFT = 5
"""An info holds the class that presence suggests (4 bits), whether the value names the class, the dialect."""

PRIORITY_SHIFT = 2
COLUMN_SHIFT = 11
LAST_RESORT = 256
"""A target holds whether '' is a value at all (1 bit), whether it is as good as any (1), priority (8), last
resort (1) and column (the rest)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTable:
    """The compiled rule table; ids count from 1, lists start with the entry of id 0 (an unknown key).

    Attributes:
        ids: Source key → id. Keys whose JSON text is opened come first, then those with absent values.
        n_json: The ids up to here are opened as JSON.
        absent: The ids from the first to the second have values that mean "absent".
        wrapped: The ids from the first to the second are opened where their value starts as an envelope does.
        infos: What a key says about class and dialect.
        targets: Matrices (id × class, flat); a key that carries several columns at once has an entry in each.
    """

    ids: Mapping[str, int]
    n_json: int
    absent: tuple[int, int]
    wrapped: tuple[int, int]
    infos: Sequence[int]
    targets: Sequence[Sequence[int]]


def compile_keys(dialects: Sequence[Dialect], class_keys: Sequence[str]) -> KeyTable:
    """Give every key of ``dialects`` its id and its rows."""
    sources = {column: _sources(dialects, column) for column in COLUMNS}
    wrapped = {
        key for dialect in dialects for envelope in dialect.envelopes for key in envelope.keys
    }
    opened = {p for column in sources.values() for s in column for p in _opened(s)} - wrapped
    absent = {key for dialect in dialects for key in dialect.absent}
    keys = dict.fromkeys(
        [
            *(key for column in sources.values() for key in map(flat_key, column)),
            *opened,
            *class_keys,
            *_presence(dialects),
            *marker_keys(dialects),
            *absent,
            *wrapped,
        ]
    )
    # Runs of ids: opened, opened with absent values, absent values only, wrapped, the rest.
    ordered = sorted(
        keys,
        key=lambda key: (
            key not in opened,
            key in opened & absent,
            key not in absent,
            key not in wrapped,
            key,  # the text of the view must not depend on the order of a set
        ),
    )
    ids = {key: number for number, key in enumerate(ordered, start=1)}
    absent_ids, wrapped_ids = ([ids[key] for key in group] for group in (absent, wrapped))
    return KeyTable(
        ids=ids,
        n_json=len(opened),
        absent=(min(absent_ids), max(absent_ids)),
        wrapped=(min(wrapped_ids), max(wrapped_ids)),
        infos=_infos(dialects, ids, class_keys),
        targets=_targets(sources, ids, wrapped),
    )


def flat_key(source: Source) -> str:
    """Return the name under which a source is found among the pairs of a span."""
    return "#".join((source.key, *source.path))


def column_id(column: str) -> int:
    """Return the number that stands for ``column`` inside the view."""
    return list(COLUMNS).index(column) + 1


def class_id(span_class: SpanClass) -> int:
    """Return the number that stands for ``span_class`` inside the view."""
    return CLASSES.index(span_class) + 1


def dialect_ids(dialects: Sequence[Dialect]) -> dict[str, int]:
    """Number the dialects from 1, the canonical one last: where several mark a span, the lowest names it."""
    canonical, *others = dialects
    return {dialect.name: number for number, dialect in enumerate([*others, canonical], start=1)}


def marker_keys(dialects: Sequence[Dialect]) -> dict[str, int]:
    """Return whole keys that mark a dialect (markers of more than two segments)."""
    return _markers(dialects, whole=True)


def marker_heads(dialects: Sequence[Dialect]) -> dict[str, int]:
    """Return heads of keys (two segments) that mark a dialect."""
    return _markers(dialects, whole=False)


def _markers(dialects: Sequence[Dialect], *, whole: bool) -> dict[str, int]:
    ids = dialect_ids(dialects)
    found: dict[str, int] = {}
    for dialect in dialects:
        for marker in dialect.markers:
            if (marker.count(".") > 1) == whole:
                found[marker] = min(ids[dialect.name], found.get(marker, ids[dialect.name]))
    return found


def _sources(dialects: Sequence[Dialect], column: str) -> list[Source]:
    """Return the carriers of a column, best first: keys, then JSON fields, flat keys, events."""
    listed = [
        as_source(source) for dialect in dialects for source in dialect.columns.get(column, ())
    ]
    if column in AGGREGATES:
        repeated = _sources(dialects, AGGREGATES[column])
        listed += [
            replace(s, classes=tuple(sorted(set(s.classes or CLASSES) & set(BRANCH_CLASSES))))
            for s in repeated
        ]
    plain = [source for source in listed if not source.path]
    nested = [source for source in listed if source.path]
    indexed = [
        Source(f"#{prefix}")
        for d in dialects
        for prefix, target in d.indexed.items()
        if target == column
    ]
    events = [
        Source(f"{event.event}#{event.key}", classes=event.classes)
        for d in dialects
        for event in d.events
        if event.column == column
    ]
    wrapped = [
        Source(key, path=e.path)
        for d in dialects
        for e in d.envelopes
        if e.column == column
        for key in e.keys
    ]
    return list(dict.fromkeys([*wrapped, *plain, *nested, *indexed, *events]))


def _opened(source: Source) -> list[str]:
    """Return the keys to open on the way to a source."""
    return ["#".join((source.key, *source.path[:depth])) for depth in range(len(source.path))]


def _presence(dialects: Sequence[Dialect]) -> dict[str, SpanClass]:
    suggested: dict[str, SpanClass] = {}
    for dialect in dialects:
        for key, span_class in dialect.presence.items():
            suggested.setdefault(key, span_class)
    return suggested


def _infos(
    dialects: Sequence[Dialect], ids: Mapping[str, int], class_keys: Sequence[str]
) -> list[int]:
    infos = [0] * (len(ids) + 1)
    for key, suggested in _presence(dialects).items():
        infos[ids[key]] += PRESENCE_ORDER.index(suggested) + 1
    for key in class_keys:
        infos[ids[key]] += CLASS_FLAG
    for key, number in marker_keys(dialects).items():
        infos[ids[key]] += number << MARKER_SHIFT
    return infos


def _targets(
    sources: Mapping[str, Sequence[Source]], ids: Mapping[str, int], wrapped: Collection[str]
) -> list[list[int]]:
    matrices: list[list[int]] = []
    for column, listed in sources.items():
        for priority, source in enumerate(listed):
            target = (
                column_id(column) << COLUMN_SHIFT
                | priority << PRIORITY_SHIFT
                | (column in EMPTY_MEANS_EMPTY)
                # What an envelope holds is the answer, even if it is ''; the envelope itself is not.
                | (bool(source.path) and source.key in wrapped) << 1
            )
            allowed = set(COLUMN_CLASSES.get(column, CLASSES)) & set(source.classes or CLASSES)
            for span_class in sorted(allowed):
                _place(
                    matrices,
                    ids[flat_key(source)] * N_CLASSES + class_id(span_class),
                    target,
                    len(ids) + 1,
                )
    return matrices


def _place(matrices: list[list[int]], index: int, target: int, n_keys: int) -> None:
    for matrix in matrices:
        if matrix[index] >> COLUMN_SHIFT == target >> COLUMN_SHIFT:
            return  # the same column already has this key at a better priority
        if matrix[index] == 0:
            matrix[index] = target
            return
    matrices.append([0] * (n_keys * N_CLASSES))
    matrices[-1][index] = target
