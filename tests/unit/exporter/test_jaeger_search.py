from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from spanloop.exporter.jaeger_storage.messages import message_type
from spanloop.exporter.jaeger_storage.search import (
    DEFAULT_TRACES,
    FIRST_WINDOW_NS,
    MOST_TRACES,
    WINDOWS,
    Search,
    conditions,
    read_search,
    windows,
)
from spanloop.exporter.jaeger_storage.statements import Statements, as_text
from spanloop.exporter.render import Renderer, SchemaSettings
from spanloop.processor.errors import InvalidRequest

SECOND = 10**9
ZERO_TIME_OF_GO = -62_135_596_800


def query(**fields: Any) -> Any:
    return message_type("TraceQueryParameters")(**fields)


# --- what is asked ------------------------------------------------------------------------------


def test_every_field_of_a_search_is_read() -> None:
    asked = query(service_name="shop", operation_name="GET /", search_depth=7)
    asked.start_time_min.seconds, asked.start_time_max.nanos = 5, 10
    asked.start_time_max.seconds = 6
    asked.duration_min.nanos, asked.duration_max.seconds = 3, 4
    asked.attributes.add(key="a").value.string_value = "x"
    asked.attributes.add(key="b").value.int_value = -3
    asked.attributes.add(key="c").value.bool_value = False
    assert read_search(asked, pages=False) == Search(
        service="shop",
        operation="GET /",
        attributes=(("a", "x"), ("b", "-3"), ("c", "false")),
        start_ns=5 * SECOND,
        end_ns=6 * SECOND + 10,
        shortest_ns=3,
        longest_ns=4 * SECOND,
        most=7,
    )


def test_times_that_go_left_at_zero_are_not_set() -> None:
    asked = query()
    asked.start_time_min.seconds = asked.start_time_max.seconds = ZERO_TIME_OF_GO
    asked.duration_min.seconds = 0
    assert read_search(asked, pages=False) == Search(most=DEFAULT_TRACES)


@pytest.mark.parametrize(
    ("depth", "most"), [(0, DEFAULT_TRACES), (-1, DEFAULT_TRACES), (10**6, MOST_TRACES)]
)
def test_the_number_of_traces_is_bounded(depth: int, most: int) -> None:
    assert read_search(query(search_depth=depth), pages=False).most == most


def test_a_page_is_a_search_of_its_size_where_pages_are_known() -> None:
    asked = query()
    asked.pagination.page_size = 5
    assert read_search(asked, pages=True).most == 5
    with pytest.raises(InvalidRequest, match="not FindTraces"):
        read_search(asked, pages=False)


@pytest.mark.parametrize(
    "fields",
    [
        {"filter": b""},
        {"filter": b"\x0a\x02eq"},
        {"pagination": {"page_size": 5, "page_token": "x"}},
        {"pagination": {"page_size": 0}},
        {"pagination": {"page_size": 5}, "search_depth": 5},
        {"attributes": [{"key": "a", "value": {"double_value": 1.5}}]},
        {"attributes": [{"key": "a", "value": {"array_value": b""}}]},
        {"attributes": [{"key": "a"}]},
        {"attributes": [{"key": str(n), "value": {"string_value": ""}} for n in range(33)]},
        {"start_time_min": {"seconds": 2}, "start_time_max": {"seconds": 1}},
    ],
)
def test_what_is_not_served_is_refused_not_ignored(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        read_search(query(**fields), pages=True)


# --- when it is looked for ----------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 1, FIRST_WINDOW_NS, 3 * 3600 * SECOND, 40 * 86_400 * SECOND])
def test_windows_cover_the_time_once_from_its_end(length: int) -> None:
    start, end = 10**18, 10**18 + length
    found = list(windows(start, end))
    assert len(found) <= WINDOWS
    assert found[0][1] == end + 1
    assert found[-1][0] == start
    assert all(newer[0] == older[1] for newer, older in pairwise(found))
    assert all(first < last for first, last in found)


# --- what is looked for -------------------------------------------------------------------------


def test_without_attributes_there_is_one_alternative() -> None:
    alternatives, parameters = conditions(Search(service="shop", shortest_ns=5))
    assert alternatives == [["ServiceName = {service:String}", "Duration >= {shortest:UInt64}"]]
    assert parameters == {"service": "shop", "shortest": "5"}


def test_attributes_are_bound_and_never_written_into_the_text() -> None:
    hostile = "x' OR 1 = 1 --"
    alternatives, parameters = conditions(Search(service=hostile, attributes=[(hostile, hostile)]))
    assert "OR 1 = 1" not in str(alternatives)
    assert parameters == {"service": hostile, "key_0": hostile, "value_0": hostile}


def test_indexed_places_are_asked_apart_from_those_without_an_index() -> None:
    (indexed, elsewhere), _ = conditions(Search(attributes=[("a", "1"), ("b", "2")]))
    assert "Events" not in str(indexed)
    assert "ScopeAttributes" not in str(indexed)
    assert len(indexed) == 2
    assert elsewhere[0].count("Events.Attributes") == 2  # one of the two is there
    assert len(elsewhere) == 3  # and each somewhere


@pytest.mark.parametrize(
    ("key", "value", "condition"),
    [
        ("error", "true", "StatusCode = 'Error'"),
        ("error", "false", "StatusCode != 'Error'"),
        ("span.kind", "server", "SpanKind = 'Server'"),
        ("otel.status_code", "ERROR", "StatusCode = 'Error'"),
        ("otel.scope.name", "lib", "ScopeName = {value_0:String}"),
    ],
)
def test_names_that_stand_for_columns(key: str, value: str, condition: str) -> None:
    assert conditions(Search(attributes=[(key, value)]))[0] == [[condition]]


@pytest.mark.parametrize(
    ("key", "value"), [("error", "perhaps"), ("span.kind", "x' OR 1"), ("otel.status_code", "7")]
)
def test_other_values_of_these_names_are_attributes(key: str, value: str) -> None:
    alternatives, parameters = conditions(Search(attributes=[(key, value)]))
    assert len(alternatives) == 2
    assert parameters["value_0"] == value


def test_an_empty_value_is_not_an_absent_one() -> None:
    alternatives, _ = conditions(Search(attributes=[("a", "")]))
    assert "mapContains(SpanAttributes, {key_0:String})" in alternatives[0][0]


# --- statements ---------------------------------------------------------------------------------


def test_arrays_are_quoted_for_the_engine() -> None:
    assert as_text({"ids": ("a'b", "c\\d"), "one": "a'b"}) == {
        "ids": r"['a\'b','c\\d']",
        "one": "a'b",
    }


def test_on_a_cluster_all_shards_are_read() -> None:
    statements = Statements(Renderer(settings=SchemaSettings(cluster="c")))
    sql = statements.bound("select_summaries", {}).sql
    assert "`otel_traces_all`" in sql
    assert "`otel_traces_all_trace_id_ts`" in sql
    assert "GLOBAL IN" in sql
