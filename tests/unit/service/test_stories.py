"""A trajectory on a terminal: every step is told, and hostile text is only text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from spanloop.service.cli.stories import print_pattern, print_trajectory

WHEN = datetime(2026, 11, 25, tzinfo=UTC)


def step(number: int, kind: str, **values: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("text", "arguments", "result"))
    blank = dict.fromkeys(("agent", "name", "status", "error_type"), "")
    return {"step": number, "kind": kind, "symptoms": [], **empty, **blank, **values}


def trajectory(steps: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "trajectory": "t" * 32,
        "agent": "support",
        "start": WHEN,
        "end": WHEN,
        "state": "closed",
        "turns": 1,
        "model_calls": 2,
        "tool_calls": 1,
        "errors": 1,
        "input_tokens": None,
        "output_tokens": None,
        "cost_usd": None,
        "completeness": 0.5,
        "issues": ["missing_result"],
        "satisfaction": None,
        "method": "",
        "evidence": [{"name": "errors", "contribution": -0.5}],
        "patterns": [("p" * 16, "Calls a tool again", 2)],
        "steps": steps,
    }


def test_every_step_is_told_with_what_looks_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    steps = [
        step(1, "user", text="Where is my order?"),
        step(2, "tool", name="find", arguments='{"id": 7}', status="error", error_type="timeout",
             symptoms=["tool_error: timeout"]),
        step(3, "assistant", agent="support", text="x" * 900),
    ]  # fmt: skip
    print_trajectory(trajectory(steps), full=False)
    told = capsys.readouterr().out
    for part in (
        "Where is my order?",
        '{"id": 7}',
        "(no result carried)",
        "error timeout",
        "500 more",
    ):
        assert part in told
    assert "tool_error: timeout" in told
    assert "missing_result" in told
    assert "Calls a tool again (step 2)" in told
    print_trajectory(trajectory(steps), full=True)
    assert "more)" not in capsys.readouterr().out


def test_hostile_text_does_nothing_to_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "\x1b]0;owned\x07[bold]not markup[/bold]\x1b[2J\r"
    print_trajectory(
        trajectory(
            [step(1, "user", text=hostile, symptoms=[hostile]), step(2, "tool", name=hostile)]
        ),
        full=True,
    )
    told = capsys.readouterr().out
    assert not {"\x1b", "\x07", "\r"} & set(told)
    assert "[bold]not markup[/bold]" in told


def test_a_pattern_says_what_is_proven_and_what_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    found = {
        "pattern": "p" * 16, "title": "Searches by the number", "explanation": "It finds nothing.",
        "category": "tool_selection", "mast": ["2.6"], "trail": [], "state": "open",
        "first_seen": WHEN, "last_seen": WHEN, "members": 12, "prevalence": 0.2, "trend": None,
        "agents": ["support"], "lift": None, "lift_low": None, "lift_high": None,
        "basis": "score association", "q_value": None, "marginal_lift": 0.3, "typical_step": 2.0,
        "co_occurring": [{"pattern_id": "q" * 16, "share": 0.5}], "predicate": "{}",
        "examples": [{"trajectory": "t" * 32, "step": 2, "name": "find", "kind": "tool", "what": "{}",
                      "result": "[]", "satisfaction": 0.1}],
    }  # fmt: skip
    print_pattern(found)
    told = capsys.readouterr().out
    for part in (
        "unproven",
        "score association",
        "MAST 2.6",
        "+30 points",
        "step 2",
        "qqqqqqqq (50 %)",
    ):
        assert part in told
