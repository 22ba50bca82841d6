"""The rule table is consistent with itself."""

from __future__ import annotations

from spanloop.processor.dialects import DIALECTS
from spanloop.processor.keytable import N_CLASSES, compile_keys, dialect_ids
from spanloop.processor.kinds import class_keys
from spanloop.processor.providers import ALIASES, FRAMEWORKS
from spanloop.processor.rules import CLASSES, COLUMNS
from spanloop.processor.tagging import genai_filter, rule_count


def test_every_rule_fills_a_column_that_exists() -> None:
    for dialect in DIALECTS:
        targets = [
            *dialect.columns,
            *dialect.indexed.values(),
            *(event.column for event in dialect.events),
        ]
        assert set(targets) <= set(COLUMNS), dialect.name
        assert all(prefix.endswith(".") for prefix in dialect.indexed)


def test_ids_fit_their_runs() -> None:
    table = compile_keys(DIALECTS, class_keys())
    by_id = {number: key for key, number in table.ids.items()}
    absent = {key for dialect in DIALECTS for key in dialect.absent}
    low, high = table.absent
    assert {by_id[number] for number in range(low, high + 1)} == absent
    wrapped = {key for d in DIALECTS for envelope in d.envelopes for key in envelope.keys}
    low, high = table.wrapped
    assert {by_id[number] for number in range(low, high + 1)} == wrapped
    assert all(len(matrix) == (len(by_id) + 1) * N_CLASSES for matrix in table.targets)


def test_numbers_fit_their_bits() -> None:
    assert len(dialect_ids(DIALECTS)) < 63
    assert len(CLASSES) < 15
    assert len({dialect.name for dialect in DIALECTS}) == len(DIALECTS)


def test_no_alias_points_at_an_alias_or_a_framework() -> None:
    assert not set(ALIASES.values()) & FRAMEWORKS
    assert not {target for target in ALIASES.values() if ALIASES.get(target, target) != target}


def test_the_filter_reads_keys_only() -> None:
    assert "mapValues" not in genai_filter()
    assert "SpanAttributes[" not in genai_filter()


def test_the_table_is_as_large_as_the_documentation_says() -> None:
    assert rule_count() > 700
