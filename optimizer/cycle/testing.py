"""Experiments of a cycle, and what each verdict asks for.

Candidates are tested one after the other, each against the configuration that those before it left proven.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from spanloop.optimizer.candidates import Candidate, EditRefused, apply_edits, decide_candidate
from spanloop.optimizer.candidates.stored import State
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.cycle.beside import Differences
from spanloop.optimizer.cycle.bundling import bundle, leave_each_out, members_of
from spanloop.optimizer.cycle.choosing import wanted, worthwhile
from spanloop.optimizer.cycle.learning import (
    Circumstances,
    learn_from_win,
    not_apart,
    record_outcome,
)
from spanloop.optimizer.cycle.parts import Procedure
from spanloop.optimizer.cycle.reach import aims_of, defer_out_of_reach, rotate_spent
from spanloop.optimizer.cycle.screening import rank
from spanloop.optimizer.cycle.state import StageReport, analysed_ms
from spanloop.optimizer.cycle.turn import EXPERIMENTS, VALIDITY, Turn, purpose_of
from spanloop.optimizer.experiments import (
    Confirmation,
    ExperimentOutcome,
    ExperimentPlan,
    PlanRefused,
    Replaying,
    Scrutiny,
    Subject,
    check_validity,
    confirm_winner,
    freeze_plan,
    run_experiment,
    scenarios_for,
)
from spanloop.optimizer.gate import Decision
from spanloop.optimizer.models import BudgetExhausted
from spanloop.optimizer.releases import ReleaseProposal, propose_release
from spanloop.processor.errors import SpanloopError, Stopping


def check_scenarios(turn: Turn, report: StageReport) -> None:
    """Play production again on what candidates will be tested on; what it does not reproduce counts less."""
    testing = turn.parts.players.testing(turn.agent)
    waiting = wanted(turn)
    if not waiting:
        report.skip("no candidate waits for a test")
        return
    rotate_spent(turn, report)
    # What screening left may be out of reach though all together was not; what was begun goes on.
    is_new = all(each.state == "proposed" for each in waiting)
    if is_new and defer_out_of_reach(turn, waiting, report):
        return
    purpose = purpose_of(turn, VALIDITY, "validity")
    with turn.ledger.lease(purpose, tranche=turn.parts.settings.tranche) as lease:
        parts = turn.parts.players.parts(
            turn.context, turn.agent, lease=lease, as_of_ms=turn.as_of_ms
        )
        locked = scenarios_for(turn.context, turn.unchanged, "gate")
        replaying = Replaying(
            configuration=turn.production,
            max_steps=testing.max_steps,
            timeout_s=testing.timeout_s,
        )
        try:
            checked = check_validity(turn.context, locked, replaying, parts)
        except BudgetExhausted as spent:
            report.stop(str(spent))
        else:
            report.counts |= Counter(each.validity for each in checked)
        report.spend(lease.tokens, lease.cost_usd)


def try_candidates(turn: Turn, report: StageReport) -> None:
    """Test the most promising candidates, and act on each verdict."""
    testing = turn.parts.players.testing(turn.agent)
    agent = turn.agent
    if not turn.cycle.is_finished(VALIDITY, agent=agent.name, project=agent.project):
        report.stop("not all scenarios were checked against production; the next cycle goes on")
        return
    baseline, tested = turn.production, 0
    candidates = worthwhile(turn, report)
    own = [each for each in candidates if each.cycle_id == turn.cycle.cycle_id]
    # What an earlier cycle has paid for in part comes before all; that cycle has screened it.
    left = [each for each in candidates if each.cycle_id != turn.cycle.cycle_id]
    ranked = rank(turn, baseline, own, report=report)
    together = bundle(turn, baseline, ranked, report)
    waiting = [*left, *([together] if together else []), *(c for c, _ in ranked)]
    while waiting and tested < turn.parts.settings.tests:
        candidate, *rest = waiting
        waiting = rest
        try:
            edited = apply_edits(baseline, candidate.edits)
            shipped = _test(
                turn, testing, candidate, configurations=(baseline, edited), report=report
            )
        except (EditRefused, PlanRefused) as refused:
            report.notes.append(f"candidate {candidate.candidate_id[:8]}: {refused}")
            if isinstance(refused, PlanRefused):
                _refuse(turn, candidate, str(refused))
            continue
        except BudgetExhausted as spent:
            report.stop(str(spent))
            break
        tested += 1
        if report.state == "stopped":
            break
        if shipped:
            baseline = edited
            inside = {member.candidate_id for member in members_of(turn, candidate)}
            rest = [each for each in rest if each.candidate_id not in inside]
            waiting = [c for c, _ in rank(turn, baseline, rest, report=report)]
            if len(waiting) < len(rest):
                report.notes.append(
                    f"{len(rest) - len(waiting)} candidates do no better beside what shipped: not tested"
                )
    if waiting and tested == turn.parts.settings.tests:
        report.notes.append("optimizer.candidates.tests_a_cycle is reached")
    report.counts["tested"] = tested


def _refuse(turn: Turn, candidate: Candidate, why: str) -> None:
    """Store why a candidate is not tested; one whose test was broken off, and cannot go on, is over."""
    over: State = "inconclusive" if candidate.state == "testing" else candidate.state
    decide_candidate(turn.now(), candidate, state=over, reasons=[why])


def _test(
    turn: Turn,
    testing: Procedure,
    candidate: Candidate,
    *,
    configurations: tuple[AgentConfiguration, AgentConfiguration],
    report: StageReport,
) -> bool:
    """Run one experiment and act on its verdict; return whether the candidate is to be released."""
    baseline, edited = configurations
    # One that an earlier cycle began is judged by what was known then, or it would be another experiment.
    as_of_ms = analysed_ms(turn.context, candidate.cycle_id) or turn.as_of_ms
    purpose = purpose_of(turn, EXPERIMENTS, candidate.candidate_id)
    with turn.ledger.lease(purpose, tranche=turn.parts.settings.tranche) as lease:
        parts = turn.parts.players.parts(turn.context, turn.agent, lease=lease, as_of_ms=as_of_ms)
        subject = Subject(
            agent=turn.agent.name,
            project=turn.agent.project,
            baseline=baseline,
            candidate=edited,
            candidate_id=candidate.candidate_id,
            created_at=candidate.created_at,
            cycle_id=turn.cycle.cycle_id,
        )
        plan = freeze_plan(
            turn.context,
            subject,
            design=testing.design(
                seed=turn.parts.settings.seed, assessor_version=parts.assessor.version
            ),
            fewest=turn.parts.settings.fewest_scenarios,
            aims=aims_of(turn, members_of(turn, candidate)),
        )
        # Stored whole, as it is tested: agents outside fetch it by its hash.
        if candidate.state == "proposed":
            candidate = _moved(
                turn,
                replace(candidate, configuration=edited, baseline_hash=baseline.hash),
                "testing",
            )
        outcome = run_experiment(turn.context, plan, parts)
        decision = outcome.verdict.decision
        report.counts[decision] = report.counts.get(decision, 0) + 1
        confirmation = None
        if decision == "ship":
            second = turn.parts.players.second(turn.context, lease=lease, as_of_ms=as_of_ms)
            confirmation = confirm_winner(
                turn.context, plan, parts, scrutiny=Scrutiny(second=second)
            )
        report.spend(lease.tokens, lease.cost_usd)
    if outcome.resumable:
        report.stop(
            f"experiment {outcome.experiment_id[:8]} waits ({outcome.verdict.reason}); the next cycle goes on"
        )
        return False
    _conclude(turn, candidate, plan, outcome, confirmation=confirmation, report=report)
    return decision == "ship" and not (confirmation and confirmation.refused)


_STATES: Mapping[Decision, State] = {
    "ship": "shipped",
    "reject": "rejected",
    "inconclusive": "inconclusive",
    "unsupported": "unsupported",
}


def _conclude(
    turn: Turn,
    candidate: Candidate,
    plan: ExperimentPlan,
    outcome: ExperimentOutcome,
    *,
    confirmation: Confirmation | None,
    report: StageReport,
) -> None:
    """Do what a verdict asks for; doing it again changes nothing."""
    verdict = outcome.verdict
    refused = confirmation.refused if confirmation else ()
    state = "rejected" if refused else _STATES[verdict.decision]
    reasons = [*([verdict.reason] if verdict.reason else []), *refused]
    members = members_of(turn, candidate)
    apart: Mapping[str, Differences] = {}
    if state == "shipped":  # before what it teaches, which takes time and may fail
        _release(turn, candidate, plan, outcome)
        unclear = not_apart(members, plan, verdict.closed)
        apart = _left_out(turn, plan, candidate, unclear, report)
    trials = record_outcome(
        turn.now(),
        members,
        plan,
        outcome,
        circumstances=Circumstances(
            validity=turn.validity,
            survived=confirmation.survived if confirmation else None,
            apart=apart,
        ),
    )
    if state == "shipped":
        for member in members:
            trial = trials.get(member.candidate_id)
            # A member that did nothing of its own rode along: its trial says so, and there is no insight.
            if trial is not None and trial.verdict == "ship":
                learn_from_win(turn.context, member, trial, tested_on=plan.subject.baseline)
            if member is not candidate:
                _moved(turn, member, state, [f"in bundle {candidate.candidate_id}"])
    # Last: whoever dies before finds the candidate under test, and comes here again.
    _moved(turn, candidate, state, reasons)


def _left_out(
    turn: Turn,
    plan: ExperimentPlan,
    together: Candidate,
    unclear: Sequence[Candidate],
    report: StageReport,
) -> Mapping[str, Differences]:
    try:
        return leave_each_out(turn, plan.subject, together, unclear, report=report)
    except Stopping:
        raise
    except SpanloopError as failure:  # what shipped has shipped: the library only learns less of it
        report.notes.append(f"members of {together.candidate_id[:8]} are not told apart: {failure}")
        return {}


def _release(
    turn: Turn, candidate: Candidate, plan: ExperimentPlan, outcome: ExperimentOutcome
) -> None:
    verdict = outcome.verdict
    settings = turn.parts.settings
    propose_release(
        turn.now(),
        ReleaseProposal(
            agent=turn.agent.name,
            project=turn.agent.project,
            configuration=plan.subject.candidate,
            baseline_hash=plan.subject.baseline.hash,
            candidate_id=candidate.candidate_id,
            experiment_id=outcome.experiment_id,
            effect=verdict.effect.value if verdict.effect else None,
            evidence={"e_value": verdict.e_value, "scenarios": verdict.closed},
        ),
        mode=settings.live.mode,
        share=settings.live.canary_share,
    )


def _moved(
    turn: Turn, candidate: Candidate, state: State, reasons: Sequence[str] = ()
) -> Candidate:
    """Store a candidate in another state, unless it is in it."""
    if candidate.state == state:
        return candidate
    return decide_candidate(turn.now(), candidate, state=state, reasons=reasons)
