"""Findings of a real store are written back: what is read, sent, remembered, sent again and taken back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from spanloop.optimizer.annotations.note import KINDS, Kind
from spanloop.optimizer.annotations.storing import Scope, read_targets
from spanloop.optimizer.annotations.writing import KindReport, write_back
from spanloop.optimizer.context import time_of
from tests.support.analysis import AnalysisStore, open_analysis_store
from tests.support.annotated_shop import NOW_MS, T0_MS, WISH, Shop, insert_cycle, report, write
from tests.support.annotations import KeptSender, span_id


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    opened = open_analysis_store(tmp_path_factory.mktemp("annotations"))
    yield opened
    opened.client.close()


def test_a_pattern_stands_at_the_step_that_went_wrong_and_is_sent_once(
    store: AnalysisStore,
) -> None:
    shop, sender = Shop(store, 1), KeptSender()
    shop.named("p1")
    shop.shows("p1")
    first = write(shop, sender)
    assert (first.found, first.sent, first.logged, first.failed) == (1, 1, 1, 0)
    (span,) = sender.spans
    assert span.parent is not None
    assert (f"{span.parent.trace_id:032x}", span.parent.span_id) == (shop.traces[0], 3)
    assert span.end_time == (T0_MS + 3_000) * 1_000_000  # the end of span 3, less its nanoseconds
    attributes = dict(span.attributes or {})
    assert attributes["gen_ai.evaluation.score.label"] == "context_gap"
    assert "<EMAIL>\ufffd" in str(attributes["gen_ai.evaluation.explanation"])
    assert attributes["spanloop.pattern.evidence_steps"] == [3, 5]
    again = write(shop, sender)
    assert (again.found, again.unchanged, again.sent, again.logged) == (1, 1, 0, 0)
    assert len(sender.spans) == 1
    assert store.rows(
        "SELECT State, AnnotationVersion, AnnotationId, Label FROM annotations FINAL "
        "WHERE TraceId = {t:String}",
        t=shop.traces[0],
    ) == [
        {
            "State": "sent",
            "AnnotationVersion": 1,
            "AnnotationId": span_id(span),
            "Label": "context_gap",
        }
    ]


def test_a_new_word_on_it_is_a_new_version_and_its_end_a_retraction(store: AnalysisStore) -> None:
    shop, sender = Shop(store, 2), KeptSender()
    shop.named("p2")
    shop.shows("p2")
    write(shop, sender)
    shop.named("p2", "Does not look first")
    assert write(shop, sender).sent == 1
    shop.shows("p2", deleted=1)
    gone = write(shop, sender)
    assert (gone.found, gone.sent, gone.retracted) == (0, 1, 1)
    assert write(shop, sender).sent == 0
    ids = sender.ids()
    assert len(set(ids)) == 3
    told = [dict(span.attributes or {}) for span in sender.spans]
    assert [a["spanloop.annotation.version"] for a in told] == [1, 2, 3]
    assert [a.get("spanloop.annotation.supersedes") for a in told] == [None, ids[0], ids[1]]
    assert sender.spans[2].name == "pattern retracted"
    assert {s.parent.span_id for s in sender.spans if s.parent} == {3}
    shop.shows("p2")
    assert write(shop, sender).sent == 1
    assert len(set(sender.ids())) == 4


def test_a_step_found_elsewhere_is_said_there_and_taken_back_here(store: AnalysisStore) -> None:
    shop, sender = Shop(store, 3), KeptSender()
    shop.named("p3")
    shop.shows("p3")
    write(shop, sender)
    shop.shows("p3", step=2)
    moved = write(shop, sender)
    assert (moved.sent, moved.retracted) == (2, 1)
    assert [s.parent.span_id for s in sender.spans if s.parent] == [3, 2, 3]


def test_what_was_not_acknowledged_is_repeated_in_the_same_bytes(store: AnalysisStore) -> None:
    shop, deaf = Shop(store, 4), KeptSender(takes=0)
    shop.named("p4")
    shop.shows("p4")
    failed = report(shop, deaf, "pattern")
    assert (failed.failed, failed.kinds[0].sent) == (1, 0)
    assert "next run" in failed.notes[0]
    sender = KeptSender()
    shop.shows("p4")  # analysed again meanwhile: another time, the same finding
    assert write(shop, sender).sent == 1
    assert deaf.payloads() == sender.payloads()
    elsewhere = KeptSender()
    assert write(shop, elsewhere, endpoint="tempo:4317").sent == 1
    assert elsewhere.payloads() == sender.payloads()


def test_an_endpoint_without_logs_gets_spans_and_the_event_later(store: AnalysisStore) -> None:
    shop, jaeger = Shop(store, 5), KeptSender(takes_logs=False)
    shop.named("p5")
    shop.shows("p5")
    told = report(shop, jaeger, "pattern")
    assert (told.kinds[0].sent, told.kinds[0].logged, told.failed) == (1, 0, 0)
    assert "log_events" in told.notes[0]
    later = KeptSender()
    again = write(shop, later)
    assert (again.sent, again.logged, len(later.spans)) == (0, 1, 0)
    assert write(shop, later).logged == 0


def test_a_dry_run_sends_and_remembers_nothing(store: AnalysisStore) -> None:
    shop, sender = Shop(store, 6), KeptSender()
    shop.named("p6")
    shop.shows("p6")
    assert write(shop, sender, dry_run=True).sent == 1
    assert not sender.spans
    assert write(shop, sender).sent == 1


def test_other_agents_are_neither_written_nor_taken_back(store: AnalysisStore) -> None:
    one, other, sender = Shop(store, 7), Shop(store, 8), KeptSender()
    for shop in (one, other):
        shop.named("p7")
        shop.shows("p7")
    assert write(one, sender).sent == 1
    assert write(other, sender).sent == 1
    assert {f"{s.parent.trace_id:032x}" for s in sender.spans if s.parent} == {
        one.traces[0],
        other.traces[0],
    }


def test_satisfaction_is_said_at_the_last_turn_and_small_moves_are_not(
    store: AnalysisStore,
) -> None:
    shop, sender = Shop(store, 9), KeptSender()
    assert write(shop, sender, "satisfaction").found == 0  # nothing is thought of it yet
    score = {"Method": "trained", "Evidence": [("errors", -1.25)]}
    shop.insert("trajectory_satisfaction", {"Probability": 0.21, **score})
    assert write(shop, sender, "satisfaction").sent == 1
    (span,) = sender.spans
    assert span.parent is not None
    assert (f"{span.parent.trace_id:032x}", span.parent.span_id) == (shop.traces[1], 1)
    attributes = dict(span.attributes or {})
    assert (span.name, attributes["gen_ai.evaluation.score.value"]) == (
        "satisfaction unsatisfied",
        0.21,
    )
    assert attributes["gen_ai.conversation.id"] == "c9"
    assert "errors -1.2" in str(attributes["gen_ai.evaluation.explanation"])
    shop.insert("trajectory_satisfaction", {"Probability": 0.25, **score})
    assert write(shop, sender, "satisfaction").unchanged == 1
    shop.insert("trajectory_satisfaction", {"Probability": 0.4, **score})
    assert write(shop, sender, "satisfaction").sent == 1


def test_satisfaction_with_a_trajectory_that_goes_on_stands_until_it_is_judged_anew(
    store: AnalysisStore,
) -> None:
    shop, sender = Shop(store, 16), KeptSender()
    shop.insert("trajectory_satisfaction", {"Probability": 0.2, "Method": "trained"})
    assert write(shop, sender, "satisfaction").sent == 1
    shop.ends(at_ms=T0_MS + 60_000, state="open")
    shop.insert("trajectory_satisfaction", {"IsDeleted": 1})
    told = write(shop, sender, "satisfaction")
    assert (told.found, told.sent, told.retracted) == (0, 0, 0)
    shop.ends(at_ms=T0_MS + 60_000)
    shop.insert("trajectory_satisfaction", {"Probability": 0.2, "Method": "trained"})
    assert write(shop, sender, "satisfaction").unchanged == 1
    shop.ends(state="open", last=1)  # it no longer ends there
    assert write(shop, sender, "satisfaction").retracted == 1


def test_what_people_said_stands_where_the_trace_does_not_say_it(store: AnalysisStore) -> None:
    shop, sender = Shop(store, 10), KeptSender()
    said = {
        "Project": "p",
        "Source": "feedback",
        "Name": "user_feedback",
        "Timestamp": time_of(T0_MS + 20_000),
    }
    for row in (
        {"AssessmentId": "a1", "TraceId": shop.traces[0], "SpanId": f"{2:016x}", "Score": 1.0},
        {"AssessmentId": "a2", "ConversationId": "c10", "Label": "bad", "Explanation": "no"},
        {"AssessmentId": "a3", "TraceId": shop.traces[0], "Carrier": "span_event"},
    ):
        shop.insert("assessments", {**said, **row})
    assert write(shop, sender, "assessment").sent == 2
    parents = {
        str(dict(s.attributes or {})["spanloop.annotation.id"]): s.parent.span_id
        for s in sender.spans
        if s.parent
    }
    assert parents == {"a1": 2, "a2": 1}


def test_a_trace_that_is_no_longer_stored_is_left_alone(store: AnalysisStore) -> None:
    shop, sender = Shop(store, 11), KeptSender()
    shop.named("p11")
    shop.insert(
        "pattern_members",
        {"PatternId": "p11", "TraceId": "f" * 32, "SpanId": "", "Timestamp": time_of(T0_MS)},
    )
    told = write(shop, sender)
    assert (told.found, told.gone, told.sent) == (0, 1, 0)


def test_only_what_happened_since_is_written(store: AnalysisStore) -> None:
    shop, sender = Shop(store, 12), KeptSender()
    shop.named("p12")
    shop.shows("p12")
    wish = replace(WISH, scope=Scope(agents=(shop.agent,), since_ms=T0_MS + 2_001))
    context = store.context(NOW_MS)
    assert write_back(context, sender, wish, clock_ms=lambda: NOW_MS).kinds[0].found == 0
    earlier = replace(WISH, scope=Scope(agents=(shop.agent,), since_ms=T0_MS + 2_000))
    assert write_back(context, sender, earlier, clock_ms=lambda: NOW_MS).kinds[0].sent == 1
    shop.shows("p12", deleted=1)  # out of the time asked for, it is not taken back
    assert write_back(context, sender, wish, clock_ms=lambda: NOW_MS + 9).kinds[0].retracted == 0


@pytest.mark.parametrize(
    ("told", "received_ms", "begins_ns"),
    [
        ("-5", 0, T0_MS * 1_000_000),  # a sender's own word: nothing of this span was replaced
        ("1", 0, T0_MS * 1_000_000),
        ("1000000001", T0_MS, 1_000_000_001),
        ("18446744073709551615", T0_MS, T0_MS * 1_000_000),  # no time that a span can be shown at
        ("-5", T0_MS, 0),
    ],
)
def test_a_start_is_as_it_was_sent_only_where_it_was_replaced(
    store: AnalysisStore, told: str, received_ms: int, begins_ns: int
) -> None:
    trace = hashlib.sha256(f"{told} {received_ms}".encode()).hexdigest()[:32]
    span = {
        "TraceId": trace,
        "SpanId": f"{1:016x}",
        "Timestamp": time_of(T0_MS),
        "ReceivedTime": time_of(received_ms),
        "Duration": 1_000,
        "SpanAttributes": {"spanloop.original_start_time_unix_nano": told},
    }
    store.context().insert("otel_traces", [span])
    target = read_targets(store.context(), [(trace, "")]).of(trace, "")
    assert target is not None
    assert (target.start_ns, target.end_ns) == (begins_ns, begins_ns + 1_000)


def test_more_findings_than_a_page_are_all_written_once(store: AnalysisStore) -> None:
    shop, sender = Shop(store, 13), KeptSender()
    rows = [{"PatternId": f"many{n:04d}", "Category": "loop", "Project": "p"} for n in range(603)]
    member = {"TraceId": shop.traces[0], "SpanId": f"{2:016x}", "Timestamp": time_of(T0_MS)}
    shop.insert("failure_patterns", *rows)
    shop.insert("pattern_members", *({"PatternId": r["PatternId"], **member} for r in rows))
    told = write(shop, sender)
    assert (told.found, told.sent, told.logged) == (603, 603, 603)
    assert len(set(sender.ids())) == 603
    assert write(shop, sender).unchanged == 603


def test_scenarios_experiments_and_releases_stand_where_they_came_from(
    store: AnalysisStore,
) -> None:
    shop, sender = Shop(store, 14), KeptSender()
    insert_cycle(shop)
    kinds: tuple[Kind, ...] = ("scenario", "experiment", "release")
    assert [write(shop, sender, kind).sent for kind in kinds] == [2, 1, 1]
    said = [
        (span.name, f"{span.parent.trace_id:032x}", span.parent.span_id)
        for span in sender.spans
        if span.parent
    ]
    oldest = shop.traces[1]  # provenance is listed newest first
    assert sorted(said[:2]) == [("scenario pattern", trace, 1) for trace in shop.traces]
    assert said[2:] == [("experiment ship", oldest, 1), ("release canary", oldest, 1)]
    goal, verdict = (dict(sender.spans[i].attributes or {}) for i in (0, 2))
    assert goal["gen_ai.evaluation.explanation"] == "reach <EMAIL>"
    assert verdict["gen_ai.evaluation.score.value"] == 0.25
    assert "ship on 12 scenarios, effect on satisfaction +0.250 [+0.100, +0.400]" in str(
        verdict["gen_ai.evaluation.explanation"]
    )
    assert [write(shop, sender, kind).unchanged for kind in kinds] == [2, 1, 1]


def test_our_own_work_is_a_trace_with_links_to_its_evidence(store: AnalysisStore) -> None:
    shop, sender = Shop(store, 15), KeptSender()
    insert_cycle(shop)
    shop.shows(f"pattern-{shop.trajectory}")
    write(shop, sender, "cycle")
    mine = [
        span
        for span in sender.spans
        if str((span.attributes or {})["spanloop.annotation.id"]).endswith(
            (shop.trajectory, shop.agent)
        )
        or f"/cycle-{shop.trajectory}/" in str((span.attributes or {})["spanloop.annotation.id"])
    ]
    names = {span_id(span): span.name for span in mine}
    assert {
        (span.name, names.get(f"{span.parent.span_id:016x}", "?") if span.parent else "")
        for span in mine
    } == {
        ("cycle", ""),
        ("stage candidates", "cycle"),
        ("stage experiments", "cycle"),
        ("pattern loop", "stage candidates"),
        ("candidate template", "pattern loop"),
        ("experiment gate", "stage experiments"),
        ("run baseline", "experiment gate"),
        ("run candidate", "experiment gate"),
        ("release canary", "cycle"),
    }
    links = {
        span.name: [(f"{to.context.trace_id:032x}", to.context.span_id) for to in span.links]
        for span in mine
        if span.links
    }
    assert links == {
        "pattern loop": [(shop.traces[0], 3)],
        "candidate template": [(shop.traces[1], 1)],
        "experiment gate": [(shop.traces[1], 1)],
        "run baseline": [(shop.traces[1], 1)],
        "run candidate": [(shop.traces[1], 1)],
    }
    sent = len(sender.spans)
    assert write(shop, sender, "cycle").sent == 0
    assert len(sender.spans) == sent
    assert not sender.logs


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_asked_of_an_empty_time(store: AnalysisStore, kind: Kind) -> None:
    wish = replace(WISH, kinds=(kind,), scope=Scope(since_ms=2 * T0_MS))
    told = write_back(store.context(NOW_MS), KeptSender(), wish, clock_ms=lambda: NOW_MS)
    assert told.kinds == [KindReport(kind=kind)]


@pytest.mark.parametrize(
    ("scope", "mined"), [("shop", 1), ("spanloop.annotations", 0), ("spanloop.work", 0)]
)
def test_what_is_ours_is_stored_and_never_mined(
    store: AnalysisStore, scope: str, mined: int
) -> None:
    trace = {"shop": "e1", "spanloop.annotations": "e2", "spanloop.work": "e3"}[scope] * 16
    common = {"TraceId": trace, "ScopeName": scope, "Timestamp": time_of(T0_MS)}
    said = {"gen_ai.evaluation.name": "quality", "gen_ai.evaluation.score.value": "1"}
    context = store.context()
    context.insert(
        "otel_traces", [{**common, "SpanId": "1" * 16, "SpanName": "x", "SpanAttributes": said}]
    )
    event = {**common, "SpanId": "1" * 16, "EventName": "gen_ai.evaluation.result"}
    context.insert("otel_logs", [{**event, "LogAttributes": said}])
    counts = "SELECT toUInt32(count()) AS n FROM {} WHERE TraceId = {{t:String}}"
    for table, expected in (
        ("otel_traces", 1),
        ("otel_logs", 1),
        ("genai_spans", mined),
        ("trace_arrivals", 2 * mined),  # of its span, and of its log event
    ):
        assert store.rows(counts.format(table), t=trace) == [{"n": expected}], table
