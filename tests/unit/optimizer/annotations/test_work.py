"""Our own work as a trace: who is whose child, when, and with what evidence."""

from __future__ import annotations

from dataclasses import replace

from spanloop.optimizer.annotations.note import annotation_id
from spanloop.optimizer.annotations.spans import Issue, span_of
from spanloop.optimizer.annotations.work import cycle_notes, experiment_alone
from tests.support.annotations import SPAN, TRACE, payload
from tests.support.own_work import CYCLE, EVIDENCE, EXPERIMENT, T0_MS, all_notes, stage

MS = 1_000_000


def test_a_cycle_is_a_tree_of_what_was_done() -> None:
    names = {annotation_id(note.key, 1): note.identifier for note in all_notes()}
    children = {note.identifier: names.get(note.target.span_id, "") for note in all_notes()}
    candidates, experiments = (f"stage/c1/{s}/p/shop" for s in ("candidates", "experiments"))
    assert children == {
        "cycle/c1": "",
        candidates: "cycle/c1",
        experiments: "cycle/c1",
        "pattern/c1/p/shop/p1": candidates,
        "candidate/k1": "pattern/c1/p/shop/p1",
        "candidate/k2": "pattern/c1/p/shop/p1",
        "experiment/e1": experiments,
        "release/v1": "cycle/c1",  # no stage of releases ran
        "run/u1": "experiment/e1",
        "run/u2": "experiment/e1",
    }
    assert len({note.target.trace_id for note in all_notes()}) == 1


def test_every_span_has_a_length_inside_its_parents() -> None:
    notes = {annotation_id(note.key, 1): note for note in all_notes()}
    for note in notes.values():
        assert note.interval_ns is not None
        begin, end = note.interval_ns
        assert begin < end
        parent = notes.get(note.target.span_id)
        if parent is not None:
            assert parent.interval_ns is not None
            assert parent.interval_ns[0] <= begin < end <= parent.interval_ns[1]


def test_times_as_stored_stand_in_attributes() -> None:
    experiment = next(note for note in all_notes() if note.identifier == "experiment/e1")
    assert experiment.interval_ns == ((T0_MS + 4_000) * MS, (T0_MS + 8_000) * MS)
    assert experiment.attributes["spanloop.ended_unix_ms"] == T0_MS + 99_000


def test_evidence_is_linked() -> None:
    linked = {
        note.identifier.partition("/")[0]
        for note in all_notes()
        if [(link.trace_id, link.span_id) for link in note.links] == [(TRACE, SPAN)]
    }
    assert linked == {"pattern", "candidate", "experiment", "run"}


def test_what_is_missing_is_left_out_and_text_is_redacted() -> None:
    cycle = all_notes()[0]
    assert cycle.attributes["spanloop.notes"] == ["mail <EMAIL>"]
    assert "spanloop.cost_usd" not in cycle.attributes
    assert cycle.attributes["spanloop.count.made"] == 2


def test_a_stage_that_failed_is_the_only_red_span() -> None:
    failed = replace(CYCLE, stages=[stage("candidates", 1, 2, State="failed")], candidates=[])
    notes = cycle_notes(failed, EVIDENCE)
    assert [note.identifier for note in notes if note.failed] == ["stage/c1/candidates/p/shop"]


def test_the_same_rows_give_the_same_bytes() -> None:
    def sent() -> list[bytes]:
        issues = [Issue(note=note, version=1, found_ms=note.found_ms) for note in all_notes()]
        return [payload(span_of(issue)) for issue in issues]

    assert sent() == sent()


def test_an_experiment_run_by_hand_is_a_trace_of_its_own() -> None:
    note = experiment_alone(EXPERIMENT)
    assert note.target.span_id == ""
    assert note.target.trace_id != all_notes()[0].target.trace_id
    assert span_of(Issue(note=note, version=1, found_ms=1)).parent is None
