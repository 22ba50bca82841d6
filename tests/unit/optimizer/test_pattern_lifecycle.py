"""Identity and lifecycle over simulated analyses."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from spanloop.optimizer.patterns.identity import match, new_id, term_similarity
from spanloop.optimizer.patterns.lifecycle import Occurrence, State, next_state, occurrence
from spanloop.optimizer.patterns.predicates import Predicate, Term
from spanloop.optimizer.patterns.storing import Counted, Pattern, occurrences_of

FIRST = date(2026, 11, 1)


def _days(counts: Mapping[int, int]) -> dict[date, int]:
    return {FIRST + timedelta(days=day): count for day, count in counts.items()}


def _seen(now: int, of: int, once: float | None = 0.2) -> Occurrence:
    return Occurrence(members=now, trajectories=of, once=once, trend=None)


@pytest.mark.parametrize(
    ("state", "seen", "expected"),
    [
        (None, _seen(5, 100), "new"),
        ("new", _seen(20, 100), "open"),
        ("open", _seen(20, 100), "open"),
        ("open", _seen(5, 200), "mitigated"),
        ("open", _seen(8, 100), "open"),  # 8 % of 100 may still be 15 %
        ("mitigated", _seen(0, 400), "resolved"),
        ("mitigated", _seen(11, 100), "mitigated"),  # between the bounds nothing changes
        ("mitigated", _seen(50, 200), "open"),
        ("resolved", _seen(1, 10), "resolved"),  # one is an accident
        ("resolved", _seen(20, 100), "regressed"),
        ("regressed", _seen(20, 100), "regressed"),
        ("regressed", _seen(5, 200), "mitigated"),
        ("open", _seen(0, 400, once=None), "open"),  # no past to compare with
        ("open", _seen(0, 0), "open"),
    ],
)
def test_states_change_only_when_it_is_sure(
    state: State | None, seen: Occurrence, expected: State
) -> None:
    assert next_state(state, seen) == expected


def test_a_pattern_is_fixed_and_comes_back() -> None:
    traffic = dict.fromkeys(range(49), 100)
    shown = dict.fromkeys(range(14), 20) | dict.fromkeys(range(42, 49), 20)
    state: State | None = None
    states: list[State] = []
    for today in range(6, 49, 7):
        members = _days({day: count for day, count in shown.items() if day <= today})
        everything = _days({day: count for day, count in traffic.items() if day <= today})
        state = next_state(state, occurrence(members, everything))
        states.append(state)

    assert states == ["new", "open", "resolved", "resolved", "resolved", "resolved", "regressed"]


def test_traffic_of_another_agent_does_not_resolve_a_pattern() -> None:
    """A shows it in 10 of 100 runs a day all along; from day 14 on B adds 2,000 a day without it."""
    counted = [
        row
        for day in range(28)
        for row in (
            Counted("", "", "A", FIRST + timedelta(days=day), 100),
            Counted("p", "", "A", FIRST + timedelta(days=day), 10),
            Counted("", "", "B", FIRST + timedelta(days=day), 2_000 if day >= 14 else 0),
        )
    ]
    of_a, of_nobody = (replace(PATTERN, agents=agents) for agents in (["A"], []))
    seen = occurrences_of(counted, [of_a])["p"]

    assert (seen.members, seen.trajectories) == (70, 700)
    assert seen.trend == pytest.approx(0.0)
    assert next_state("open", seen) == "open"
    elsewhere = [row._replace(project="other") for row in counted]
    assert occurrences_of([*counted, *elsewhere], [of_a])["p"] == seen
    assert next_state("open", occurrences_of(counted, [of_nobody])["p"]) == "resolved"


PATTERN = Pattern(
    pattern_id="p",
    predicate=Predicate.of(Term("symptom", "loop")),
    title="",
    explanation="",
    named_by="template",
    category="loop",
    mast_codes=(),
    trail_codes=(),
    state="open",
    lift=None,
    lift_low=None,
    lift_high=None,
    lift_basis="labels",
    p_value=None,
    q_value=None,
    marginal_lift=None,
)


def test_the_trend_compares_the_newer_half_with_the_older() -> None:
    seen = occurrence(_days({0: 1, 3: 5}), _days(dict.fromkeys(range(4), 10)))

    assert seen.trend == pytest.approx(0.25 - 0.05)
    assert occurrence({}, {}).trend is None


def test_a_pattern_keeps_its_id_when_its_threshold_moves() -> None:
    stored = {
        "a": Predicate.of(Term("number", "errors", value=2.0)),
        "b": Predicate.of(Term("symptom", "loop")),
    }
    mined = [
        Predicate.of(Term("symptom", "loop")),
        Predicate.of(Term("number", "errors", value=3.0)),
        Predicate.of(Term("last", "user")),
    ]
    rows = np.zeros((10, 2), dtype=np.bool_)
    rows[:4, 0] = rows[5:8, 1] = True
    mined_rows = np.zeros((10, 3), dtype=np.bool_)
    mined_rows[5:8, 0] = mined_rows[:3, 1] = True
    mined_rows[9, 2] = True

    assert match(mined, mined_rows, stored, rows) == ["b", "a", None]


def test_an_id_is_given_once() -> None:
    stored = {"a": Predicate.of(Term("symptom", "loop"))}
    mined = [
        Predicate.of(Term("symptom", "loop")),
        Predicate.of(Term("symptom", "loop"), Term("last", "user")),
    ]
    rows = np.ones((6, 1), dtype=np.bool_)

    assert match(mined, np.ones((6, 2), dtype=np.bool_), stored, rows) == ["a", None]
    assert term_similarity(*mined) == 0.5


def test_a_fault_goes_on_as_its_symptom_where_most_members_are_the_same() -> None:
    symptom, fault = Predicate.of(Term("symptom", "loop")), Predicate.of(Term("fault", "loop"))
    wide, most, few = (np.arange(10)[:, None] < count for count in (10, 6, 4))

    assert match([fault], most, {"a": symptom}, wide) == ["a"]
    assert match([fault], few, {"a": symptom}, wide) == [None]
    assert match([symptom, fault], np.hstack([wide, most]), {"a": symptom}, wide) == ["a", None]
    assert term_similarity(fault, Predicate.of(Term("fault", "refusal"))) == 0.0


def test_new_ids_differ_from_used_ones() -> None:
    predicate = Predicate.of(Term("symptom", "loop"))
    first = new_id(predicate, [])

    assert new_id(predicate, []) == first
    assert new_id(predicate, [first]) != first
    assert new_id(predicate, [], "shop") not in (first, new_id(predicate, [], "bank"))
