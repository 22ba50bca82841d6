"""What is chosen from a sample, and what is said of it."""

from dataclasses import replace

import numpy as np
import pytest

from spanloop.optimizer.patterns.choosing import ALWAYS_AT_MOST, choose
from spanloop.optimizer.patterns.mining import MAX_PATTERNS
from spanloop.optimizer.patterns.naming import classify, name_pattern, title_of
from spanloop.optimizer.patterns.predicates import Facts, Predicate, Term
from spanloop.optimizer.patterns.sample import Sample
from spanloop.optimizer.patterns.subjects import subjects
from spanloop.optimizer.patterns.suspects import PLACES, suspected

N = 240


def _sample(*, repeated: bool, judged: bool) -> Sample:
    """Runs of 12 kinds of request; the symptom ``loop`` costs 60 points, the kind ``k0`` always fails."""
    rng = np.random.default_rng(2)
    kinds = np.arange(N) % 12
    loops = rng.random(N) < 0.4
    bad = ((rng.random(N) < 0.15 + 0.6 * loops) | (kinds == 0)).astype(np.float64)
    opening = [f"order number {1000 + k * 7} item {k}" for k in (kinds if repeated else range(N))]
    if not repeated:
        opening = [f"{text} {rng.integers(10**9)} {rng.integers(10**9)}" for text in opening]
    return Sample(
        facts=[
            Facts(
                trajectory_id=str(i),
                steps=("user", "assistant"),
                failed=(False, False),
                counts={"Steps": 2.0},
                symptoms=frozenset({("loop", "")} if loops[i] else ()),
                numbers={},
                stratum=f"k{kinds[i]}",
            )
            for i in range(N)
        ],
        agents=[str(i % 2) for i in range(N)],
        dissatisfied=bad if judged else np.full(N, np.nan),
        sampled=np.ones(N, dtype=np.bool_),
        probability=np.where(loops, 0.5, 1.0),
        openings=opening,
        told=opening,
        weights={"loop": 0.7},
    )


LOOP = Predicate.of(Term("symptom", "loop"))


def test_a_symptom_that_matters_is_claimed_and_a_kind_that_always_fails_is_its_own_class() -> None:
    choice = choose(_sample(repeated=True, judged=True), [], rng=np.random.default_rng(1))
    loop, always = choice.findings

    assert (loop.predicate, loop.claimed) == (LOOP, True)
    assert loop.lift == pytest.approx(0.55, abs=0.2)
    assert (always.predicate, always.always_fails) == (Predicate.of(Term("stratum", "k0")), True)
    assert always.lift is None
    assert "20 of 240" in name_pattern(always, members=20, trajectories=240).explanation
    assert classify(always.predicate).category == "context_gap"


def test_requests_that_never_repeat_are_compared_by_kind_and_nothing_is_claimed() -> None:
    choice = choose(_sample(repeated=False, judged=True), [], rng=np.random.default_rng(1))
    loop = choice.findings[0]

    assert loop.predicate == LOOP
    assert loop.lift is not None
    assert loop.adjusted is None
    assert not loop.claimed
    assert "no claim" in name_pattern(loop, members=96, trajectories=N).explanation


def test_scores_give_an_order_and_no_lift() -> None:
    choice = choose(_sample(repeated=True, judged=False), [LOOP], rng=np.random.default_rng(1))

    assert choice.basis == "score association"
    assert [finding.predicate for finding in choice.findings] == [LOOP]
    assert (choice.findings[0].lift, choice.findings[0].adjusted) == (None, None)
    assert choice.stored[0].basis == "score association"


def test_a_given_stratum_replaces_the_inferred_one() -> None:
    sample = _sample(repeated=False, judged=True)
    given = {facts.trajectory_id: facts.stratum for facts in sample.facts}
    choice = choose(sample, [], rng=np.random.default_rng(1), given=given)

    assert choice.findings[0].claimed


def test_subjects_are_near_identical_requests() -> None:
    openings = [
        "cancel booking QX7",
        "please cancel the booking QX7",
        "where is parcel 88",
        "?",
        "",
    ]
    found = subjects(openings, openings)

    assert found[0] == found[1]
    assert len(set(found.tolist())) == 4


def test_what_is_sure_to_be_a_fault_has_a_place_beside_many_candidates() -> None:
    sample = _sample(repeated=True, judged=True)
    bad = sample.dissatisfied == 1.0
    kinds = [f"fault{j}" for j in range(PLACES + 2)]
    faulty = replace(
        sample,
        facts=[
            replace(
                facts,
                symptoms=frozenset({(kinds[i % len(kinds)], "")} if hit else ()),
                faults=frozenset({kinds[i % len(kinds)]} if hit else ()),
            )
            for i, (facts, hit) in enumerate(zip(sample.facts, bad.tolist(), strict=True))
        ],
        weights=dict.fromkeys(kinds, 0.8),
    )
    others = [Predicate.of(Term("tool", f"t{j}")) for j in range(MAX_PATTERNS)]

    found = [finding.predicate.terms[0].subject for finding in suspected(faulty, others)]

    assert len(found) == PLACES
    assert set(found) < set(kinds)


def test_hints_take_no_place_that_is_kept_for_faults() -> None:
    """Hints are frequent and fill all places that candidates leave; the fault is rare."""
    sample = _sample(repeated=True, judged=True)
    bad = [i for i in range(N) if sample.dissatisfied[i] == 1.0]
    hints = [f"hint{j}" for j in range(8)]
    shown = {i: {hints[at % 8]} for at, i in enumerate(bad)}
    for i in bad[:8]:
        shown[i].add("gone")
    both = replace(
        sample,
        facts=[
            replace(
                facts,
                symptoms=frozenset((symptom, "") for symptom in shown.get(i, ())),
                faults=frozenset(shown.get(i, set()) & {"gone"}),
            )
            for i, facts in enumerate(sample.facts)
        ],
        weights=dict.fromkeys(hints, 0.4) | {"gone": 0.8},
    )
    for candidates in (MAX_PATTERNS, MAX_PATTERNS - 3, MAX_PATTERNS - 8):
        others = [Predicate.of(Term("tool", f"t{j}")) for j in range(candidates)]
        found = [finding.predicate.terms[0].subject for finding in suspected(both, others)]
        assert found.count("gone") == 1
        assert len(found) == 1 + MAX_PATTERNS - candidates


def test_a_hint_takes_no_place_from_candidates() -> None:
    sample = replace(_sample(repeated=True, judged=True), weights={"loop": 0.4})
    others = [Predicate.of(Term("tool", f"t{j}")) for j in range(MAX_PATTERNS)]

    assert suspected(sample, others) == []
    assert [finding.predicate for finding in suspected(sample, others[1:])] == [LOOP]


def test_titles_read_as_english() -> None:
    predicate = Predicate.of(
        Term("count", "ToolCalls", value=9.0), Term("symptom", "tool_error", "x: no")
    )

    assert title_of(predicate) == (
        "A tool answered with an error (`x: no`), in a run that has at least 9 tool calls"
    )
    assert title_of(Predicate.of(Term("fault", "empty_result"))) == (
        "A tool answered nothing, where that is sure to be a fault"
    )
    assert title_of(Predicate.of(Term("then", "user", "tool:pay"))) == (
        "Has a call of `pay` right after a message of the user"
    )


def test_a_fault_is_shown_without_lift_where_every_request_of_a_kind_ends_alike() -> None:
    """Nothing varies within kinds: kinds 0 to 3 show the fault and fail, the others do neither."""
    sample = _sample(repeated=True, judged=True)
    kinds = [int(facts.stratum[1:]) for facts in sample.facts]
    faulty = [kind < 4 for kind in kinds]
    alike = replace(
        sample,
        facts=[
            replace(facts, symptoms=frozenset({("loop", "")} if bad else ()))
            for facts, bad in zip(sample.facts, faulty, strict=True)
        ],
        dissatisfied=np.array(faulty, dtype=np.float64),
    )
    findings = choose(alike, [], rng=np.random.default_rng(1)).findings
    loop = next(finding for finding in findings if finding.predicate == LOOP)

    told = name_pattern(loop, members=80, trajectories=N).explanation
    assert "Outcomes cannot tell it from what was asked" in told
    assert (loop.basis, loop.lift, loop.adjusted, loop.claimed) == (
        "outcome association",
        None,
        None,
        False,
    )
    assert "loop" not in {t.subject for f in findings if f is not loop for t in f.predicate.terms}


def test_a_fault_that_outcomes_contrasted_and_found_harmless_is_not_shown() -> None:
    """Hard kinds (0 to 3) fail more and show the fault more; within a kind it changes nothing."""
    sample = _sample(repeated=True, judged=True)
    rng = np.random.default_rng(3)
    hard = np.arange(N) % 12 < 4
    loops = rng.random(N) < np.where(hard, 0.7, 0.15)
    facts = [
        replace(each, symptoms=frozenset({("loop", "")} if loop else ()))
        for each, loop in zip(sample.facts, loops, strict=True)
    ]
    # Of the runs of a kind with the fault hardly fewer fail than of those without.
    bad = np.zeros(N)
    for kind in range(12):
        for holds, rounded in ((loops, np.floor), (~loops, np.ceil)):
            rows = np.flatnonzero((np.arange(N) % 12 == kind) & holds)
            bad[rows[: int(rounded(len(rows) * (0.9 if kind < 4 else 0.2)))]] = 1.0
    artefact = replace(sample, facts=facts, dissatisfied=bad)
    naive = bad[loops].mean() - bad[~loops].mean()
    shown = choose(artefact, [], rng=np.random.default_rng(1)).findings
    silent = replace(artefact, dissatisfied=np.full(N, np.nan), probability=1.0 - bad)
    (scored,) = choose(silent, [], rng=np.random.default_rng(1)).findings

    assert naive > 0.1
    assert LOOP not in [finding.predicate for finding in shown]
    assert scored.predicate == LOOP
    assert "No outcome says yet" in name_pattern(scored, members=9, trajectories=N).explanation


def test_a_fault_that_goes_with_satisfaction_is_not_shown() -> None:
    sample = _sample(repeated=True, judged=False)
    better = replace(sample, probability=1.0 - sample.probability)
    assert choose(better, [], rng=np.random.default_rng(1)).findings == []


def test_kinds_that_always_fail_leave_room_for_what_their_failures_have_in_common() -> None:
    """Twenty-four kinds decide the outcome alone: the even ones fail, and all failures show one fault."""
    sample = _sample(repeated=True, judged=True)
    kinds = [i % 24 for i in range(N)]
    failing = [kind % 2 == 0 for kind in kinds]
    alike = replace(
        sample,
        facts=[
            replace(facts, stratum=f"k{kind}", symptoms=frozenset({("loop", "")} if bad else ()))
            for facts, kind, bad in zip(sample.facts, kinds, failing, strict=True)
        ],
        openings=[f"kind {kind} of request, item {kind * 7}" for kind in kinds],
        dissatisfied=np.array(failing, dtype=np.float64),
    )
    findings = choose(alike, [], rng=np.random.default_rng(1)).findings

    assert sum(finding.always_fails for finding in findings) == ALWAYS_AT_MOST
    assert LOOP in [finding.predicate for finding in findings]
