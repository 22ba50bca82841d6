"""Feedback by every carrier on the real engine: what is found, what it means, and that it stays one row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from spanloop.optimizer.feedback import FeedbackResult, extract_feedback, record_feedback
from spanloop.processor.feedback import parse_feedback
from spanloop.processor.redaction import redact
from tests.support.analysis import LATER_MS, AnalysisStore, open_analysis_store

T0_NS = 1_790_000_000_000_000_000
UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)
LOG_COLUMNS = (
    "TraceId",
    "SpanId",
    "EventName",
    "LogAttributes",
    "ScopeName",
    "Timestamp",
    "BatchId",
    "ReceivedTime",
    "ObservedTimestamp",
)
OPENINFERENCE = {
    "name": "user_feedback",
    "label": "👎🏽",
    "annotator_kind": "HUMAN",
    "explanation": "no",
}
_ids = count(1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    opened = open_analysis_store(tmp_path_factory.mktemp("feedback") / "db")
    yield opened
    opened.client.close()


@pytest.fixture(autouse=True)
def nothing_yet(store: AnalysisStore) -> None:
    for table in (
        "assessments",
        "otel_traces",
        "genai_spans",
        "otel_logs",
        "batch_arrivals",
        "analyses",
    ):
        store.client.command(f"TRUNCATE TABLE {table}")


def trace() -> str:
    return f"{next(_ids):032x}"


def span(trace_id: str, attributes: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "traceId": trace_id,
        "spanId": f"{1:016x}",
        "parentSpanId": f"{9:016x}",
        "name": "op",
        "startTimeUnixNano": str(T0_NS),
        "endTimeUnixNano": str(T0_NS + 1_000_000_000),
        "attributes": attributes,
        **more,
    }


def put_log(
    store: AnalysisStore, attributes: Mapping[str, str], *, trace_id: str = "", **more: Any
) -> None:
    row = {
        "TraceId": trace_id,
        "SpanId": "",
        "EventName": "gen_ai.evaluation.result",
        "LogAttributes": dict(attributes),
        "ScopeName": "app",
        "Timestamp": datetime(2026, 9, 21, tzinfo=UTC),
        "BatchId": f"{next(_ids)}",
        "ReceivedTime": UNKNOWN,
        "ObservedTimestamp": UNKNOWN,
        **more,
    }
    store.client.insert("otel_logs", [[row[c] for c in LOG_COLUMNS]], column_names=LOG_COLUMNS)


def rated(name: str, value: object, **more: str) -> dict[str, str]:
    return {"gen_ai.evaluation.name": name, "gen_ai.evaluation.score.value": str(value), **more}


def assessments(store: AnalysisStore) -> list[dict[str, Any]]:
    return store.rows("SELECT * FROM assessments FINAL ORDER BY TraceId, Name")


def extracted(store: AnalysisStore) -> tuple[FeedbackResult, list[dict[str, Any]]]:
    return extract_feedback(store.context()), assessments(store)


def prefixed(prefix: str, fields: Mapping[str, str]) -> dict[str, str]:
    return {f"{prefix}{name}": value for name, value in fields.items()}


LINK = {"traceId": f"{77:032x}", "spanId": f"{7:016x}"}
EVENT = {
    "name": "gen_ai.evaluation.result",
    "timeUnixNano": str(T0_NS),
    "attributes": [
        {"key": "gen_ai.evaluation.name", "value": {"stringValue": "user_feedback"}},
        {"key": "gen_ai.evaluation.score.label", "value": {"stringValue": "thumbs_down"}},
        {"key": "gen_ai.evaluation.explanation", "value": {"stringValue": "no"}},
    ],
}
LOGFIRE = {
    "logfire.span_type": "annotation",
    "logfire.feedback.name": "thumbs",
    "logfire.feedback.comment": "no",
    "thumbs": False,
}
OTEL_ATTRIBUTES = {
    "gen_ai.evaluation.name": "user_feedback",
    "gen_ai.evaluation.score.value": 0,
    "gen_ai.evaluation.explanation": "no",
}
CARRIERS: Sequence[tuple[str, str, Mapping[str, Any], Mapping[str, Any]]] = (
    ("attributes", "", {"user_feedback": "negative", "user.feedback.comment": "no"}, {}),
    ("attributes", "", {"feedback.score": 0, "feedback.comment": "no"}, {}),
    (
        "attributes",
        "",
        {"langfuse.trace.metadata.user_feedback": "👎", "feedback.comment": "no"},
        {},
    ),
    ("attributes", "1", OTEL_ATTRIBUTES, {}),
    ("attributes", "9", {**OTEL_ATTRIBUTES, "gen_ai.operation.name": "evaluate"}, {}),
    ("attributes", "1", prefixed("annotations.0.annotation.", OPENINFERENCE), {}),
    ("span_link", "7", prefixed("evaluations.0.evaluation.", OPENINFERENCE), {"links": [LINK]}),
    ("span_link", "7", OTEL_ATTRIBUTES, {"links": [LINK]}),
    ("span_event", "1", {}, {"events": [EVENT]}),
    (
        "span_event",
        "7",
        {"openinference.span.kind": "EVALUATOR"},
        {"events": [EVENT], "links": [LINK]},
    ),
    ("child_span", "9", LOGFIRE, {}),
)


@pytest.mark.parametrize(("carrier", "span_id", "attributes", "more"), CARRIERS)
def test_a_span_carries_feedback(
    store: AnalysisStore,
    carrier: str,
    span_id: str,
    attributes: Mapping[str, Any],
    more: Mapping[str, Any],
) -> None:
    own = trace()
    store.insert_spans([span(own, {**attributes, "user.id": "ann"}, **more)])
    arrived_ms = T0_NS // 10**6 - 1_000  # before it ended, by a clock that is ahead
    store.client.command(
        f"ALTER TABLE otel_traces UPDATE ReceivedTime = fromUnixTimestamp64Milli({arrived_ms}) "
        "WHERE 1 SETTINGS mutations_sync = 2"
    )
    result, (row,) = extracted(store)
    assert row["Version"] == arrived_ms
    assert result.feedback == 1
    assert (row["TraceId"], row["SpanId"].lstrip("0")) == (
        LINK["traceId"] if span_id == "7" else own,
        span_id,
    )
    assert (row["Source"], row["Carrier"], row["Satisfied"]) == ("feedback", carrier, 0.0)
    assert (row["Assessor"], row["Explanation"], row["Selection"]) == ("ann", "no", "volunteered")


def test_log_events_carry_feedback_of_traces_and_of_conversations(store: AnalysisStore) -> None:
    own = trace()
    put_log(store, rated("user_feedback", 1), trace_id=own, SpanId="ab")
    named = {"gen_ai.conversation.id": "c1", "event.name": "gen_ai.evaluation.result"}
    put_log(store, rated("user_feedback", 1, **named), EventName="")
    put_log(store, rated("user_feedback", 1))
    put_log(store, rated("user_feedback", 0), trace_id=own, EventName="another.event")
    put_log(store, rated("user_feedback", 0), trace_id=own, ScopeName="spanloop.annotations")
    put_log(store, rated("user_feedback", 1), trace_id=trace(), ScopeName="spanloop.feedback")
    result, (conversation, log, api) = extracted(store)
    assert (log["TraceId"], log["SpanId"], log["Carrier"]) == (own, "ab", "log")
    assert (conversation["TraceId"], conversation["ConversationId"]) == ("", "c1")
    assert api["Carrier"] == "api"
    assert (result.feedback, result.untargeted) == (3, 1)
    assert "1 results name no" in result.notes[0]


def test_a_log_event_may_name_a_call_by_its_response(store: AnalysisStore) -> None:
    own = trace()
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    store.insert_spans(
        [
            span(own, {**call, "gen_ai.response.id": "r1"}),
            *(span(trace(), {**call, "gen_ai.response.id": "r2"}) for _ in range(2)),
        ]
    )
    for response in ("r1", "r2", "r3"):
        put_log(store, rated("user_feedback", 1, **{"gen_ai.response.id": response}))
    result, (row,) = extracted(store)
    assert (row["TraceId"], row["SpanId"].lstrip("0")) == (own, "1")
    assert result.untargeted == 2  # several calls, and none


def test_our_own_annotations_are_never_read_back(store: AnalysisStore) -> None:
    store.insert_spans([span(trace(), OTEL_ATTRIBUTES, events=[EVENT])])
    store.client.command(
        "ALTER TABLE otel_traces UPDATE ScopeName = 'spanloop.annotator' WHERE 1 "
        "SETTINGS mutations_sync = 2"
    )
    assert extracted(store) == (FeedbackResult(), [])


def test_who_judged_decides_what_it_is(store: AnalysisStore) -> None:
    kind, source = "gen_ai.evaluation.annotator_kind", "gen_ai.evaluation.evaluator.source"
    for name, value, more, expected in (
        ("relevance", 0.9, {}, ("evaluation", None)),
        ("user_feedback", 1, {kind: "LLM"}, ("evaluation", None)),
        ("user_feedback", 1, {source: '{"name":"Mine"}'}, ("evaluation", None)),
        ("task_success", 1, {kind: "CODE"}, ("outcome", 1.0)),
        ("task_success", 1, {}, ("evaluation", None)),
        ("latency", 1, {kind: "CODE"}, ("evaluation", None)),
        ("toxicity", 1, {kind: "HUMAN"}, ("feedback", None)),
        ("tone", "good", {kind: "HUMAN"}, ("feedback", 1.0)),
        ("toxicity", "yes", {kind: "HUMAN"}, ("feedback", None)),
        ("userFeedback", "yes", {}, ("feedback", 1.0)),
        ("Thumbs Up", "yes", {}, ("feedback", 1.0)),
    ):
        own = trace()
        put_log(store, rated(name, value, **more), trace_id=own)
        extract_feedback(store.context())
        (row,) = store.rows("SELECT * FROM assessments FINAL WHERE TraceId = {t:String}", t=own)
        assert (row["Source"], row["Satisfied"]) == expected, (name, value, more)
        assert (row["Label"] == value) == isinstance(value, str)


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("user_feedback", [1, 1], [1.0, 1.0]),
        ("user_feedback", [0.25, 1], [0.25, 1.0]),
        ("user_feedback", [-1, 0, 1], [0.0, 0.5, 1.0]),
        ("user_feedback", [4, 1], [None, None]),
        ("user_rating", [1, 1], [None, None]),
        ("user_rating", [1, 4, 5], [0.0, 0.75, 1.0]),
        ("user_rating", [0, 1], [0.0, 1.0]),
        ("csat", [1, 10], [None, None]),
        ("csat", ["nan", "inf"], [None, None]),
    ],
)
def test_numbers_mean_what_their_series_shows_and_nothing_is_guessed(
    store: AnalysisStore, name: str, values: list[Any], expected: list[Any]
) -> None:
    """One extraction each: what is learnt later changes what was stored before."""
    result = FeedbackResult()
    for value in values:
        put_log(store, rated(name, value), trace_id=trace())
        result = extract_feedback(store.context())
    found = [row["Satisfied"] for row in assessments(store)]
    assert found == expected
    known = [v for v in values if isinstance(v, (int, float))]
    assert result.unscaled == (len(known) if None in expected else 0)


@pytest.mark.parametrize(
    ("name", "usual", "stray", "expected"),
    [
        ("user_feedback", [0, 1], 5, [0.0, 1.0]),
        ("user_feedback", [-1, 1], -7, [0.0, 1.0]),
        ("user_rating", [1, 4], 10, [0.0, 0.75]),
        ("user_rating", [1, 5], 0, [0.0, 1.0]),
    ],
)
def test_a_stray_number_says_nothing_and_leaves_the_others_their_meaning(
    store: AnalysisStore, name: str, usual: list[int], stray: int, expected: list[float]
) -> None:
    for value in (*usual * 9, stray):
        put_log(store, rated(name, value), trace_id=trace())
    result, rows = extracted(store)
    assert result.unscaled == 19  # one of 19 is too many to be a stray
    put_log(store, rated(name, usual[0]), trace_id=trace())
    result, rows = extracted(store)
    assert [row["Satisfied"] for row in rows] == [*expected * 9, None, expected[0]]
    assert (result.unscaled, "lie outside" in result.notes[0]) == (1, True)


def test_numbers_that_were_withdrawn_or_replaced_have_no_say_in_the_scale(
    store: AnalysisStore,
) -> None:
    def say(n: int, **said: object) -> None:
        record_feedback(
            store.context(LATER_MS + n), parse_feedback({"name": "user_rating", **said}), ""
        )

    wrong, changed, right = trace(), trace(), trace()
    say(0, trace_id=wrong, score=50)
    say(1, trace_id=changed, score=70)
    say(2, trace_id=right, score=4)
    assert {row["Satisfied"] for row in assessments(store)} == {None}
    say(3, trace_id=changed, score=2)
    say(4, trace_id=wrong, retract=True)
    assert [row["Satisfied"] for row in assessments(store)] == [0.25, 0.75]


def test_a_label_says_more_than_a_number_whatever_its_scale(store: AnalysisStore) -> None:
    label = "gen_ai.evaluation.score.label"
    put_log(store, rated("user_rating", 1, **{label: "Very Dissatisfied"}), trace_id=trace())
    extract_feedback(store.context())
    put_log(store, rated("user_rating", 5, **{label: "so so"}), trace_id=trace())
    _, rows = extracted(store)
    assert [row["Satisfied"] for row in rows] == [0.0, 1.0]
    assert [row["Score"] for row in rows] == [1.0, 5.0]


def test_a_changed_mind_is_one_row_and_so_is_a_repeat(store: AnalysisStore) -> None:
    own = trace()
    said = [
        {"trace_id": own, "label": "👍", "user": "ann", "timestamp": "2026-09-01T10:00:00Z"},
        {"trace_id": own, "label": "👎", "user": "ann", "timestamp": "2026-09-01T11:00:00Z"},
        {
            "trace_id": own,
            "label": "👍",
            "user": "bob",
            "id": "x",
            "timestamp": "2026-09-01T10:00:00Z",
        },
    ]
    context = store.context()
    first, second, third = record_feedback(context, parse_feedback(said), "")
    assert first == second != third
    record_feedback(context, parse_feedback(said[0]), "")  # late, and older than what stands
    assert {r["Assessor"]: r["Satisfied"] for r in assessments(store)} == {"ann": 0.0, "bob": 1.0}
    withdrawn = {"trace_id": own, "id": "x", "retract": True}
    assert record_feedback(context, parse_feedback(withdrawn), "") == [third]
    assert [row["AssessmentId"] for row in assessments(store)] == [first]


AHEAD = datetime(2026, 9, 21, 10, tzinfo=UTC)
FIRST = datetime(2026, 9, 21, 9, tzinfo=UTC)
SECOND = datetime(2026, 9, 21, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize("column", ["ReceivedTime", "ObservedTimestamp"])
def test_a_clock_that_is_ahead_does_not_silence_what_is_said_next(
    store: AnalysisStore, column: str
) -> None:
    own, by = trace(), {"user.id": "ann"}
    put_log(
        store, rated("user_feedback", 0, **by), trace_id=own, Timestamp=AHEAD, **{column: FIRST}
    )
    put_log(
        store, rated("user_feedback", 1, **by), trace_id=own, Timestamp=SECOND, **{column: SECOND}
    )
    # what arrives late, or once more, is no news
    put_log(
        store, rated("user_feedback", 0, **by), trace_id=own, Timestamp=FIRST, **{column: AHEAD}
    )
    _, (row,) = extracted(store)
    assert (row["Satisfied"], row["Timestamp"].hour, row["Timestamp"].minute) == (1.0, 9, 30)


def test_a_command_that_tells_of_the_future_is_believed_for_a_day_and_no_longer_than_to_2100(
    store: AnalysisStore,
) -> None:
    own = trace()
    said = {"trace_id": own, "label": "👍", "user": "ann", "timestamp": "2099-12-31T00:00:00Z"}
    record_feedback(store.context(), parse_feedback(said), "")
    (row,) = assessments(store)
    day_ms = 86_400_000
    assert row["Timestamp"].timestamp() * 1000 - LATER_MS <= day_ms
    later = {**said, "label": "👎", "timestamp": None}
    record_feedback(store.context(LATER_MS + 1), parse_feedback(later), "")
    (row,) = assessments(store)
    assert row["Satisfied"] == 0.0


def test_what_the_api_logs_has_the_id_that_it_answered(store: AnalysisStore) -> None:
    item = parse_feedback({"trace_id": trace(), "score": 1, "user": "ann", "id": "my id"})[0]
    attributes = {key: str(value) for key, value in item.attributes().items()}
    put_log(store, attributes, trace_id=item.trace_id or "", ScopeName="spanloop.feedback")
    _, (row,) = extracted(store)
    assert row["AssessmentId"] == item.assessment_id("")


def test_redaction_before_storage_keeps_people_apart_and_ids_as_answered(
    store: AnalysisStore,
) -> None:
    own = trace()
    said = [
        {"trace_id": own, "label": "👍", "user": "ann@example.org"},
        {"trace_id": own, "label": "👎", "user": "bob@example.org"},
        {"trace_id": own, "label": "👎", "id": "order of carl@example.org"},
    ]
    items = parse_feedback(said)
    assert "spanloop.user.hash" in items[0].attributes()
    for item in items:
        logged = {key: redact(str(value)) for key, value in item.attributes().items()}
        put_log(store, logged, trace_id=own, ScopeName="spanloop.feedback")
    _, rows = extracted(store)
    ids = {item.assessment_id("") for item in items}
    assert {row["AssessmentId"] for row in rows} == ids
    assert {row["Assessor"] for row in rows} == {"<EMAIL>", ""}
    assert set(record_feedback(store.context(), items, "", redact=redact)) == ids
    assert {row["AssessmentId"] for row in assessments(store)} == ids
    assert {row["Assessor"] for row in assessments(store)} == {"<EMAIL>", ""}


def test_a_person_is_one_by_whatever_carrier_and_nobody_else_says_who(store: AnalysisStore) -> None:
    own = trace()
    (said,) = parse_feedback({"trace_id": own, "label": "👍", "user": "ann"})
    record_feedback(store.context(), [said], "")
    put_log(store, rated("user_feedback", 1, **{"user.id": "ann"}), trace_id=own)
    forged = {"user.id": "eve", "spanloop.user.hash": said.user_hash}
    put_log(store, rated("user_feedback", 0, **forged), trace_id=own)
    _, rows = extracted(store)
    assert {row["Assessor"]: row["Satisfied"] for row in rows} == {"ann": 1.0, "eve": 0.0}


def test_a_survey_that_says_its_odds_is_a_sample(store: AnalysisStore) -> None:
    odds = "spanloop.selection.probability"
    put_log(
        store,
        rated("user_feedback", 1, **{odds: "0.1", "spanloop.sample.id": "s"}),
        trace_id=trace(),
    )
    put_log(store, rated("user_feedback", 1, **{odds: "7"}), trace_id=trace())
    _, rows = extracted(store)
    assert [(r["Selection"], r["SelectionProbability"], r["SampleId"]) for r in rows] == [
        ("sampled", 0.1, "s"),
        ("volunteered", None, ""),
    ]


def test_payload_bombs_are_capped(store: AnalysisStore) -> None:
    results = {
        f"evaluations.{n}.evaluation.{field}": "x" * 5_000
        if field == "explanation"
        else f"{field}{n}"
        for n in range(500)
        for field in ("name", "label", "explanation")
    }
    store.insert_spans([span(trace(), results)])
    put_log(store, rated("user_feedback", "y" * 100_000), trace_id=trace())
    result, rows = extracted(store)
    assert result.found == 101
    assert max(len(row["Explanation"]) for row in rows) == 2_000
    assert max(len(row["Label"]) for row in rows) < 100
    assert result.evaluations == 100


def test_an_evaluation_that_failed_is_no_score(store: AnalysisStore) -> None:
    put_log(
        store,
        {
            "gen_ai.evaluation.name": "relevance",
            "gen_ai.evaluation.explanation": "model not found",
            "error.type": "NotFound",
        },
        trace_id=trace(),
    )
    assert extracted(store) == (FeedbackResult(), [])


def test_only_what_arrived_since_is_read(store: AnalysisStore) -> None:
    put_log(store, rated("user_feedback", 1), trace_id=trace())
    assert extract_feedback(store.context()).found == 1
    assert extract_feedback(store.context(overlap_s=0)).found == 0
    put_log(store, rated("user_feedback", 1), trace_id=trace())
    store.insert_spans([span(trace(), {"user_feedback": "good"})], batch_id="late")
    assert extract_feedback(store.context(overlap_s=0)).found == 2
    assert store.rows("SHOW TABLES LIKE 'feedback%'") == []  # nothing of it is left lying about


def test_labels_of_a_trajectory_come_by_trace_and_by_conversation(store: AnalysisStore) -> None:
    store.client.command(
        "INSERT INTO trajectories (TrajectoryId, ConversationId, TraceIds, Version) VALUES "
        "('T1', 'c1', ['a', 'b'], 1), ('T2', '', ['d'], 1)"
    )
    store.client.command(
        "INSERT INTO trajectory_traces (TraceId, TrajectoryId, Version) VALUES "
        "('a', 'T0', 0), ('a', 'T1', 1), ('b', 'T1', 1), ('d', 'T2', 1)"
    )
    conversation = {"gen_ai.conversation.id": "c1"}
    put_log(store, rated("user_feedback", 1, **conversation), trace_id="a")
    put_log(store, rated("user_feedback", 0, **conversation))
    put_log(store, rated("user_feedback", 0), trace_id="d")
    put_log(store, rated("relevance", 0), trace_id="d")
    put_log(store, rated("user_feedback", 0), trace_id="elsewhere")
    extract_feedback(store.context())
    rows = store.rows("SELECT * FROM trajectory_labels ORDER BY TrajectoryId, Satisfied")
    assert [(r["TrajectoryId"], r["Satisfied"], r["Source"], r["Selection"]) for r in rows] == [
        ("T1", 0.0, "feedback", "volunteered"),
        ("T1", 1.0, "feedback", "volunteered"),
        ("T2", 0.0, "feedback", "volunteered"),
    ]
