"""Our own work as traces: cycle → stage → pattern → candidate, experiment → run, release. Pure.

Made of what the tables say, so the same cycle gives the same spans. A child's time is kept inside its
parent's, as viewers expect of clocks that agree; the times as stored stand in attributes. A span whose row
changes later is sent as a version beside the first; children keep the first as their parent.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.util.types import AttributeValue

from spanloop.optimizer.annotations.note import (
    MAX_LABEL_CHARS,
    MICROSECOND,
    Note,
    Target,
    annotation_id,
    own_trace_id,
    safe_text,
)

Row = Mapping[str, Any]

MS = 1_000 * MICROSECOND
"""Nanoseconds of a millisecond."""
MOST_LINKS = 20
MOST_NOTES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleRows:
    """A cycle that has ended: rows of ``sql/select_cycles.sql`` and ``sql/select_work_….sql``."""

    whole: Row
    stages: Sequence[Row]
    candidates: Sequence[Row] = ()
    experiments: Sequence[Row] = ()
    releases: Sequence[Row] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Spans to link to: outermost ones by trace, and members of patterns."""

    roots: Mapping[str, Target]
    members: Mapping[str, Sequence[Target]]

    def of(self, traces: Sequence[str]) -> tuple[Target, ...]:
        """Return the outermost spans of ``traces``, as far as they are stored."""
        known = (self.roots.get(trace) for trace in traces)
        return tuple(target for target in known if target is not None)[:MOST_LINKS]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """What is told of a piece of work."""

    what: str
    identifier: str
    name: str
    begin_ms: int
    end_ms: int
    attributes: Mapping[str, AttributeValue | None]
    project: str
    agent: str = ""
    links: tuple[Target, ...] = ()
    failed: bool = False


def cycle_notes(rows: CycleRows, evidence: Evidence) -> list[Note]:
    """Return the spans of a cycle, parents first, without the runs of its experiments (`run_notes`)."""
    whole = rows.whole
    root = _note(
        _top("cycle", whole["CycleId"]),
        _Piece(
            what="cycle",
            identifier=whole["CycleId"],
            name="cycle",
            begin_ms=whole["StartMs"],
            end_ms=max(whole["EndMs"], *(stage["EndMs"] for stage in rows.stages), 0),
            attributes=_reported(whole),
            project=whole["Project"],
            failed=whole["State"] == "failed",
        ),
    )
    notes = [root]
    stages: dict[tuple[str, str, str], Note] = {}
    for stage in rows.stages:
        note = _stage_note(as_target(root), whole["CycleId"], stage)
        stages[stage["Stage"], stage["Project"], stage["AgentName"]] = note
        notes.append(note)

    def parent(stage: str, row: Row) -> Target:
        at = stages.get((stage, row["Project"], row["AgentName"])) or stages.get((stage, "", ""))
        return as_target(at or root)

    notes += _candidate_notes(rows.candidates, evidence, parent)
    saw = {row["CandidateId"]: row["Traces"] for row in rows.candidates}
    notes += [
        experiment_note(
            parent("experiments", row), row, evidence.of(saw.get(row["CandidateId"], ()))
        )
        for row in rows.experiments
    ]
    return [*notes, *(_release_note(parent("releases", row), row) for row in rows.releases)]


def experiment_alone(row: Row) -> Note:
    """Return the span of an experiment that was run by hand: the root of a trace of its own."""
    return experiment_note(_top("experiment", row["ExperimentId"]), row, ())


def experiment_note(parent: Target, row: Row, evidence: tuple[Target, ...]) -> Note:
    """Return the span of an experiment, with links to the traces that its candidate was made of."""
    piece = _Piece(
        what="experiment",
        identifier=row["ExperimentId"],
        name=f"experiment {row['Purpose']}",
        begin_ms=row["StartMs"],
        end_ms=row["EndMs"],
        attributes={
            "spanloop.experiment.id": row["ExperimentId"],
            "spanloop.candidate.id": row["CandidateId"],
            "spanloop.experiment.verdict": row["Verdict"],
            "spanloop.experiment.reason": row["Reason"],
            "spanloop.experiment.effect": row["Effect"],
            "spanloop.experiment.effect_low": row["EffectLow"],
            "spanloop.experiment.effect_high": row["EffectHigh"],
            "spanloop.experiment.e_value": row["EValue"],
            "spanloop.experiment.scenarios_closed": int(row["ScenariosClosed"]),
            **_cost(row),
        },
        project=row["Project"],
        agent=row["AgentName"],
        links=evidence,
    )
    return _note(parent, piece)


def run_notes(experiment: Note, rows: Sequence[Row], evidence: Evidence) -> Iterator[Note]:
    """Yield the spans of an experiment's runs, each with links to the traces of the run itself."""
    for row in rows:
        piece = _Piece(
            what="run",
            identifier=row["RunId"],
            name=f"run {row['Arm']}",
            begin_ms=row["StartMs"],
            end_ms=row["EndMs"],
            attributes={
                "spanloop.run.id": row["RunId"],
                "spanloop.scenario.id": row["ScenarioId"],
                "spanloop.run.repeat": int(row["Repeat"]),
                "spanloop.run.attempt": int(row["Attempt"]),
                "spanloop.run.state": row["State"],
                "spanloop.run.error": row["ErrorKind"],
                "spanloop.run.score": row["Score"],
                "spanloop.run.steps": int(row["Steps"]),
                "spanloop.run.input_tokens": row["InputTokens"],
                "spanloop.run.output_tokens": row["OutputTokens"],
                "spanloop.cost_usd": row["CostUsd"],
            },
            project=row["Project"],
            agent=experiment.agent,
            links=evidence.of(row["TraceIds"]),
        )
        yield _note(as_target(experiment), piece)


def as_target(note: Note) -> Target:
    """Return the span of ``note`` as the parent of others: its first version, which every viewer has."""
    begin, end = note.interval_ns or note.target.moment_ns
    return Target(
        trace_id=note.target.trace_id,
        span_id=annotation_id(note.key, 1),
        start_ns=begin,
        end_ns=end,
    )


def _stage_note(parent: Target, cycle: str, row: Row) -> Note:
    piece = _Piece(
        what="stage",
        identifier="/".join((cycle, row["Stage"], row["Project"], row["AgentName"])),
        name=f"stage {row['Stage']}",
        begin_ms=row["StartMs"],
        end_ms=row["EndMs"],
        attributes=_reported(row),
        project=row["Project"],
        agent=row["AgentName"],
        failed=row["State"] == "failed",
    )
    return _note(parent, piece)


def _candidate_notes(
    rows: Sequence[Row], evidence: Evidence, parent: Callable[[str, Row], Target]
) -> Iterator[Note]:
    """Yield a span for each pattern that candidates are aimed at, each followed by theirs."""
    patterns: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        patterns.setdefault((row["Project"], row["AgentName"], row["PatternId"]), []).append(row)
    for (project, agent, pattern), aimed in patterns.items():
        above = parent("candidates", aimed[0])
        made = [row["CreatedMs"] for row in aimed]
        note = _note(
            above,
            _Piece(
                what="pattern",
                identifier="/".join((aimed[0]["CycleId"], project, agent, pattern)),
                name=f"pattern {aimed[0]['Category']}",
                # Work on it began with the stage; when its first candidate was begun is not stored.
                begin_ms=above.start_ns // MS,
                end_ms=max(made),
                attributes={"spanloop.pattern.id": pattern},
                project=project,
                agent=agent,
                links=tuple(evidence.members.get(pattern, ()))[:MOST_LINKS],
            ),
        )
        yield note
        for row in aimed:
            yield _candidate_note(as_target(note), row, evidence.of(row["Traces"]))


def _candidate_note(parent: Target, row: Row, evidence: tuple[Target, ...]) -> Note:
    piece = _Piece(
        what="candidate",
        identifier=row["CandidateId"],
        name=f"candidate {row['Engine']}",
        begin_ms=row["CreatedMs"],
        end_ms=row["CreatedMs"],
        attributes={
            "spanloop.candidate.id": row["CandidateId"],
            "spanloop.candidate.intervention": row["Intervention"],
            "spanloop.candidate.state": row["State"],
            "spanloop.candidate.reasons": [safe_text(r, MAX_LABEL_CHARS) for r in row["Reasons"]],
            **_cost(row),
        },
        project=row["Project"],
        agent=row["AgentName"],
        links=evidence,
    )
    return _note(parent, piece)


def _release_note(parent: Target, row: Row) -> Note:
    piece = _Piece(
        what="release",
        identifier=row["EventId"],
        name=f"release {row['Action']}",
        begin_ms=row["AtMs"],
        end_ms=row["AtMs"],
        attributes={
            "spanloop.release.event": row["EventId"],
            "spanloop.release.number": int(row["Number"]),
            "spanloop.candidate.id": row["CandidateId"],
            "spanloop.release.actor": "spanloop" if row["Actor"] == "spanloop" else "person",
        },
        project=row["Project"],
        agent=row["AgentName"],
    )
    return _note(parent, piece)


def _note(parent: Target, piece: _Piece) -> Note:
    begin, end = _inside(parent, piece.begin_ms * MS, piece.end_ms * MS)
    given: Mapping[str, AttributeValue | None] = {
        **piece.attributes,
        "spanloop.project": piece.project,
        "spanloop.agent": safe_text(piece.agent, MAX_LABEL_CHARS),
        "spanloop.started_unix_ms": piece.begin_ms,
        "spanloop.ended_unix_ms": piece.end_ms,
    }
    return Note(
        kind="cycle",
        identifier=f"{piece.what}/{piece.identifier}",
        project=piece.project,
        agent=piece.agent,
        target=parent,
        name=piece.name,
        found_ms=piece.end_ms,
        moment_ms=piece.end_ms,
        attributes={k: v for k, v in given.items() if v is not None and v not in ("", [])},
        links=piece.links,
        interval_ns=(begin, end),
        failed=piece.failed,
    )


def _inside(parent: Target, begin_ns: int, end_ns: int) -> tuple[int, int]:
    """Return an interval inside the parent's, at least a nanosecond long (see `Target.moment_ns`)."""
    if not parent.span_id:
        return begin_ns, max(begin_ns + 1, end_ns)
    begin = min(max(begin_ns, parent.start_ns), parent.end_ns - 1)
    return begin, min(max(end_ns, begin + 1), parent.end_ns)


def _top(kind: str, identifier: str) -> Target:
    return Target(trace_id=own_trace_id(kind, identifier), span_id="", start_ns=0, end_ns=0)


def _reported(row: Row) -> Mapping[str, AttributeValue | None]:
    return {
        "spanloop.cycle.id": row["CycleId"],
        "spanloop.state": row["State"],
        "spanloop.notes": [
            safe_text(note, 5 * MAX_LABEL_CHARS) for note in row["Notes"][:MOST_NOTES]
        ],
        "spanloop.cpu_seconds": float(row["CpuSeconds"]),
        **_cost(row),
        **{f"spanloop.count.{name}": int(n) for name, n in sorted(row["Counts"].items())},
    }


def _cost(row: Row) -> Mapping[str, AttributeValue | None]:
    return {"spanloop.tokens": int(row["Tokens"]), "spanloop.cost_usd": row["CostUsd"]}
