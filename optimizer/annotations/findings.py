"""Rows of findings as notes inside the trace they are about. Pure.

A row is what ``sql/select_<kind>.sql`` returns, by column. Text of a trace passes `safe_text`; the name of a
span is of few values, so that a viewer's list of operations stays short.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.util.types import AttributeValue

from spanloop.optimizer.annotations.note import (
    MAX_LABEL_CHARS,
    Evaluation,
    Kind,
    Note,
    Target,
    cut,
    safe_text,
)
from spanloop.processor.feedback import CONVERSATION_ID

Row = Mapping[str, Any]

SATISFIED = 0.5
"""Probability from which a trajectory is called satisfied."""
SCORE_STEP = 0.1
"""A probability that moved by less is no other verdict: models are trained again and again."""


def make_note(kind: Kind, row: Row, target: Target, *, max_chars: int) -> Note:
    """Return the note of ``row`` at ``target``; explanations have at most ``max_chars`` characters."""
    told = _TELL[kind](row, max_chars)
    score = told.evaluation.score
    return Note(
        kind=kind,
        identifier=row["Identifier"],
        project=row["Project"],
        agent=row["AgentName"],
        target=target,
        name=told.name,
        found_ms=int(row["FoundMs"]),
        moment_ms=int(row["MomentMs"]),
        evaluation=told.evaluation,
        attributes={
            key: value
            for key, value in told.attributes.items()
            if value is not None and value != ""
        },
        links=(target,),
        tolerance=SCORE_STEP if kind == "satisfaction" and score is not None else None,
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """What a kind of finding has of its own; attributes that are None or '' are left out."""

    name: str
    evaluation: Evaluation
    attributes: Mapping[str, AttributeValue | None]


def _satisfaction(row: Row, max_chars: int) -> _Told:
    score = round(float(row["Probability"]), 2)
    label = "satisfied" if score >= SATISFIED else "unsatisfied"
    # Names apart from numbers, of which a redaction would make telephones.
    evidence = "; ".join(
        f"{safe_text(name, MAX_LABEL_CHARS)} {weight:+.1f}" for name, weight in row["Evidence"]
    )
    why = f"{label} with probability {score:.2f} ({row['Method']})" + (
        f": {evidence}" if evidence else ""
    )
    return _Told(
        f"satisfaction {label}",
        Evaluation(name="satisfaction", label=label, score=score, explanation=cut(why, max_chars)),
        {
            "spanloop.trajectory.id": row["Identifier"],
            "spanloop.satisfaction.method": row["Method"],
            CONVERSATION_ID: _id(row["ConversationId"]),
        },
    )


def _pattern(row: Row, max_chars: int) -> _Told:
    """What a trajectory has in common with others that fail; not their number, which changes every day."""
    why = f"{row['Title']} (first wrong at step {row['DeviatingStep']}): {row['Explanation']}"
    return _Told(
        f"pattern {row['Category']}",
        Evaluation(
            name="failure_pattern", label=row["Category"], explanation=safe_text(why, max_chars)
        ),
        {
            "spanloop.pattern.id": row["Identifier"],
            "spanloop.pattern.title": safe_text(row["Title"], MAX_LABEL_CHARS),
            "spanloop.trajectory.id": row["TrajectoryId"],
            "spanloop.pattern.deviating_step": int(row["DeviatingStep"]),
            "spanloop.pattern.evidence_steps": [int(step) for step in row["EvidenceSteps"]],
        },
    )


def _assessment(row: Row, max_chars: int) -> _Told:
    score = row["Score"]
    return _Told(
        f"assessment {row['Source']}",
        Evaluation(
            name=safe_text(row["Name"], MAX_LABEL_CHARS),
            label=safe_text(row["Label"], MAX_LABEL_CHARS),
            score=None if score is None else float(score),
            explanation=safe_text(row["Explanation"] or "", max_chars),
        ),
        {
            "spanloop.assessment.source": row["Source"],
            CONVERSATION_ID: _id(row["ConversationId"]),
        },
    )


def _scenario(row: Row, max_chars: int) -> _Told:
    return _Told(
        f"scenario {row['Origin']}",
        Evaluation(
            name="scenario_origin",
            label=row["Origin"],
            explanation=safe_text(row["Goal"], max_chars),
        ),
        {"spanloop.scenario.id": row["Identifier"], "spanloop.scenario.split": row["Split"]},
    )


def _experiment(row: Row, max_chars: int) -> _Told:
    intervention, reason = (
        safe_text(row[column], MAX_LABEL_CHARS) for column in ("Intervention", "Reason")
    )
    why = (
        f"{intervention} against this failure: {row['Verdict']} on {row['ScenariosClosed']} scenarios"
        f"{_effect(row)}{f' ({reason})' if reason else ''}"
    )
    return _Told(
        f"experiment {row['Verdict']}",
        Evaluation(
            name=f"experiment_{row['Purpose']}",
            label=row["Verdict"],
            score=row["Effect"],
            explanation=cut(why, max_chars),
        ),
        {
            "spanloop.experiment.id": row["Identifier"],
            "spanloop.candidate.id": row["CandidateId"],
            "spanloop.pattern.id": row["PatternId"],
        },
    )


def _release(row: Row, max_chars: int) -> _Told:
    why = f"release {row['Number']} answers this failure: {row['State']}"
    return _Told(
        f"release {row['State']}",
        Evaluation(
            name="release",
            label=row["State"],
            score=row["Effect"],
            explanation=cut(why, max_chars),
        ),
        {
            "spanloop.release.number": int(row["Number"]),
            "spanloop.candidate.id": row["CandidateId"],
            "spanloop.experiment.id": row["ExperimentId"],
            "spanloop.pattern.id": row["PatternId"],
        },
    )


def _effect(row: Row) -> str:
    effect, low, high = row["Effect"], row["EffectLow"], row["EffectHigh"]
    if effect is None:
        return ""
    bounds = "" if low is None or high is None else f" [{low:+.3f}, {high:+.3f}]"
    return f", effect on satisfaction {effect:+.3f}{bounds}"


def _id(conversation: str) -> str:
    return safe_text(conversation, 4 * MAX_LABEL_CHARS)


_TELL: Mapping[Kind, Callable[[Row, int], _Told]] = {
    "satisfaction": _satisfaction,
    "pattern": _pattern,
    "assessment": _assessment,
    "scenario": _scenario,
    "experiment": _experiment,
    "release": _release,
}
FINDINGS: Sequence[Kind] = tuple(_TELL)
"""Kinds that are written inside the trace of an agent."""
