"""One experiment by hand: a stored candidate against what runs now, with the parts that a cycle would use."""

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from clickhouse_connect.driver.client import Client

from spanloop.exporter.store import with_client
from spanloop.optimizer.candidates import Candidate, apply_edits, decide_candidate
from spanloop.optimizer.candidates.observed import observe
from spanloop.optimizer.candidates.stored import load_candidates
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.context import Context, unix_ms
from spanloop.optimizer.cycle.ledger import BudgetLedger, Caps, Purpose
from spanloop.optimizer.cycle.parts import Agent, Players, Procedure
from spanloop.optimizer.experiments import (
    Design,
    ExperimentOutcome,
    Replaying,
    Subject,
    check_validity,
    freeze_plan,
    run_experiment,
    scenarios_for,
)
from spanloop.optimizer.experiments.parts import ExperimentParts
from spanloop.optimizer.releases import current_release
from spanloop.processor.errors import PermanentError
from spanloop.service.config import Settings
from spanloop.service.contexts import Reported, make_context
from spanloop.service.experiments import ExperimentExplorer
from spanloop.service.jobs import OnEvent
from spanloop.service.optimizing import ConfiguredPlayers, Place, in_server

TRANCHE = 200_000
"""Tokens granted at once: what a killed process can lose of the budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """What is asked for; None = as configured.

    Attributes:
        candidate: its id, or the beginning of it.
        repeats: episodes per arm and scenario.
        scenarios: at most.
    """

    candidate: str
    repeats: int | None = None
    scenarios: int | None = None


def run_by_hand(settings: Settings, asked: ByHand, on_event: OnEvent) -> Mapping[str, Any]:
    """Run an experiment in the server that owns the store; without one, a server is started for it.

    Raises:
        PermanentError: there is no such candidate, or nothing to test it on or with.
    """
    return in_server(settings, "experiment", on_event, **asdict(asked))


def experiment_store(
    place: Place, settings: Settings, asked: ByHand, *, on_event: OnEvent
) -> Mapping[str, Any]:
    """Run an experiment on a store that this process owns; return its outcome as JSON types."""
    players = ConfiguredPlayers(settings, place.doors)

    def work(client: Client) -> ExperimentOutcome:
        context = make_context(client, place.renderer, settings, Reported(on_event))
        return run_in_store(context, asked, players=players, caps=_caps(settings))

    try:
        return asdict(with_client(place.store, work))
    finally:
        players.close()


def run_in_store(
    context: Context, asked: ByHand, *, players: Players, caps: Caps
) -> ExperimentOutcome:
    """Check the scenarios against production, freeze the plan, and run it within ``caps``.

    For who holds the turn to run the loop: grants that others left open are forfeited.

    Raises:
        PermanentError: there is no such candidate, or nothing to test it on or with.
    """
    candidate = _find(context, asked.candidate)
    if candidate.state == "refused":
        raise PermanentError(
            f"candidate {candidate.candidate_id[:8]} was refused: {'; '.join(candidate.reasons)}"
        )
    agent = Agent(name=candidate.agent, project=candidate.project, trajectories=0, models=())
    testing = players.testing(agent)
    subject = _subject(context, candidate)
    explorer = ExperimentExplorer(client=context.client, renderer=context.renderer)
    # Each run is a cycle of its own: its cap is not what earlier ones spent.
    ledger = BudgetLedger(context, uuid.uuid4().hex, caps=caps, clock_ms=unix_ms)
    ledger.forfeit_open()
    purpose = Purpose(
        stage="experiments",
        role="agent",
        agent=agent.name,
        project=agent.project,
        purpose=candidate.candidate_id,
    )
    with ledger.lease(purpose, tranche=TRANCHE) as lease:
        parts = players.parts(context, agent, lease=lease, as_of_ms=explorer.analysed_ms())
        _check_scenarios(context, subject, testing, parts)
        plan = freeze_plan(context, subject, design=_design(context, asked, testing, parts))
        testing_now = _under_test(context, candidate, subject)
        outcome = run_experiment(context, plan, parts)
    if candidate.state not in ("proposed", "testing") and not outcome.resumable:
        # A verdict by hand changes nothing that was decided; the next cycle acts on the others.
        decide_candidate(context, testing_now, state=candidate.state, reasons=candidate.reasons)
    return outcome


def _under_test(context: Context, candidate: Candidate, subject: Subject) -> Candidate:
    """Store a candidate whole, as it is tested: agents outside fetch it by its hash."""
    tested = replace(
        candidate, configuration=subject.candidate, baseline_hash=subject.baseline.hash
    )
    return decide_candidate(context, tested, state="testing")


def _find(context: Context, name: str) -> Candidate:
    found = [
        each for each in load_candidates(context) if name and each.candidate_id.startswith(name)
    ]
    if len(found) != 1:
        raise PermanentError(
            f"{'several candidates begin' if found else 'no candidate begins'} with {name!r}; "
            "list them with `spanloop candidates`"
        )
    return found[0]


def _subject(context: Context, candidate: Candidate) -> Subject:
    release = current_release(context, candidate.agent, project=candidate.project)
    production: AgentConfiguration = (
        release.configuration if release else observe(context, candidate.agent).configuration
    )
    return Subject(
        agent=candidate.agent,
        project=candidate.project,
        baseline=production,
        candidate=apply_edits(production, candidate.edits),
        candidate_id=candidate.candidate_id,
        created_at=candidate.created_at,
    )


def _check_scenarios(
    context: Context, subject: Subject, testing: Procedure, parts: ExperimentParts
) -> None:
    replaying = Replaying(
        configuration=subject.baseline, max_steps=testing.max_steps, timeout_s=testing.timeout_s
    )
    check_validity(context, scenarios_for(context, subject, "gate"), replaying, parts)


def _design(context: Context, asked: ByHand, testing: Procedure, parts: ExperimentParts) -> Design:
    repeats = asked.repeats or testing.repeats
    scenarios = asked.scenarios or testing.gate.cap // testing.repeats
    return Design(
        purpose="gate",
        target=testing.target,
        assessor_version=parts.assessor.version,
        gate=testing.gate.model_copy(update={"cap": scenarios * repeats}),
        repeats=repeats,
        seed=context.seed,
        max_steps=testing.max_steps,
        timeout_s=testing.timeout_s,
    )


def _caps(settings: Settings) -> Caps:
    budget = settings.optimizer.budget
    return Caps(
        tokens=budget.max_tokens,
        usd=budget.max_usd,
        tokens_a_day=budget.max_tokens_a_day,
        usd_a_day=budget.max_usd_a_day,
    )
