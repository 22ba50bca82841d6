"""Patterns as rows: what is stored, read back, and counted over days."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from spanloop.optimizer.context import COMPARABLE_COMPLETENESS, Context
from spanloop.optimizer.patterns.lifecycle import Occurrence, State, occurrence
from spanloop.optimizer.patterns.predicates import Predicate, from_json, to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One row of ``failure_patterns``; names and units as there."""

    pattern_id: str
    predicate: Predicate
    title: str
    explanation: str
    named_by: str
    category: str
    mast_codes: Sequence[str]
    trail_codes: Sequence[str]
    state: State | None
    lift: float | None
    lift_low: float | None
    lift_high: float | None
    lift_basis: str
    p_value: float | None
    q_value: float | None
    marginal_lift: float | None
    project: str = ""
    agents: Sequence[str] = ()
    members: int = 0
    prevalence: float = 0.0
    trend: float | None = None
    typical_step: float | None = None
    co_occurring: Sequence[tuple[str, float]] = ()
    first_seen: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    last_seen: datetime = datetime(1970, 1, 1, tzinfo=UTC)


_READ = (
    "PatternId",
    "Title",
    "Explanation",
    "NamedBy",
    "Category",
    "MastCodes",
    "TrailCodes",
    "State",
    "Predicate",
    "Lift",
    "LiftLow",
    "LiftHigh",
    "LiftBasis",
    "PValue",
    "QValue",
    "MarginalLift",
    "Project",
    "Agents",
    "CoOccurring",
    "FirstSeen",
    "LastSeen",
)


def read_patterns(context: Context) -> list[Pattern]:
    """Return the stored patterns; a predicate of another format ends its pattern."""
    patterns: list[Pattern] = []
    for values in context.rows("patterns/select_patterns"):
        row: dict[str, Any] = dict(zip(_READ, values, strict=True))
        try:
            predicate = from_json(row["Predicate"])
        except (ValueError, KeyError):
            continue
        patterns.append(
            Pattern(
                pattern_id=row["PatternId"],
                predicate=predicate,
                title=row["Title"],
                explanation=row["Explanation"],
                named_by=row["NamedBy"],
                category=row["Category"],
                mast_codes=row["MastCodes"],
                trail_codes=row["TrailCodes"],
                state=row["State"],
                lift=row["Lift"],
                lift_low=row["LiftLow"],
                lift_high=row["LiftHigh"],
                lift_basis=row["LiftBasis"],
                p_value=row["PValue"],
                q_value=row["QValue"],
                marginal_lift=row["MarginalLift"],
                project=row["Project"],
                agents=row["Agents"],
                # Read as dictionaries, written as tuples: one insert must not mix the two.
                co_occurring=[(each["pattern_id"], each["share"]) for each in row["CoOccurring"]],
                first_seen=_utc(row["FirstSeen"]),
                last_seen=_utc(row["LastSeen"]),
            )
        )
    return patterns


def write_patterns(context: Context, patterns: Sequence[Pattern], analysis_id: str) -> None:
    """Insert ``patterns`` as their newest version."""
    _insert(context, [_row(p, analysis_id, context.now_ms, deleted=False) for p in patterns])


def delete_patterns(context: Context, patterns: Sequence[Pattern], analysis_id: str) -> None:
    """Mark ``patterns`` as deleted."""
    _insert(context, [_row(p, analysis_id, context.now_ms, deleted=True) for p in patterns])


def _insert(context: Context, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        context.client.insert(
            "failure_patterns",
            [list(row.values()) for row in rows],
            column_names=list(rows[0]),
            database=context.renderer.settings.database,
        )


def _row(pattern: Pattern, analysis_id: str, version: int, *, deleted: bool) -> dict[str, Any]:
    return {
        "PatternId": pattern.pattern_id,
        "Project": pattern.project,
        "Title": pattern.title,
        "Explanation": pattern.explanation,
        "NamedBy": pattern.named_by,
        "Category": pattern.category,
        "MastCodes": list(pattern.mast_codes),
        "TrailCodes": list(pattern.trail_codes),
        "State": pattern.state or "new",
        "Predicate": to_json(pattern.predicate),
        "Agents": list(pattern.agents),
        "Members": pattern.members,
        "Prevalence": pattern.prevalence,
        "Trend": pattern.trend,
        "Lift": pattern.lift,
        "LiftLow": pattern.lift_low,
        "LiftHigh": pattern.lift_high,
        "LiftBasis": pattern.lift_basis,
        "PValue": pattern.p_value,
        "QValue": pattern.q_value,
        "MarginalLift": pattern.marginal_lift,
        "TypicalStep": pattern.typical_step,
        "CoOccurring": list(pattern.co_occurring),
        "FirstSeen": pattern.first_seen,
        "LastSeen": pattern.last_seen,
        "AnalysisId": analysis_id,
        "Version": version,
        "IsDeleted": int(deleted),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Counts of one pattern over all its members."""

    members: int
    first_seen: datetime
    last_seen: datetime
    typical_step: float | None


def read_summaries(context: Context) -> Mapping[str, Summary]:
    """Return what the members of each pattern add up to."""
    return {
        pattern_id: Summary(
            members=members,
            first_seen=_utc(first),
            last_seen=_utc(last),
            typical_step=step,
        )
        for pattern_id, members, first, last, step in context.rows("patterns/select_summaries")
    }


class Counted(NamedTuple):
    """Trajectories of an agent of a project on one day: all comparable ones, or members of ``pattern_id``."""

    pattern_id: str
    project: str
    agent: str
    day: date
    trajectories: int


def read_occurrences(
    context: Context, patterns: Sequence[Pattern]
) -> tuple[Mapping[str, Occurrence], Mapping[str, int]]:
    """Return how often each pattern occurs, and how many trajectories of each project are comparable."""
    rows = context.rows("patterns/select_daily", {"completeness": COMPARABLE_COMPLETENESS})
    counted = [Counted(*row) for row in rows]
    comparable: defaultdict[str, int] = defaultdict(int)
    for row in counted:
        if not row.pattern_id:
            comparable[row.project] += row.trajectories
    return occurrences_of(counted, patterns), comparable


def occurrences_of(
    counted: Sequence[Counted], patterns: Sequence[Pattern]
) -> Mapping[str, Occurrence]:
    """Return how often each pattern occurs among the runs of its own project and agents.

    Traffic of others says nothing about it: if theirs grew, it would seem to vanish. A pattern that only
    runs without an agent's name show counts among all.
    """
    rows: defaultdict[str, list[Counted]] = defaultdict(list)
    for row in counted:
        rows[row.pattern_id].append(row)
    return {
        pattern.pattern_id: occurrence(
            _by_day(rows[pattern.pattern_id], pattern), _by_day(rows[""], pattern)
        )
        for pattern in patterns
    }


def _by_day(counted: Sequence[Counted], pattern: Pattern) -> Mapping[date, int]:
    result: defaultdict[date, int] = defaultdict(int)
    for row in counted:
        own = not pattern.agents or row.agent in pattern.agents
        if own and row.project == pattern.project:
            result[row.day] += row.trajectories
    return result


def with_summary(pattern: Pattern, summary: Summary | None, trajectories: int) -> Pattern:
    """Return ``pattern`` with the counts of its members; without any it keeps when it was seen."""
    if summary is None:
        return replace(pattern, members=0, prevalence=0.0, typical_step=None)
    return replace(
        pattern,
        members=summary.members,
        prevalence=summary.members / trajectories if trajectories else 0.0,
        first_seen=summary.first_seen,
        last_seen=summary.last_seen,
        typical_step=summary.typical_step,
    )


def record_mining(context: Context, analysis_id: str, counts: Mapping[str, int]) -> None:
    """Note in ``analyses`` what a mining read of each project, so that the next one knows what is new."""
    at = datetime.fromtimestamp(context.now_ms / 1000, UTC)
    context.client.insert(
        "analyses",
        [[analysis_id, "patterns", at, at, at, dict(counts), 0.0, 0, 0.0, []]],
        column_names=[
            "AnalysisId",
            "Stage",
            "StartedAt",
            "FinishedAt",
            "Cursor",
            "Counts",
            "CpuSeconds",
            "Tokens",
            "CostUsd",
            "Notes",
        ],
        database=context.renderer.settings.database,
    )


def _utc(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=UTC)
