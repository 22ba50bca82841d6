"""Whether the locked set could show what waits for a test; if not, it is put off before it costs anything."""

from collections.abc import Collection, Sequence

from spanloop.optimizer.candidates import Candidate, decide_candidate
from spanloop.optimizer.cycle.state import StageReport
from spanloop.optimizer.cycle.turn import Turn
from spanloop.optimizer.experiments import PlanRefused, check_reach, rotate_if_spent
from spanloop.optimizer.patterns.lifecycle import UNSOLVED
from spanloop.optimizer.patterns.storing import read_patterns


def defer_out_of_reach(turn: Turn, candidates: Sequence[Candidate], report: StageReport) -> bool:
    """Defer ``candidates`` if not even all that they are aimed at, mended together, could be shown.

    Returns:
        Whether they were; the stage is skipped then.
    """
    settings = turn.parts.settings
    design = turn.parts.players.testing(turn.agent).design(seed=settings.seed)
    try:
        check_reach(
            turn.context,
            turn.unchanged,
            design=design,
            fewest=settings.fewest_scenarios,
            aims=aims_of(turn, candidates),
        )
    except PlanRefused as refused:
        defer(turn, candidates, str(refused), report)
        report.skip(f"all candidates together: {refused}")
        return True
    return False


def aims_of(turn: Turn, candidates: Sequence[Candidate]) -> Collection[str]:
    """Return the patterns that ``candidates`` are aimed at: their own, and what these are special cases of.

    What mends failed calls of users who are in a hurry may mend failed calls; one case of a pattern is not
    all that its edit may be shown on. What a release has mended is guarded, and mended no second time.
    """
    own = {each.pattern_id for each in candidates}
    patterns = read_patterns(turn.context)
    cases = [each.predicate for each in patterns if each.pattern_id in own]
    wider = {
        each.pattern_id
        for each in patterns
        if each.state in UNSOLVED and any(case.implies(each.predicate) for case in cases)
    }
    return own | wider


def rotate_spent(turn: Turn, report: StageReport) -> None:
    """Replace the locked set if it has been looked at too often."""
    rotated = rotate_if_spent(
        turn.context,
        agent=turn.agent.name,
        project=turn.agent.project,
        limits=turn.parts.settings.holdout,
    )
    if rotated is not None:
        report.notes.append(f"the locked set was spent: generation {rotated} takes its place")


def defer(turn: Turn, candidates: Sequence[Candidate], why: str, report: StageReport) -> None:
    """Put ``candidates`` off to a later cycle, which makes them anew."""
    for candidate in candidates:
        decide_candidate(turn.now(), candidate, state="deferred", reasons=[why])
    report.counts["deferred"] = len(candidates)
