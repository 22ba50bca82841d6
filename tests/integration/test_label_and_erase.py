"""Audit samples and labels on the real engine; and that erasing a person leaves nothing of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from spanloop.optimizer.feedback.samples import (
    Draw,
    draw_sample,
    next_to_label,
    sample_status,
    sampled,
    set_label,
)
from spanloop.processor.errors import PermanentError
from spanloop.service.assessing import label_in_store
from spanloop.service.erasing import TABLES, Subject, delete
from tests.support.analysis import AnalysisStore, open_analysis_store

N = 40


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    opened = open_analysis_store(tmp_path_factory.mktemp("labels") / "db")
    yield opened
    opened.client.close()


@pytest.fixture(autouse=True)
def trajectories(store: AnalysisStore) -> None:
    """Put 40 comparable trajectories of two agents there, an open one and one with too little content."""
    for table in TABLES:
        store.client.command(f"TRUNCATE TABLE {table}")
    store.client.command(
        "INSERT INTO trajectories (TrajectoryId, ConversationId, TraceIds, AgentName, Release, State, "
        "Completeness, Start, Version) "
        "SELECT 't' || leftPad(toString(number), 2, '0') AS id, if(number % 2, id || '-c', ''), "
        "[id || 'a', id || 'b'], if(number < 30, 'sales', 'support'), if(number < 10, 'r1', 'r2'), "
        "if(number = {n:UInt32}, 'open', 'closed'), "
        "if(number = {n:UInt32} + 1, 0.2, 1), '2026-09-01' + toIntervalDay(number), 1 "
        "FROM numbers({n:UInt32} + 2)",
        parameters={"n": N},
    )
    store.client.command(
        "INSERT INTO trajectory_traces (TraceId, TrajectoryId, ConversationId, Version) "
        "SELECT arrayJoin(TraceIds), TrajectoryId, ConversationId, 1 FROM trajectories"
    )


def labels(store: AnalysisStore) -> list[dict[str, Any]]:
    return store.rows("SELECT * FROM assessments FINAL WHERE Source = 'label' ORDER BY SampleId")


def test_a_sample_says_what_it_was_drawn_from_and_with_what_odds(store: AnalysisStore) -> None:
    drawn = draw_sample(store.context(), Draw(n=10))
    assert (drawn["drawn"], drawn["population"]) == (10, N)
    rows = sampled(store.context(), drawn["sample"])
    assert [row.position for row in rows] == list(range(1, 11))
    assert {row.probability for row in rows} == {10 / N}
    assert [row.trajectory for row in rows] != sorted(row.trajectory for row in rows)
    assert (
        draw_sample(store.context(), Draw(n=10))["sample"] == drawn["sample"]
    )  # same seed and time


def test_filters_and_strata(store: AnalysisStore) -> None:
    of_agent = draw_sample(
        store.context(), Draw(n=99, agent="sales", release="r2", since="2026-09-16")
    )
    assert (of_agent["drawn"], of_agent["population"]) == (15, 15)
    assert {row.probability for row in sampled(store.context(), of_agent["sample"])} == {1.0}
    both = draw_sample(store.context(), Draw(n=8, stratified=True))
    rows = sampled(store.context(), both["sample"])
    assert sorted(row.stratum for row in rows) == ["sales"] * 6 + ["support"] * 2
    assert {row.probability for row in rows} == {6 / 30, 2 / 10}
    with pytest.raises(PermanentError, match="no closed, complete"):
        draw_sample(store.context(), Draw(agent="nobody"))
    with pytest.raises(PermanentError, match="no date"):
        draw_sample(store.context(), Draw(since="yesterday"))


def test_labels_are_given_in_order_and_counted(store: AnalysisStore) -> None:
    context = store.context()
    with pytest.raises(PermanentError, match="draw one"):
        next_to_label(context)
    sample = draw_sample(context, Draw(n=3))["sample"]
    for number, verdict in enumerate(("yes", "unsure", "no")):
        place = next_to_label(context)
        assert place is not None
        assert (place["position"], place["left"], place["size"]) == (number + 1, 3 - number, 3)
        done = set_label(context, place["trajectory"], verdict, reviewer="eve", note="because")  # type: ignore[arg-type]
        assert done["samples"] == [sample]
    assert next_to_label(context, sample) is None
    (status,) = sample_status(context)
    assert (status["labelled"], status["unsure"], status["left"], status["complete"]) == (
        2,
        1,
        0,
        True,
    )
    found = labels(store)
    assert sorted(row["Label"] for row in found) == ["no", "unsure", "yes"]
    assert {row["Label"]: row["Satisfied"] for row in found} == {
        "yes": 1.0,
        "no": 0.0,
        "unsure": None,
    }
    assert {(row["Selection"], row["SelectionProbability"]) for row in found} == {
        ("sampled", 3 / N)
    }
    told = store.rows("SELECT * FROM trajectory_labels WHERE Source = 'label'")
    assert len(told) == 2
    assert {row["SampleId"] for row in told} == {sample}
    assert {row["TrajectoryId"] for row in told} <= {row.trajectory for row in sampled(context)}


def test_a_later_word_of_a_reviewer_replaces_theirs_and_others_may_disagree(
    store: AnalysisStore,
) -> None:
    draw_sample(store.context(), Draw(n=99))
    for now_ms, reviewer, verdict in ((1, "eve", "yes"), (2, "eve", "no"), (1, "bob", "yes")):
        set_label(store.context(now_ms), "t07", verdict, reviewer=reviewer)  # type: ignore[arg-type]
    assert {row["Assessor"]: row["Label"] for row in labels(store)} == {"eve": "no", "bob": "yes"}
    (status,) = sample_status(store.context())
    assert (status["labelled"], status["disagreeing"], status["left"]) == (1, 1, N - 1)


def test_a_trajectory_is_named_as_people_name_it(store: AnalysisStore) -> None:
    for name in ("t07", "t07-c", "t07b"):
        assert set_label(store.context(), name, "yes", reviewer="eve")["trajectory"] == "t07"
    assert labels(store)[0]["Selection"] == "targeted"  # in no sample
    for name, words in (("t0", "several"), ("x", "no trajectory"), ("", "no trajectory")):
        with pytest.raises(PermanentError, match=words):
            set_label(store.context(), name, "yes", reviewer="eve")
    with pytest.raises(PermanentError, match="none of yes, no, unsure"):
        set_label(store.context(), "t07", "maybe", reviewer="eve")  # type: ignore[arg-type]


def test_what_the_command_asks_is_json(store: AnalysisStore) -> None:
    def ask(action: str, **arguments: object) -> Any:
        asked = json.loads(json.dumps({"does": action, "seed": 3, "arguments": arguments}))
        return json.loads(json.dumps(label_in_store(store.client, store.renderer, asked)))

    sample = ask("draw", n=2, agent="", release="", since=None, stratified=False)["sample"]
    place = ask("next", sample=sample)
    said = {"reviewer": "eve", "note": ""}
    ask("set", name=place["trajectory"], verdict="no", said=said)
    assert ask("status")[0]["left"] == 1


DERIVED = (
    "trajectory_steps (TrajectoryId, Step, Text, TraceId, Version) SELECT '{t}', 1, 'x', '{t}a', 1",
    "trajectory_symptoms (TrajectoryId, Symptom, Step, Version) SELECT '{t}', 'loop', 1, 1",
    "trajectory_features (TrajectoryId, Version) SELECT '{t}', 1",
    "trajectory_satisfaction (TrajectoryId, Version) SELECT '{t}', 1",
    "pattern_members (PatternId, TrajectoryId, Version) SELECT 'p', '{t}', 1",
    "canonical_messages (TraceId, SpanId, Version) SELECT '{t}b', 's', 1",
    "scenarios (ScenarioId, Trajectories, Version) SELECT 's{t}', ['{t}'], 1",
    "candidates (CandidateId, State, Scenarios, Version) SELECT 'r{t}', 'refused', ['s{t}'], 1",
    "label_samples (SampleId, TrajectoryId) SELECT 's', '{t}'",
    "assessments (AssessmentId, TraceId, Source, Version) SELECT '1{t}', '{t}b', 'feedback', 1",
    "assessments (AssessmentId, ConversationId, Source, Version) SELECT '2{t}', '{t}-c', 'label', 1",
    "assessments (AssessmentId, Assessor, Source, Version) SELECT '3{t}', '{t}-u', 'feedback', 1",
    "annotations (Kind, TraceId, Identifier, Version) SELECT 'satisfaction', '{t}b', '{t}', 1",
    "otel_logs (LogAttributes, Timestamp) SELECT map('session.id', '{t}-c'), now64(9)",
)
PUT_SPANS = "otel_traces", ("TraceId", "SpanId", "SpanAttributes", "Timestamp", "BatchId")


@pytest.mark.parametrize("subject", [{"user": "t07-u"}, {"conversation": "t07-c"}])
def test_all_that_was_made_of_a_person_goes_and_nothing_else(
    store: AnalysisStore, subject: dict[str, str]
) -> None:
    store.client.command(
        "ALTER TABLE trajectories UPDATE UserId = TrajectoryId || '-u' WHERE 1 SETTINGS mutations_sync = 2"
    )
    for name in ("t07", "t09"):
        for statement in DERIVED:
            store.client.command("INSERT INTO " + statement.format(t=name))
        named = {"gen_ai.conversation.id": f"{name}-c", "user.id": f"{name}-u"}
        at = datetime(2026, 9, 1, tzinfo=UTC)
        table, columns = PUT_SPANS  # only the first of two traces names anybody
        spans = [
            [f"{name}a", "1", named, at, "x"],
            [f"{name}b", "2", {"said": "my words"}, at, "x"],
        ]
        store.client.insert(table, spans, column_names=columns)
    store.client.command(
        "CREATE TABLE symptom_steps (TrajectoryId String) ENGINE = Memory AS SELECT 't07'"
    )
    store.client.command("CREATE TABLE IF NOT EXISTS mine (x String) ENGINE = Memory")
    before = counts(store)
    erased = delete(store.client, store.renderer, Subject(**subject))
    after = counts(store)
    assert {name: before[name] - after[name] for name in TABLES} == {
        **dict.fromkeys(TABLES, 0),
        **erased,
    }
    assert erased["otel_traces"] == 2
    for table in set(TABLES) - {"genai_spans", "otel_traces_trace_id_ts", "trace_arrivals"}:
        assert erased[table], table
        assert after[table], table
    everything = "".join(
        json.dumps(store.rows(f"SELECT * FROM {table}"), default=str)  # noqa: S608  # names only
        for table in TABLES
    )
    assert "t09" in everything
    assert not [word for word in ("t07-c", "t07a", "t07b") if word in everything]
    kept = [row["name"] for row in store.rows("SHOW TABLES")]
    assert "symptom_steps" not in kept  # what an analysis left of its working
    assert "mine" in kept
    again = delete(store.client, store.renderer, Subject(**subject))
    assert not any(again.values())


def counts(store: AnalysisStore) -> dict[str, int]:
    return {
        table: store.rows(f"SELECT count() AS n FROM {table}")[0]["n"]  # noqa: S608  # names only
        for table in TABLES
    }


def test_earlier_versions_go_too_and_who_shares_an_old_trajectory_stays(
    store: AnalysisStore,
) -> None:
    """A trace was once of t08, now of t09: erasing t09's person must not take t08's."""
    store.client.command(
        "INSERT INTO trajectories (TrajectoryId, UserId, TraceIds, Opening, Version) VALUES "
        "('t08', 'eve', ['t08a', 't08b', 'moved'], 'words of ann', 2), "
        "('t08', 'eve', ['t08a', 't08b'], '', 3), ('t10', 'eve', ['moved'], 'words of ann', 0), "
        "('t09', 'ann', ['moved'], 'words of ann', 3)"
    )
    store.client.command(
        "INSERT INTO trajectory_traces (TraceId, TrajectoryId, Version) "
        "VALUES ('moved', 't08', 2), ('moved', 't09', 3)"
    )
    delete(store.client, store.renderer, Subject(user="ann"))
    assert store.rows("SELECT UserId FROM trajectories FINAL WHERE TrajectoryId = 't08'") == [
        {"UserId": "eve"}
    ]
    assert store.rows("SELECT count() AS n FROM trajectories WHERE Opening = 'words of ann'") == [
        {"n": 0}
    ]
    assert store.rows("SELECT count() AS n FROM trajectory_traces WHERE TraceId = 'moved'") == [
        {"n": 0}
    ]
