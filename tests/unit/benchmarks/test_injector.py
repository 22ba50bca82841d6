"""Planted faults: histories agree, values come from the run, the same seed gives the same bytes."""

import json
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.truth.injector import KINDS, Injection, inject
from benchmarks.truth.recorded import ARGUMENTS, CALL_ID, INPUT, OUTPUT, RESULT, Run, split_runs

Message = dict[str, Any]

ORDER = '{"order": "A-1001", "total": 250.75, "lines": ["B-2001", "B-2002"]}'
CLOSING = "Your order A-1001 is cancelled, and the $250.75 you paid will be back within a few days."
STORY: list[tuple[str, Any]] = [
    ("user", "Please cancel order A-1001, not A-1002."),
    ("call", ("c1", "get_order", {"order": "A-1001"}, ORDER)),
    (
        "assistant",
        "Order A-1001 holds two items for $250.75, and it can still be cancelled. Go on?",
    ),
    ("user", "Yes, go on."),
    ("call", ("c2", "cancel_order", {"order": "A-1001", "reason": "user"}, '{"order": "A-1001"}')),
    ("assistant", CLOSING),
    ("user", "Thanks."),
]


def _said(role: str, text: str) -> Message:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _asked(call: tuple[str, str, Any, str]) -> Message:
    part = {"type": "tool_call", "id": call[0], "name": call[1], "arguments": call[2]}
    return {"role": "assistant", "parts": [part]}


def _answered(call: tuple[str, str, Any, str]) -> Message:
    part = {"type": "tool_call_response", "id": call[0], "response": call[3]}
    return {"role": "tool", "parts": [part]}


def _record(*, whole: bool) -> list[ExportTraceServiceRequest]:
    """Record `STORY` with chats that are given the whole history, or only what is new."""
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    history: list[Message] = []
    new: list[Message] = []

    def add(name: str, **attributes: str) -> None:
        number = len(spans) + 1
        span = spans.add(
            trace_id=b"t" * 16, span_id=number.to_bytes(8, "big"), parent_span_id=b"\0" * 7 + b"\1"
        )
        span.start_time_unix_nano, span.end_time_unix_nano = number * 1000, number * 1000 + 1000
        for key, value in {"gen_ai.operation.name": name, **attributes}.items():
            span.attributes.add(key=key).value.string_value = value

    add("invoke_agent", **{INPUT: json.dumps([_said("user", STORY[0][1])])})
    spans[0].ClearField("parent_span_id")
    for kind, what in STORY:
        if kind == "user":
            new.append(_said("user", what))
            continue
        told = [*history, *new] if whole else new
        out = _asked(what) if kind == "call" else _said("assistant", what)
        add("chat", **{INPUT: json.dumps(told), OUTPUT: json.dumps([out])})
        history, new = [*history, *new, out], []
        if kind == "call":
            arguments = json.dumps(what[2])
            extra = {CALL_ID: what[0], "gen_ai.tool.name": what[1]}
            add("execute_tool", **{ARGUMENTS: arguments, RESULT: what[3]}, **extra)
            new.append(_answered(what))
    add("invoke_agent", **{INPUT: json.dumps(new)})
    spans[-1].ClearField("parent_span_id")
    spans[0].end_time_unix_nano = spans[-1].start_time_unix_nano - 1
    return [request]


def _everything(injection: Injection) -> str:
    run = Run(injection.requests)
    return "\n".join(a.value.string_value for s in run.spans for a in s.span.attributes)


def _plant(kind: str, *, whole: bool, seed: int = 3) -> Injection:
    injection = inject(_record(whole=whole), kind, seed=seed)
    assert injection is not None
    return injection


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_same_seed_plants_the_same_fault_on_a_span_of_the_run(kind: str, whole: bool) -> None:
    first, second = _plant(kind, whole=whole), _plant(kind, whole=whole)
    assert [r.SerializeToString() for r in first.requests] == [
        r.SerializeToString() for r in second.requests
    ]
    assert first.fault.kind == kind
    assert set(first.fault.span_ids) & {s.id for s in Run(first.requests).spans}


def test_the_recorded_run_itself_stays_as_it_is() -> None:
    requests = _record(whole=True)
    before = requests[0].SerializeToString()
    for kind in KINDS:
        inject(requests, kind, seed=1)
    assert requests[0].SerializeToString() == before


@pytest.mark.parametrize("seed", range(6))
def test_a_lost_result_is_lost_in_every_history(seed: int) -> None:
    injection = _plant("dropped_tool_result", whole=True, seed=seed)
    lost = {"get_order": ORDER, "cancel_order": '{"order": "A-1001"}'}[injection.fault.detail]
    assert json.dumps(lost)[1:-1] not in _everything(injection)


@pytest.mark.parametrize("seed", range(6))
def test_a_corrupted_argument_is_another_id_of_the_run_wherever_the_call_is_told(seed: int) -> None:
    injection = _plant("corrupted_argument", whole=True, seed=seed)
    assert injection.fault.detail == "A-1001 -> A-1002"
    asked = [
        part["arguments"]["order"]
        for span in Run(injection.requests).spans
        for messages in span.messages.values()
        for message in messages
        for part in message["parts"]
        if part.get("id") == injection.fault.call_id and part["type"] == "tool_call"
    ]
    assert set(asked) == {"A-1002"}


def test_a_swapped_tool_is_one_that_the_run_used() -> None:
    injection = _plant("swapped_tool", whole=True)
    names = {
        s.text("gen_ai.tool.name")
        for s in Run(injection.requests).spans
        if s.operation == "execute_tool"
    }
    assert names in ({"get_order"}, {"cancel_order"})


@pytest.mark.parametrize("whole", [True, False])
def test_a_repeated_call_is_heard_twice_in_later_histories(whole: bool) -> None:
    injection = _plant("repeated_call", whole=whole)
    run = Run(injection.requests)
    tools = [s for s in run.spans if s.operation == "execute_tool"]
    assert len(tools) == 3
    assert len(run.tools()) == 3
    heard = [
        part["id"]
        for message in run.chats[-1].messages[INPUT]
        for part in message["parts"]
        if part["type"] == "tool_call_response"
    ]
    assert len(heard) == len(set(heard)) == (3 if whole else 1)
    order = [s.text("gen_ai.tool.name") for s in run.spans if s.operation == "execute_tool"]
    assert [name for name in order if name == injection.fault.detail] == [
        injection.fault.detail
    ] * 2
    at = order.index(injection.fault.detail)
    assert order[at + 1] == injection.fault.detail
    starts = [s.start for s in run.spans if s.operation != "invoke_agent"]
    assert len(starts) == len(set(starts))


def test_a_cut_text_is_cut_in_every_history() -> None:
    injection = _plant("truncated_answer", whole=True)
    whole = next(t for k, t in STORY if k == "assistant" and t.startswith(injection.fault.text))
    assert whole not in _everything(injection)
    assert injection.fault.text in _everything(injection)


def test_a_false_amount_is_told_by_nothing_else() -> None:
    injection = _plant("ungrounded_claim", whole=True)
    true, _, false = injection.fault.detail.partition(" -> ")
    assert true == "$250.75"
    assert false in injection.fault.text
    others = [t for k, t in STORY if k == "user"] + [ORDER]
    assert not any(false.strip("$") in other for other in others)


def test_a_missing_look_up_leaves_no_trace() -> None:
    everything = _everything(_plant("missing_verification", whole=True))
    assert "get_order" not in everything
    assert "cancel_order" in everything


@pytest.mark.parametrize("whole", [True, False])
def test_a_run_that_stops_early_ends_with_the_words_that_called_for_more(whole: bool) -> None:
    injection = _plant("early_stop", whole=whole)
    run = Run(injection.requests)
    assert "cancel_order" not in _everything(injection)
    assert run.items()[-1].text in ("Yes, go on.", STORY[0][1])
    assert CLOSING not in _everything(injection)


def test_an_ignored_error_is_an_error_of_the_tool_and_the_text_goes_on() -> None:
    injection = _plant("ignored_error", whole=True)
    failed = [s for s in Run(injection.requests).spans if s.span.status.code == 2]
    assert len(failed) == 1
    assert "rror" in failed[0].text(RESULT)
    assert CLOSING in _everything(injection)


def test_runs_are_told_apart_by_conversation_else_by_trace() -> None:
    runs = split_runs(_record(whole=True))
    assert list(runs) == [(b"t" * 16).hex()]
    assert Run(runs[(b"t" * 16).hex()]).key == (b"t" * 16).hex()
