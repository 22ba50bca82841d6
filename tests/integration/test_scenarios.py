"""Scenarios on the real engine: derived once, covering, apart by person, retired, revived, rotated."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from spanloop.optimizer.context import Context
from spanloop.optimizer.scenarios import (
    ScenarioSettings,
    derive_scenarios,
    load_scenarios,
    rotate_locked_set,
)
from spanloop.optimizer.scenarios.scenario import Scenario, State
from spanloop.processor.errors import PermanentError
from spanloop.service.cli.scenarios import print_scenario
from spanloop.service.erasing import Subject, delete
from spanloop.service.scenarios import LOCKED, ScenarioExplorer, ScenarioFilter
from tests.support.analysis import LATER_MS, AnalysisStore, open_analysis_store
from tests.support.scenario_runs import REQUESTS, START, Run, insert_runs, shop_run

STATES: Sequence[State] = ("active", "retired", "merged", "dropped")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    opened = open_analysis_store(Path(tmp_path_factory.mktemp("scenarios")) / "db")
    yield opened
    opened.client.close()


@pytest.fixture
def agent(store: AnalysisStore, request: pytest.FixtureRequest) -> str:
    """An agent of the test's own: derivations leave the others alone."""
    return str(request.node.name)


def fill(
    store: AnalysisStore, agent: str, n: int = 60, *, day: float = 0.0, begin: int = 0
) -> None:
    kinds = list(REQUESTS)
    runs = [
        shop_run(
            kinds[i % len(kinds)],
            i,
            day=day + i / 4,
            agent=agent,
            name=f"{agent}-{i}",
            user=f"{agent}-{i % 20}",
        )
        for i in range(begin, begin + n)
    ]
    insert_runs(store.client, runs, version=LATER_MS + begin)


def later(context: Context, ms: int) -> Context:
    return replace(context, now_ms=context.now_ms + ms)


def every(context: Context, agent: str) -> list[Scenario]:
    return load_scenarios(context, agent=agent, states=STATES)


def test_covers_its_traffic_with_few_and_is_derived_once(store: AnalysisStore, agent: str) -> None:
    fill(store, agent)
    context = store.context()
    result = derive_scenarios(context)
    assert result.covered >= 0.95 * result.sampled
    assert 4 <= result.scenarios <= result.sampled / 5
    first = load_scenarios(context, agent=agent)
    assert derive_scenarios(later(context, 1)).agents == 0
    store.client.command(
        "ALTER TABLE analyses DELETE WHERE Stage = 'scenarios' SETTINGS mutations_sync = 2"
    )
    again = derive_scenarios(later(context, 2))  # as after a kill before the end
    assert (again.derived, again.updated, again.retired) == (0, 0, 0)
    assert load_scenarios(context, agent=agent) == first
    for split in ("train", "validation", "test"):
        assert sum(s.weight for s in first if s.split == split) <= 1.0001


def test_one_person_stands_on_one_side(store: AnalysisStore, agent: str) -> None:
    fill(store, agent, 80)
    derive_scenarios(store.context())
    sides: dict[int, set[str]] = {}
    for scenario in load_scenarios(store.context(), agent=agent):
        for trajectory in scenario.trajectories:
            sides.setdefault(int(trajectory.rpartition("-")[2]) % 20, set()).add(scenario.split)
    assert sides
    assert all(len(splits) == 1 for splits in sides.values())


def test_content_is_redacted_and_tells_tape_and_reactions(store: AnalysisStore, agent: str) -> None:
    told = [
        "I need to cancel order W777777. Write to ann@example.org.",
        "That's not what I asked for, cancel order W777777 and tell Bob Stone.",
    ]
    run = Run(
        name=f"{agent}-1",
        agent=agent,
        told=told,
        tools=("find_order", "cancel_order"),
        order="W777777",
    )
    insert_runs(store.client, [run], version=LATER_MS)
    derive_scenarios(store.context())
    (scenario,) = load_scenarios(store.context(), agent=agent)
    content = scenario.content
    assert "ann@example.org" not in content.model_dump_json()
    assert "boss@example.org" not in content.system
    assert scenario.goal == "I need to cancel order W777777."
    assert [(call.tool, call.writes) for call in content.tape] == [
        ("find_order", False),
        ("cancel_order", True),
    ]
    (turn,) = content.turns
    assert turn.reaction
    assert turn.facts == ("Bob Stone",)
    assert turn.after.startswith("Order W777777")
    assert [c.name for c in content.criteria if c.kind == "calls"] == ["cancel_order"]


def test_runs_of_experiments_are_no_traffic(store: AnalysisStore, agent: str) -> None:
    insert_runs(
        store.client,
        [shop_run("cancel", 1, agent=agent, run_id="r1", name=agent)],
        version=LATER_MS,
    )
    derive_scenarios(store.context())
    assert every(store.context(), agent) == []


def test_what_is_not_seen_any_more_retires_and_comes_back(store: AnalysisStore, agent: str) -> None:
    fill(store, agent, 40)
    context = store.context()
    derive_scenarios(context)
    before = {s.scenario_id: s for s in load_scenarios(context, agent=agent)}
    refunds = {name for name, s in before.items() if "kettle" in s.content.opening}
    assert refunds
    runs = [
        shop_run("status", i, day=10 + i / 20, agent=agent, name=f"{agent}-late-{i}")
        for i in range(100, 260)
    ]
    insert_runs(store.client, runs, version=LATER_MS + 10)
    derive_scenarios(later(context, 10), ScenarioSettings(stale_days=10))
    states = {s.scenario_id: s.state for s in every(context, agent)}
    assert {states[name] for name in refunds} == {"retired"}
    back = shop_run(
        "refund", 900, agent=agent, name=f"{agent}-back", start=START + timedelta(days=24)
    )
    insert_runs(store.client, [back], version=LATER_MS + 20)
    assert derive_scenarios(later(context, 20)).revived >= 1


def test_a_rotated_set_is_train_evidence(store: AnalysisStore, agent: str) -> None:
    fill(store, agent, 100)
    context = store.context()
    derive_scenarios(context)
    before = {s.scenario_id: s.split for s in load_scenarios(context, agent=agent)}
    generation = rotate_locked_set(later(context, 5), agent=agent)
    after = {s.scenario_id: s for s in load_scenarios(context, agent=agent)}
    moved = {"test": "train", "fresh": "test"}
    assert {name: moved.get(split, split) for name, split in before.items()} == {
        name: s.split for name, s in after.items()
    }
    assert generation == 2
    assert {s.generation for s in after.values() if s.split == "test"} <= {generation}


def test_locked_scenarios_are_told_only_on_demand(store: AnalysisStore, agent: str) -> None:
    fill(store, agent, 80)
    derive_scenarios(store.context())
    shut = ScenarioExplorer(client=store.client, renderer=store.renderer)
    unlocked = replace(shut, unlocked=True)
    listed = shut.scenarios(ScenarioFilter(agent=agent))
    assert {(row["goal"] is None, row["split"] in LOCKED) for row in listed} == {
        (True, True),
        (False, False),
    }
    for row in listed:
        hidden = shut.scenario(row["scenario"])["content"]
        assert (hidden is None) == (row["split"] in LOCKED)
        assert unlocked.scenario(row["scenario"])["content"]["opening"]
    assert {row["split"] for row in shut.export(agent=agent)} <= {"train", "validation"}
    assert len(list(unlocked.export(agent=agent))) == len(listed)
    with pytest.raises(PermanentError, match="locked"):
        shut.export(agent=agent, split="test")


def test_a_scenario_reads_like_what_it_plays(
    store: AnalysisStore, agent: str, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = "I need [bold]order\x1b[31m W555555"
    run = Run(
        name=agent, agent=agent, told=[hostile, "It goes to Bob Stone."], tools=("find_order",)
    )
    insert_runs(store.client, [run], version=LATER_MS)
    derive_scenarios(store.context())
    explorer = ScenarioExplorer(client=store.client, renderer=store.renderer, unlocked=True)
    (row,) = explorer.scenarios(ScenarioFilter(agent=agent))
    print_scenario(explorer.scenario(row["scenario"][:8]))
    told = capsys.readouterr().out
    assert "[bold]order" in told
    assert "\x1b[31m" not in told
    assert "tells first: Bob Stone" in told
    assert "find_order" in told


def test_what_is_made_of_a_person_goes_with_them_and_is_made_anew_of_the_others(
    store: AnalysisStore, agent: str
) -> None:
    fill(store, agent, 80)
    context = store.context()
    derive_scenarios(context)
    before = load_scenarios(context, agent=agent)
    user = f"{agent}-3"
    theirs = {f"{agent}-{i}" for i in range(3, 80, 20)}
    made_of = {s.scenario_id for s in before if theirs & set(s.trajectories)}
    assert made_of
    played = {"TraceId": f"{agent}-run", "TrajectoryId": f"{agent}-run", "Version": 1}
    store.client.insert("trajectory_traces", [list(played.values())], column_names=list(played))
    run = {"RunId": "r", "ScenarioId": min(made_of), "TraceIds": [f"{agent}-run"], "Version": 1}
    store.client.insert("experiment_runs", [list(run.values())], column_names=list(run))
    erased = delete(store.client, store.renderer, Subject(user=user))
    assert erased["scenarios"] >= len(made_of)
    left = store.rows("SELECT * FROM scenarios WHERE AgentName = {agent:String}", agent=agent)
    assert not [row for row in left if theirs & set(row["Trajectories"])]
    assert not store.rows(
        "SELECT * FROM trajectory_traces WHERE TraceId = {id:String}", id=f"{agent}-run"
    )
    result = derive_scenarios(later(context, 1))
    assert result.covered >= 0.95 * result.sampled
    assert not [s for s in load_scenarios(context, agent=agent) if theirs & set(s.trajectories)]
