"""What is sent again, what anew, what not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from spanloop.optimizer.annotations.ledger import Entry, decide, entry_of, retract, unlogged
from spanloop.optimizer.annotations.note import Note
from spanloop.optimizer.annotations.spans import Issue, span_of
from tests.support.annotations import make_target, note, payload

HERE, THERE = "jaeger:4317", "tempo:4317"
LATER_MS = 1_700_000_900_000


def entry(of: Note, version: int = 1, *, endpoint: str = HERE, **changes: Any) -> Entry:
    made = entry_of(Issue(note=of, version=version, found_ms=of.found_ms), endpoint)
    return replace(made, **{"state": "sent", "sent_ms": 1, **changes})


def decided(of: Note, *entries: Entry) -> Issue:
    issue = decide(of, entries, HERE)
    assert issue is not None
    return issue


def test_what_was_never_sent_is_version_one() -> None:
    assert decided(note()).version == 1


def test_what_arrived_is_not_sent_again() -> None:
    assert decide(note(), [entry(note())], HERE) is None
    assert decide(note(found_ms=LATER_MS, links=()), [entry(note())], HERE) is None


def test_what_may_have_arrived_is_sent_again_in_the_same_bytes() -> None:
    first = decided(note())
    again = decided(note(found_ms=LATER_MS), entry(note(), state="pending"))
    assert payload(span_of(again)) == payload(span_of(first))


def test_what_may_have_arrived_and_changed_since_has_another_id() -> None:
    for changed in (note(explanation="otherwise"), note(links=())):
        again = decided(changed, entry(note(), state="pending"))
        assert again.version == 2
        assert again.span_id != decided(note()).span_id


def test_a_changed_verdict_is_a_new_version_that_names_the_old_one() -> None:
    issue = decided(note(label="loop"), entry(note()))
    assert (issue.version, issue.supersedes) == (2, decided(note()).span_id)


@pytest.mark.parametrize(("score", "is_new"), [(0.31, False), (0.39, False), (0.41, True)])
def test_a_probability_that_moved_little_is_no_other_verdict(score: float, is_new: bool) -> None:
    rated: dict[str, Any] = {"kind": "satisfaction", "tolerance": 0.1}
    issue = decide(
        note(score=score, explanation="x", **rated), [entry(note(score=0.3, **rated))], HERE
    )
    assert (issue is not None) is is_new


def test_another_endpoint_gets_the_same_version_in_the_same_bytes() -> None:
    changed = note(label="loop")
    here = decided(changed, entry(note(), endpoint=HERE))
    there = decided(replace(changed, found_ms=LATER_MS), entry(changed, version=2, endpoint=THERE))
    assert payload(span_of(there)) == payload(span_of(here))


def test_a_finding_that_no_longer_holds_is_taken_back_once() -> None:
    standing = entry(note())
    issue = retract(standing, [standing], make_target(), LATER_MS)
    assert issue is not None
    span = span_of(issue)
    attributes = dict(span.attributes or {})
    assert (issue.version, span.name) == (2, "pattern retracted")
    assert attributes["gen_ai.evaluation.score.label"] == "retracted"
    assert attributes["spanloop.annotation.retracted"] is True
    assert attributes["spanloop.annotation.supersedes"] == standing.span_id
    pending = entry_of(issue, HERE)
    repeated = retract(pending, [pending], make_target(), LATER_MS + 1)
    assert repeated is not None
    assert payload(span_of(repeated)) == payload(span)
    done = replace(pending, state="sent")
    assert retract(done, [done], make_target(), LATER_MS) is None


def test_what_holds_again_is_said_again() -> None:
    standing = entry(note())
    issue = retract(standing, [standing], make_target(), LATER_MS)
    assert issue is not None
    assert decided(note(), replace(entry_of(issue, HERE), state="sent")).version == 3


def test_a_log_event_that_did_not_arrive_is_sent_for_what_did() -> None:
    silent = entry(note())
    assert unlogged(note(), [silent], HERE) == silent
    assert unlogged(note(), [entry(note(), logged_ms=2)], HERE) is None
    assert unlogged(note(label="loop"), [silent], HERE) is None
    assert unlogged(note(), [entry(note(), endpoint=THERE)], HERE) is None
