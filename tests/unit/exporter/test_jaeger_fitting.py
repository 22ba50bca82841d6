"""Spans that Jaeger would refuse come cut, and never cost it the trace."""

from __future__ import annotations

import doctest

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from spanloop.exporter.jaeger_storage import fitting
from spanloop.exporter.jaeger_storage.fitting import WARNINGS, fitted, longest

MOST = 10_000


def one_span(n_attributes: int, value: str, **fields: object) -> TracesData:
    data = TracesData()
    resource = data.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "shop"
    resource.resource.attributes.add(key="host").value.string_value = value
    span = resource.scope_spans.add().spans.add(name="pay", **fields)
    for number in range(n_attributes):
        span.attributes.add(key=f"k{number}").value.string_value = value
    return data


def after(data: TracesData) -> tuple[TracesData, Span]:
    message = fitted(data.SerializeToString(), MOST)
    assert len(message) <= MOST
    found = TracesData.FromString(message)
    return found, found.resource_spans[0].scope_spans[0].spans[0]


def warnings(span: Span) -> list[str]:
    (said,) = [one for one in span.attributes if one.key == WARNINGS]
    return [one.string_value for one in said.value.array_value.values]


def test_a_span_that_fits_is_left_as_it_is() -> None:
    message = one_span(3, "short").SerializeToString()
    assert fitted(message, MOST) is message


def test_the_longest_texts_are_cut_alike_between_characters() -> None:
    data = one_span(20, "ä" * 1_000, status={"message": "m" * 5_000})
    found, span = after(data)
    assert span.name == "pay"
    lengths = {
        len(one.value.string_value.encode()) for one in span.attributes if one.key != WARNINGS
    }
    assert len(lengths) == 1
    limit = len(span.status.message)
    assert 0 <= limit - lengths.pop() <= 1
    assert found.ByteSize() > MOST * 0.9
    assert warnings(span) == [f"spanloop cut texts of this span to {limit} bytes: it has too many"]


def test_a_warning_that_was_said_before_stays() -> None:
    data = one_span(0, "v" * 20_000)
    said = data.resource_spans[0].scope_spans[0].spans[0].attributes.add(key=WARNINGS)
    said.value.array_value.values.add(string_value="spanloop cut values")
    assert warnings(after(data)[1])[0] == "spanloop cut values"


def test_of_a_span_with_too_many_keys_its_names_are_left() -> None:
    events = [{"name": "e"}] * 7
    dropped = {"dropped_attributes_count": 2**32 - 5}  # as a sender may claim
    found, span = after(one_span(2_000, "v", span_id=b"12345678", events=events, **dropped))
    assert (span.name, span.span_id) == ("pay", b"12345678")
    assert (span.dropped_attributes_count, span.dropped_events_count) == (2**32 - 1, 7)
    assert [one.key for one in span.attributes] == [WARNINGS]
    (service,) = found.resource_spans[0].resource.attributes
    assert service.key == "service.name"


def test_bytes_that_are_no_message_are_passed_on() -> None:
    assert fitted(b"x" * (MOST + 1), MOST) == b"x" * (MOST + 1)


@given(st.lists(st.integers(0, 1_000), max_size=20), st.integers(0, 5_000))
def test_texts_fill_the_room_that_there_is(sizes: list[int], room: int) -> None:
    limit = longest(sizes, room)
    assert sum(min(size, limit) for size in sizes) <= room
    if sum(sizes) > room:
        assert sum(min(size, limit + 1) for size in sizes) > room


def test_examples_hold() -> None:
    assert doctest.testmod(fitting).failed == 0
