"""Where a cycle stands: a row per stage, so that one that was killed goes on where it was."""

import logging
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from spanloop.optimizer.context import Context, time_of
from spanloop.optimizer.models import BudgetExhausted
from spanloop.processor.errors import PermanentError, SpanloopError, Stopping

logger = logging.getLogger(__name__)


class Unavailable(PermanentError):
    """A stage lacks what it needs (a model, a target); says what to configure."""


State = Literal["running", "done", "skipped", "stopped", "failed"]
Key = tuple[str, str, str]
WHOLE = ""
"""The stage that stands for the whole cycle."""
ANALYSIS = "analysis"
ENDED_MS = "ended_ms"
"""Count of the analysis: when it had ended, Unix milliseconds."""

COLUMNS: tuple[str, ...] = (
    "CycleId",
    "Stage",
    "Project",
    "AgentName",
    "State",
    "Counts",
    "Notes",
    "Tokens",
    "CostUsd",
    "CpuSeconds",
    "StartedAt",
    "FinishedAt",
    "Version",
)


@dataclass(slots=True, kw_only=True)
class StageReport:
    """What a stage of a cycle did; filled in while it runs.

    Attributes:
        agent: '' = all agents.
        counts: by name.
        notes: what was skipped, and why.
        cost_usd: None where a call's price is unknown.
    """

    stage: str
    agent: str = ""
    project: str = ""
    state: State = "running"
    counts: dict[str, int] = field(default_factory=dict[str, int])
    notes: list[str] = field(default_factory=list[str])
    tokens: int = 0
    cost_usd: float | None = 0.0
    cpu_seconds: float = 0.0
    seconds: float = 0.0

    @property
    def key(self) -> Key:
        """Its place in a cycle."""
        return self.stage, self.project, self.agent

    def skip(self, why: str) -> None:
        """Say that it could not be done, and why; it counts as done for this cycle."""
        self.state = "skipped"
        self.notes.append(why)

    def stop(self, why: str) -> None:
        """Say that it stopped before its end, at its budget."""
        self.state = "stopped"
        self.notes.append(why)

    def spend(self, tokens: int, usd: float | None) -> None:
        """Add what was spent."""
        self.tokens += tokens
        self.cost_usd = None if usd is None or self.cost_usd is None else self.cost_usd + usd


@dataclass(slots=True, kw_only=True)
class Cycle:
    """A cycle under way.

    Attributes:
        resumed: an earlier process began it.
        finished: stages that are not to be done again, by name, project and agent.
        reports: of this process, in order.
    """

    context: Context
    cycle_id: str
    started_ms: int
    clock_ms: Callable[[], int]
    resumed: bool = False
    finished: dict[Key, StageReport] = field(default_factory=dict[Key, StageReport])
    reports: list[StageReport] = field(default_factory=list[StageReport])
    _last_version: int = 0

    @contextmanager
    def stage(
        self, name: str, *, agent: str = "", project: str = "", essential: bool = False
    ) -> Generator[StageReport]:
        """Run a stage's body and store what it reports; an error of ours ends its stage, not the cycle.

        Args:
            name: of the stage.
            agent: '' = all.
            project: of the agent.
            essential: an error is raised again: without this stage there is nothing to go on with.
        """
        report = StageReport(stage=name, agent=agent, project=project)
        self.reports.append(report)
        began, cpu, began_ms = time.monotonic(), time.process_time(), self.clock_ms()
        try:
            yield report
            if report.state == "running":
                report.state = "done"
            if report.state in ("done", "skipped"):
                self.finished[report.key] = report
        except Stopping:
            raise  # as if the process had been killed: the stage is not ended
        except Exception as error:  # whatever it is must not end the loop for the other agents
            _end(report, error)
            if essential:
                raise
        finally:
            report.seconds = time.monotonic() - began
            report.cpu_seconds = time.process_time() - cpu
            self.write(report, began_ms)

    def is_finished(self, name: str, *, agent: str = "", project: str = "") -> bool:
        """Whether an earlier process of this cycle came to the end of a stage."""
        return (name, project, agent) in self.finished

    def write(self, report: StageReport, began_ms: int) -> None:
        """Store a report as a new version."""
        ended = report.state != "running"
        self._last_version = max(self.clock_ms(), self._last_version + 1)
        row = (
            self.cycle_id,
            report.stage,
            report.project,
            report.agent,
            report.state,
            report.counts,
            report.notes,
            report.tokens,
            report.cost_usd,
            report.cpu_seconds,
            time_of(began_ms),
            time_of(self._last_version) if ended else None,
            self._last_version,
        )
        self.context.insert("cycles", [dict(zip(COLUMNS, row, strict=True))])

    def end(self) -> StageReport:
        """Close the cycle with the sum of what all its stages stored."""
        stored = _stages(self.context, self.cycle_id)
        whole = StageReport(stage=WHOLE, state=_worst([row.state for row in stored]))
        for row in stored:
            whole.spend(row.tokens, row.cost_usd)
            whole.cpu_seconds += row.cpu_seconds
            whole.notes += [
                f"{row.stage}{' of ' * bool(row.agent)}{row.agent}: {note}" for note in row.notes
            ]
        self.write(whole, self.started_ms)
        return whole


def analysed_ms(context: Context, cycle_id: str) -> int:
    """Return when the analysis of a cycle had ended, Unix milliseconds; 0 = it is not known."""
    stages = [row for row in _stages(context, cycle_id) if row.stage == ANALYSIS]
    return stages[0].counts.get(ENDED_MS, 0) if stages else 0


def _end(report: StageReport, error: Exception) -> None:
    """Say how an error ends a stage: the next ones, and other agents, go on."""
    match error:
        case Unavailable():
            report.skip(str(error))
        case BudgetExhausted():
            report.stop(str(error))
        case SpanloopError():
            report.state = "failed"
            report.notes.append(str(error))
        case _:  # a bug, or a text that breaks us: it must not end the loop for all agents
            logger.error("a stage of a cycle failed", exc_info=error)
            report.state = "failed"
            report.notes.append(f"it failed: {type(error).__name__}; see the server's log")


def open_cycle(context: Context, clock_ms: Callable[[], int], new_id: Callable[[], str]) -> Cycle:
    """Go on with the cycle that is under way, else begin one."""
    running = context.rows("cycle/select_running")
    if running:
        cycle_id, started, version = running[0]
        return Cycle(
            context=context,
            cycle_id=cycle_id,
            started_ms=int(started),
            clock_ms=clock_ms,
            resumed=True,
            finished={
                row.key: row
                for row in _stages(context, cycle_id)
                if row.state in ("done", "skipped")
            },
            _last_version=int(version),
        )
    started_ms = clock_ms()
    cycle = Cycle(context=context, cycle_id=new_id(), started_ms=started_ms, clock_ms=clock_ms)
    cycle.write(StageReport(stage=WHOLE), started_ms)
    return cycle


def _stages(context: Context, cycle_id: str) -> Sequence[StageReport]:
    return [
        StageReport(
            stage=stage,
            project=project,
            agent=agent,
            state=state,
            counts=dict(counts),
            notes=list(notes),
            tokens=int(tokens),
            cost_usd=cost,
            cpu_seconds=float(cpu),
        )
        for stage, project, agent, state, counts, notes, tokens, cost, cpu in context.rows(
            "cycle/select_stages", {"cycle": cycle_id}
        )
    ]


_ORDER: Mapping[State, int] = {"done": 0, "skipped": 0, "running": 1, "stopped": 2, "failed": 3}


def _worst(states: Sequence[State]) -> State:
    if not states:
        return "done"
    worst = max(states, key=_ORDER.__getitem__)
    return "done" if worst == "skipped" else worst
