"""Observable criteria, checked on steps."""

import json

import pytest

from spanloop.optimizer.experiments.criteria import SeenRun, SeenStep, gold_outcome, is_met
from spanloop.optimizer.patterns.predicates import Facts, Predicate, Term, to_json
from spanloop.optimizer.scenarios.scenario import Criterion


def run(*steps: SeenStep, symptoms: frozenset[tuple[str, str]] = frozenset()) -> SeenRun:
    facts = Facts(trajectory_id="t", counts={}, numbers={}, symptoms=symptoms)
    return SeenRun(steps, facts)


def call(name: str, status: str = "ok", **arguments: object) -> SeenStep:
    return SeenStep("tool", name, status, arguments=json.dumps(arguments))


def says(text: str) -> SeenStep:
    return SeenStep("assistant", "", "", text)


USER = SeenStep("user", "", "", "thanks")


@pytest.mark.parametrize(
    ("value", "arguments", "met"),
    [
        ({}, {}, True),
        ({"order": "W-12"}, {"order": "w-12 ", "note": "please"}, True),
        ({"order": "W-12"}, {"order": "W-13"}, False),
        ({"order": "W-12"}, {}, False),
        ({"n": 2}, {"n": "2.0"}, True),
        ({"items": ["a", "b"]}, {"items": ["B", "a"]}, True),
        ({"items": ["a", "b"]}, {"items": ["a"]}, False),
        ({"to": {"city": "Oslo"}}, {"to": {"city": "oslo", "zip": 1}}, True),
        ({"on": "2026-05-20"}, {"on": "2026-05-20T00:00:00Z"}, True),
    ],
)
def test_a_call_needs_at_least_these_arguments(value: object, arguments: object, met: bool) -> None:
    criterion = Criterion(kind="calls", name="change", value=json.dumps(value))
    step = SeenStep("tool", "change", "ok", arguments=json.dumps(arguments))
    assert is_met(criterion, run(step)) is met


def test_a_call_that_failed_did_nothing() -> None:
    failed = run(call("change", status="error", id=1))
    assert is_met(Criterion(kind="calls", name="change", value='{"id": 1}'), failed) is False
    assert is_met(Criterion(kind="avoids", name="change"), failed) is True
    assert is_met(Criterion(kind="avoids", name="change"), run(call("change", id=1))) is False


@pytest.mark.parametrize(
    ("text", "value", "met"),
    [
        ("It costs $1,250.00 today.", "1250", True),
        ("It costs 1250.50 today.", "1250", False),
        ("Order W12 went to  OSLO Park.", "oslo park", True),
        ("Order W123 is late.", "W12", False),
        ("You pay 95.50.", "95.50", True),
        ("Nothing of that.", "", False),
    ],
)
def test_a_value_is_said_as_a_whole_whatever_its_spelling(text: str, value: str, met: bool) -> None:
    assert is_met(Criterion(kind="says", value=value), run(says(text))) is met


def test_what_users_and_tools_say_does_not_count_as_said() -> None:
    heard = run(SeenStep("user", "", "", "1250"), SeenStep("tool", "t", "ok", "1250"))
    assert is_met(Criterion(kind="says", value="1250"), heard) is False


def test_a_pattern_is_lacked_or_shown() -> None:
    criterion = Criterion(
        kind="lacks_pattern", value=to_json(Predicate.of(Term("symptom", "tool_error", "t")))
    )
    assert is_met(criterion, run(says("done"))) is True
    shown = run(says("done"), symptoms=frozenset({("tool_error", "t")}))
    assert is_met(criterion, shown) is False
    assert is_met(Criterion(kind="lacks_pattern", value='{"format": 99}'), shown) is None
    assert is_met(Criterion(kind="lacks_pattern", value="no JSON"), shown) is None


def test_an_episode_ends_with_the_agents_word() -> None:
    ends = Criterion(kind="ends")
    assert is_met(ends, run(says("done"), USER)) is True
    assert is_met(ends, run(says("wait"), call("t"))) is False
    assert is_met(ends, run(USER)) is False
    assert is_met(ends, run()) is False


def test_the_outcome_falls_with_what_satisfied_recordings_would_not_have_missed() -> None:
    criteria = (
        Criterion(kind="calls", name="change", value='{"id": 1}', support=0.9),
        Criterion(kind="says", value="1250", support=0.6),
        Criterion(kind="ends", support=1.0),
    )
    assert gold_outcome(criteria, run(call("change", id=1), says("1250"))) == 1.0
    assert gold_outcome(criteria, run(call("change", id=1), says("ok"))) == pytest.approx(0.4)
    assert gold_outcome(criteria, run(says("1250"))) == pytest.approx(0.1)
    assert gold_outcome(criteria, run(says("1250"), call("change", id=1))) == 0.0


def test_without_a_telling_criterion_there_is_no_gold() -> None:
    assert gold_outcome((), run(says("hi"))) is None
    assert gold_outcome((Criterion(kind="ends"),), run(says("hi"))) is None
    unknown = Criterion(kind="lacks_pattern", value="no JSON")
    assert gold_outcome((unknown, Criterion(kind="ends")), run(says("hi"))) is None
