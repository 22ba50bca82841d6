"""What surrounds an experiment: the validity gate, freezing, holdout accounting, confirmation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from spanloop.optimizer.candidates import apply_edits
from spanloop.optimizer.candidates.candidate import Edit
from spanloop.optimizer.candidates.stored import (
    Candidate,
    decide_candidate,
    load_candidates,
    save_candidates,
)
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.context import Context
from spanloop.optimizer.cycle import parts as cycle_parts
from spanloop.optimizer.cycle.ledger import Caps
from spanloop.optimizer.experiments import (
    ExperimentParts,
    ExperimentPlan,
    HoldoutLimits,
    PlanRefused,
    Purpose,
    Replaying,
    Scrutiny,
    check_validity,
    confirm_winner,
    freeze_plan,
    rotate_if_spent,
    run_experiment,
    scenarios_for,
)
from spanloop.optimizer.models import BudgetExhausted, Lease
from spanloop.optimizer.models.rate_limit import RateLimiter, RateLimits
from spanloop.optimizer.releases import register
from spanloop.optimizer.replay.episode import EpisodeRequest
from spanloop.optimizer.scenarios import load_scenarios, save_scenarios
from spanloop.optimizer.scenarios.scenario import Scenario, Split
from spanloop.processor.errors import PermanentError
from spanloop.service.experimenting import ByHand, run_in_store
from tests.support.analysis import AnalysisStore, open_analysis_store
from tests.support.experiments import (
    BASELINE,
    CREATED,
    GATE,
    TOKENS,
    KnownAssessor,
    KnownTarget,
    Truth,
    candidate,
    design,
    rates,
    scenario,
    subject,
    ticks,
)

REPLAYING = Replaying(configuration=BASELINE)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    directory: Path = tmp_path_factory.mktemp("stages")
    opened = open_analysis_store(directory)
    yield opened
    opened.client.close()


def parts_for(target: KnownTarget, **changes: object) -> ExperimentParts:
    given = {
        "target": target,
        "assessor": KnownAssessor(target),
        "lease": target.lease,
        "limiter": RateLimiter(RateLimits(in_flight=4)),
        "recover": target.recover,
        "clock_ms": ticks(),
        "pause_s": 0.0,
    }
    return ExperimentParts(**{**given, **changes})  # type: ignore[arg-type]


def saved(
    store: AnalysisStore, agent: str, n: int, split: Split = "test", **changes: object
) -> Sequence[Scenario]:
    made = [
        scenario(f"{agent}-{split}-{i:03d}", split, agent=agent, generation=1, **changes)
        for i in range(n)
    ]
    save_scenarios(store.context(), made)
    return made


def recorded(name: str, satisfied: float | None, trajectories: int) -> Scenario:
    return scenario(
        f"validity-{name}",
        agent="validity",
        production_satisfied=satisfied,
        trajectories=tuple(f"{name}-{i}" for i in range(trajectories)),
    )


RECORDED = [
    recorded("same", 1.0, 5),
    recorded("other", 1.0, 5),
    recorded("opposite", 1.0, 20),
    recorded("crash", 0.0, 5),
    recorded("unknown", None, 5),
]


def replayed(request: EpisodeRequest) -> object:
    name = request.scenario.scenario_id.removeprefix("validity-")
    return "crashed" if name == "crash" else name == "same"


def test_a_scenario_that_production_does_not_reproduce_counts_less_or_no_more(
    store: AnalysisStore,
) -> None:
    save_scenarios(store.context(), RECORDED)
    target = KnownTarget(replayed)  # type: ignore[arg-type]
    told = check_validity(store.context(), RECORDED, REPLAYING, parts_for(target))
    assert [(each.validity, each.state, each.validity_runs) for each in told] == [
        ("reproduced", "active", 1),
        ("contradicted", "active", 3),
        ("contradicted", "dropped", 3),
        ("contradicted", "dropped", 3),
        ("unchecked", "active", 0),
    ]
    active = load_scenarios(store.context(), agent="validity")
    assert [each.scenario_id for each in active] == [
        "validity-other",
        "validity-same",
        "validity-unknown",
    ]
    # Nothing that is known is played again.
    check_validity(store.context(), active, REPLAYING, parts_for(target))
    assert len(target.played) == 10
    # Frozen: the doubted one weighs less; the episodes are no arm of a pair.
    about = subject(agent="validity")
    plan = freeze_plan(store.context(), about, design=design())
    weights = {each.scenario_id: each.weight for each in plan.scenarios}
    assert weights["validity-same"] == 0.01
    assert 0.0 < weights["validity-other"] < 0.005
    run_experiment(store.context(), plan, parts_for(target))
    rows = store.rows(
        "SELECT DISTINCT Arm FROM experiment_runs FINAL WHERE ExperimentId = {id:String} ORDER BY Arm",
        id=plan.experiment_id,
    )
    assert [row["Arm"] for row in rows] == ["baseline", "candidate"]
    assert len(set(target.played)) == len(target.played) == 10 + 2 * 3


def test_a_check_that_ran_out_of_budget_goes_on_where_it_was(store: AnalysisStore) -> None:
    scenarios = [
        each.model_copy(update={"scenario_id": f"{each.scenario_id}-again"}) for each in RECORDED
    ]
    target = KnownTarget(
        lambda request: True,
        lease=Lease(max_tokens=2 * TOKENS),
    )
    given = {"tokens_an_episode": 1, "usd_an_episode": 0.0}
    with pytest.raises(BudgetExhausted):
        check_validity(store.context(), scenarios, REPLAYING, parts_for(target, **given))
    target.lease = Lease(max_tokens=10**6)
    check_validity(store.context(), scenarios, REPLAYING, parts_for(target))
    assert len(set(target.played)) == len(target.played)


def test_only_the_split_of_its_purpose_reaches_a_plan(store: AnalysisStore) -> None:
    for split in ("train", "validation", "test", "fresh"):
        saved(store, "splits", 3, split)
    about = subject(agent="splits")
    purposes: tuple[tuple[Purpose, str], ...] = (
        ("gate", "test"),
        ("confirmation", "fresh"),
        ("validation", "validation"),
    )
    for purpose, split in purposes:
        plan = freeze_plan(store.context(), about, design=design(purpose))
        assert {each.split for each in plan.scenarios} == {split}
    late = replace(about, created_at=CREATED + timedelta(days=365))
    with pytest.raises(PlanRefused, match="0 scenarios for a confirmation"):
        freeze_plan(store.context(), late, design=design("confirmation"))


def test_traffic_that_comes_while_an_experiment_waits_does_not_begin_another(
    store: AnalysisStore,
) -> None:
    saved(store, "waits", 20)
    about = subject(agent="waits")
    first = freeze_plan(store.context(), about, design=design())
    target = KnownTarget(rates(0.2, 0.95), lease=Lease(max_tokens=25 * TOKENS))
    given = {"tokens_an_episode": TOKENS, "usd_an_episode": 0.0}
    assert run_experiment(store.context(), first, parts_for(target, **given)).resumable
    saved(store, "waits", 40)
    again = freeze_plan(store.context(), about, design=design())
    assert again == first
    target.lease = Lease(max_tokens=10**6)
    run_experiment(store.context(), again, parts_for(target))
    assert len(set(target.played)) == len(target.played) == 40
    assert len(freeze_plan(store.context(), about, design=design()).scenarios) == 40


def test_a_spent_set_is_rotated_once_and_not_amid_a_cycle(store: AnalysisStore) -> None:
    saved(store, "spent", 10)
    saved(store, "spent", 10, "fresh")
    limits = HoldoutLimits(tests=2)
    tested: list[str] = []
    for name in ("one", "two"):
        assert rotate_if_spent(store.context(), agent="spent", limits=limits) is None
        about = subject(candidate(name), agent="spent", candidate_id=name)
        plan = freeze_plan(store.context(), about, design=design())
        run_experiment(store.context(), plan, parts_for(KnownTarget(rates(0.5, 0.5))))
        tested.append(plan.experiment_id)
    own = {"agent": "spent", "limits": limits}
    assert rotate_if_spent(store.context(), **own, unless=tested[1:]) is None  # type: ignore[arg-type]
    assert rotate_if_spent(store.context(), **own) == 2  # type: ignore[arg-type]
    assert rotate_if_spent(store.context(), **own) is None  # type: ignore[arg-type]
    now = scenarios_for(store.context(), subject(agent="spent"), "gate")
    assert {(each.scenario_id[:11], each.generation) for each in now} == {("spent-fresh", 2)}


def winner(
    store: AnalysisStore, agent: str, configuration: AgentConfiguration
) -> tuple[ExperimentPlan, KnownTarget]:
    saved(store, agent, 40)
    about = subject(configuration, agent=agent)
    plan = freeze_plan(store.context(), about, design=design())
    target = KnownTarget(rates(0.2, 0.95))
    outcome = run_experiment(store.context(), plan, parts_for(target))
    assert outcome.verdict.decision == "ship"
    return plan, target


def by_turns(request: EpisodeRequest) -> bool:
    """Each arm satisfies in every other scenario: neither an effect nor a sign that there is none."""
    even = int(request.scenario.scenario_id[-3:]) % 2 == 0
    return even == (request.configuration == BASELINE)


@pytest.mark.parametrize(
    ("name", "fresh", "survived"),
    [
        ("stays", rates(0.2, 0.95), True),
        ("goes", rates(0.95, 0.2), False),
        ("alike", by_turns, None),
    ],
)
def test_a_ship_is_held_against_fresh_traffic(
    store: AnalysisStore, name: str, fresh: Truth, survived: bool | None
) -> None:
    agent = f"confirmed-{name}"
    plan, _ = winner(store, agent, candidate())
    target = KnownTarget(fresh)
    early = confirm_winner(store.context(), plan, parts_for(target), scrutiny=Scrutiny())
    assert (early.survived, early.fresh, target.played) == (None, None, [])
    assert early.pending == ("no second assessor", "too little fresh traffic")
    saved(store, agent, 40, "fresh")
    found = confirm_winner(store.context(), plan, parts_for(target), scrutiny=Scrutiny())
    assert found.survived is survived
    assert found.refused == (("no effect on fresh traffic",) if survived is False else ())
    paid = len(target.played)
    saved(store, agent, 60, "fresh")  # more, yet not twice as much
    again = confirm_winner(store.context(), plan, parts_for(target), scrutiny=Scrutiny())
    assert again.survived is survived
    assert len(target.played) == paid
    rows = store.rows(
        "SELECT DISTINCT Sequence FROM holdout_ledger WHERE AgentName = {a:String} ORDER BY Sequence",
        a=agent,
    )
    assert [row["Sequence"] for row in rows] == [0, 1]


def test_a_leak_refuses_a_ship_before_anything_is_paid(store: AnalysisStore) -> None:
    plan, _ = winner(store, "leaky", candidate())
    saved(store, "leaky", 40, "fresh")
    target = KnownTarget(rates(0.2, 0.95))
    found = confirm_winner(
        store.context(), plan, parts_for(target), scrutiny=Scrutiny(leaks=["criteria text"])
    )
    assert found.refused == ("leak: criteria text",)
    assert target.played == []


def test_a_second_assessor_is_asked_once_and_may_refuse(store: AnalysisStore) -> None:
    plan, target = winner(store, "second", candidate())
    agreeing = KnownAssessor(target, second=True, version="second-1")
    scrutiny = Scrutiny(second=agreeing, second_scenarios=10)
    parts = parts_for(KnownTarget(rates(0.5, 0.5)))
    found = confirm_winner(store.context(), plan, parts, scrutiny=scrutiny)
    assert found.refused == ()
    assert found.second is not None
    assert found.second.value is not None
    assert found.second.value > 0
    assert len(agreeing.asked) == 20
    again = confirm_winner(store.context(), plan, parts, scrutiny=scrutiny)
    assert again.second == found.second
    assert len(agreeing.asked) == 20
    (row,) = store.rows(
        "SELECT arrayFirst(n -> n.name = 'effect by the second assessor', Numbers).value AS value, "
        "(SELECT countIf(SecondScore IS NOT NULL) FROM experiment_runs FINAL "
        "WHERE ExperimentId = {id:String}) AS scored "
        "FROM experiments FINAL WHERE ExperimentId = {id:String}",
        id=plan.experiment_id,
    )
    assert row == {"value": found.second.value, "scored": 20}


def test_a_second_assessor_that_sees_no_effect_refuses_a_ship(store: AnalysisStore) -> None:
    plan, target = winner(store, "contrary", candidate())
    saved(store, "contrary", 40, "fresh")
    blind = KnownTarget(rates(0.2, 0.95))
    blind.satisfied = dict.fromkeys(target.satisfied, True)
    scrutiny = Scrutiny(second=KnownAssessor(blind, second=True))
    fresh = KnownTarget(rates(0.2, 0.95))
    found = confirm_winner(store.context(), plan, parts_for(fresh), scrutiny=scrutiny)
    assert found.refused == ("the second assessor sees no effect",)
    assert fresh.played == []


@dataclass
class KnownPlayers:
    """Makes parts around a target whose truth is known."""

    target: KnownTarget

    def testing(self, agent: cycle_parts.Agent) -> cycle_parts.Procedure:
        del agent
        return cycle_parts.Procedure(target="replay", gate=GATE)

    def parts(
        self, context: Context, agent: cycle_parts.Agent, *, lease: Lease, as_of_ms: int
    ) -> ExperimentParts:
        del context, agent, as_of_ms
        self.target.lease = lease
        return parts_for(self.target)

    def second(self, context: Context, *, lease: Lease, as_of_ms: int) -> None:
        del context, lease, as_of_ms


def test_a_stored_candidate_is_tested_by_hand_against_what_runs_now(store: AnalysisStore) -> None:
    saved(store, "hand", 40, trajectories=("recorded",))
    register(store.context(), "hand", BASELINE, project="")
    edit = Edit(component="instructions", operation="add", text="Look it up first.")
    stored = Candidate(
        candidate_id="by-hand-candidate",
        agent="hand",
        cycle_id="",
        pattern_id="p",
        category="verification",
        intervention="verification",
        engine="template",
        state="proposed",
        baseline_hash=BASELINE.hash,
        edits=(edit,),
        created_at=CREATED,
        version=1,
    )
    save_candidates(store.context(), [stored])
    players = KnownPlayers(KnownTarget(rates(0.2, 0.95)))
    asked = ByHand(candidate="by-hand", scenarios=30)
    for played_by_then in (4, 8):  # amid the validity gate; each run has a cap of its own
        few = Caps(tokens=5 * TOKENS, usd=9.0)
        with pytest.raises(BudgetExhausted):
            run_in_store(store.context(), asked, players=players, caps=few)
        assert len(players.target.played) == played_by_then
    outcome = run_in_store(store.context(), asked, players=players, caps=Caps(tokens=10**6))
    assert outcome.verdict.decision == "ship"
    played = players.target.played
    assert len(set(played)) == len(played)
    (row,) = store.rows(
        "SELECT CandidateId, length(Scenarios) AS n FROM experiments FINAL WHERE AgentName = 'hand'"
    )
    assert row == {"CandidateId": "by-hand-candidate", "n": 30}
    (tested,) = load_candidates(store.context(), candidate_id="by-hand-candidate")
    assert (tested.state, tested.baseline_hash) == ("testing", BASELINE.hash)
    assert tested.configuration == apply_edits(BASELINE, (edit,))
    decide_candidate(store.context(), tested, state="rejected", reasons=["worse"])
    run_in_store(store.context(), asked, players=players, caps=Caps(tokens=10**6))
    (decided,) = load_candidates(store.context(), candidate_id="by-hand-candidate")
    assert (decided.state, decided.reasons) == ("rejected", ("worse",))
    with pytest.raises(PermanentError, match="no candidate"):
        run_in_store(
            store.context(), ByHand(candidate="nobody"), players=players, caps=Caps(tokens=1)
        )
