"""From rows of the store to facts of the report: redacted, capped, counted. Pure functions."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from spanloop.service.report.model import Experiment, Pattern, Row, Step, Story
from spanloop.service.report.scales import days_between
from spanloop.service.report.text import line, quoted

STEPS_BEFORE, STEPS_AFTER = 4, 3
"""Steps shown around the deviating one."""
STEPS_SHOWN = 14
SYMPTOMS_SHOWN = 4
EDIT_CHARS = 600
NAME_CHARS = 80
TREND_DAYS = 30
MOST_EDITS = 6


def named(row: Mapping[str, Any], *columns: str) -> Row:
    """Return ``row`` with names that senders chose, or lists of them, made as harmless as their texts."""
    shown = dict(row)
    for column in row.keys() & set(columns):
        value = row[column]
        shown[column] = (
            line(value, NAME_CHARS)
            if isinstance(value, str)
            else [line(name, NAME_CHARS) for name in value]
        )
    return shown


def shown_story(trajectory: Mapping[str, Any], deviating: int, evidence: Iterable[int]) -> Story:
    """Return the steps that tell what went wrong: the opening, those around the deviating one, the evidence.

    Args:
        trajectory: as `Explorer.trajectory` returns it.
        deviating: number of the first step that went wrong; 0 = none is named.
        evidence: numbers of the steps that show the pattern.
    """
    steps: Sequence[Row] = trajectory["steps"]
    proof = set(evidence)
    kept = _kept([int(row["step"]) for row in steps], deviating, proof)
    shown: list[Step] = []
    last = 0
    for row in steps:
        number = int(row["step"])
        if number not in kept:
            continue
        mark = "deviating" if number == deviating else "evidence" if number in proof else ""
        shown.append(_step(row, mark=mark, before=max(number - last - 1, 0)))
        last = number
    return Story(
        trajectory=trajectory["trajectory"],
        start=trajectory["start"],
        satisfaction=trajectory["satisfaction"],
        n_steps=len(steps),
        steps=shown,
        after=max(int(steps[-1]["step"]) - last, 0) if steps else 0,
    )


def _kept(numbers: Sequence[int], deviating: int, evidence: set[int]) -> set[int]:
    """Return which steps are shown: the nearest to the deviating one win where there are too many.

    >>> sorted(_kept(range(1, 41), 20, {3, 22, 30}))
    [1, 3, 16, 17, 18, 19, 20, 21, 22, 23, 30]
    """
    centre = deviating or (numbers[0] if numbers else 0)
    around = range(centre - STEPS_BEFORE, centre + STEPS_AFTER + 1)
    wanted = [n for n in numbers if n in around or n in evidence or n == numbers[0]]
    wanted.sort(key=lambda n: (n != numbers[0], abs(n - centre), n))
    return set(wanted[:STEPS_SHOWN])


def _step(row: Mapping[str, Any], *, mark: str, before: int) -> Step:
    kind = str(row["kind"])
    who = row["name"] if kind in ("tool", "handoff") else kind
    symptoms: Sequence[str] = row["symptoms"]
    parts = [quoted(row[name]) for name in ("text", "arguments") if row[name] is not None]
    if row["result"] is not None:
        parts.append(f"→ {quoted(row['result'])}")
    elif kind == "tool":
        parts.append("→ (no result carried)")
    return Step(
        step=int(row["step"]),
        who=line(who or kind, 60),
        kind=kind,
        parts=[part for part in parts if part],
        error=line(row["error_type"] or "error", 60) if row["status"] == "error" else "",
        looks=[line(symptom, 160) for symptom in symptoms[:SYMPTOMS_SHOWN]],
        mark=mark,
        before=before,
    )


def shown_pattern(row: Mapping[str, Any], story: Story | None, days: tuple[date, date]) -> Pattern:
    """Return a pattern with its members by day, the last `TREND_DAYS` from ``days[0]`` to ``days[1]``."""
    seen: Sequence[date] = row["days"]
    per_day = Counter(seen)
    first = max(days[0], date.fromordinal(days[1].toordinal() - TREND_DAYS + 1))
    left_out = ("days", "here", "example", "example_step", "example_evidence")
    return Pattern(
        facts={
            **named({k: v for k, v in row.items() if k not in left_out}, "agents"),
            "title": line(row["title"]),
            "explanation": quoted(row["explanation"]),
        },
        here=int(row["here"]),
        daily=[(day, per_day[day]) for day in days_between(first, days[1])],
        story=story,
    )


def shown_experiment(row: Mapping[str, Any], candidate: Mapping[str, Any] | None) -> Experiment:
    """Return an experiment with what was tried in it."""
    left_out = ("looks", "arms", "numbers", "scenario_set_hash", "baseline_hash", "candidate_hash")
    return Experiment(
        facts=named({k: v for k, v in row.items() if k not in left_out}, "agent"),
        looks=row["looks"],
        arms=row["arms"],
        candidate=None if candidate is None else shown_candidate(candidate),
    )


def shown_candidate(row: Mapping[str, Any]) -> Row:
    """Return what a candidate changes and why."""
    edits: Sequence[Mapping[str, str]] = row["edits"]
    return {
        "candidate": row["candidate"],
        "pattern": row["pattern"],
        "category": row["category"],
        "intervention": row["intervention"],
        "engine": row["engine"],
        "state": row["state"],
        "rationale": quoted(row["rationale"]),
        "edits": [
            {
                "component": line(edit["component"], 80),
                "operation": edit["operation"],
                "passage": quoted(edit.get("passage", ""), EDIT_CHARS),
                "text": quoted(edit.get("text", ""), EDIT_CHARS),
            }
            for edit in edits[:MOST_EDITS]
        ],
        "edits_more": max(len(edits) - MOST_EDITS, 0),
    }


def shown_event(row: Mapping[str, Any]) -> Row:
    """Return an entry of a release's audit trail."""
    return {
        **{name: row[name] for name in ("release", "action", "at")},
        "actor": line(row["actor"], 60),
        "reason": quoted(row["reason"]),
        "evidence": quoted(json.dumps(row["evidence"], ensure_ascii=False, sort_keys=True))
        if row["evidence"]
        else "",
    }


def counted_candidates(rows: Iterable[Mapping[str, Any]]) -> Sequence[Row]:
    """Count candidates by state and reason."""
    counts = Counter((str(row["state"]), ", ".join(map(str, row["reasons"]))) for row in rows)
    return [
        {"state": state, "reason": line(reason), "candidates": n}
        for (state, reason), n in sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    ]


def shown_notes(rows: Iterable[Mapping[str, Any]]) -> Sequence[Row]:
    """Return rows with ``notes``, each note capped."""
    return [{**row, "notes": [quoted(note, 300) for note in row["notes"]]} for row in rows]
