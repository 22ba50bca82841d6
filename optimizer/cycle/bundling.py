"""Several edits in one test: those that help together on open scenarios.

A test can only show what is large beside what its scenarios can tell. Three edits that each mend a sixth of
the traffic take three tests of hundreds of scenarios, each at a lower level; together they mend half of it,
which one test of some dozens shows. What is released is what was tested: the whole bundle. Its members are
told apart afterwards by the traffic that each is aimed at (`spanloop.optimizer.cycle.learning`), or by
leaving each out; where the bundle does not ship, they are tested one by one.
"""

from collections.abc import Mapping, Sequence

from spanloop.optimizer.candidates import (
    Candidate,
    EditLimits,
    EditRefused,
    apply_edits,
    edit_hash,
    load_candidates,
    save_candidates,
)
from spanloop.optimizer.candidates.edits import oversize
from spanloop.optimizer.candidates.stored import BUNDLE
from spanloop.optimizer.configuration import AgentConfiguration, digest
from spanloop.optimizer.cycle.beside import Differences, Occasion, entrants_of, play_beside
from spanloop.optimizer.cycle.choosing import UNWANTED
from spanloop.optimizer.cycle.screening import UNSEEN, Ranked, screen
from spanloop.optimizer.cycle.state import StageReport
from spanloop.optimizer.cycle.turn import EXPERIMENTS, Turn
from spanloop.optimizer.experiments import Subject

TRIES = 2
"""Candidates that are tried for each place."""


def bundle(
    turn: Turn, baseline: AgentConfiguration, ranked: Sequence[Ranked], report: StageReport
) -> Candidate | None:
    """Return the bundle of the best of ``ranked``, as it was made before if it was; None = of fewer than two.

    They are tried in their order, those against a new fault first: one more is a member if it helps beside
    those before it.
    """
    most = turn.parts.settings.edits_a_test
    members: list[Candidate] = []
    edited = baseline
    for candidate in _faults_first([c for c, showing in ranked if showing.helps])[: TRIES * most]:
        if len(members) == most:
            break
        edits = [edit for each in (*members, candidate) for edit in each.edits]
        try:
            together = apply_edits(edited, candidate.edits)
        except EditRefused:  # it changes what a member has changed
            continue
        if oversize(baseline, edits, EditLimits()):
            continue
        if members:
            again = screen(turn, edited, [candidate], report=report)
            if not again.get(candidate.candidate_id, UNSEEN).helps:
                continue
        members.append(candidate)
        edited = together
    return _stored(turn, members) if len(members) > 1 else None


def _faults_first(candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """Return ``candidates``, the first of each pattern before all others."""
    first = {each.pattern_id: each.candidate_id for each in reversed(candidates)}
    return sorted(candidates, key=lambda each: first[each.pattern_id] != each.candidate_id)


def members_of(turn: Turn, candidate: Candidate) -> Sequence[Candidate]:
    """Return the candidates that ``candidate`` is made of: itself, unless it is a bundle."""
    if candidate.engine != BUNDLE:
        return [candidate]
    own = load_candidates(turn.context, agent=candidate.agent, cycle_id=candidate.cycle_id)
    edits = set(candidate.edits)
    tested = [c for c in own if c.engine != BUNDLE and c.state not in UNWANTED and c.edits]
    return [each for each in tested if edits.issuperset(each.edits)]


def leave_each_out(
    turn: Turn,
    subject: Subject,
    together: Candidate,
    asked: Sequence[Candidate],
    *,
    report: StageReport,
) -> Mapping[str, Differences]:
    """Return what each of ``asked`` adds to the rest of ``together``, on open scenarios of its pattern.

    Those that screening comes to last, if at all, played anew: it chose members by how they went. Empty where
    the budget does not suffice; a member is missing whose edits the others rest on.
    """
    most = turn.parts.settings.screen_scenarios

    def without(member: Candidate) -> AgentConfiguration:
        others = [edit for edit in together.edits if edit not in member.edits]
        return apply_edits(subject.baseline, others)

    entrants = entrants_of(turn, asked, without, lambda scenarios: scenarios[::-1][:most])
    lost = play_beside(
        turn,
        subject.candidate,
        entrants,
        occasion=Occasion(stage=EXPERIMENTS, purpose="apart"),
        report=report,
    )
    return {name: [-each for each in differences] for name, differences in lost.items()}


def _stored(turn: Turn, members: Sequence[Candidate]) -> Candidate:
    name = digest([BUNDLE, turn.cycle.cycle_id, *(each.candidate_id for each in members)])
    known = load_candidates(turn.context, agent=turn.agent.name, candidate_id=name)
    if known:
        return known[0]
    first, now = members[0], turn.now()
    edits = tuple(edit for each in members for edit in each.edits)
    made = Candidate(
        candidate_id=name,
        project=first.project,
        agent=first.agent,
        cycle_id=first.cycle_id,
        pattern_id=first.pattern_id,
        category=first.category,
        intervention=first.intervention,
        engine=BUNDLE,
        state="proposed",
        baseline_hash=first.baseline_hash,
        edits=edits,
        edit_hash=edit_hash(edits),
        rationale="Together: " + " ".join(each.rationale for each in members),
        scenarios=tuple(dict.fromkeys(s for each in members for s in each.scenarios)),
        created_at=max(each.created_at for each in members),
        version=now.now_ms,
    )
    save_candidates(now, [made])
    return made
