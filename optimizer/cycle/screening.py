"""What is worth a place on the locked set: candidates first play what they were made for, on open scenarios.

An experiment on the locked set costs hundreds of episodes and part of the level that all later ones share.
A dozen episodes tell which edits do nothing at all. They are no evidence: train scenarios are among them,
and the best of many is better by chance; so they only drop and order, and the gate begins from nothing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from spanloop.optimizer.candidates import Candidate, EditRefused, apply_edits, decide_candidate
from spanloop.optimizer.configuration import AgentConfiguration, digest
from spanloop.optimizer.cycle.choosing import expectations, worthwhile
from spanloop.optimizer.cycle.open_play import OpenPlay
from spanloop.optimizer.cycle.state import StageReport
from spanloop.optimizer.cycle.turn import SCREENING, Turn, purpose_of
from spanloop.optimizer.experiments.rounds import Outage
from spanloop.optimizer.experiments.runs import Run
from spanloop.optimizer.models import BudgetExhausted
from spanloop.optimizer.scenarios import load_scenarios
from spanloop.optimizer.scenarios.scenario import Scenario

FEWEST = 4
"""Scenarios below which nothing is dropped."""
PRIOR_SCENARIOS = 4.0
"""Scenarios that the library's expectation weighs as much as, when candidates are put in order."""


class Showing(NamedTuple):
    """What a candidate did on open scenarios of its pattern.

    Attributes:
        effect: mean difference to the baseline, in probability of satisfaction; 0 where none is known.
        scenarios: it is a mean over.
    """

    effect: float
    scenarios: int

    @property
    def idle(self) -> bool:
        """Whether it did no better where it should."""
        return self.scenarios >= FEWEST and self.effect <= 0.0

    @property
    def helps(self) -> bool:
        """Whether it did better where it should."""
        return self.scenarios >= FEWEST and self.effect > 0.0

    def shrunk(self, expected: float) -> float:
        """Return the effect to go by, between what was seen and what was ``expected`` before."""
        total = self.effect * self.scenarios + expected * PRIOR_SCENARIOS
        return total / (self.scenarios + PRIOR_SCENARIOS)


UNSEEN = Showing(0.0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """A candidate, whole, and the open scenarios of its pattern that it plays."""

    candidate: Candidate
    edited: AgentConfiguration
    scenarios: Sequence[Scenario]


def screen_candidates(turn: Turn, report: StageReport) -> None:
    """Drop candidates that do nothing for what they were made for."""
    proposed = [each for each in worthwhile(turn, report) if each.state == "proposed"]
    if not turn.parts.settings.screen_scenarios:
        report.skip("optimizer.candidates.screen_scenarios is 0")
    elif not proposed:
        report.skip("no candidate waits for a test")
    else:
        showings = screen(turn, turn.production, proposed, report=report)
        for candidate in proposed:
            showing = showings.get(candidate.candidate_id, UNSEEN)
            if showing.idle:
                why = f"no better on {showing.scenarios} open scenarios of its pattern"
                decide_candidate(turn.now(), candidate, state="screened", reasons=[why])
        report.counts["dropped"] = sum(each.idle for each in showings.values())


def screen(
    turn: Turn,
    baseline: AgentConfiguration,
    candidates: Sequence[Candidate],
    *,
    report: StageReport,
) -> Mapping[str, Showing]:
    """Return what ``candidates`` do to ``baseline``, by id; those that the budget left out are missing.

    What was played in this cycle with the same configuration is not played again.
    """
    entrants = _entrants(turn, baseline, candidates)
    if not entrants:
        return {}
    testing = turn.parts.players.testing(turn.agent)
    purpose = purpose_of(turn, SCREENING, f"screen {baseline.hash[:8]}")
    with turn.ledger.lease(purpose, tranche=turn.parts.settings.tranche) as lease:
        parts = turn.parts.players.parts(
            turn.context, turn.agent, lease=lease, as_of_ms=turn.as_of_ms
        )
        play = OpenPlay(
            context=turn.context,
            parts=parts,
            testing=testing,
            purpose="screen",
            name=turn.cycle.cycle_id,
        )
        try:
            return _played(play, baseline, entrants)
        except (BudgetExhausted, Outage) as over:
            report.notes.append(f"not all candidates could be screened: {over}")
            return {}
        finally:
            report.spend(lease.tokens, lease.cost_usd)


class Ranked(NamedTuple):
    """A candidate, and what it did to the configuration it was ranked for."""

    candidate: Candidate
    showing: Showing


def rank(
    turn: Turn,
    baseline: AgentConfiguration,
    candidates: Sequence[Candidate],
    *,
    report: StageReport,
) -> Sequence[Ranked]:
    """Return those of ``candidates`` that do something to ``baseline``, the most promising first."""
    showings = screen(turn, baseline, candidates, report=report)
    expected = expectations(turn)

    def promise(each: Ranked) -> float:
        known = expected.get((each.candidate.pattern_id, each.candidate.intervention))
        if known is None:
            return -math.inf
        if not showings:
            return known.choice.drawn
        return known.prevalence * each.showing.shrunk(known.choice.effect)

    ranked = [Ranked(each, showings.get(each.candidate_id, UNSEEN)) for each in candidates]
    return sorted(
        (each for each in ranked if not each.showing.idle),
        key=lambda each: (-promise(each), each.candidate.candidate_id),
    )


def _entrants(
    turn: Turn, baseline: AgentConfiguration, candidates: Sequence[Candidate]
) -> Sequence[Entrant]:
    """Return the candidates that can be screened, with what they play."""
    most = turn.parts.settings.screen_scenarios
    found = load_scenarios(turn.context, agent=turn.agent.name, splits=["train", "validation"])
    scenarios = sorted(
        (each for each in found if each.project == turn.agent.project),
        # Engines have not seen the validation split; within a split the order is by chance.
        key=lambda each: (each.split != "validation", digest(["screen", each.scenario_id])),
    )
    entrants: list[Entrant] = []
    for candidate in candidates if most else ():
        own = [each for each in scenarios if candidate.pattern_id in each.pattern_ids][:most]
        try:
            edited = apply_edits(baseline, candidate.edits)
        except EditRefused:  # whoever tests it says so
            continue
        if own:
            entrants.append(Entrant(candidate=candidate, edited=edited, scenarios=own))
    return entrants


def _played(
    play: OpenPlay, baseline: AgentConfiguration, entrants: Sequence[Entrant]
) -> Mapping[str, Showing]:
    """Play everything, then judge it at once; return what each entrant showed."""
    scenarios = {each.scenario_id: each for entrant in entrants for each in entrant.scenarios}
    progress = play.context.progress
    progress.stage("screening", len(entrants))
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
        entrant.candidate.candidate_id: _showing(
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


def _showing(pairs: Sequence[tuple[float | None, float | None]]) -> Showing:
    known = [(b, c) for b, c in pairs if b is not None and c is not None]
    if not known:
        return UNSEEN
    return Showing(sum(c - b for b, c in known) / len(known), len(known))
