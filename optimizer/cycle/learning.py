"""What an experiment teaches: a trial for the library, whatever came out, and an entry of each win."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from spanloop.optimizer.candidates import Candidate, ProposalRequest
from spanloop.optimizer.candidates.proposing import make_briefs
from spanloop.optimizer.configuration import AgentConfiguration, digest
from spanloop.optimizer.context import Context, time_of
from spanloop.optimizer.cycle.beside import Differences
from spanloop.optimizer.experiments.converting import evidence_of, showing
from spanloop.optimizer.experiments.plan import ExperimentPlan
from spanloop.optimizer.experiments.runner import ExperimentOutcome
from spanloop.optimizer.experiments.runs import slot_of
from spanloop.optimizer.experiments.storing import read_runs
from spanloop.optimizer.gate.evidence import Flags
from spanloop.optimizer.models import Lease
from spanloop.optimizer.scenarios import load_scenarios
from spanloop.optimizer.scenarios.scenario import Scenario
from spanloop.optimizer.strategies import (
    Measures,
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
FEWEST = 4
"""Scenarios below which what happened where a pattern shows alone says too little of a member of a bundle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What an outcome holds for, and what else is known of it.

    Attributes:
        survived: whether it was there on fresh traffic too; None = not known.
        apart: what leaving out each member of a bundle costs on open scenarios, by candidate, for those
            that the experiment does not tell apart.
    """

    validity: Validity
    survived: bool | None
    apart: Mapping[str, Differences] = field(default_factory=dict[str, Differences])


class Traffic(NamedTuple):
    """Where the patterns that a bundle is aimed at show; all (scenarios,).

    Attributes:
        alone: by pattern: where it shows and no other of the bundle does.
        elsewhere: where none shows.
    """

    alone: Mapping[str, Flags]
    elsewhere: Flags


def traffic_of(members: Sequence[Candidate], scenarios: Sequence[Scenario]) -> Traffic:
    """Return where the patterns of ``members`` show among ``scenarios``."""
    aims = list(dict.fromkeys(member.pattern_id for member in members))
    shows = showing(scenarios, aims)
    alone = shows & (shows.sum(axis=1, keepdims=True) == 1)
    return Traffic(dict(zip(aims, alone.T, strict=True)), np.asarray(~shows.any(axis=1)))


def not_apart(
    members: Sequence[Candidate], plan: ExperimentPlan, closed: int
) -> Sequence[Candidate]:
    """Return the members of a bundle whose own effect its experiment does not tell.

    Their pattern shows alone in too few scenarios, or another member is aimed at it, too.
    """
    if len(members) == 1:
        return []
    alone = traffic_of(members, plan.scenarios[:closed]).alone
    aims = Counter(member.pattern_id for member in members)
    return [
        member
        for member in members
        if aims[member.pattern_id] > 1 or alone[member.pattern_id].sum() < FEWEST
    ]


def record_outcome(
    context: Context,
    members: Sequence[Candidate],
    plan: ExperimentPlan,
    outcome: ExperimentOutcome,
    *,
    circumstances: Circumstances,
) -> Mapping[str, Trial]:
    """Store a trial of each of ``members``, nulls and harms too; return them by candidate.

    Members of a bundle are told apart by traffic: the effect of one is what happened where its pattern shows
    and no other pattern of the bundle does, or, where that says too little, what leaving it out costs on open
    scenarios, or else, where several are aimed at one pattern, equal parts. Side effects are looked for where
    no pattern of theirs shows, and what was spent is shared. None is made of a member of which none of this
    is known, or where nothing was closed.
    """
    closed = outcome.verdict.closed
    members = [each for each in members if each.intervention]
    if not closed or not members:
        return {}
    runs = {slot_of(run): run for run in read_runs(context, plan.experiment_id)}
    evidence = evidence_of(plan, closed, runs, max_attempts=MAX_ATTEMPTS)
    traffic = traffic_of(members, plan.scenarios[:closed])
    aims = Counter(member.pattern_id for member in members)
    origins = {s.strategy_id: s.origin_agent for s in load_strategies(context)}
    trials: dict[str, Trial] = {}
    for member in members:
        alone = traffic.alone[member.pattern_id]
        measures = measure(evidence, alone, elsewhere=traffic.elsewhere)
        apart = circumstances.apart.get(member.candidate_id, ())
        if len(apart) >= min(FEWEST, alone.sum() + 1):  # more than the experiment has, or enough
            measures, n = measures.with_differences(apart), len(apart)
        elif len(members) > 1 and not alone.any():
            continue
        else:
            measures, n = measures.shared(aims[member.pattern_id]), closed
        trial = _trial(context, member, outcome, circumstances=circumstances, measures=measures)
        rode_along = len(members) > 1 and not (trial.effect or 0.0) > 0.0
        trials[member.candidate_id] = replace(
            trial,
            n=n,
            # Of a bundle that ships, the win is that of the others then.
            verdict="inconclusive" if rode_along and trial.verdict == "ship" else trial.verdict,
            trial_id=outcome.experiment_id
            if len(members) == 1
            else digest([outcome.experiment_id, member.candidate_id]),
            transferred=origins.get(member.strategy_id, member.agent) != member.agent,
            tokens=outcome.tokens // len(members) + member.tokens,
            cost_usd=None if outcome.cost_usd is None else outcome.cost_usd / len(members),
        )
    for trial in trials.values():
        record_trial(context, trial)
    return trials


def _trial(
    context: Context,
    member: Candidate,
    outcome: ExperimentOutcome,
    *,
    circumstances: Circumstances,
    measures: Measures,
) -> Trial:
    intervention = member.intervention
    assert intervention != ""  # of those that name none, no trial is made
    effect, low, high = measures.effect_interval()
    side, side_low, side_high = measures.side_interval()
    verdict = outcome.verdict
    return Trial(
        trial_id="",
        strategy_id=member.strategy_id,
        project=member.project,
        agent=member.agent,
        pattern_id=member.pattern_id,
        category=member.category,
        intervention=intervention,
        experiment_id=outcome.experiment_id,
        verdict=verdict.decision,
        effect=effect,
        effect_low=low,
        effect_high=high,
        side_effect=side,
        side_effect_low=side_low,
        side_effect_high=side_high,
        harm=verdict.decision == "reject" and bool(verdict.reason),
        validity=circumstances.validity,
        survived_fresh=circumstances.survived,
        tokens=0,
        cost_usd=None,
        recorded_at=time_of(context.now_ms),
    )


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
