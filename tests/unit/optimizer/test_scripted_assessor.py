"""The fakes that stand in for judging runs."""

from datetime import UTC, datetime

from spanloop.optimizer.experiments.assessing import Assessor
from spanloop.optimizer.experiments.fakes import ScriptedAssessor, fixed_score
from spanloop.optimizer.scenarios.scenario import Content, Scenario

DAY = datetime(2026, 11, 1, tzinfo=UTC)
SCENARIO = Scenario(scenario_id="s", content=Content(opening="hi"), first_seen=DAY, last_seen=DAY)


def test_a_kind_judge_is_kind_to_whom_it_is_told_and_gold_is_not() -> None:
    kind: Assessor = ScriptedAssessor(
        truth=lambda run_id, scenario: 0.4,
        kindness=0.3,
        swayed=lambda run_id: run_id.startswith("c"),
    )
    said = kind.assess({"b1": SCENARIO, "c1": SCENARIO}, gold={"b1", "c1"})
    assert [round(said[name].score or 0, 9) for name in ("b1", "c1")] == [0.4, 0.7]
    assert [said[name].gold for name in ("b1", "c1")] == [0.4, 0.4]


def test_scores_stay_within_bounds_and_noise_turns_some_round() -> None:
    harsh = ScriptedAssessor(truth=lambda run_id, scenario: 0.1, kindness=-0.5)
    assert harsh.assess({"r": SCENARIO}, gold=())["r"].score == 0.0
    noisy = ScriptedAssessor(truth=lambda run_id, scenario: 1.0, noise=0.25)
    said = noisy.assess({f"r{n}": SCENARIO for n in range(400)}, gold=())
    assert 60 <= sum(each.score == 0.0 for each in said.values()) <= 140
    assert all(each.gold is None for each in said.values())


def test_what_nobody_can_tell_has_no_score() -> None:
    said = fixed_score(None).assess({"r": SCENARIO}, gold={"r"})["r"]
    assert (said.score, said.gold, said.trajectory_id) == (None, None, "")
    assert fixed_score(0.5).assess({"r": SCENARIO}, gold=())["r"].score == 0.5
