"""Configurations beside a baseline on open scenarios: what each does where it should.

None of it is evidence for the gate: train scenarios are among them, and who is played was chosen by how it
went before. It tells what is worth a test, and afterwards which part of what shipped did what.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from spanloop.optimizer.candidates import Candidate, EditRefused
from spanloop.optimizer.configuration import AgentConfiguration, digest
from spanloop.optimizer.cycle.open_play import OpenPlay
from spanloop.optimizer.cycle.state import StageReport
from spanloop.optimizer.cycle.turn import Turn, purpose_of
from spanloop.optimizer.experiments.rounds import Outage
from spanloop.optimizer.experiments.runs import Run
from spanloop.optimizer.models import BudgetExhausted
from spanloop.optimizer.scenarios import load_scenarios
from spanloop.optimizer.scenarios.scenario import Scenario

Differences = Sequence[float]
"""Of satisfaction (0 to 1) to the baseline, one a scenario whose outcome is known under both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """A configuration that a candidate leads to, and the open scenarios of its pattern that it plays."""

    candidate: Candidate
    edited: AgentConfiguration
    scenarios: Sequence[Scenario]


def _own_scenarios(turn: Turn, candidates: Sequence[Candidate]) -> Mapping[str, Sequence[Scenario]]:
    """Return the open scenarios of each candidate's pattern, by candidate; validation first, then by chance.

    Engines have not seen the validation split.
    """
    found = load_scenarios(turn.context, agent=turn.agent.name, splits=["train", "validation"])
    scenarios = sorted(
        (each for each in found if each.project == turn.agent.project),
        key=lambda each: (each.split != "validation", digest(["screen", each.scenario_id])),
    )
    return {
        each.candidate_id: [s for s in scenarios if each.pattern_id in s.pattern_ids]
        for each in candidates
    }


def entrants_of(
    turn: Turn,
    candidates: Sequence[Candidate],
    edited: Callable[[Candidate], AgentConfiguration],
    chosen: Callable[[Sequence[Scenario]], Sequence[Scenario]],
) -> Sequence[Entrant]:
    """Return an entrant for each of ``candidates`` whose edits apply and that has something to play.

    Args:
        turn: of the agent.
        candidates: those that are asked about.
        edited: what each plays with; may raise `EditRefused`.
        chosen: which of the open scenarios of its pattern.
    """
    if not candidates:
        return []
    own = _own_scenarios(turn, candidates)
    entrants: list[Entrant] = []
    for candidate in candidates:
        scenarios = chosen(own[candidate.candidate_id])
        with contextlib.suppress(EditRefused):  # whoever tests it says so
            configuration = edited(candidate)
            if scenarios:
                entrants.append(
                    Entrant(candidate=candidate, edited=configuration, scenarios=scenarios)
                )
    return entrants


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What open scenarios are played for.

    Attributes:
        stage: of the cycle, that pays.
        purpose: begins the experiment ids: what is played for one purpose is not used for another.
    """

    stage: str
    purpose: str


def play_beside(
    turn: Turn,
    baseline: AgentConfiguration,
    entrants: Sequence[Entrant],
    *,
    occasion: Occasion,
    report: StageReport,
) -> Mapping[str, Differences]:
    """Return what each entrant does to ``baseline``, by candidate; nothing where the budget does not suffice.

    What was played in this cycle for the same purpose, with the same configuration, is not played again.
    """
    if not entrants:
        return {}
    testing = turn.parts.players.testing(turn.agent)
    purpose = purpose_of(turn, occasion.stage, f"{occasion.purpose} {baseline.hash[:8]}")
    try:
        with turn.ledger.lease(purpose, tranche=turn.parts.settings.tranche) as lease:
            try:
                parts = turn.parts.players.parts(
                    turn.context, turn.agent, lease=lease, as_of_ms=turn.as_of_ms
                )
                play = OpenPlay(
                    context=turn.context,
                    parts=parts,
                    testing=testing,
                    purpose=occasion.purpose,
                    name=turn.cycle.cycle_id,
                )
                return _played(play, baseline, entrants)
            finally:
                report.spend(lease.tokens, lease.cost_usd)
    except (BudgetExhausted, Outage) as over:
        report.notes.append(f"not everything could be played on open scenarios: {over}")
        return {}


def _played(
    play: OpenPlay, baseline: AgentConfiguration, entrants: Sequence[Entrant]
) -> Mapping[str, Differences]:
    """Play everything, then judge it at once."""
    scenarios = {each.scenario_id: each for entrant in entrants for each in entrant.scenarios}
    progress = play.context.progress
    progress.stage(f"{play.purpose}: open scenarios", len(entrants))
    before = play.play(list(scenarios.values()), baseline)
    after: list[Mapping[str, Run]] = []
    for entrant in entrants:
        after.append(play.play(entrant.scenarios, entrant.edited))
        progress.advance()
    runs = play.judged(
        {run.run_id: run for own in (before, *after) for run in own.values()},
        scenarios,
        gold=scenarios,
    )

    def outcome(run: Run) -> float | None:
        return _outcome(runs[run.run_id])

    return {
        entrant.candidate.candidate_id: _differences(
            [(outcome(before[name]), outcome(run)) for name, run in own.items()]
        )
        for entrant, own in zip(entrants, after, strict=True)
    }


def _outcome(run: Run) -> float | None:
    """Return how a run came out: gold where criteria can tell, else as the assessor says; None = unknown."""
    if run.lost:
        return None
    if run.assessed is None:
        return 0.0  # it failed
    return run.assessed.score if run.assessed.gold is None else run.assessed.gold


def _differences(pairs: Sequence[tuple[float | None, float | None]]) -> Differences:
    return [after - before for before, after in pairs if before is not None and after is not None]
