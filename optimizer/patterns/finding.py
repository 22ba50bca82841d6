"""The stage of an analysis that finds failure patterns and keeps them up to date.

Mining (which predicates are patterns) runs when enough is new; membership (who shows them) follows every
changed trajectory in between, so that a small change costs little.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from spanloop.optimizer.context import COMPARABLE_COMPLETENESS, Context
from spanloop.optimizer.patterns.choosing import Choice, choose
from spanloop.optimizer.patterns.identity import match, new_id
from spanloop.optimizer.patterns.lifecycle import next_state
from spanloop.optimizer.patterns.membership import assign, locate_deviations
from spanloop.optimizer.patterns.mining import CLAIM, Basis, Finding, overlap
from spanloop.optimizer.patterns.naming import (
    TEMPLATE,
    Namer,
    Naming,
    NamingRequest,
    classify,
    name_pattern,
    phrase,
)
from spanloop.optimizer.patterns.peers import count_peer_tools
from spanloop.optimizer.patterns.sample import Sample, read_sample
from spanloop.optimizer.patterns.storing import (
    Pattern,
    delete_patterns,
    read_occurrences,
    read_patterns,
    read_summaries,
    record_mining,
    with_summary,
    write_patterns,
)
from spanloop.optimizer.patterns.vocabulary import apply

NEW_SHARE = 0.2
"""Judged or comparable trajectories must have grown by this share before patterns are mined again."""
NEW_OUTCOMES = 20
MAX_EXAMPLES = 3
CO_OCCURRING = 0.2
"""Share of a pattern's members that another must hold for the two to be said to occur together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternResult:
    """What the stage did.

    Attributes:
        patterns: kept.
        new: of them, found for the first time.
        claimed: of them, whose lift stands against all that was looked at.
        mined: 1 if predicates were mined, 0 if only members were brought up to date.
        looked_at: predicates that were contrasted.
        outcomes: judged trajectories that the contrast used.
        trajectories: whose membership was looked at.
        notes: what was skipped, and why.
    """

    patterns: int
    new: int
    claimed: int
    mined: int
    looked_at: int
    outcomes: int
    trajectories: int
    notes: Sequence[str] = field(default=())


def find_patterns(
    context: Context,
    *,
    namer: Namer | None = None,
    strata: Mapping[str, str] | None = None,
    force: bool = False,
) -> PatternResult:
    """Find failure patterns, or bring the known ones up to date.

    Args:
        context: of the analysis.
        namer: writes names and explanations of new patterns; None leaves the template's.
        strata: what a trajectory was about, by id, where the agent's owner knows it; others are inferred.
        force: mine even if little is new.
    """
    stored = read_patterns(context)
    analysis_id = str(uuid.UUID(int=context.now_ms << 64 | context.seed))
    projects = _mined(context, stored, strata, force=force)
    kept = [pattern for each in projects for pattern in each.kept]
    _delete_left(context, stored, kept, analysis_id)
    ids = [pattern.pattern_id for pattern in kept]
    looked_at = 0
    for each in projects:
        mined = each.choice is not None
        looked_at += assign(context, each.kept, kept=ids, project=each.project, everything=mined)
    locate_deviations(context)
    current = _brought_up_to_date(context, kept)
    if namer is not None:
        current = [_named(context, namer, pattern) for pattern in current]
    write_patterns(context, current, analysis_id)
    if any(each.choice for each in projects):
        record_mining(context, analysis_id, _counts(projects))
    for scratch in ("create_sample", "create_todo"):  # made anew, so empty
        context.run(f"patterns/{scratch}")
    choices = [each.choice for each in projects if each.choice is not None]
    return PatternResult(
        patterns=len(current),
        new=sum(pattern.state == "new" for pattern in current),
        claimed=sum(p.q_value is not None and p.q_value <= CLAIM for p in current),
        mined=int(bool(choices)),
        looked_at=sum(choice.looked_at for choice in choices),
        outcomes=sum(choice.outcomes for choice in choices),
        trajectories=looked_at,
        notes=_notes(choices),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Project:
    """Patterns of one project to go on with, and what mining it said; None if it was not mined."""

    project: str
    kept: Sequence[Pattern]
    outcomes: int = 0
    trajectories: int = 0
    choice: Choice | None = None


def _mined(
    context: Context,
    stored: Sequence[Pattern],
    strata: Mapping[str, str] | None,
    *,
    force: bool,
) -> Sequence[_Project]:
    """Mine each project of which enough is new, on its own: what is usual in one is not in another."""
    available: dict[str, tuple[int, int]] = {
        project: (outcomes, trajectories)
        for project, outcomes, trajectories in context.rows(
            "patterns/select_available", {"completeness": COMPARABLE_COMPLETENESS}
        )
    }
    due = {p for p, counts in available.items() if force or _due(context, p, *counts)}
    if due:
        count_peer_tools(context)
    used = [pattern.pattern_id for pattern in stored]
    result: list[_Project] = []
    for project in sorted({*available, *(pattern.project for pattern in stored)}):
        own = [pattern for pattern in stored if pattern.project == project]
        if project not in due:
            result.append(_Project(project=project, kept=own))
            continue
        sample = read_sample(context, project=project)
        rng = np.random.default_rng(context.seed)
        choice = choose(sample, [p.predicate for p in own], rng=rng, given=strata)
        kept = _continued(own, choice, sample=sample, project=project, used=used)
        used += [pattern.pattern_id for pattern in kept]
        outcomes, trajectories = available[project]
        result.append(
            _Project(
                project=project,
                kept=kept,
                outcomes=outcomes,
                trajectories=trajectories,
                choice=choice,
            )
        )
    return result


def _counts(projects: Sequence[_Project]) -> Mapping[str, int]:
    counts = {"mined": 1}
    for each in projects:
        if each.choice is not None:
            counts[f"outcomes of {each.project}"] = each.outcomes
            counts[f"trajectories of {each.project}"] = each.trajectories
    return counts


def _due(context: Context, project: str, outcomes: int, trajectories: int) -> bool:
    rows = context.rows("patterns/select_mined", {"project": project})
    if not rows:
        return True
    judged_then, then = (int(value) for value in rows[0])
    more_outcomes = outcomes - judged_then
    return trajectories >= max(then, 1) * (1 + NEW_SHARE) or (
        more_outcomes >= NEW_OUTCOMES and more_outcomes >= NEW_SHARE * judged_then
    )


def _continued(
    stored: Sequence[Pattern],
    choice: Choice,
    *,
    sample: Sample,
    project: str,
    used: Sequence[str],
) -> list[Pattern]:
    """Return the patterns to keep: mined ones under their old ids, and stored ones still worth it."""
    mined = [finding.predicate for finding in choice.findings]
    mined_rows = apply(mined, sample.facts)
    by_id = {pattern.pattern_id: pattern for pattern in stored}
    predicates = {pattern.pattern_id: pattern.predicate for pattern in stored}
    ids = match(mined, mined_rows, predicates, apply(list(predicates.values()), sample.facts))
    used = list(used)
    patterns: list[Pattern] = []
    for finding, known in zip(choice.findings, ids, strict=True):
        pattern_id = known or new_id(finding.predicate, used, project)
        used.append(pattern_id)
        patterns.append(_pattern(pattern_id, finding, by_id.get(pattern_id)))
    continued = {known for known in ids if known}
    for pattern, finding in zip(stored, choice.stored, strict=True):
        if pattern.pattern_id not in continued and _worth_keeping(pattern):
            patterns.append(_pattern(pattern.pattern_id, finding, pattern))
    return _with_neighbours([replace(p, project=project) for p in patterns], sample)


def _worth_keeping(pattern: Pattern) -> bool:
    """Whether a pattern that was not mined again goes on: its fate is told as long as it once mattered."""
    claimed = pattern.q_value is not None and pattern.q_value <= CLAIM
    return claimed or pattern.state in ("mitigated", "resolved", "regressed")


def _pattern(pattern_id: str, finding: Finding, before: Pattern | None) -> Pattern:
    codes = classify(finding.predicate)
    same = before is not None and before.predicate == finding.predicate
    naming = name_pattern(finding, members=0, trajectories=0)
    if same and before is not None and before.named_by != TEMPLATE:
        naming = Naming(before.title, before.explanation, before.named_by)
    pattern = Pattern(
        pattern_id=pattern_id,
        predicate=finding.predicate,
        title=naming.title,
        explanation=naming.explanation,
        named_by=naming.named_by,
        category=codes.category,
        mast_codes=codes.mast,
        trail_codes=codes.trail,
        state=before.state if before else None,
        lift=finding.lift,
        lift_low=finding.low,
        lift_high=finding.high,
        lift_basis=finding.basis,
        p_value=finding.p_value,
        q_value=finding.adjusted,
        marginal_lift=finding.marginal,
    )
    return (
        pattern
        if before is None
        else replace(
            pattern,
            agents=before.agents,  # of its past, should nobody show it now
            first_seen=before.first_seen,
            last_seen=before.last_seen,
        )
    )


def _with_neighbours(patterns: Sequence[Pattern], sample: Sample) -> list[Pattern]:
    """Add, from the sample, which patterns occur together and whose agents show them."""
    rows = apply([pattern.predicate for pattern in patterns], sample.facts)
    agents = np.array([agent.split("\n")[0] for agent in sample.agents], dtype=np.str_)
    result: list[Pattern] = []
    for i, pattern in enumerate(patterns):
        members = max(int(rows[:, i].sum()), 1)
        together = [
            (other.pattern_id, float(np.sum(rows[:, i] & rows[:, j])) / members)
            for j, other in enumerate(patterns)
            if j != i and overlap(rows[:, i], rows[:, j]) > 0
        ]
        together.sort(key=lambda entry: (-entry[1], entry[0]))
        shown = sorted({str(agent) for agent in agents[rows[:, i]] if agent})
        result.append(
            replace(
                pattern,
                agents=shown or pattern.agents,
                co_occurring=[entry for entry in together if entry[1] >= CO_OCCURRING],
            )
        )
    return result


def _delete_left(
    context: Context, stored: Sequence[Pattern], kept: Sequence[Pattern], analysis_id: str
) -> None:
    left = {pattern.pattern_id for pattern in stored} - {pattern.pattern_id for pattern in kept}
    delete_patterns(context, [p for p in stored if p.pattern_id in left], analysis_id)


def _brought_up_to_date(context: Context, patterns: Sequence[Pattern]) -> list[Pattern]:
    """Return ``patterns`` with counts, trend and state as their members now say."""
    summaries = read_summaries(context)
    occurrences, comparable = read_occurrences(context, patterns)
    result: list[Pattern] = []
    for pattern in patterns:
        seen = occurrences[pattern.pattern_id]
        trajectories = comparable.get(pattern.project, 0)
        counted = with_summary(pattern, summaries.get(pattern.pattern_id), trajectories)
        result.append(
            replace(
                counted,
                trend=seen.trend,
                state=next_state(pattern.state, seen),
                explanation=_explained(counted, trajectories),
            )
        )
    return result


def _explained(pattern: Pattern, trajectories: int) -> str:
    """Return the explanation with the counts of today; a model's words stay."""
    if pattern.named_by != TEMPLATE:
        return pattern.explanation
    finding = Finding(
        predicate=pattern.predicate,
        column=-1,
        lift=pattern.lift,
        low=pattern.lift_low,
        high=pattern.lift_high,
        p_value=pattern.p_value,
        adjusted=pattern.q_value,
        marginal=pattern.marginal_lift,
        rank=0.0,
        basis=_basis(pattern.lift_basis),
        always_fails=pattern.predicate.terms[0].kind == "stratum",
    )
    return name_pattern(finding, members=pattern.members, trajectories=trajectories).explanation


def _basis(stored: str) -> Basis:
    return _OF_OUTCOMES.get(stored, "score association")


_OF_OUTCOMES: Mapping[str, Basis] = {
    "labels": "labels",
    "outcome association": "outcome association",
}


def _named(context: Context, namer: Namer, pattern: Pattern) -> Pattern:
    if pattern.named_by != TEMPLATE or not pattern.members:
        return pattern
    examples = context.rows(
        "patterns/select_examples",
        {"pattern": pattern.pattern_id, "members": MAX_EXAMPLES},
    )
    request = NamingRequest(
        draft=Naming(pattern.title, pattern.explanation, pattern.named_by),
        category=pattern.category,
        terms=[phrase(term) for term in pattern.predicate.terms],
        examples=[str(row[0]) for row in examples],
    )
    better = namer.describe(request)
    if better is None:
        return pattern
    return replace(
        pattern, title=better.title, explanation=better.explanation, named_by=better.named_by
    )


def _notes(choices: Sequence[Choice]) -> Sequence[str]:
    if not choices:
        return ["too little is new to mine again: memberships only"]
    scored = sum(choice.basis == "score association" for choice in choices)
    if not scored:
        return []
    where = f"in {scored} of {len(choices)} projects " if len(choices) > 1 else ""
    return [f"{where}too few outcomes or labels: patterns rest on scores, without lift"]
