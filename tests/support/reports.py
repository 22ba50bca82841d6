"""Reports with everything in them, made through the functions that shape what the store holds."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from spanloop.service.report import shaping
from spanloop.service.report.model import AgentState, Report, Row
from spanloop.service.report.text import line, quoted

BEGUN = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
DAYS = [date(2026, 11, 1) + timedelta(days=k) for k in range(24)]


def report(said: str = "Where is my order?", *, agents: int = 2) -> Report:
    """Return a report of ``agents`` agents; every word that a trace could bring is ``said``."""
    return Report(
        since=BEGUN - timedelta(days=6),
        until=BEGUN + timedelta(days=24),
        days=30,
        analysed=BEGUN + timedelta(days=24),
        agents=[agent(f"{said[:40]} {k}", said) for k in range(agents)],
        agents_more=[],
        strategies=[
            {
                "strategy": "s1",
                "title": line(said),
                "category": "verification",
                "intervention": "verification",
                "state": "proven",
                "trials": 3,
                "shipped": 1,
                "harmed": 0,
                "survived": 1.0,
                "survived_of": 1,
                "tokens": 1_234_567,
                "applies_when": quoted(said),
                "principle": quoted(said),
            }
        ],
        notes=shaping.shown_notes([{"stage": "patterns", "notes": [said]}]),
    )


def empty_report() -> Report:
    """Return the report of a store without a conversation."""
    return Report(
        since=None,
        until=None,
        days=30,
        analysed=None,
        agents=(),
        agents_more=(),
        strategies=(),
        notes=(),
    )


def agent(name: str, said: str) -> AgentState:
    """Return an agent of which everything is known that can be."""
    pattern = _pattern_row(said)
    story = shaping.shown_story(trajectory(said), 12, [12, 14])
    return AgentState(
        agent=line(name, 80),
        traffic=_traffic(),
        days=[_day(k, day) for k, day in enumerate(DAYS)],
        models=[
            _model("model-a", cost=1.25, unpriced=0),
            _model(line(said), cost=None, unpriced=9),
        ],
        rate=_rate("agent", 0.62, 0.55, 0.69, method="prediction_powered"),
        release_rates=[
            _rate("rel-1", 0.55, 0.45, 0.65, method="labels"),
            _rate("rel-2", None, 0.5, 0.8, method="raters_bounded"),
        ],
        day_rates=[_day_rate(k, day) for k, day in enumerate(DAYS)],
        patterns=[
            shaping.shown_pattern(pattern, story, (DAYS[0], DAYS[-1])),
            shaping.shown_pattern(
                {**pattern, "lift": None, "lift_low": None, "lift_high": None, "trend": None},
                None,
                (DAYS[0], DAYS[-1]),
            ),
        ],
        patterns_more=1,
        patterns_unseen=1,
        titles={"p1": line(said)},
        experiments=[
            shaping.shown_experiment(
                experiment_row("ship", [1.4, None, 40.0, 812.0]), _candidate(said)
            ),
            shaping.shown_experiment(experiment_row("", []), None),
        ],
        releases=[_release(2, "canary"), _release(1, "current")],
        events=[
            shaping.shown_event(
                {
                    "release": "rel-2",
                    "action": "canary",
                    "at": BEGUN.isoformat(),
                    "actor": said,
                    "reason": said,
                    "evidence": {"said": said},
                }
            )
        ],
        trials=[_trial()],
        curve=[_cycle(0, wins=0), _cycle(1, wins=1)],
        spending=[
            {
                "stage": "experiments",
                "role": "agent",
                "tokens": 445_000,
                "cost_usd": None,
                "unpriced": 3,
                "open": 1,
            }
        ],
        candidates=[{"state": "refused", "reason": "the edits change nothing", "candidates": 2}],
        cycles=shaping.shown_notes(
            [{"stage": "candidates", "state": "skipped", "started": BEGUN, "notes": [said]}]
        ),
    )


def trajectory(said: str, n: int = 40) -> Row:
    """Return a conversation of ``n`` steps, as an explorer tells it."""
    return {
        "trajectory": "0123456789abcdef" * 2,
        "start": BEGUN,
        "satisfaction": 0.04,
        "steps": [step(k, said) for k in range(1, n + 1)],
    }


def step(number: int, said: str, **changes: Any) -> Row:
    """Return a step: a tool's every third, else of user and assistant."""
    tool = number % 3 == 0
    return {
        "step": number,
        "kind": "tool" if tool else "user" if number % 2 else "assistant",
        "name": said if tool else "",
        "text": None if tool else said,
        "arguments": said if tool else None,
        "result": said if tool else None,
        "status": "error" if number == 12 else "ok",
        "error_type": said,
        "symptoms": [said] if number == 12 else [],
        **changes,
    }


def experiment_row(verdict: str, e_values: Sequence[float | None]) -> Row:
    """Return an experiment with a look every ten scenarios."""
    known = [value for value in e_values if value is not None]
    return {
        "experiment": "e0123456789abcdef",
        "purpose": "gate",
        "state": "decided" if verdict else "running",
        "verdict": verdict,
        "reason": "" if verdict == "ship" else "budget",
        "level": 0.005,
        "closed": 10 * len(e_values),
        "scenarios": 60,
        "effect": 0.21 if known else None,
        "effect_low": 0.02 if known else None,
        "effect_high": 0.9 if known else None,
        "e_value": known[-1] if known else None,
        "tokens": 445_123,
        "cost_usd": None,
        "numbers": [],
        "looks": [
            {"closed": 10 * k, "e_value": value, "decision": "continue", "looked": BEGUN}
            for k, value in enumerate(e_values, start=1)
        ],
        "arms": [
            {
                "arm": arm,
                "episodes": 40,
                "satisfied": 0.5,
                "lost": 1,
                "coverage": None,
                "cost_usd": None,
            }
            for arm in ("baseline", "candidate")
        ],
    }


def _pattern_row(said: str) -> Row:
    return {
        "pattern": "p1",
        "title": said,
        "explanation": said,
        "category": "tool_arguments",
        "mast": ["FM-1.3"],
        "trail": [],
        "state": "open",
        "agents": ["a"],
        "members": 40,
        "prevalence": 0.2,
        "trend": -0.03,
        "lift": 0.21,
        "lift_low": 0.1,
        "lift_high": 0.62,
        "basis": "labels",
        "q_value": 0.012,
        "typical_step": 11.5,
        "first_seen": BEGUN,
        "last_seen": BEGUN,
        "here": 40,
        "days": [DAYS[k % 7 * 3] for k in range(40)],
        "example": "0123",
        "example_step": 12,
        "example_evidence": [12, 14],
    }


def _traffic() -> Row:
    return {
        "conversations": 1_204,
        "users": 900,
        "turns": 3_000,
        "with_errors": 101,
        "open": 3,
        "incomplete": 2,
        "untold": 1,
        "unpriced": 9,
    }


def _day(k: int, day: date) -> Row:
    return {
        "day": day,
        "conversations": 40 + k % 7 * 9,
        "with_errors": 3,
        "input_tokens": None if k == 3 else 90_000 + k % 5 * 40_000,
        "output_tokens": 4_000,
        "cost_usd": None,
        "unpriced": 9,
    }


def _rate(
    value: str, rate: float | None, low: float | None, high: float | None, *, method: str
) -> Row:
    return {
        "value": value,
        "rate": rate,
        "low": low,
        "high": high,
        "method": method,
        "conversations": 1_204,
        "labelled": 180,
        "raters": 300,
        "among_raters": 0.3,
    }


def _day_rate(k: int, day: date) -> Row:
    if k % 6 == 5:
        return _rate(day.isoformat(), None, None, None, method="unknown")
    if k % 6 == 4:
        return _rate(day.isoformat(), None, 0.3, 0.7, method="raters_bounded")
    rate = 0.45 + 0.012 * k
    return _rate(day.isoformat(), rate, rate - 0.12, rate + 0.1, method="prediction_powered")


def _model(name: str, *, cost: float | None, unpriced: int) -> Row:
    return {
        "model": name,
        "class": "llm",
        "calls": 4_021,
        "input_tokens": 2_605_711,
        "output_tokens": 90_000,
        "untold": unpriced,
        "cost_usd": cost,
        "unpriced": unpriced,
        "errors": 0,
    }


def _candidate(said: str) -> Row:
    return {
        "candidate": "c0123456789",
        "pattern": "p1",
        "category": "tool_arguments",
        "intervention": "tool_selection",
        "engine": "template",
        "state": "shipped",
        "rationale": said,
        "edits": [
            {"component": said, "operation": "replace", "passage": said, "text": said},
            {"component": "instructions", "operation": "add", "text": said},
        ],
    }


def _release(number: int, state: str) -> Row:
    return {
        "release": f"rel-{number}",
        "number": number,
        "state": state,
        "share": 0.1 if state == "canary" else 1.0,
        "version": f"v{number}",
        "effect": 0.21 if number > 1 else None,
        "live_effect": 0.1 if number > 1 else None,
        "live_low": -0.02 if number > 1 else None,
        "live_high": 0.22 if number > 1 else None,
        "live_n": 120 if number > 1 else 0,
        "live_e_worse": None,
        "candidate": "c0123456789" if number > 1 else "",
        "experiment": "e0123456789abcdef" if number > 1 else "",
        "created_at": BEGUN,
        "activated_at": BEGUN + timedelta(days=9 * (number - 1)),
    }


def _trial() -> Row:
    return {
        "intervention": "tool_selection",
        "category": "tool_arguments",
        "pattern": "p1",
        "strategy": "s1",
        "verdict": "ship",
        "effect": 0.21,
        "effect_low": 0.02,
        "effect_high": 0.4,
        "side_effect": None,
        "side_effect_low": None,
        "side_effect_high": None,
        "n": 60,
        "harm": False,
        "transferred": True,
        "survived_fresh": None,
        "tokens": 445_123,
    }


def _cycle(k: int, *, wins: int) -> Row:
    return {
        "cycle_id": f"cycle-{k}",
        "began": BEGUN + timedelta(days=k),
        "experiments": 4,
        "wins": wins,
        "tokens": 1_800_000,
        "cost_usd": None,
        "tokens_per_win": 1_800_000 if wins else None,
        "experiments_per_win": 4.0 if wins else None,
    }
