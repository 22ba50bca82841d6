"""Which steps tell a pattern, and what is counted."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from spanloop.service.report import shaping
from tests.support.reports import step, trajectory


@given(st.integers(1, 300), st.integers(0, 300), st.lists(st.integers(1, 300), max_size=60))
def test_a_story_is_short_and_holds_the_step_that_went_wrong(
    n: int, deviating: int, evidence: list[int]
) -> None:
    told = shaping.shown_story(trajectory("words", n), deviating, evidence)
    numbers = [each.step for each in told.steps]
    assert numbers == sorted(numbers)
    assert len(numbers) <= shaping.STEPS_SHOWN
    assert numbers[0] == 1
    assert (deviating in numbers) == (1 <= deviating <= n)
    assert sum(each.mark == "deviating" for each in told.steps) == (1 <= deviating <= n)
    assert sum(each.before for each in told.steps) + len(numbers) + told.after == n


def test_a_conversation_without_steps_has_no_story_to_tell() -> None:
    told = shaping.shown_story(trajectory("words", 0), 3, [3])
    assert (told.steps, told.after, told.n_steps) == ([], 0, 0)


def test_a_tool_without_a_result_says_so_and_an_empty_result_is_one() -> None:
    found = trajectory("words", 0)
    found["steps"] = [step(3, "f", result=None), step(6, "f", result="")]
    first, second = shaping.shown_story(found, 3, []).steps
    assert first.parts == ["f", "→ (no result carried)"]
    assert second.parts == ["f", "→ "]


def test_candidates_are_counted_by_state_and_reason() -> None:
    rows = [
        {"state": "refused", "reasons": ["copied"]},
        {"state": "refused", "reasons": ["copied"]},
        {"state": "proposed", "reasons": []},
    ]
    assert shaping.counted_candidates(rows) == [
        {"state": "refused", "reason": "copied", "candidates": 2},
        {"state": "proposed", "reason": "", "candidates": 1},
    ]


def test_days_without_a_member_count_zero() -> None:
    row = {
        "title": "t",
        "explanation": "e",
        "here": 2,
        "days": [date(2026, 11, 1), date(2026, 11, 3)],
        "example": "",
        "example_step": 0,
        "example_evidence": [],
    }
    shown = shaping.shown_pattern(row, None, (date(2026, 11, 1), date(2026, 11, 3)))
    assert [n for _, n in shown.daily] == [1, 0, 1]
