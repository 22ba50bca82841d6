"""Experiments and their episodes as rows: what is stored, and read back after kill -9."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from spanloop.optimizer.context import Context, time_of
from spanloop.optimizer.experiments.assessing import Assessed
from spanloop.optimizer.experiments.plan import ExperimentPlan
from spanloop.optimizer.experiments.runs import Run
from spanloop.optimizer.gate.verdict import Number, Verdict
from spanloop.optimizer.replay.episode import EpisodeResult

State = Literal["frozen", "running", "decided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an experiment stands.

    Attributes:
        level: that it is tested at; None = not allotted yet.
        verdict: at the last look; None = no look yet.
        tokens: of all its episodes, as far as they are known.
        cost_usd: of all its episodes; None where a price is unknown.
        settings: JSON, as frozen.
        version: of its row.
    """

    state: State
    level: float | None = None
    verdict: Verdict | None = None
    tokens: int = 0
    cost_usd: float | None = 0.0
    started_ms: int
    decided_ms: int | None = None
    settings: str
    version: int = 0


def read_standing(context: Context, experiment_id: str) -> Standing | None:
    """Return how an experiment stands, None if there is none."""
    rows = context.rows("experiments/select_experiment", {"id": experiment_id})
    if not rows:
        return None
    row: Mapping[str, Any] = dict(zip(_STANDING, rows[0], strict=True))
    return Standing(
        state=row["State"],
        settings=row["Settings"],
        level=row["AlphaSpent"],
        verdict=_verdict(row),
        tokens=row["Tokens"],
        cost_usd=row["CostUsd"],
        started_ms=row["StartedMs"],
        decided_ms=row["DecidedMs"],
        version=row["Version"],
    )


_STANDING = (
    "State",
    "Settings",
    "AlphaSpent",
    "Verdict",
    "Reason",
    "EValue",
    "ScenariosClosed",
    "Effect",
    "EffectLow",
    "EffectHigh",
    "Numbers",
    "Tokens",
    "CostUsd",
    "StartedMs",
    "DecidedMs",
    "Version",
)


def write_standing(context: Context, plan: ExperimentPlan, standing: Standing) -> None:
    """Insert how an experiment stands as its newest version."""
    verdict, subject, design = standing.verdict, plan.subject, plan.design
    effect = verdict.effect if verdict else None
    context.insert(
        "experiments",
        [
            {
                "ExperimentId": plan.experiment_id,
                "Project": subject.project,
                "AgentName": subject.agent,
                "CycleId": subject.cycle_id,
                "CandidateId": subject.candidate_id,
                "Purpose": design.purpose,
                "State": standing.state,
                "Verdict": _stored_decision(verdict),
                "Reason": verdict.reason if verdict else "",
                "Target": design.target,
                "BaselineHash": subject.baseline.hash,
                "CandidateHash": subject.candidate.hash,
                "Scenarios": [each.scenario_id for each in plan.scenarios],
                "ScenarioSetHash": plan.scenario_set_hash,
                "Repeats": design.repeats,
                "Seed": design.seed,
                "AssessorVersion": design.assessor_version,
                "Settings": standing.settings,
                "AlphaSpent": standing.level,
                "ScenariosClosed": verdict.closed if verdict else 0,
                "Effect": effect.value if effect else None,
                "EffectLow": effect.low if effect else None,
                "EffectHigh": effect.high if effect else None,
                "EValue": verdict.e_value if verdict else None,
                "Numbers": _numbers(verdict),
                "Tokens": standing.tokens,
                "CostUsd": standing.cost_usd,
                "StartedAt": time_of(standing.started_ms),
                "DecidedAt": None if standing.decided_ms is None else time_of(standing.decided_ms),
                "Version": standing.version,
                "IsDeleted": 0,
            }
        ],
    )


def read_runs(
    context: Context, experiment_id: str, scenarios: Collection[str] = ()
) -> Sequence[Run]:
    """Return stored episodes of an experiment ('' = validity replays), of ``scenarios`` (empty = of all)."""
    rows = context.rows(
        "experiments/select_runs", {"id": experiment_id, "scenarios": list(scenarios)}
    )
    return [_run(dict(zip(_RUN, row, strict=True))) for row in rows]


_RUN = (
    "RunId",
    "ExperimentId",
    "Project",
    "ScenarioId",
    "ScenarioVersion",
    "Arm",
    "Repeat",
    "Attempt",
    "ConfigurationHash",
    "State",
    "ErrorKind",
    "TrajectoryId",
    "TraceIds",
    "Score",
    "SecondScore",
    "Gold",
    "IsGold",
    "AssessorVersion",
    "Tiers",
    "FirstDivergence",
    "Steps",
    "InputTokens",
    "OutputTokens",
    "CostUsd",
    "LatencyMs",
    "StartedMs",
    "FinishedMs",
    "Version",
)


def write_runs(context: Context, runs: Iterable[Run]) -> None:
    """Insert episodes as their newest versions."""
    context.insert("experiment_runs", [_run_row(run) for run in runs])


def _run(row: Mapping[str, Any]) -> Run:
    assessed = Assessed(
        score=row["Score"],
        trajectory_id=row["TrajectoryId"],
        trace_ids=tuple(row["TraceIds"]),
        second=row["SecondScore"],
        gold=row["Gold"],
        version=row["AssessorVersion"],
    )
    return Run(
        experiment_id=row["ExperimentId"],
        project=row["Project"],
        scenario_id=row["ScenarioId"],
        scenario_version=row["ScenarioVersion"],
        arm=row["Arm"],
        repeat=row["Repeat"],
        attempt=row["Attempt"],
        configuration_hash=row["ConfigurationHash"],
        result=EpisodeResult(
            run_id=row["RunId"],
            state=row["State"],
            error_kind=row["ErrorKind"],
            tiers=row["Tiers"],
            first_divergence=row["FirstDivergence"],
            steps=row["Steps"],
            input_tokens=row["InputTokens"],
            output_tokens=row["OutputTokens"],
            cost_usd=row["CostUsd"],
            latency_ms=row["LatencyMs"],
            trace_ids=tuple(row["TraceIds"]),
        ),
        is_gold=bool(row["IsGold"]),
        assessed=assessed if assessed.version else None,
        started_ms=row["StartedMs"],
        finished_ms=row["FinishedMs"],
        version=row["Version"],
    )


def _run_row(run: Run) -> dict[str, Any]:
    result, assessed = run.result, run.assessed
    return {
        "RunId": run.run_id,
        "ExperimentId": run.experiment_id,
        "Project": run.project,
        "ScenarioId": run.scenario_id,
        "ScenarioVersion": run.scenario_version,
        "Arm": run.arm,
        "Repeat": run.repeat,
        "Attempt": run.attempt,
        "ConfigurationHash": run.configuration_hash,
        "State": result.state,
        "ErrorKind": result.error_kind or (assessed.reason if assessed else ""),
        "TrajectoryId": assessed.trajectory_id if assessed else "",
        "TraceIds": list(assessed.trace_ids if assessed else result.trace_ids),
        "Score": assessed.score if assessed else None,
        "SecondScore": assessed.second if assessed else None,
        "Gold": assessed.gold if assessed else None,
        "IsGold": int(run.is_gold),
        "AssessorVersion": assessed.version if assessed else "",
        "Tiers": dict(result.tiers),
        "Coverage": result.coverage,
        "FirstDivergence": result.first_divergence,
        "Steps": result.steps,
        "InputTokens": result.input_tokens,
        "OutputTokens": result.output_tokens,
        "CostUsd": result.cost_usd,
        "LatencyMs": result.latency_ms,
        "StartedAt": time_of(run.started_ms),
        "FinishedAt": time_of(run.finished_ms),
        "Version": run.version,
        "IsDeleted": 0,
    }


def _stored_decision(verdict: Verdict | None) -> str:
    return "" if verdict is None or verdict.decision == "continue" else verdict.decision


def _numbers(
    verdict: Verdict | None,
) -> list[tuple[str, float | None, float | None, float | None, str]]:
    return [
        (n.name, n.value, n.low, n.high, n.method) for n in (verdict.numbers if verdict else ())
    ]


def _verdict(row: Mapping[str, Any]) -> Verdict | None:
    """The effect's method is not stored apart: it stands among the numbers too."""
    if row["EValue"] is None:
        return None
    numbers = tuple(Number(**number) for number in row["Numbers"])
    method = next((each.method for each in numbers if each.name == "effect"), "")
    effect = row["Effect"]
    return Verdict(
        decision=row["Verdict"] or "continue",
        reason=row["Reason"],
        e_value=row["EValue"],
        closed=row["ScenariosClosed"],
        effect=None
        if effect is None
        else Number(
            name="effect",
            value=effect,
            low=row["EffectLow"],
            high=row["EffectHigh"],
            method=method,
        ),
        numbers=numbers,
    )
