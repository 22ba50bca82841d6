"""A turn of the loop: score → patterns → scenarios → candidates → experiments → releases → strategies.

Each stage can be repeated and reads what the one before stored. A stage that an earlier process of the same
cycle ended is not done again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC

from spanloop.optimizer.analysis import counts_of
from spanloop.optimizer.context import COMPARABLE_COMPLETENESS, Context
from spanloop.optimizer.cycle.choosing import make_candidates
from spanloop.optimizer.cycle.ledger import BudgetLedger
from spanloop.optimizer.cycle.parts import Agent, CycleParts
from spanloop.optimizer.cycle.screening import screen_candidates
from spanloop.optimizer.cycle.state import ANALYSIS, ENDED_MS, Cycle, StageReport, open_cycle
from spanloop.optimizer.cycle.testing import check_scenarios, try_candidates
from spanloop.optimizer.cycle.turn import (
    CANDIDATES,
    EXPERIMENTS,
    RELEASES,
    SCREENING,
    VALIDITY,
    Turn,
    open_turn,
)
from spanloop.optimizer.releases import check_live
from spanloop.optimizer.scenarios import derive_scenarios
from spanloop.optimizer.strategies import Validity, restate

SCENARIOS = "scenarios"


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleReport:
    """What a cycle did.

    Attributes:
        resumed: an earlier process began it; ``stages`` are of this one alone.
        whole: sums over all of its stages.
        forfeited: leases of processes that died, counted as spent.
    """

    cycle_id: str
    resumed: bool
    forfeited: int
    stages: Sequence[StageReport]
    whole: StageReport


def run_cycle(context: Context, parts: CycleParts) -> CycleReport:
    """Run a cycle to its end, or go on with the one that is under way."""
    cycle = open_cycle(context, parts.clock_ms, parts.new_id)
    ledger = BudgetLedger(
        context, cycle.cycle_id, caps=parts.settings.caps, clock_ms=parts.clock_ms
    )
    forfeited = ledger.forfeit_open()
    as_of_ms = _learn(cycle, parts)
    cycle.context = replace(context, now_ms=max(context.now_ms, as_of_ms))
    validities: dict[str, Validity] = {}
    for agent in agents_of(context, fewest=parts.settings.fewest_trajectories):
        if parts.settings.agents and agent.name not in parts.settings.agents:
            continue
        turn = open_turn(cycle, agent, parts, ledger, as_of_ms=as_of_ms)
        _stage(cycle, CANDIDATES, turn, make_candidates)
        _stage(cycle, SCREENING, turn, screen_candidates)
        _stage(cycle, VALIDITY, turn, check_scenarios)
        _stage(cycle, EXPERIMENTS, turn, try_candidates)
        _stage(cycle, RELEASES, turn, watch_releases)
        validities[agent.name] = turn.validity
        restate(context, validities)
    whole = cycle.end()
    return CycleReport(
        cycle_id=cycle.cycle_id,
        resumed=cycle.resumed,
        forfeited=forfeited,
        stages=cycle.reports,
        whole=whole,
    )


def agents_of(context: Context, *, fewest: int) -> Sequence[Agent]:
    """Return the agents that have been seen often enough, the busiest first."""
    rows = context.rows(
        "cycle/select_agents", {"fewest": fewest, "completeness": COMPARABLE_COMPLETENESS}
    )
    return [
        Agent(
            name=name,
            project=project,
            trajectories=int(n),
            models=tuple(models),
            models_since=since.replace(tzinfo=UTC),
        )
        for project, name, n, models, since in rows
    ]


def _learn(cycle: Cycle, parts: CycleParts) -> int:
    """Analyse and derive scenarios; return when the analysis had ended, the same after kill -9.

    Raises:
        SpanloopError: the analysis failed, and without it there is nothing to go on with.
    """
    if not cycle.is_finished(ANALYSIS):
        with cycle.stage(ANALYSIS, essential=True) as report:
            report.counts |= parts.analyse(cycle.context)
            report.counts[ENDED_MS] = parts.clock_ms()
    if not cycle.is_finished(SCENARIOS):
        with cycle.stage(SCENARIOS) as report:
            report.counts |= counts_of(derive_scenarios(cycle.context, parts.settings.scenarios))
    return cycle.finished[ANALYSIS, "", ""].counts[ENDED_MS]


def _stage(cycle: Cycle, name: str, turn: Turn, work: Callable[[Turn, StageReport], None]) -> None:
    agent = turn.agent
    if cycle.is_finished(name, agent=agent.name, project=agent.project):
        return
    with cycle.stage(name, agent=agent.name, project=agent.project) as report:
        work(turn, report)


def watch_releases(turn: Turn, report: StageReport) -> None:
    """See how what was released does in live traffic, and roll back what does worse."""
    # Its own clock: agents hear of a share only once it is stored.
    live = check_live(
        turn.now(), turn.agent.name, turn.parts.settings.live, project=turn.agent.project
    )
    report.notes.append(f"{live.decision}: {live.reason}" if live.reason else live.decision)
