"""How traces become trajectories over several analyses, on small made-up spans."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from spanloop.optimizer.assembly import AssemblyResult, assemble
from tests.support.analysis import LATER_MS, AnalysisStore, open_analysis_store

START_NS = 1_790_000_000_000_000_000
SECOND_NS = 1_000_000_000
RESULTS = (
    "TrajectoryId, Basis, TraceIds, State, StepKinds, StepStatuses, Completeness, Issues, Version"
)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    store = open_analysis_store(tmp_path_factory.mktemp("assembly") / "db")
    yield store
    store.client.close()


@pytest.fixture
def store(opened: AnalysisStore) -> AnalysisStore:
    """The store, empty: one data path per process."""
    for table in (
        "otel_traces",
        "otel_logs",
        "genai_spans",
        "trace_arrivals",
        "canonical_messages",
        "trajectory_traces",
        "trajectories",
        "trajectory_steps",
        "analyses",
    ):
        opened.client.command(f"TRUNCATE TABLE {table}")
    return opened


_versions = itertools.count(LATER_MS, 1_000)


def _assemble(store: AnalysisStore, now_ms: int | None = None, **limits: int) -> AssemblyResult:
    context = store.context(next(_versions) if now_ms is None else now_ms, overlap_s=0, **limits)
    return assemble(context)


def _text(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _asks(name: str, call_id: str, /, **arguments: Any) -> dict[str, Any]:
    part = {"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}
    return {"role": "assistant", "parts": [part]}


def _answers(call_id: str, text: str) -> dict[str, Any]:
    return {
        "role": "tool",
        "parts": [{"type": "tool_call_response", "id": call_id, "response": text}],
    }


def _id(text: str, length: int) -> str:
    return text.encode().hex().ljust(length, "0")[:length]


def _span(
    trace: str, name: str, at_s: float, *, parent: str = "", **attributes: Any
) -> dict[str, Any]:
    """Return a span of one second; ``seconds``, ``failed`` and ``kind`` are taken out of the attributes."""
    start = START_NS + int(at_s * SECOND_NS)
    kind = attributes.pop("kind", "chat")
    seconds = attributes.pop("seconds", 1)
    failed = attributes.pop("failed", False)
    return {
        "traceId": _id(trace, 32),
        "spanId": _id(trace + name, 16) if len(trace + name) <= 8 else _id(name, 16),
        "parentSpanId": _id(parent, 16) if parent else "",
        "name": name,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + seconds * SECOND_NS),
        "status": {"code": 2, "message": "it broke"} if failed else {},
        "attributes": {
            "gen_ai.operation.name": kind,
            **{f"gen_ai.{key.replace('__', '.')}": value for key, value in attributes.items()},
        },
    }


def _chat(
    trace: str, name: str, at_s: float, told: Sequence[Any], said: Sequence[Any], **more: Any
) -> dict[str, Any]:
    return _span(trace, name, at_s, input__messages=told, output__messages=said, **more)


def _trajectories(store: AnalysisStore) -> list[dict[str, Any]]:
    return store.rows(f"SELECT {RESULTS} FROM trajectories FINAL ORDER BY Start, TrajectoryId")  # noqa: S608


def _story(store: AnalysisStore, trajectory_id: str) -> list[tuple[Any, ...]]:
    rows = store.rows(
        "SELECT * FROM trajectory_steps FINAL WHERE TrajectoryId = {id:String} ORDER BY Step",
        id=trajectory_id,
    )
    return [
        (r["Kind"], r["Text"])
        if r["Kind"] in ("user", "assistant")
        else (r["Kind"], r["Name"], r["Result"])
        for r in rows
    ]


def _only_story(store: AnalysisStore) -> list[tuple[Any, ...]]:
    (trajectory,) = _trajectories(store)
    return _story(store, trajectory["TrajectoryId"])


HI, HELLO = _text("user", "Hi"), _text("assistant", "Hello, who are you?")
ANN, FOUND = _text("user", "Ann"), _asks("find", "c1", name="Ann")
GIVEN, DONE = _answers("c1", "number 7"), _text("assistant", "You are number 7.")
YES, BYE = _text("user", "Yes"), _text("assistant", "Bye")
STORY = [
    ("user", "Hi"),
    ("assistant", "Hello, who are you?"),
    ("user", "Ann"),
    ("tool", "find", "number 7"),
    ("assistant", "You are number 7."),
]


def _conversation(history: bool, **more: Any) -> list[dict[str, Any]]:
    """The story over two traces, told with the whole history or with what is new only."""
    told = [HI, HELLO] if history else []
    again = [*told, ANN, FOUND, GIVEN] if history else [GIVEN]
    return [
        _chat("t1", "a", 0, [HI], [HELLO], conversation__id="k", **more),
        _chat("t2", "b", 60, [*told, ANN], [FOUND], conversation__id="k", **more),
        _chat("t2", "c", 63, again, [DONE], conversation__id="k", **more),
    ]


@pytest.mark.parametrize("history", [True, False])
def test_whole_histories_and_news_alone_come_out_as_the_same_steps(
    store: AnalysisStore, history: bool
) -> None:
    store.insert_spans(_conversation(history))
    _assemble(store)
    assert _only_story(store) == STORY


def test_running_twice_changes_nothing_but_the_version(store: AnalysisStore) -> None:
    store.insert_spans(_conversation(True))
    first = (_assemble(store), _trajectories(store), _only_story(store))
    store.client.command("TRUNCATE TABLE analyses")  # as if it had been killed before it noted so
    again = (_assemble(store), _trajectories(store), _only_story(store))
    assert [row.pop("Version") for row in first[1]] != [row.pop("Version") for row in again[1]]
    assert first == again
    assert _assemble(store).trajectories == 0


def test_only_what_changed_is_written(store: AnalysisStore) -> None:
    store.insert_spans(_conversation(True))
    store.insert_spans([_chat("t9", "z", 0, [HI], [BYE])])
    _assemble(store)
    versions = {row["TrajectoryId"]: row["Version"] for row in _trajectories(store)}
    store.insert_spans([_chat("t9", "y", 30, [HI, BYE, YES], [HELLO])])
    assert _assemble(store).trajectories == 1
    after = {row["TrajectoryId"]: row["Version"] for row in _trajectories(store)}
    assert {key for key in after if after[key] != versions[key]} == {_id("t9", 32)}
    changed = store.rows("SELECT TrajectoryId FROM changed_trajectories")
    assert [row["TrajectoryId"] for row in changed] == [_id("t9", 32)]


def test_late_spans_reopen_and_idle_time_closes(store: AnalysisStore) -> None:
    end_ms = START_NS // 1_000_000 + 1_000
    store.insert_spans([_chat("t1", "a", 0, [HI], [HELLO], conversation__id="k")])
    _assemble(store, end_ms + 10_000, idle_s=60)
    assert [row["State"] for row in _trajectories(store)] == ["open"]
    assert _assemble(store, end_ms + 61_000, idle_s=60).closed == 1  # without a new span
    assert [row["State"] for row in _trajectories(store)] == ["closed"]
    store.insert_spans(_conversation(True)[1:])
    _assemble(store, end_ms + 65_000, idle_s=60)
    (trajectory,) = _trajectories(store)
    assert trajectory["State"] == "open"
    assert _only_story(store) == STORY


def test_a_trajectory_that_loses_its_traces_to_a_conversation_is_deleted(
    store: AnalysisStore,
) -> None:
    store.insert_spans([_chat("t1", "a", 0, [HI], [HELLO]), _chat("t1", "b", 9, [YES], [BYE])])
    _assemble(store)
    assert [row["Basis"] for row in _trajectories(store)] == ["trace"]
    root = _span("t1", "r", 0, kind="invoke_agent", agent__name="bot", conversation__id="k")
    store.insert_spans([root])
    _assemble(store)
    (trajectory,) = _trajectories(store)
    assert trajectory["Basis"] == "conversation"
    assert store.rows(
        "SELECT TrajectoryId, count() AS n FROM trajectory_steps FINAL GROUP BY TrajectoryId"
    ) == [{"TrajectoryId": trajectory["TrajectoryId"], "n": 4}]


def _bare(trace: str, at_s: float, *messages: Any) -> dict[str, Any]:
    """A model call that is its own trace and names no conversation; the last message is its answer."""
    return _chat(trace, "x", at_s, messages[:-1], messages[-1:])


def test_histories_that_grow_are_one_trajectory(store: AnalysisStore) -> None:
    store.insert_spans([_bare("a1", 0, HI, HELLO), _bare("b1", 5, YES, BYE)])
    _assemble(store)
    store.insert_spans([_bare("a2", 10, HI, HELLO, ANN, FOUND)])  # found by the stored key
    _assemble(store)
    store.insert_spans([_bare("a3", 12, HI, HELLO, ANN, FOUND, GIVEN, DONE)])
    _assemble(store)
    joined, other = _trajectories(store)
    assert joined["TraceIds"] == [_id(trace, 32) for trace in ("a1", "a2", "a3")]
    assert (joined["Basis"], other["Basis"]) == ("history", "trace")
    assert "inferred" in joined["Issues"]
    assert _story(store, joined["TrajectoryId"]) == STORY


@pytest.mark.parametrize("analyses", [1, 3])
def test_identical_openings_stay_apart(store: AnalysisStore, analyses: int) -> None:
    spans = [
        _bare("a1", 0, HI, HELLO),
        _bare("b1", 1, HI, HELLO),
        _bare("a2", 10, HI, HELLO, ANN, BYE),
        _bare("b2", 11, HI, HELLO, YES, DONE),
        _bare("a3", 20, HI, HELLO, ANN, BYE, YES, BYE),
    ]
    for part in range(analyses):
        store.insert_spans([s for i, s in enumerate(spans) if min(i // 2, analyses - 1) == part])
        _assemble(store)
    assert [row["TraceIds"] for row in _trajectories(store)] == [
        [_id("a1", 32), _id("a2", 32), _id("a3", 32)],
        [_id("b1", 32), _id("b2", 32)],
    ]


def test_log_carried_content_gives_the_steps_that_spans_would(store: AnalysisStore) -> None:
    bare: list[dict[str, Any]] = []
    for span in _conversation(True):
        attributes: dict[str, Any] = dict(span["attributes"])
        content = {
            key: json.dumps(attributes.pop(key))
            for key in ("gen_ai.input.messages", "gen_ai.output.messages")
        }
        bare.append({**span, "attributes": attributes})
        store.client.insert(
            "otel_logs",
            [
                [
                    datetime.fromtimestamp(int(span["endTimeUnixNano"]) / 1e9, UTC),
                    span["traceId"],
                    span["spanId"],
                    "gen_ai.client.inference.operation.details",
                    content,
                ]
            ],
            column_names=["Timestamp", "TraceId", "SpanId", "EventName", "LogAttributes"],
        )
    store.insert_spans(bare)
    _assemble(store)
    assert _only_story(store) == STORY


def test_logs_that_come_later_are_joined(store: AnalysisStore) -> None:
    (span,) = [_span("t1", "a", 0)]
    store.insert_spans([span])
    _assemble(store)
    assert _only_story(store) == [("assistant", None)]
    store.client.insert(
        "otel_logs",
        [
            [
                datetime.fromtimestamp(START_NS / 1e9, UTC),
                span["traceId"],
                span["spanId"],
                "gen_ai.client.inference.operation.details",
                {
                    "gen_ai.input.messages": json.dumps([HI]),
                    "gen_ai.output.messages": json.dumps([HELLO]),
                },
            ]
        ],
        column_names=["Timestamp", "TraceId", "SpanId", "EventName", "LogAttributes"],
    )
    _assemble(store)
    assert _only_story(store) == STORY[:2]


def test_tool_spans_tell_how_calls_went(store: AnalysisStore) -> None:
    tool = {"kind": "execute_tool", "tool__name": "find", "tool__call.id": "c1"}
    spans: list[Mapping[str, Any]] = [
        *_conversation(True),
        _span("t2", "d", 61.5, **tool, tool__call__result="number 7", failed=True),
        _span("t2", "e", 62, kind="execute_tool", tool__name="log", tool__call__result="ok"),
    ]
    store.insert_spans(spans)
    _assemble(store)
    (trajectory,) = _trajectories(store)
    assert _only_story(store) == [*STORY[:4], ("tool", "log", "ok"), STORY[4]]
    assert trajectory["StepStatuses"] == ["", "", "", "error", "ok", ""]


def test_reused_call_ids_meet_in_order(store: AnalysisStore) -> None:
    calls = [
        _chat("t1", "a", 0, [HI], [_asks("find", "c", name="x")]),
        _chat("t1", "b", 4, [_answers("c", "first")], [_asks("find", "c", name="y")]),
        _chat("t1", "c", 8, [_answers("c", "second")], [BYE]),
    ]
    store.insert_spans(calls)
    _assemble(store)
    assert _only_story(store) == [
        ("user", "Hi"),
        ("tool", "find", "first"),
        ("tool", "find", "second"),
        ("assistant", "Bye"),
    ]


def test_failures_and_messages_that_nobody_answered_are_steps(store: AnalysisStore) -> None:
    store.insert_spans(
        [
            _chat("t1", "a", 0, [HI], [HELLO], conversation__id="k", agent__name="bot"),
            _span("t2", "b", 10, input__messages=[HI, HELLO, YES], conversation__id="k",
                  agent__name="bot", failed=True),
            _span("t3", "c", 20, kind="invoke_agent", input__messages=[YES],
                  conversation__id="k", agent__name="bot"),
        ]
    )  # fmt: skip
    _assemble(store)
    (trajectory,) = _trajectories(store)
    assert trajectory["StepKinds"] == ["user", "assistant", "user", "failure", "user"]
    assert "unfinished" in trajectory["Issues"]
    assert "missing_content" not in trajectory["Issues"]


def test_a_transfer_to_the_agent_that_acts_next_is_a_handoff(store: AnalysisStore) -> None:
    moved, kept = _asks("transfer_to_billing", "c1"), _asks("transfer_to_human", "c2")
    store.insert_spans(
        [
            _chat("t1", "a", 0, [HI], [moved], agent__name="front"),
            _chat("t1", "b", 5, [HI, moved, _answers("c1", "ok")], [BYE], agent__name="Billing"),
            _chat("t2", "c", 0, [HI], [kept], agent__name="front"),
            _chat("t2", "d", 5, [HI, kept, _answers("c2", "ok")], [BYE], agent__name="front"),
        ]
    )
    _assemble(store)
    kinds = {row["TraceIds"][0]: row["StepKinds"] for row in _trajectories(store)}
    assert kinds[_id("t1", 32)] == ["user", "handoff", "assistant"]
    assert kinds[_id("t2", 32)] == ["user", "tool", "assistant"]


def test_what_is_missing_is_named_and_counted(store: AnalysisStore) -> None:
    store.insert_spans(
        [
            _chat("t1", "a", 0, [HI], [FOUND], parent="gone"),
            _span("t1", "b", 5, response__finish_reasons=["length"]),
        ]
    )
    _assemble(store)
    (trajectory,) = _trajectories(store)
    assert {"missing_parent", "missing_content", "missing_result", "truncated"} <= set(
        trajectory["Issues"]
    )
    assert trajectory["Completeness"] < 0.5


def test_small_chunks_give_the_same(store: AnalysisStore) -> None:
    store.insert_spans(_conversation(True))
    store.insert_spans([_bare(f"x{n}", n, HI, _text("assistant", str(n))) for n in range(5)])
    _assemble(store, trajectories_a_chunk=2)
    assert [len(row["StepKinds"]) for row in _trajectories(store)].count(2) == 5
    assert store.rows("SELECT count() AS n FROM changed_trajectories") == [{"n": 6}]
