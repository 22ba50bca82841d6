"""Experiments on the real engine, with agents whose truth is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest
from clickhouse_connect.driver.client import Client

from spanloop.optimizer.experiments.parts import ExperimentParts
from spanloop.optimizer.experiments.plan import ExperimentPlan, make_plan
from spanloop.optimizer.experiments.runner import (
    ExperimentOutcome,
    run_experiment,
)
from spanloop.optimizer.models import Lease
from spanloop.optimizer.models.rate_limit import RateLimiter, RateLimits
from spanloop.optimizer.replay.episode import EpisodeRequest
from spanloop.service.cli.experiments import print_experiment
from spanloop.service.experiments import ExperimentExplorer
from tests.support.analysis import AnalysisStore, open_analysis_store
from tests.support.experiments import (
    BASELINE,
    TOKENS,
    KnownAssessor,
    KnownTarget,
    Truth,
    candidate,
    chance,
    design,
    rates,
    scenario,
    subject,
    ticks,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    directory: Path = tmp_path_factory.mktemp("experiments")
    opened = open_analysis_store(directory)
    yield opened
    opened.client.close()


def plan_for(agent: str, n: int = 60, **changes: object) -> ExperimentPlan:
    """Each test has an agent of its own, so a ledger of its own."""
    return make_plan(
        subject(candidate(agent), agent=agent),
        design(**changes),  # type: ignore[arg-type]
        [scenario(f"{agent}-{i:03d}", agent=agent) for i in range(n)],
    )


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


def looks(store: AnalysisStore, plan: ExperimentPlan) -> list[dict[str, object]]:
    return store.rows(
        "SELECT Sequence, AlphaAllotted, Closed, Decision FROM holdout_ledger "
        "WHERE ExperimentId = {id:String} ORDER BY Closed",
        id=plan.experiment_id,
    )


def stored(store: AnalysisStore, plan: ExperimentPlan) -> dict[str, object]:
    (row,) = store.rows(
        "SELECT * FROM experiments FINAL WHERE ExperimentId = {id:String}", id=plan.experiment_id
    )
    return row


@pytest.mark.parametrize(
    ("name", "truth", "decision"),
    [
        ("better", rates(0.3, 0.85), "ship"),
        ("equal", rates(0.5, 0.5), "inconclusive"),
        ("worse", rates(0.95, 0.2), "reject"),
    ],
)
def test_the_verdict_follows_the_truth(
    store: AnalysisStore, name: str, truth: Truth, decision: str
) -> None:
    plan, target = plan_for(name), KnownTarget(truth)
    outcome = run_experiment(store.context(), plan, parts_for(target))
    assert outcome.verdict.decision == decision
    row = stored(store, plan)
    assert (row["State"], row["Verdict"]) == ("decided", decision)
    assert row["DecidedAt"] is not None
    assert row["Tokens"] == outcome.tokens == TOKENS * len(target.played)
    runs = store.rows(
        "SELECT Arm, count() AS n, countIf(Score IS NOT NULL) AS judged FROM experiment_runs FINAL "
        "WHERE ExperimentId = {id:String} GROUP BY Arm ORDER BY Arm",
        id=plan.experiment_id,
    )
    half = len(target.played) // 2
    assert runs == [{"Arm": arm, "n": half, "judged": half} for arm in ("baseline", "candidate")]
    # The level was allotted before anything was seen, and each look is a row.
    taken = looks(store, plan)
    assert [row["Closed"] for row in taken] == list(range(0, outcome.verdict.closed + 1, 10))
    assert {(row["Sequence"], row["AlphaAllotted"]) for row in taken} == {(1, outcome.level)}


def test_larger_rounds_change_no_verdict(store: AnalysisStore) -> None:
    small, large = KnownTarget(by_scenario), KnownTarget(by_scenario)
    one = facts(store, "small-rounds", run_in(store, "small-rounds", small, store.client))
    other = facts(
        store,
        "large-rounds",
        run_in(store, "large-rounds", large, store.client, scenarios_a_round=45),
    )
    for what in ("verdict", "level", "looks"):
        assert other[what] == one[what]
    assert len(small.played) < len(large.played) == 2 * 50


def test_an_experiment_that_is_decided_is_never_run_again(store: AnalysisStore) -> None:
    plan, target = plan_for("again"), KnownTarget(rates(0.3, 0.85))
    first = run_experiment(store.context(), plan, parts_for(target))
    paid = list(target.played)
    second = run_experiment(store.context(), plan, parts_for(target))
    assert target.played == paid
    assert second == replace(first, played=0)


def test_arms_are_mixed_and_the_assessor_cannot_tell_them(store: AnalysisStore) -> None:
    plan, target = plan_for("mixed", n=20), KnownTarget(rates(0.5, 0.5))
    assessor = KnownAssessor(target)
    run_experiment(store.context(), plan, parts_for(target, assessor=assessor))
    arms = {
        row["RunId"]: row["Arm"]
        for row in store.rows(
            "SELECT RunId, Arm FROM experiment_runs FINAL WHERE ExperimentId = {id:String}",
            id=plan.experiment_id,
        )
    }
    for asked in (target.played, assessor.asked):
        order = [arms[run_id] for run_id in asked]
        changes = sum(a != b for a, b in pairwise(order))
        assert changes >= len(order) // 4


@pytest.mark.parametrize("state", ["crashed", "timed_out", "step_cap", "tape_miss"])
def test_a_candidate_that_fails_is_no_better_and_all_of_it_stays(
    store: AnalysisStore, state: str
) -> None:
    def truth(request: EpisodeRequest) -> object:
        return True if request.configuration == BASELINE else state

    plan, target = plan_for(f"fails-{state}"), KnownTarget(truth)  # type: ignore[arg-type]
    outcome = run_experiment(store.context(), plan, parts_for(target))
    assert outcome.verdict.decision == "reject"
    rows = store.rows(
        "SELECT State, Score FROM experiment_runs FINAL "
        "WHERE ExperimentId = {id:String} AND Arm = 'candidate'",
        id=plan.experiment_id,
    )
    assert len(rows) == outcome.verdict.closed
    assert all(row == {"State": state, "Score": None} for row in rows)


def test_what_gets_lost_is_played_again_in_both_arms(store: AnalysisStore) -> None:
    lost: set[str] = set()

    def truth(request: EpisodeRequest) -> object:
        if request.configuration == BASELINE and not len(lost) % 3:
            lost.add(request.run_id)
            return "infrastructure"
        lost.add(request.run_id)
        return True

    plan, target = plan_for("lost", n=10), KnownTarget(truth)  # type: ignore[arg-type]
    run_experiment(store.context(), plan, parts_for(target))
    rows = store.rows(
        "SELECT Attempt, countIf(Arm = 'baseline') AS b, countIf(Arm = 'candidate') AS c, "
        "countIf(State = 'infrastructure') AS lost "
        "FROM experiment_runs FINAL WHERE ExperimentId = {id:String} GROUP BY Attempt ORDER BY Attempt",
        id=plan.experiment_id,
    )
    assert len(rows) > 1
    assert all(row["b"] == row["c"] for row in rows)
    assert rows[1]["b"] == rows[0]["lost"]  # only the baseline lost any here


def test_an_outage_stops_an_experiment_and_the_next_call_goes_on(store: AnalysisStore) -> None:
    down = [True]

    def truth(request: EpisodeRequest) -> object:
        return "infrastructure" if down[0] else rates(0.3, 0.85)(request)

    plan, target = plan_for("outage"), KnownTarget(truth)  # type: ignore[arg-type]
    stopped = run_experiment(store.context(), plan, parts_for(target))
    assert (stopped.verdict.decision, stopped.verdict.reason) == ("inconclusive", "infrastructure")
    assert stopped.resumable
    assert len(target.played) == 20
    down[0] = False
    assert run_experiment(store.context(), plan, parts_for(target)).verdict.decision == "ship"


def test_outages_cost_no_attempts(store: AnalysisStore) -> None:
    down = [True]

    def truth(request: EpisodeRequest) -> object:
        lost = down[0] and (request.configuration != BASELINE or chance(request.run_id) < 0.5)
        return "infrastructure" if lost else rates(0.3, 0.85)(request)

    plan, target = plan_for("outages"), KnownTarget(truth)  # type: ignore[arg-type]
    parts = parts_for(target)
    for _ in range(parts.max_attempts):
        assert run_experiment(store.context(), plan, parts).verdict.reason == "infrastructure"
    down[0] = False
    verdict = run_experiment(store.context(), plan, parts).verdict
    undisturbed = store.rows(
        "SELECT count() AS n, max(Attempt) AS attempt, countIf(State != 'finished') AS lost "
        "FROM experiment_runs FINAL WHERE ExperimentId = {id:String}",
        id=plan.experiment_id,
    )
    assert undisturbed == [{"n": 2 * verdict.closed, "attempt": 0, "lost": 0}]
    assert verdict.decision == "ship"


def test_a_spent_budget_stops_an_experiment_and_a_new_one_goes_on(store: AnalysisStore) -> None:
    whole, target = plan_for("budget-whole"), KnownTarget(rates(0.4, 0.8))
    expected = run_experiment(store.context(), whole, parts_for(target)).verdict.decision
    plan = plan_for("budget")
    target = KnownTarget(rates(0.4, 0.8), lease=Lease(max_tokens=TOKENS * 30))
    given = {"tokens_an_episode": TOKENS, "usd_an_episode": 0.001}
    stopped = run_experiment(store.context(), plan, parts_for(target, **given))
    assert (stopped.verdict.decision, stopped.verdict.reason) == ("inconclusive", "budget")
    assert stopped.resumable
    assert stopped.verdict.closed == 10
    assert len(target.played) == 20  # a batch that does not fit is not begun
    assert stored(store, plan)["State"] == "running"
    target.lease = Lease(max_tokens=10**6)
    finished = run_experiment(store.context(), plan, parts_for(target, **given))
    assert finished.verdict.decision == expected == "ship"
    assert len(target.played) == len(set(target.played)) == 2 * finished.verdict.closed


def test_a_budget_spent_amid_a_batch_loses_nothing_that_was_paid(store: AnalysisStore) -> None:
    plan = plan_for("amid")
    target = KnownTarget(rates(0.4, 0.8), lease=Lease(max_tokens=TOKENS * 27))
    stopped = run_experiment(store.context(), plan, parts_for(target, tokens_an_episode=1))
    assert stopped.verdict.reason == "budget"
    target.lease = Lease(max_tokens=10**6)
    run_experiment(store.context(), plan, parts_for(target))
    assert len(target.played) == len(set(target.played))


def test_the_budget_caps_agents_that_pay_for_themselves(store: AnalysisStore) -> None:
    target = KnownTarget(rates(0.3, 0.85), lease=Lease(max_tokens=TOKENS * 30), spends_lease=False)
    given = {"tokens_an_episode": TOKENS, "usd_an_episode": 0.001}
    stopped = run_experiment(store.context(), plan_for("outside"), parts_for(target, **given))
    assert (stopped.verdict.reason, len(target.played)) == ("budget", 20)
    assert (target.lease.tokens, target.lease.reserved_tokens) == (20 * TOKENS, 0)
    assert target.lease.cost_usd == pytest.approx(0.02)


def test_an_agent_that_does_not_say_what_it_cost_is_taken_at_its_bound(
    store: AnalysisStore,
) -> None:
    target = KnownTarget(
        rates(0.3, 0.85), lease=Lease(max_tokens=TOKENS * 50), spends_lease=False, tells_cost=False
    )
    given = {"tokens_an_episode": 2 * TOKENS}
    stopped = run_experiment(store.context(), plan_for("silent"), parts_for(target, **given))
    assert (stopped.verdict.reason, len(target.played)) == ("budget", 20)
    assert (target.lease.tokens, target.lease.cost_usd) == (40 * TOKENS, None)
    assert target.lease.unpriced == 20


class Killed(BaseException):
    """The process is gone: nothing that it does from here on reaches the store."""


class Dying:
    """A client that dies at its insert number ``at``, before or after it is done."""

    def __init__(self, client: Client, at: int, *, done: bool) -> None:
        self._client, self._at, self._done = client, at, done
        self.inserts = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._client, name)

    def insert(self, *arguments: object, **named: object) -> None:
        self.inserts += 1
        if self.inserts > self._at or (self.inserts == self._at and not self._done):
            raise Killed
        self._client.insert(*arguments, **named)  # type: ignore[arg-type]
        if self.inserts == self._at:
            raise Killed

    def kill(self) -> None:
        self._at = 0
        raise Killed


def by_scenario(request: EpisodeRequest) -> bool:
    """The same outcome in whichever project it is played."""
    better = request.configuration != BASELINE
    return chance(request.scenario.scenario_id, better) < (0.85 if better else 0.3)


def run_in(
    store: AnalysisStore, project: str, target: KnownTarget, client: object, **changes: object
) -> ExperimentOutcome:
    plan = make_plan(
        subject(agent="killed", project=project),
        design(),
        [scenario(f"k{i:03d}", agent="killed", project=project) for i in range(60)],
    )
    context = replace(store.context(), client=cast("Client", client))
    return run_experiment(context, plan, parts_for(target, **changes))


def facts(store: AnalysisStore, project: str, outcome: ExperimentOutcome) -> dict[str, object]:
    """What must not depend on how often the process died."""
    counted = store.rows(
        "SELECT (SELECT count() FROM experiment_runs FINAL WHERE Project = {p:String}) AS runs, "
        "(SELECT groupArray(Closed) FROM (SELECT Closed FROM holdout_ledger "
        "WHERE Project = {p:String} ORDER BY Closed)) AS looks",
        p=project,
    )
    verdict = outcome.verdict
    return {
        "verdict": (verdict.decision, verdict.closed, verdict.e_value, verdict.effect),
        "numbers": verdict.numbers,
        "level": outcome.level,
        "tokens": outcome.tokens,
        **counted[0],
    }


def test_a_killed_experiment_ends_with_the_same_verdict_and_pays_no_episode_twice(
    store: AnalysisStore,
) -> None:
    target, undying = KnownTarget(by_scenario), Dying(store.client, 10**9, done=True)
    expected = facts(store, "whole", run_in(store, "whole", target, undying))
    assert expected["verdict"][0] == "ship"  # type: ignore[index]
    for at in range(1, undying.inserts + 1):
        for done in (False, True):
            project = f"killed-{at}-{done}"
            target = KnownTarget(by_scenario)
            with pytest.raises(Killed):
                run_in(store, project, target, Dying(store.client, at, done=done))
            outcome = run_in(store, project, target, store.client)
            assert facts(store, project, outcome) == expected, project
            assert len(target.played) == len(set(target.played)), project


@pytest.mark.parametrize("at", [0, 7, 19, 20, 33])
def test_an_experiment_killed_amid_a_batch_pays_no_ended_episode_twice(
    store: AnalysisStore, at: int
) -> None:
    expected = facts(
        store,
        f"amid-whole-{at}",
        run_in(store, f"amid-whole-{at}", KnownTarget(by_scenario), store.client),
    )
    dying = Dying(store.client, 10**9, done=True)
    target = KnownTarget(by_scenario)
    target.before = lambda _: dying.kill() if len(target.played) >= at else None
    with pytest.raises((Killed, BaseExceptionGroup)):
        run_in(store, f"amid-{at}", target, dying)
    target.before = lambda _: None
    outcome = run_in(store, f"amid-{at}", target, store.client)
    assert facts(store, f"amid-{at}", outcome) == expected
    assert len(target.played) == len(set(target.played))


def test_later_tests_of_an_agent_are_tested_at_their_own_level(store: AnalysisStore) -> None:
    outcomes = []
    for name in ("one", "two", "three"):
        scenarios = [scenario(f"online-{i:03d}", agent="online") for i in range(30)]
        plan = make_plan(
            subject(candidate(name), agent="online", candidate_id=name), design(), scenarios
        )
        target = KnownTarget(rates(0.5, 0.5))
        outcomes.append(run_experiment(store.context(), plan, parts_for(target)))
        assert looks(store, plan)[0]["Sequence"] == len(outcomes)
    levels = [outcome.level for outcome in outcomes]
    assert levels == sorted(levels, reverse=True)
    assert levels[0] <= 0.05


def test_what_an_experiment_came_to_can_be_read(
    store: AnalysisStore, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, target = plan_for("read"), KnownTarget(rates(0.3, 0.85))
    outcome = run_experiment(store.context(), plan, parts_for(target))
    explorer = ExperimentExplorer(client=store.client, renderer=store.renderer)
    (listed,) = explorer.experiments(agent="read")
    assert (listed["verdict"], listed["closed"]) == ("ship", outcome.verdict.closed)
    found = explorer.experiment(plan.experiment_id[:8])
    assert [look["e_value"] for look in found["looks"]][-1] == outcome.verdict.e_value
    arms = {arm["arm"]: arm for arm in found["arms"]}
    assert arms["baseline"]["episodes"] == arms["candidate"]["episodes"] == outcome.verdict.closed
    assert arms["candidate"]["satisfied"] - arms["baseline"]["satisfied"] > 0.5
    assert arms["baseline"]["states"] == {"finished": outcome.verdict.closed}
    print_experiment(found)
    told = capsys.readouterr().out
    for expected in ("ship", "e-value", "baseline", "candidate", "how it was computed"):
        assert expected in told
