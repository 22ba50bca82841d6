"""JSON as Go writes it; the oracle is pdata itself (tests/fixtures/go_json/main.go made the cases)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloop.receiver.go_json import JsonValue, Unencodable, encode, format_float

values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_the_text_is_json_of_the_same_value(value: Any) -> None:
    assert json.loads(encode(value)) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_keep_every_digit(value: float) -> None:
    assert float(format_float(value)) == value


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), [float("-inf")], {"a": [float("nan")]}]
)
def test_what_go_refuses_is_refused(value: JsonValue) -> None:
    with pytest.raises(Unencodable):
        encode(value)


def test_members_are_sorted_by_their_bytes() -> None:
    assert (
        encode({"\U0001f600": 1, "\uffff": 2, "b": 3, "a": 4})
        == '{"a":4,"b":3,"\uffff":2,"\U0001f600":1}'
    )


def test_no_spaces_and_no_html_escapes() -> None:
    assert encode({"a": ["<&>", b"\x00\xff", True, None]}) == '{"a":["<&>","AP8=",true,null]}'
