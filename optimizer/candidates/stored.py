"""Candidates as rows of ``candidates``."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from spanloop.optimizer.candidates.candidate import Edit, Intervention
from spanloop.optimizer.candidates.memory import EDITS
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.context import Context

State = Literal[
    "proposed",
    "refused",
    "empty",
    "screened",
    "deferred",
    "testing",
    "shipped",
    "rejected",
    "inconclusive",
    "unsupported",
]
"""``empty``: the engine proposed nothing; kept so that it is not asked, and paid, again. ``screened``: did
nothing on open scenarios, so it was not tested. ``deferred``: put off, because what the library
knows goes first, or there is too little traffic to show anything; a later cycle makes it anew."""

BUNDLE = "bundle"
"""Engine of candidates that are made of others, to be tested as one."""

COLUMNS: tuple[str, ...] = (
    "CandidateId",
    "Project",
    "AgentName",
    "CycleId",
    "PatternId",
    "Category",
    "Intervention",
    "Engine",
    "StrategyId",
    "State",
    "Reasons",
    "BaselineHash",
    "ConfigurationHash",
    "Edits",
    "EditHash",
    "Configuration",
    "Rationale",
    "Scenarios",
    "Tokens",
    "CostUsd",
    "CreatedAt",
    "Version",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A row of ``candidates`` (docs/tables.md).

    Attributes:
        intervention: '' where the engine proposed nothing.
        configuration: the whole result; None where the edits could not be applied.
        cost_usd: None = the price of a call is unknown.
    """

    candidate_id: str
    project: str = ""
    agent: str
    cycle_id: str
    pattern_id: str
    category: str
    intervention: Intervention | Literal[""]
    engine: str
    strategy_id: str = ""
    state: State
    reasons: tuple[str, ...] = ()
    baseline_hash: str
    edits: tuple[Edit, ...] = ()
    edit_hash: str = ""
    configuration: AgentConfiguration | None = None
    rationale: str = ""
    scenarios: tuple[str, ...] = ()
    tokens: int = 0
    cost_usd: float | None = 0.0
    created_at: datetime
    version: int

    @property
    def configuration_hash(self) -> str:
        """Of the result; '' where there is none."""
        return "" if self.configuration is None else self.configuration.hash


def load_candidates(
    context: Context,
    *,
    agent: str = "",
    cycle_id: str | None = None,
    states: Sequence[State] = (),
    candidate_id: str = "",
) -> list[Candidate]:
    """Return candidates in the order in which they were made.

    Args:
        context: of the store.
        agent: only of this agent; '' = any.
        cycle_id: only of this cycle; None = any.
        states: only in one of these; none = any but ``empty``.
        candidate_id: only this one; '' = any.
    """
    rows = context.rows(
        "candidates/select_candidates",
        {
            "agent": agent,
            "cycle": cycle_id or "",
            "any_cycle": int(cycle_id is None),
            "states": list(states),
            "id": candidate_id,
        },
    )
    return [_candidate(row) for row in rows]


def save_candidates(context: Context, candidates: Sequence[Candidate]) -> None:
    """Store ``candidates`` in one insert: all of them or none."""
    rows = [dict(zip(COLUMNS, _row(candidate), strict=True)) for candidate in candidates]
    context.insert("candidates", rows)


def decide_candidate(
    context: Context, candidate: Candidate, *, state: State, reasons: Sequence[str] = ()
) -> Candidate:
    """Store and return a new version of ``candidate`` in ``state``."""
    decided = replace(
        candidate,
        state=state,
        reasons=tuple(reasons),
        version=max(context.now_ms, candidate.version + 1),
    )
    save_candidates(context, [decided])
    return decided


def _row(candidate: Candidate) -> list[Any]:
    configuration = candidate.configuration
    return [
        candidate.candidate_id,
        candidate.project,
        candidate.agent,
        candidate.cycle_id,
        candidate.pattern_id,
        candidate.category,
        candidate.intervention,
        candidate.engine,
        candidate.strategy_id,
        candidate.state,
        list(candidate.reasons),
        candidate.baseline_hash,
        candidate.configuration_hash,
        json.dumps([edit.model_dump() for edit in candidate.edits], ensure_ascii=False),
        candidate.edit_hash,
        "" if configuration is None else configuration.model_dump_json(),
        candidate.rationale,
        list(candidate.scenarios),
        candidate.tokens,
        candidate.cost_usd,
        candidate.created_at,
        candidate.version,
    ]


def _candidate(row: Sequence[Any]) -> Candidate:
    values = dict(zip(COLUMNS, row, strict=True))
    stored: str = values["Configuration"]
    return Candidate(
        candidate_id=values["CandidateId"],
        project=values["Project"],
        agent=values["AgentName"],
        cycle_id=values["CycleId"],
        pattern_id=values["PatternId"],
        category=values["Category"],
        intervention=values["Intervention"],
        engine=values["Engine"],
        strategy_id=values["StrategyId"],
        state=values["State"],
        reasons=tuple(values["Reasons"]),
        baseline_hash=values["BaselineHash"],
        edits=EDITS.validate_json(values["Edits"]),
        edit_hash=values["EditHash"],
        configuration=AgentConfiguration.model_validate_json(stored) if stored else None,
        rationale=values["Rationale"],
        scenarios=tuple(values["Scenarios"]),
        tokens=values["Tokens"],
        cost_usd=values["CostUsd"],
        created_at=values["CreatedAt"].replace(tzinfo=UTC),
        version=values["Version"],
    )
