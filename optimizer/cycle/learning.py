"""What an experiment teaches: a trial for the library, whatever came out, and an entry of each win."""

from dataclasses import dataclass

import numpy as np

from spanloop.optimizer.candidates import Candidate, ProposalRequest
from spanloop.optimizer.candidates.proposing import make_briefs
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.context import Context, time_of
from spanloop.optimizer.experiments.converting import evidence_of
from spanloop.optimizer.experiments.plan import ExperimentPlan
from spanloop.optimizer.experiments.runner import ExperimentOutcome
from spanloop.optimizer.experiments.runs import slot_of
from spanloop.optimizer.experiments.storing import read_runs
from spanloop.optimizer.models import Lease
from spanloop.optimizer.scenarios import load_scenarios
from spanloop.optimizer.strategies import (
    Strategy,
    Trial,
    Validity,
    Win,
    keep_win,
    load_strategies,
    measure,
    record_trial,
)

MAX_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What an outcome holds for, and whether it was there on fresh traffic too (None = not known)."""

    validity: Validity
    survived: bool | None


def record_outcome(
    context: Context,
    candidate: Candidate,
    plan: ExperimentPlan,
    outcome: ExperimentOutcome,
    *,
    circumstances: Circumstances,
) -> Trial | None:
    """Store the trial; nulls and harms too. None where nothing was closed or no intervention is named."""
    if not outcome.verdict.closed or candidate.intervention == "":
        return None
    runs = {slot_of(run): run for run in read_runs(context, plan.experiment_id)}
    evidence = evidence_of(plan, outcome.verdict.closed, runs, max_attempts=MAX_ATTEMPTS)
    on_pattern = np.array(
        [candidate.pattern_id in s.pattern_ids for s in plan.scenarios[: outcome.verdict.closed]]
    )
    measures = measure(evidence, on_pattern)
    effect, low, high = measures.effect_interval()
    side, side_low, side_high = measures.side_interval()
    origins = {s.strategy_id: s.origin_agent for s in load_strategies(context)}
    origin = origins.get(candidate.strategy_id, candidate.agent)
    trial = Trial(
        trial_id=outcome.experiment_id,
        strategy_id=candidate.strategy_id,
        project=candidate.project,
        agent=candidate.agent,
        pattern_id=candidate.pattern_id,
        category=candidate.category,
        intervention=candidate.intervention,
        experiment_id=outcome.experiment_id,
        verdict=outcome.verdict.decision,
        effect=effect,
        effect_low=low,
        effect_high=high,
        side_effect=side,
        side_effect_low=side_low,
        side_effect_high=side_high,
        n=outcome.verdict.closed,
        harm=outcome.verdict.decision == "reject" and bool(outcome.verdict.reason),
        transferred=origin != candidate.agent,
        validity=circumstances.validity,
        survived_fresh=circumstances.survived,
        tokens=outcome.tokens + candidate.tokens,
        cost_usd=outcome.cost_usd,
        recorded_at=time_of(context.now_ms),
    )
    record_trial(context, trial)
    return trial


def learn_from_win(
    context: Context, candidate: Candidate, trial: Trial, *, tested_on: AgentConfiguration
) -> Strategy | None:
    """Keep the insight of a win as an entry of the library, free of what names one agent's data."""
    request = ProposalRequest(
        cycle_id=candidate.cycle_id,
        agent=candidate.agent,
        configuration=tested_on,
        lease=Lease(max_tokens=0),
        pattern_ids=[candidate.pattern_id],
    )
    train = load_scenarios(context, agent=candidate.agent, splits=["train"])
    briefs = make_briefs(context, request, train)
    if (
        not briefs
    ):  # its pattern is gone meanwhile: the trial stays, there is nothing to tell others
        return None
    win = Win(edits=candidate.edits, brief=briefs[0], configuration=tested_on, trial=trial)
    return keep_win(context, win)
