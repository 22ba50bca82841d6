"""Terms, conjunctions, and their stored form."""

import math

import pytest

from spanloop.optimizer.patterns.predicates import (
    Facts,
    Predicate,
    Term,
    faults_of,
    from_json,
    holds,
    step_key,
    to_json,
)

FACTS = Facts(
    trajectory_id="t",
    steps=("user", "tool:find", "tool:find", "assistant", "tool:book"),
    failed=(False, True, False, False, False),
    offered=frozenset({"find", "book", "cancel"}),
    counts={"Turns": 1.0, "ModelCalls": 3.0, "ToolCalls": 3.0, "Errors": 1.0, "Steps": 5.0},
    symptoms=frozenset({("tool_error", "find: timeout"), ("loop", "")}),
    faults=faults_of([("tool_error", 0.4), ("loop", 0.4), ("loop", 0.6)]),
    numbers={"frustration": 0.5, "unknown": math.nan},
    stratum="i1",
)


@pytest.mark.parametrize(
    ("case", "wider", "expected"),
    [
        ([Term("symptom", "loop"), Term("last", "user")], [Term("symptom", "loop")], True),
        ([Term("symptom", "loop")], [Term("symptom", "loop"), Term("last", "user")], False),
        ([Term("symptom", "loop")], [Term("symptom", "loop")], True),
        ([Term("fault", "loop")], [Term("symptom", "loop")], True),
        ([Term("symptom", "loop")], [Term("fault", "loop")], False),
        ([Term("symptom", "loop", "a")], [Term("symptom", "loop")], True),
        ([Term("symptom", "loop")], [Term("symptom", "loop", "a")], False),
        ([Term("symptom", "loop", "a")], [Term("symptom", "loop", "b")], False),
        ([Term("count", "Turns", value=3.0)], [Term("count", "Turns", value=2.0)], True),
        ([Term("count", "Turns", value=2.0)], [Term("count", "Turns", value=3.0)], False),
        ([Term("count", "Turns", "", "<=", 2.0)], [Term("count", "Turns", "", "<=", 3.0)], True),
        ([Term("count", "Turns", "", "<=", 2.0)], [Term("count", "Turns", value=2.0)], False),
        ([Term("tool", "find", value=2.0)], [Term("tool", "find")], True),
        ([Term("tool", "find")], [Term("tool", "book")], False),
        ([Term("tool_error", "find")], [Term("tool_error", "")], True),
        ([Term("tool_error", "")], [Term("tool_error", "find")], False),
        ([Term("fault", "loop", "a")], [Term("symptom", "loop", "a")], False),
        ([Term("symptom", "loop")], [], False),
    ],
)
def test_a_special_case_implies_what_is_wider(
    case: list[Term], wider: list[Term], expected: bool
) -> None:
    assert Predicate.of(*case).implies(Predicate.of(*wider)) is expected


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (Term("symptom", "loop"), True),
        (Term("symptom", "tool_error"), True),
        (Term("symptom", "tool_error", "find: timeout"), True),
        (Term("symptom", "tool_error", "book: timeout"), False),
        (Term("fault", "loop"), True),
        (Term("fault", "tool_error"), False),
        (Term("tool", "find"), True),
        (Term("tool", "find", value=2.0), True),
        (Term("tool", "find", value=3.0), False),
        (Term("tool_error", ""), True),
        (Term("tool_error", "find"), True),
        (Term("tool_error", "book"), False),
        (Term("absent", "cancel"), True),
        (Term("absent", "book"), False),
        (Term("absent", "never offered"), False),
        (Term("then", "tool:find", "assistant"), True),
        (Term("then", "user", "assistant"), False),
        (Term("last", "tool:book"), True),
        (Term("last", "assistant"), False),
        (Term("count", "Steps", bound="<=", value=5.0), True),
        (Term("count", "Turns", bound=">=", value=2.0), False),
        (Term("number", "frustration", bound=">=", value=0.5), True),
        (Term("number", "unknown", bound=">=", value=0.0), False),
        (Term("number", "unknown", bound="<=", value=9.0), False),
        (Term("number", "never computed", bound="<=", value=9.0), False),
        (Term("stratum", "i1"), True),
        (Term("stratum", ""), False),
    ],
    ids=str,
)
def test_a_term_holds_as_it_says(term: Term, expected: bool) -> None:
    assert holds(Predicate.of(term), FACTS) is expected


def test_a_predicate_holds_if_all_its_terms_do() -> None:
    both = Predicate.of(Term("symptom", "loop"), Term("last", "tool:book"))
    one = Predicate.of(Term("symptom", "loop"), Term("last", "assistant"))

    assert holds(both, FACTS)
    assert not holds(one, FACTS)


def test_a_trajectory_without_steps_has_no_last_step() -> None:
    empty = Facts(trajectory_id="t", counts={}, numbers={})

    assert not holds(Predicate.of(Term("last", "")), empty)
    assert not holds(Predicate.of(Term("count", "Steps", bound="<=", value=9.0)), empty)


def test_the_stored_form_gives_the_predicate_back() -> None:
    predicate = Predicate.of(
        Term("then", step_key("tool", 'odd "name": ü'), step_key("assistant", "")),
        Term("number", "frustration", bound="<=", value=0.125),
        Term("symptom", "loop"),
    )

    assert from_json(to_json(predicate)) == predicate


@pytest.mark.parametrize(
    "text",
    [
        '{"format": 2, "all": []}',
        "[]",
        '{"format": 1, "all": [{"kind": "eval", "subject": "x"}]}',
        '{"format": 1, "all": [{"kind": "count", "subject": "sleep(3)", "value": 1}]}',
    ],
    ids=["other format", "no object", "unknown kind", "unknown count"],
)
def test_what_is_no_predicate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"format|kind|count"):
        from_json(text)
