"""One analysis: new spans become trajectories, trajectories get symptoms, a probability and patterns.

Each stage reads what the one before wrote and can be repeated. An analysis marks its beginning and its end:
what one that was killed in between had assembled is taken up by the later stages of the next. What a stage
did, and what it cost, is a row of ``analyses``.
"""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from spanloop.optimizer.assembly import AssemblyResult, assemble
from spanloop.optimizer.context import Context
from spanloop.optimizer.feedback import extract_feedback
from spanloop.optimizer.judging.judge import JudgeResult, judge_sample
from spanloop.optimizer.judging.namer import ModelNamer
from spanloop.optimizer.models import Lease, Model
from spanloop.optimizer.patterns import find_patterns
from spanloop.optimizer.satisfaction import compute_features, estimate_rates, score_satisfaction
from spanloop.optimizer.statistics.intervals import wilson
from spanloop.optimizer.symptoms import find_symptoms

COLUMNS = (
    "AnalysisId",
    "Stage",
    "StartedAt",
    "FinishedAt",
    "Counts",
    "CpuSeconds",
    "Tokens",
    "CostUsd",
    "Notes",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """The model that judges, and what it may spend in one analysis."""

    model: Model
    sample: int
    max_tokens: int
    max_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageReport:
    """What one stage did.

    Attributes:
        seconds: wall clock.
        cpu_seconds: of this process, the embedded engine included.
        counts: by name; NULLs are left out.
    """

    stage: str
    seconds: float
    cpu_seconds: float
    counts: Mapping[str, int]
    tokens: int = 0
    cost_usd: float | None = 0.0
    notes: Sequence[str] = ()


@dataclass(slots=True, kw_only=True)
class AnalysisReport:
    """What an analysis did, stage by stage."""

    analysis_id: str
    stages: list[StageReport] = field(default_factory=list[StageReport])


def run_analysis(context: Context, judging: Judging | None = None) -> AnalysisReport:
    """Run every stage in order."""
    report = AnalysisReport(analysis_id=str(uuid.UUID(int=context.now_ms << 64 | context.seed)))
    _mark(context, report, "begun")
    stages: Sequence[tuple[str, Callable[[], Any]]] = (
        ("assembly", lambda: _assemble(context)),
        ("feedback", lambda: extract_feedback(context)),
        ("symptoms", lambda: find_symptoms(context)),
        ("features", lambda: compute_features(context)),
        ("satisfaction", lambda: score_satisfaction(context)),
    )
    for name, work in stages:
        _run_inplace(report, context, name, work)
    lease = (
        None if judging is None else Lease(max_tokens=judging.max_tokens, max_usd=judging.max_usd)
    )
    namer = (
        None if judging is None or lease is None else ModelNamer(model=judging.model, lease=lease)
    )
    if judging is not None and lease is not None:
        _judge_inplace(report, context, judging, lease)
    _run_inplace(report, context, "rates", lambda: estimate_rates(context))
    judged = replace(lease) if lease else None
    patterns = _run(context, "patterns", lambda: find_patterns(context, namer=namer))
    _record_inplace(report, context, _with_naming(patterns, namer, judged))
    _mark(context, report, "")
    return report


def _assemble(context: Context) -> AssemblyResult:
    """Assemble; what an analysis that did not come to its end had assembled counts as changed too."""
    result = assemble(context)
    context.run("assembly/insert_changed_unfinished")
    return result


def _mark(context: Context, report: AnalysisReport, stage: str) -> None:
    """Write down that this analysis began, or that it came to its end."""
    began = datetime.fromtimestamp(context.now_ms / 1000, UTC)
    context.client.insert(
        "analyses",
        [[report.analysis_id, stage, began, began + timedelta(seconds=_elapsed(report))]],
        column_names=COLUMNS[:4],
        database=context.renderer.settings.database,
    )


def _with_naming(stage: StageReport, namer: ModelNamer | None, judged: Lease | None) -> StageReport:
    """Add what naming cost, beyond what judging had taken of the same lease."""
    if namer is None or judged is None:
        return stage
    now = namer.lease
    return replace(
        stage,
        tokens=now.tokens - judged.tokens,
        cost_usd=None if now.unpriced > judged.unpriced else now.usd - judged.usd,
        notes=[*stage.notes, *([namer.skipped] if namer.skipped else [])],
    )


def _judge_inplace(
    report: AnalysisReport, context: Context, judging: Judging, lease: Lease
) -> None:
    began, cpu = time.monotonic(), time.process_time()
    result = judge_sample(context, judging.model, lease, n=judging.sample)
    counts = {
        "judged": result.judged,
        "retested": result.retested,
        "changed": result.changed,
        "failed": result.failures.total(),
    }
    _record_inplace(
        report,
        context,
        StageReport(
            stage="judge",
            seconds=time.monotonic() - began,
            cpu_seconds=time.process_time() - cpu,
            counts=counts,
            tokens=lease.tokens,
            cost_usd=lease.cost_usd,
            notes=_notes(result),
        ),
    )
    if result.judged:  # what the judge said is evidence for every other trajectory
        _run_inplace(report, context, "satisfaction", lambda: score_satisfaction(context))


def _notes(result: JudgeResult) -> Sequence[str]:
    failed = [f"{n} calls failed: {kind}" for kind, n in sorted(result.failures.items())]
    noise = [_noise(result)] if result.retested else []
    return [*noise, *failed, *([f"judging stopped: {result.skipped}"] if result.skipped else [])]


def _noise(result: JudgeResult) -> str:
    """Say how often the judge contradicts itself: no effect smaller than that can be seen through it."""
    share = wilson(result.changed, result.retested)
    low, high = share.low or 0.0, 1.0 if share.high is None else share.high
    return (
        f"asked again, the judge changed its verdict on {result.changed} of {result.retested} "
        f"({low:.0%} to {high:.0%})"
    )


def _run_inplace(
    report: AnalysisReport, context: Context, name: str, work: Callable[[], Any]
) -> None:
    _record_inplace(report, context, _run(context, name, work))


def _run(context: Context, name: str, work: Callable[[], Any]) -> StageReport:
    context.progress.stage(name)
    began, cpu = time.monotonic(), time.process_time()
    result = work()
    return StageReport(
        stage=name,
        seconds=time.monotonic() - began,
        cpu_seconds=time.process_time() - cpu,
        counts=counts_of(result),
        notes=tuple(getattr(result, "notes", ())),
    )


def counts_of(result: Any) -> Mapping[str, int]:
    """Return the whole numbers of a stage's result (a dataclass or a list) by name."""
    if isinstance(result, list):
        return {"rows": len(cast("list[object]", result))}
    names: Mapping[str, Any] = getattr(result, "__dataclass_fields__", {})
    values = {name: getattr(result, name) for name in names}
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, int) and not isinstance(value, bool)
    }


def _record_inplace(report: AnalysisReport, context: Context, stage: StageReport) -> None:
    report.stages.append(stage)
    finished = datetime.fromtimestamp(context.now_ms / 1000 + _elapsed(report), UTC)
    started = datetime.fromtimestamp(context.now_ms / 1000 + _elapsed(report) - stage.seconds, UTC)
    context.client.insert(
        "analyses",
        [
            [
                report.analysis_id,
                f"report/{stage.stage}",
                started,
                finished,
                {name: n for name, n in stage.counts.items() if n >= 0},
                stage.cpu_seconds,
                stage.tokens,
                stage.cost_usd,
                list(stage.notes),
            ]
        ],
        column_names=COLUMNS,
        database=context.renderer.settings.database,
    )


def _elapsed(report: AnalysisReport) -> float:
    return sum(stage.seconds for stage in report.stages)
