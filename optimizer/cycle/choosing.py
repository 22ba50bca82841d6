"""What is tried next: patterns, candidates, and their order by what the library has measured.

All of it is stored or drawn from the cycle's id, so a cycle that is killed comes to the same choices.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from spanloop.optimizer.candidates import (
    Candidate,
    ProposalRequest,
    load_candidates,
    propose_candidates,
)
from spanloop.optimizer.candidates.candidate import INTERVENTIONS
from spanloop.optimizer.candidates.stored import BUNDLE, State
from spanloop.optimizer.configuration import digest
from spanloop.optimizer.context import COMPARABLE_COMPLETENESS
from spanloop.optimizer.cycle.state import StageReport
from spanloop.optimizer.cycle.train_player import TrainPlayer
from spanloop.optimizer.cycle.turn import CANDIDATES, Turn, purpose_of
from spanloop.optimizer.experiments.parts import ExperimentParts
from spanloop.optimizer.models import Lease
from spanloop.optimizer.strategies import Choice, LibraryEngine, Situation


def make_candidates(turn: Turn, report: StageReport) -> None:
    """Propose edits for what fails most: what the library has proven first, then as it expects."""
    situations = _situations(turn)
    if not situations:
        report.skip("nothing fails again and again")
        return
    choices = _ranked(turn, situations)
    known = _known(turn, choices)
    patterns = sorted(
        dict.fromkeys(choice.pattern_id for choice in choices),
        key=lambda pattern_id: pattern_id not in known,
    )
    settings = turn.parts.settings
    purpose = purpose_of(turn, CANDIDATES, "candidates")
    with turn.ledger.lease(
        purpose, tranche=settings.generator_tokens, most=settings.generator_tokens
    ) as lease:
        result = propose_candidates(
            turn.context,
            ProposalRequest(
                cycle_id=turn.cycle.cycle_id,
                agent=turn.agent.name,
                configuration=turn.production,
                lease=lease,
                pattern_ids=patterns,
                max_patterns=settings.patterns,
                n_a_pattern=settings.candidates_a_pattern,
                memory_since=turn.agent.models_since,
            ),
            turn.parts.engines(
                LibraryEngine(
                    library=turn.library,
                    agent=turn.agent.name,
                    validity=turn.validity,
                    prevalences={each.pattern_id: each.prevalence for each in situations},
                    seed=_seed(turn),
                ),
                _player(turn),
            ),
        )
        report.spend(lease.tokens, lease.cost_usd)
    report.counts |= {"proposed": len(result.proposed), "refused": len(result.refused)}
    report.notes += result.notes


def _known(turn: Turn, choices: Sequence[Choice]) -> Collection[str]:
    """Return the patterns for which the library has an entry that is proven and worth a try here."""
    proven = {
        (entry.category, entry.intervention)
        for entry in turn.library.strategies
        if entry.state == "proven"
    }
    return {
        choice.pattern_id
        for choice in choices
        if choice.worthwhile and (choice.category, choice.intervention) in proven
    }


def _player(turn: Turn) -> TrainPlayer:
    def parts(lease: Lease) -> ExperimentParts:
        return turn.parts.players.parts(
            turn.context, turn.agent, lease=lease, as_of_ms=turn.as_of_ms
        )

    return TrainPlayer(
        turn.context,
        parts,
        search_id=turn.cycle.cycle_id,
        testing=lambda: turn.parts.players.testing(turn.agent),
    )


SCREENED: Sequence[State] = ("proposed", "screened", "deferred")
"""States that screening leaves candidates in."""
UNWANTED: Collection[State] = ("refused", "screened", "deferred")
"""Candidates in these states are not tested."""


def wanted(turn: Turn) -> Sequence[Candidate]:
    """Return candidates that this cycle tests or has tested: its own, and those whose test was broken off."""
    own = load_candidates(turn.context, agent=turn.agent.name, cycle_id=turn.cycle.cycle_id)
    left = [
        candidate
        for candidate in load_candidates(turn.context, agent=turn.agent.name, states=("testing",))
        if candidate.cycle_id != turn.cycle.cycle_id
        and candidate.baseline_hash == turn.production.hash
    ]
    # A cycle makes its bundle anew, and so finds it again.
    mine = [c for c in own if c.state not in UNWANTED and c.engine != BUNDLE and c.edits]
    return [*left, *mine]


def considered(turn: Turn, report: StageReport) -> Sequence[Candidate]:
    """Return what this cycle proposed and screening is about, whatever it said of it before kill -9."""
    own = load_candidates(
        turn.context, agent=turn.agent.name, cycle_id=turn.cycle.cycle_id, states=SCREENED
    )
    return _worthwhile(turn, [c for c in own if c.engine != BUNDLE and c.edits], report)


def worthwhile(turn: Turn, report: StageReport) -> Sequence[Candidate]:
    """Return what is wanted but for what the library has measured to be worth no test, which is counted."""
    return _worthwhile(turn, wanted(turn), report)


def _worthwhile(
    turn: Turn, candidates: Sequence[Candidate], report: StageReport
) -> Sequence[Candidate]:
    expected = expectations(turn)

    def is_worthwhile(candidate: Candidate) -> bool:
        known = expected.get((candidate.pattern_id, candidate.intervention))
        return known is None or known.choice.worthwhile or candidate.state != "proposed"

    kept = [candidate for candidate in candidates if is_worthwhile(candidate)]
    idle = len(candidates) - len(kept)
    if idle:
        report.notes.append(
            f"{idle} candidates are not worth a test, by what the library has measured"
        )
    report.counts["not_worthwhile"] = idle
    return kept


class Expectation(NamedTuple):
    """What the library expects of an intervention on a pattern, and the share of traffic that shows it."""

    choice: Choice
    prevalence: float


def expectations(turn: Turn) -> Mapping[tuple[str, str], Expectation]:
    """Return what is expected, by pattern and intervention; the same each time it is asked in a cycle."""
    situations = _situations(turn)
    prevalence = {each.pattern_id: each.prevalence for each in situations}
    return {
        (choice.pattern_id, choice.intervention): Expectation(choice, prevalence[choice.pattern_id])
        for choice in _ranked(turn, situations)
    }


def _situations(turn: Turn) -> Sequence[Situation]:
    rows = turn.context.rows(
        "cycle/select_situations",
        {
            "agent": turn.agent.name,
            "project": turn.agent.project,
            "completeness": COMPARABLE_COMPLETENESS,
        },
    )
    return [
        Situation(
            agent=turn.agent.name,
            pattern_id=pattern_id,
            category=category,
            prevalence=float(prevalence),
            validity=turn.validity,
        )
        for pattern_id, category, prevalence in rows
    ]


def _ranked(turn: Turn, situations: Sequence[Situation]) -> Sequence[Choice]:
    """What the library draws for this cycle: the same each time it is asked."""
    return turn.library.rank(situations, INTERVENTIONS, np.random.default_rng(_seed(turn)))


def _seed(turn: Turn) -> int:
    return int(digest([turn.cycle.cycle_id, turn.agent.project, turn.agent.name])[:8], 16)
