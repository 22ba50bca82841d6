"""Maps and nested arrays become the text that the Collector's exporter would store."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from spanloop.receiver.check import check
from spanloop.receiver.complex_values import flatten_inplace
from spanloop.receiver.otlp_messages import request_types

CASES = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "go_json" / "cases.json").read_text(encoding="utf-8")
)
FLAT_IN_THE_DATABASE = {"array of nothing"}


def only_value(request: Any) -> Any:
    return request.resource_spans[0].scope_spans[0].spans[0].attributes[0].value


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_text_is_that_of_pdata(case: dict[str, str]) -> None:
    request = request_types("traces").full.FromString(bytes.fromhex(case["request_hex"]))
    flatten_inplace(request)
    value = only_value(request)
    if case["name"] in FLAT_IN_THE_DATABASE:
        assert value.WhichOneof("value") == "array_value"
        return
    assert value.string_value == base64.b64decode(case["as_string_base64"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_check_takes_the_slow_path_exactly_for_them(case: dict[str, str]) -> None:
    body = bytes.fromhex(case["request_hex"])
    slow = case["name"] not in FLAT_IN_THE_DATABASE
    assert check("traces", body).slow == slow


@pytest.mark.parametrize(
    "set_value",
    [
        lambda v: setattr(v, "string_value", b"a"),
        lambda v: setattr(v, "string_value", b"\xff\xfe"),
        lambda v: setattr(v, "int_value", 0),
        lambda v: setattr(v, "double_value", float("nan")),
        lambda v: setattr(v, "bytes_value", b""),
        lambda v: v.array_value.values.add(string_value=b"x"),
        lambda _: None,
    ],
)
def test_scalars_and_arrays_of_scalars_stay(set_value: Any) -> None:
    request: Any = request_types("traces").full()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    set_value(span.attributes.add(key=b"k").value)
    before = request.SerializeToString()
    flatten_inplace(request)
    assert request.SerializeToString() == before


def test_values_are_found_wherever_they_are() -> None:
    request: Any = request_types("logs").full()
    resource = request.resource_logs.add()
    scope = resource.scope_logs.add()
    record = scope.log_records.add()
    places = [
        resource.resource.attributes.add().value,
        scope.scope.attributes.add().value,
        record.attributes.add().value,
        record.body,
    ]
    for place in places:
        place.kvlist_value.values.add(key=b"a").value.int_value = 1
    flatten_inplace(request)
    assert [place.string_value for place in places] == [b'{"a":1}'] * 4


def test_the_last_of_duplicate_keys_wins() -> None:
    request: Any = request_types("traces").full()
    value = request.resource_spans.add().resource.attributes.add().value
    for n in (1, 2):
        value.kvlist_value.values.add(key=b"a").value.int_value = n
    flatten_inplace(request)
    assert value.string_value == b'{"a":2}'
