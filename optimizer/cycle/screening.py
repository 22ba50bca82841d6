"""What is worth a place on the locked set: candidates first play what they were made for, on open scenarios.

An experiment on the locked set costs hundreds of episodes and part of the level that all later ones share.
A dozen episodes tell which edits do nothing at all. They are no evidence: train scenarios are among them,
and the best of many is better by chance; so they only drop and order, and the gate begins from nothing.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from spanloop.optimizer.candidates import (
    Candidate,
    apply_edits,
    decide_candidate,
    load_candidates,
)
from spanloop.optimizer.candidates.proposing import LIBRARY
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.cycle.beside import Differences, Occasion, entrants_of, play_beside
from spanloop.optimizer.cycle.choosing import considered, expectations
from spanloop.optimizer.cycle.reach import defer, defer_out_of_reach, rotate_spent
from spanloop.optimizer.cycle.state import StageReport
from spanloop.optimizer.cycle.turn import SCREENING, Turn

FEWEST = 4
"""Scenarios below which nothing is dropped."""
KNOWN_FIRST = "what the library knows goes first"
"""Why guesses are put off."""
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


def screen_candidates(turn: Turn, report: StageReport) -> None:
    """Drop candidates that do nothing for what they were made for.

    Nothing is played where the locked set is too small to show what all of them together could do.
    What the library knows goes first. If any of it helps here, too, guesses about the rest wait for the next
    cycle, once for each configuration: patterns overlap, one fault shows in several, and after a release it
    is seen what is left.
    """
    waiting = considered(turn, report)
    if not waiting:
        report.skip("no candidate waits for a test")
        return
    rotate_spent(turn, report)  # or a spent set, too small now, would stay
    if defer_out_of_reach(turn, waiting, report):
        return
    if not turn.parts.settings.screen_scenarios:
        report.skip("optimizer.candidates.screen_scenarios is 0")
        return
    known = [each for each in waiting if each.engine == LIBRARY]
    guesses = [each for each in waiting if each.engine != LIBRARY]
    showings = _drop_idle(turn, known, report)
    if any(showing.helps for showing in showings.values()) and not _put_off_before(turn):
        defer(turn, guesses, KNOWN_FIRST, report)
    else:
        _drop_idle(turn, guesses, report)


def _put_off_before(turn: Turn) -> bool:
    """Whether an earlier cycle has put guesses off for what runs now: they do not wait twice."""
    deferred = load_candidates(turn.context, agent=turn.agent.name, states=("deferred",))
    return any(
        each.cycle_id != turn.cycle.cycle_id
        and each.baseline_hash == turn.production.hash
        and KNOWN_FIRST in each.reasons
        for each in deferred
    )


def _drop_idle(
    turn: Turn, candidates: Sequence[Candidate], report: StageReport
) -> Mapping[str, Showing]:
    """Screen ``candidates`` beside production, and drop what does nothing; return what each showed."""
    showings = screen(turn, turn.production, candidates, report=report)
    for candidate in candidates:
        showing = showings.get(candidate.candidate_id, UNSEEN)
        if showing.idle:
            why = f"no better on {showing.scenarios} open scenarios of its pattern"
            decide_candidate(turn.now(), candidate, state="screened", reasons=[why])
    dropped = sum(showing.idle for showing in showings.values())
    report.counts["dropped"] = report.counts.get("dropped", 0) + dropped
    return showings


def screen(
    turn: Turn,
    baseline: AgentConfiguration,
    candidates: Sequence[Candidate],
    *,
    report: StageReport,
) -> Mapping[str, Showing]:
    """Return what ``candidates`` do to ``baseline``, by id; those that the budget left out are missing."""
    most = turn.parts.settings.screen_scenarios
    entrants = entrants_of(
        turn,
        candidates,
        lambda candidate: apply_edits(baseline, candidate.edits),
        lambda scenarios: scenarios[:most],
    )
    found = play_beside(
        turn,
        baseline,
        entrants,
        occasion=Occasion(stage=SCREENING, purpose="screen"),
        report=report,
    )
    return {name: _showing(differences) for name, differences in found.items()}


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


def _showing(differences: Differences) -> Showing:
    if not differences:
        return UNSEEN
    return Showing(sum(differences) / len(differences), len(differences))
