"""Runs a frozen plan, batch by batch, until the gate decides or the budget is spent.

Whatever ends it, kill -9 included, the next call goes on from the rows and spans that are stored: same
verdict, no episode paid for twice.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from spanloop.optimizer.context import Context
from spanloop.optimizer.experiments.converting import evidence_of
from spanloop.optimizer.experiments.describing import numbers_of
from spanloop.optimizer.experiments.freezing import freeze
from spanloop.optimizer.experiments.holdout import (
    Allotment,
    Look,
    allot,
    look_id,
    read_looks,
    record_look,
)
from spanloop.optimizer.experiments.parts import ExperimentParts
from spanloop.optimizer.experiments.plan import ExperimentPlan
from spanloop.optimizer.experiments.rounds import Outage, Rounds
from spanloop.optimizer.experiments.runs import Run, last_attempt, missing, plan_episode
from spanloop.optimizer.experiments.storing import Standing, read_runs, write_standing
from spanloop.optimizer.gate import decide
from spanloop.optimizer.gate.verdict import Verdict
from spanloop.optimizer.models import BudgetExhausted
from spanloop.optimizer.scenarios.scenario import Scenario

BUDGET, OUTAGE = "budget", "infrastructure"
"""Reasons why nothing was decided; an experiment that is not decided goes on when it is called again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentOutcome:
    """How an experiment ended, for now.

    Attributes:
        level: that it was tested at.
        resumable: budget or infrastructure stopped it; another call goes on.
        played: episodes played by this call.
        recovered: episodes that an earlier call had played without storing how they ended.
        tokens: of all episodes of the experiment, as far as they are known.
        cost_usd: of all of them; None where a price is unknown.
    """

    experiment_id: str
    verdict: Verdict
    level: float
    resumable: bool
    played: int
    recovered: int
    tokens: int
    cost_usd: float | None


def run_experiment(
    context: Context, plan: ExperimentPlan, parts: ExperimentParts
) -> ExperimentOutcome:
    """Run ``plan`` until it is decided, or go on with it; a decided one only says what was decided."""
    plan, standing = freeze(context, plan)
    rounds = Rounds(
        context,
        parts,
        stored=read_runs(context, plan.experiment_id),
        may_recover=standing.state == "running",
    )
    with rounds:
        return _Experiment(context, plan, parts, standing=standing, rounds=rounds).run()


class _Experiment:
    """One call."""

    def __init__(
        self,
        context: Context,
        plan: ExperimentPlan,
        parts: ExperimentParts,
        *,
        standing: Standing,
        rounds: Rounds,
    ) -> None:
        self._context = context
        self._plan = plan
        self._parts = parts
        self._standing = standing
        self._rounds = rounds

    def run(self) -> ExperimentOutcome:
        """Go from look to look."""
        if self._standing.state == "decided":
            return self._outcome(resumable=False)
        allotment, looks = self._begin()
        verdict = self._last_look()
        n, step = len(self._plan.scenarios), self._plan.scenarios_a_look
        round_size = math.ceil(self._parts.scenarios_a_round / step) * step
        self._context.progress.stage(f"experiment {self._plan.experiment_id[:8]}", n)
        self._context.progress.advance(verdict.closed)
        for begin in range(verdict.closed, n, step):
            end = min(begin + step, n)
            try:
                if not self._is_closed(begin, end):
                    self._close(self._plan.scenarios[begin : begin + round_size])
            except BudgetExhausted:
                return self._stop(verdict, BUDGET)
            except Outage:
                return self._stop(verdict, OUTAGE)
            verdict = self._look(end, allotment, looks)
            self._context.progress.advance(end - begin)
            if verdict.decision != "continue":
                return self._decide(verdict)
        return self._decide(replace(verdict, decision="inconclusive", reason=BUDGET))

    def _begin(self) -> tuple[Allotment, Mapping[str, Look]]:
        """Take a place in the ledger before anything is seen."""
        subject = self._plan.subject
        looks = read_looks(self._context, agent=subject.agent, project=subject.project)
        allotment = allot(looks, self._plan)
        own = {
            each.look_id: each for each in looks if each.experiment_id == self._plan.experiment_id
        }
        if not own:
            self._record(allotment, None)
        self._write(replace(self._standing, state="running", level=allotment.level))
        return allotment, own

    def _last_look(self) -> Verdict:
        """What the gate said last: always to go on, since all else is decided at once."""
        if self._standing.verdict is None:
            return Verdict(decision="continue", e_value=1.0, closed=0, effect=None)
        return replace(self._standing.verdict, decision="continue", reason="")

    def _is_closed(self, begin: int, end: int) -> bool:
        """Whether all is played and judged, as after the first look of a round that has several."""
        batch = self._plan.scenarios[begin:end]
        most, runs = self._parts.max_attempts, self._rounds.runs
        return not missing(self._plan, batch, runs, max_attempts=most) and not any(
            run.to_judge for run in self._last_attempts(batch)
        )

    def _close(self, batch: Sequence[Scenario]) -> None:
        """Play and judge what is missing of ``batch``; only the last attempt at a pair is judged."""
        by_id = {each.scenario_id: each for each in batch}
        most, runs = self._parts.max_attempts, self._rounds.runs
        while slots := missing(self._plan, batch, runs, max_attempts=most):
            self._rounds.play(
                [plan_episode(self._plan, by_id[slot.scenario_id], slot) for slot in slots]
            )
        self._rounds.judge(self._last_attempts(batch), by_id, gold=self._plan.gold)

    def _last_attempts(self, batch: Sequence[Scenario]) -> Sequence[Run]:
        most, runs = self._parts.max_attempts, self._rounds.runs
        return [
            run
            for each in batch
            for repeat in range(self._plan.design.repeats)
            for run in last_attempt(each.scenario_id, repeat, runs, max_attempts=most)
        ]

    def _look(self, closed: int, allotment: Allotment, looks: Mapping[str, Look]) -> Verdict:
        """Ask the gate about the first ``closed`` scenarios; a look that was taken is not counted again."""
        evidence = evidence_of(
            self._plan, closed, self._rounds.runs, max_attempts=self._parts.max_attempts
        )
        verdict = decide(evidence, self._plan.design.gate, allotment.level)
        effect = (verdict.effect,) if verdict.effect else ()
        verdict = replace(verdict, numbers=(*effect, *verdict.numbers, *numbers_of(evidence)))
        if look_id(self._plan, closed) not in looks:
            self._record(allotment, verdict)
        if verdict.decision == "continue":
            self._write(replace(self._standing, verdict=verdict))
        return verdict

    def _stop(self, verdict: Verdict, reason: str) -> ExperimentOutcome:
        stopped = replace(verdict, decision="inconclusive", reason=reason)
        self._write(replace(self._standing, verdict=stopped))
        return self._outcome(resumable=True)

    def _decide(self, verdict: Verdict) -> ExperimentOutcome:
        decided_ms = self._parts.clock_ms()
        self._write(
            replace(self._standing, state="decided", verdict=verdict, decided_ms=decided_ms)
        )
        return self._outcome(resumable=False)

    def _record(self, allotment: Allotment, verdict: Verdict | None) -> None:
        record_look(
            self._context,
            self._plan,
            allotment=allotment,
            verdict=verdict,
            clock_ms=self._parts.clock_ms,
        )

    def _write(self, standing: Standing) -> None:
        """Store how the experiment stands, and what its episodes have cost, as a new version."""
        runs = self._rounds.runs.values()
        prices = [run.result.cost_usd for run in runs if not run.lost]
        self._standing = replace(
            standing,
            tokens=sum(run.tokens or 0 for run in runs),
            cost_usd=None if None in prices else sum(price or 0.0 for price in prices),
            version=max(self._parts.clock_ms(), standing.version + 1),
        )
        write_standing(self._context, self._plan, self._standing)

    def _outcome(self, *, resumable: bool) -> ExperimentOutcome:
        standing = self._standing
        return ExperimentOutcome(
            experiment_id=self._plan.experiment_id,
            verdict=standing.verdict or self._last_look(),
            level=standing.level or 0.0,
            resumable=resumable,
            played=self._rounds.played,
            recovered=self._rounds.recovered,
            tokens=standing.tokens,
            cost_usd=standing.cost_usd,
        )
