"""The stage that makes candidates: patterns in, scanned proposals out, nothing paid for twice.

What an engine proposed is stored before the next one is asked, all of it in one insert. So a cycle that is
killed finds each finished engine call again and asks only the rest.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import get_args

from spanloop.optimizer.candidates.candidate import CandidateEngine, PatternBrief, Proposal
from spanloop.optimizer.candidates.corpus import Corpus, make_corpus
from spanloop.optimizer.candidates.edits import EditLimits, EditRefused, apply_edits, edit_hash
from spanloop.optimizer.candidates.memory import Memory, load_memory
from spanloop.optimizer.candidates.scan import scan_text, scan_with
from spanloop.optimizer.candidates.shapes import plain_line
from spanloop.optimizer.candidates.stored import (
    Candidate,
    State,
    load_candidates,
    save_candidates,
)
from spanloop.optimizer.configuration import AgentConfiguration, digest
from spanloop.optimizer.context import Context, time_of
from spanloop.optimizer.models import AnswerInvalid, BudgetExhausted, Lease, ModelFailure
from spanloop.optimizer.scenarios.scenario import Scenario
from spanloop.optimizer.scenarios.storing import load_scenarios

RATIONALE_CHARS = 600
WITHHELD = "(withheld: the engine wrote into it what comes from traces)"
A_CALL = 40_000
"""Tokens that one call of a model may take at most, as is reckoned before it is made; most take a tenth.
Who is asked gets no less while it is there, or the most frequent patterns, which come first, got nothing."""
LIBRARY = "library"
"""Name of the engine whose proposals have won before."""
EVERY_STATE: tuple[State, ...] = get_args(State)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalRequest:
    """What candidates are wanted for.

    Attributes:
        cycle_id: part of every CandidateId.
        configuration: the baseline.
        lease: for all engines and patterns together.
        pattern_ids: in the order to take them; none = the most harmful of the store.
        max_patterns: taken at most.
        n_a_pattern: sound candidates wanted for each, shared out evenly among the engines.
        examples: train scenarios that show a pattern, told to engines at most; as many that do not.
        memory_since: older decisions do not count, see `spanloop.optimizer.candidates.memory.load_memory`.
    """

    cycle_id: str
    agent: str
    configuration: AgentConfiguration
    lease: Lease
    pattern_ids: Sequence[str] = ()
    max_patterns: int = 3
    n_a_pattern: int = 4
    examples: int = 8
    limits: EditLimits = field(default_factory=EditLimits)
    memory_since: datetime | None = None


@dataclass(slots=True, kw_only=True)
class ProposalResult:
    """What the stage made, earlier runs of the same cycle included.

    Attributes:
        proposed: sound candidates, by pattern in the order of the request.
        refused: by a scan, by the size cap, by memory, or because they cannot be applied.
        notes: what was left out, and why.
        calls: engine calls made now.
        resumed: engine calls of an earlier run of this cycle that were not made again.
    """

    proposed: list[Candidate] = field(default_factory=list[Candidate])
    refused: list[Candidate] = field(default_factory=list[Candidate])
    notes: list[str] = field(default_factory=list[str])
    calls: int = 0
    resumed: int = 0


@dataclass(slots=True, kw_only=True)
class _Bench:
    """What every call of a run works with.

    Attributes:
        done: what each finished call of this cycle made, by pattern and engine.
        made: hashes of the sound edits of this cycle so far.
    """

    context: Context
    request: ProposalRequest
    engines: Sequence[CandidateEngine]
    corpus: Corpus
    memory: Memory
    done: dict[tuple[str, str], list[Candidate]]
    made: set[str] = field(default_factory=set[str])
    result: ProposalResult = field(default_factory=ProposalResult)


def propose_candidates(
    context: Context, request: ProposalRequest, engines: Sequence[CandidateEngine]
) -> ProposalResult:
    """Ask ``engines`` in order, pattern by pattern, until each pattern has its candidates."""
    train = load_scenarios(context, agent=request.agent, splits=["train"])
    hidden = load_scenarios(context, agent=request.agent, splits=["validation", "test", "fresh"])
    briefs = make_briefs(context, request, train)
    bench = _Bench(
        context=context,
        request=request,
        engines=engines,
        corpus=make_corpus(request.configuration, train=train, hidden=hidden),
        memory=load_memory(
            context,
            agent=request.agent,
            baseline_hash=request.configuration.hash,
            since=request.memory_since,
        ),
        done=_finished_calls(context, request),
    )
    if not briefs:
        bench.result.notes.append(
            f"no pattern of {request.agent!r} has a train scenario that shows it"
        )
    context.progress.stage("candidates", len(briefs))
    for at, brief in enumerate(briefs):
        _propose_for_inplace(bench, brief, patterns_left=len(briefs) - at)
        context.progress.advance()
    return bench.result


def make_briefs(
    context: Context, request: ProposalRequest, train: Sequence[Scenario]
) -> list[PatternBrief]:
    """Return what engines are told, the most urgent pattern first; from train scenarios only.

    Raises:
        ValueError: a scenario of another split is among ``train``.
    """
    if any(scenario.split != "train" for scenario in train):
        raise ValueError("engines are told of train scenarios only")
    rows = context.rows(
        "candidates/select_ranked_patterns",
        {
            "agent": request.agent,
            "ids": list(request.pattern_ids),
            "n": 1_000,  # more than mining ever keeps: those without a train scenario do not count
        },
    )
    if wanted := list(request.pattern_ids):
        rows = sorted(rows, key=lambda row: wanted.index(str(row[0])))
    briefs = [_brief([str(value) for value in row], train, request.examples) for row in rows]
    return [brief for brief in briefs if brief.examples][: request.max_patterns]


def _brief(row: Sequence[str], train: Sequence[Scenario], n: int) -> PatternBrief:
    pattern_id, category, title, explanation, predicate, _ = row
    shows = [s for s in train if pattern_id in s.pattern_ids]
    strata = {s.stratum for s in shows}
    others = [s for s in train if pattern_id not in s.pattern_ids and s.stratum in strata]

    def satisfaction(scenario: Scenario) -> float:
        return 0.5 if scenario.production_satisfied is None else scenario.production_satisfied

    return PatternBrief(
        pattern_id=pattern_id,
        category=category,
        title=title,
        explanation=explanation,
        predicate=predicate,
        examples=_by_story(
            sorted(shows, key=lambda s: (satisfaction(s), -s.weight, s.scenario_id))
        )[:n],
        counterexamples=_by_story(
            sorted(others, key=lambda s: (-satisfaction(s), -s.weight, s.scenario_id))
        )[:n],
    )


def _by_story(scenarios: Sequence[Scenario]) -> list[Scenario]:
    """Return the first of each cluster, then the second of each: a story told often is one."""
    turns: Counter[str] = Counter()
    keyed: list[tuple[int, int]] = []
    for at, scenario in enumerate(scenarios):
        cluster = scenario.cluster_key or scenario.scenario_id
        keyed.append((turns[cluster], at))
        turns[cluster] += 1
    return [scenarios[at] for _, at in sorted(keyed)]


def _finished_calls(
    context: Context, request: ProposalRequest
) -> dict[tuple[str, str], list[Candidate]]:
    """Return what each finished call of this cycle made, by pattern and engine."""
    calls: dict[tuple[str, str], list[Candidate]] = {}
    for candidate in load_candidates(
        context, agent=request.agent, cycle_id=request.cycle_id, states=EVERY_STATE
    ):
        calls.setdefault((candidate.pattern_id, candidate.engine), []).append(candidate)
    return calls


def _propose_for_inplace(bench: _Bench, brief: PatternBrief, *, patterns_left: int) -> None:
    """Ask one engine after the other until ``brief`` has its candidates.

    Lease and places are shared out evenly among the engines that are left: cheap ones come first, and dear
    ones are asked all the same, since they find what no template holds. Only where the library has an answer,
    one that won before, nobody else is asked: should it fail here, the library knows in the next cycle.
    """
    sound = 0
    for at, engine in enumerate(bench.engines):
        missing = bench.request.n_a_pattern - sound
        if missing <= 0:
            return
        finished = bench.done.get((brief.pattern_id, engine.name))
        if finished is None:
            calls_left = (patterns_left - 1) * len(bench.engines) + len(bench.engines) - at
            # Who comes after the library is not asked if it knows something.
            sharers = 1 if engine.name == LIBRARY else len(bench.engines) - at
            places = -(-missing // sharers)
            finished = _call(bench, engine, brief, n=places, share=1 / calls_left)
        else:
            bench.result.resumed += 1
        told = [candidate for candidate in finished if candidate.state not in ("refused", "empty")]
        bench.result.proposed += told
        bench.result.refused += [c for c in finished if c.state == "refused"]
        for candidate in finished:
            if candidate.edits:
                bench.memory.add_inplace(candidate.candidate_id, candidate.edits)
        bench.memory.tried += [candidate.edits for candidate in told]
        bench.made |= {candidate.edit_hash for candidate in told}
        sound += len(told)
        if told and engine.name == LIBRARY:
            return


def _call(
    bench: _Bench, engine: CandidateEngine, brief: PatternBrief, *, n: int, share: float
) -> list[Candidate]:
    """Return what ``engine`` proposed, scanned and stored; [] where it could not be asked."""
    lease = bench.request.lease
    told = replace(brief, tried=tuple(bench.memory.tried))
    left = lease.max_tokens - lease.tokens
    share = min(max(share, A_CALL / max(left, 1)), 1.0)
    tokens = int(left * share)
    usd = None if lease.max_usd is None else (lease.max_usd - lease.usd) * share
    part = Lease(max_tokens=tokens, max_usd=usd)
    with lease.reserve(tokens, usd) as reservation:
        try:
            proposals = engine.propose(told, bench.request.configuration, lease=part, n=n)
        except (BudgetExhausted, ModelFailure, AnswerInvalid) as stop:
            bench.result.notes.append(f"{engine.name}, pattern {brief.pattern_id[:8]}: {stop}")
            proposals = None
        if part.tokens or part.usd or part.unpriced:
            reservation.settle(part.tokens, part.cost_usd)
        else:
            reservation.cancel()
    bench.result.calls += 1
    if proposals is None:
        return []
    made = _candidates(bench, engine, brief, proposals[:n])
    save_candidates(bench.context, made)
    return made


def _candidates(
    bench: _Bench, engine: CandidateEngine, brief: PatternBrief, proposals: Sequence[Proposal]
) -> list[Candidate]:
    made: dict[str, Candidate] = {}
    for proposal in proposals:
        if edit_hash(proposal.edits) in bench.made:
            continue  # this cycle has it, for another pattern
        candidate = _candidate(bench, brief, replace(proposal, engine=engine.name), made.values())
        made.setdefault(candidate.candidate_id, candidate)
    return list(made.values()) or [_empty(bench, engine, brief)]


def _candidate(
    bench: _Bench, brief: PatternBrief, proposal: Proposal, siblings: Collection[Candidate]
) -> Candidate:
    request, configuration = bench.request, bench.request.configuration
    same = edit_hash(proposal.edits)
    result: AgentConfiguration | None = None
    try:
        result = apply_edits(configuration, proposal.edits)
        reasons = scan_with(
            bench.corpus, proposal, configuration=configuration, limits=request.limits
        )
    except EditRefused as refused:
        reasons = [str(refused)]
    if known := bench.memory.find(proposal.edits):
        reasons.append(f"the same as candidate {known[:8]}, or nearly")
    if result is not None and any(result.hash == other.configuration_hash for other in siblings):
        reasons.append("comes to the same configuration as another proposal of this call")
    return replace(
        _empty_like(bench, brief, proposal.engine),
        candidate_id=digest([request.cycle_id, brief.pattern_id, same]),
        intervention=proposal.intervention,
        strategy_id=proposal.strategy_id,
        state="refused" if reasons else "proposed",
        reasons=tuple(reasons),
        edits=proposal.edits,
        edit_hash=same,
        configuration=result,
        rationale=_rationale(bench, proposal.rationale),
        tokens=proposal.tokens,
        cost_usd=proposal.cost_usd,
    )


def _rationale(bench: _Bench, text: str) -> str:
    """Return what people are told: an engine may be made to write a trace into it, and they click."""
    if next(scan_text(bench.corpus, text), None) is not None:
        return WITHHELD
    return plain_line(text)[:RATIONALE_CHARS]


def _empty(bench: _Bench, engine: CandidateEngine, brief: PatternBrief) -> Candidate:
    return _empty_like(bench, brief, engine.name)


def _empty_like(bench: _Bench, brief: PatternBrief, engine: str) -> Candidate:
    request = bench.request
    seen = (*brief.examples, *brief.counterexamples)
    return Candidate(
        candidate_id=digest([request.cycle_id, brief.pattern_id, engine, "nothing"]),
        project=next((scenario.project for scenario in brief.examples), ""),
        agent=request.agent,
        cycle_id=request.cycle_id,
        pattern_id=brief.pattern_id,
        category=brief.category,
        intervention="",
        engine=engine,
        state="empty",
        baseline_hash=request.configuration.hash,
        scenarios=tuple(scenario.scenario_id for scenario in seen),
        created_at=time_of(bench.context.now_ms),
        version=bench.context.now_ms,
    )
