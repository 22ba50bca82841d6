"""Nothing that a trace may hold makes the reader raise, and nothing makes it read without bound."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanloop.processor.messages import Caps, Content, ToolContent, read_content, read_tool

KEYS = [
    "additional_kwargs",
    "arguments",
    "args",
    "attributes",
    "candidates",
    "choices",
    "content",
    "contents",
    "data",
    "event.name",
    "function",
    "functionCall",
    "functionResponse",
    "function_call",
    "generations",
    "id",
    "input",
    "inputs",
    "items",
    "kind",
    "kwargs",
    "lc",
    "message",
    "message_content",
    "messages",
    "name",
    "output",
    "part_kind",
    "parts",
    "prompt",
    "reasoning",
    "response",
    "result",
    "role",
    "summary",
    "system",
    "text",
    "thought",
    "toolCallId",
    "toolName",
    "toolRequest",
    "toolResponse",
    "toolResult",
    "toolUse",
    "tool_call",
    "tool_call_id",
    "tool_calls",
    "type",
    "update",
    "value",
    "0.role",
    "0.content",
    "0.tool_calls.0.name",
    "7.message.role",
]
WORDS = [
    "ai",
    "assistant",
    "call",
    "chat",
    "function",
    "function_call",
    "function_call_output",
    "gen_ai.choice",
    "gen_ai.user.message",
    "human",
    "image_url",
    "message",
    "output_text",
    "reasoning",
    "request",
    "response",
    "system",
    "text",
    "thinking",
    "tool",
    "tool-call",
    "tool-result",
    "tool_call",
    "tool_call_response",
    "tool_result",
    "tool_use",
    "user",
    "user-prompt",
    "system-prompt",
]

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(WORDS),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
        inner.map(json.dumps),
    ),
    max_leaves=20,
)
TEXTS = st.one_of(
    VALUES.map(json.dumps),
    VALUES.map(repr),
    st.tuples(VALUES.map(json.dumps), st.integers(0, 200)).map(lambda t: t[0][: t[1]]),
    st.binary(max_size=60).map(lambda b: b.decode("utf-8", "replace")),
    st.text(alphabet="[]{}\",:\\ntu0e'()", max_size=60),
)


def _check(text: str | None) -> None:
    """Its JSON can be stored, and is in canonical form."""
    if text is not None:
        text.encode()
        for message in json.loads(text):
            assert "parts" in message or "type" in message


@settings(max_examples=400, deadline=None, derandomize=True)
@given(a=TEXTS, b=TEXTS)
def test_no_content_raises(a: str, b: str) -> None:
    for content in (
        Content(system=b, input_messages=a, output_messages=b),
        Content(events=a, logs=b, output=a),
        Content(input=a, output=b),
    ):
        messages = read_content(content)
        for text in messages.texts():
            _check(text)
    tool = read_tool(
        ToolContent(name="t", arguments=a, result=b, input=b, output=a), {"t": [{}]}, Caps()
    )
    for text in (tool.arguments, tool.result, tool.call_id):
        (text or "").encode()


@settings(max_examples=200, deadline=None, derandomize=True)
@given(text=TEXTS)
def test_what_is_canonical_stays_as_it_is(text: str) -> None:
    once = read_content(Content(input_messages=text, output_messages=text)).texts()
    again = read_content(
        Content(system=once[0], input_messages=once[1], output_messages=once[2])
    ).texts()
    assert [_parts(t) for t in again] == [_parts(t) for t in once]


def _parts(text: str | None) -> Any:
    return None if text is None else json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"messages":' * 50_000,
        '[{"role":"user","content":' * 20_000,
        json.dumps('"' * 5_000),
        '[{"role": "user", "content": "' + "x" * 5_000_000,
        '"' + "\\" * 100_001,
        '{"' + "a" * 100_000,
        "9" * 10_000,
        '[{"role":"tool","content":' + "9" * 10_000 + "}]",
        '[{"role":"user","content":1e400},{"role":"user","content":NaN}]',
        '[{"role":"user","content":"\\ud800"}]',
        '"\\ud800"',
        '{"999999999.content": "x", "0.role": "user", "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15": "y"}',
        '{"0": "x", "0.role": "user", "0.role.x": "y"}',
    ],
    ids=lambda text: text[:24],
)
def test_bombs(text: str) -> None:
    for content in (
        Content(input_messages=text, output_messages=text, system=text),
        Content(events=text, logs=text, input=text, output=text),
    ):
        for told in read_content(content).texts():
            _check(told)
    tool = read_tool(ToolContent(name="t", arguments=text, result=text, output=text), {}, Caps())
    for unwrapped in (tool.arguments, tool.result, tool.call_id):
        (unwrapped or "").encode()


def test_a_gap_between_indexes_costs_nothing() -> None:
    text = '{"0.role": "user", "0.content": "hi", "999999999.role": "assistant", "999999999.content": "ho"}'
    messages = read_content(Content(input_messages=text))
    assert [message.role for message in messages.input or []] == ["user", "assistant"]


CAPS = Caps(text=2_000, part=10, messages=3, parts=5, depth=4)


@pytest.mark.parametrize(
    "value",
    [
        [{"role": "user", "content": "hello"}] * 4,
        [{"role": "user", "content": "longer than ten"}],
        [{"role": "user", "content": ["a", "b", "c", "d", "e", "f"]}],
        [{"role": "assistant", "tool_calls": [{"name": "t", "arguments": {"a": [[[[1]]]]}}]}],
        [[[[[[[{"role": "user", "content": "deep"}]]]]]]],
        [{"role": "user", "content": "x" * 3_000}],
    ],
    ids=["messages", "text", "parts", "arguments", "nesting", "column"],
)
def test_a_cap_that_is_reached_is_told(value: Any) -> None:
    messages = read_content(Content(input_messages=json.dumps(value)), CAPS)
    assert messages.cut
    assert len(messages.input or []) <= CAPS.messages


def test_nothing_is_invented() -> None:
    assert read_content(Content()).texts() == (None, None, None)
    assert read_content(Content(input_messages="")).texts() == (None, None, None)
    assert read_content(Content(input_messages="[]")).texts() == (None, "[]", None)
