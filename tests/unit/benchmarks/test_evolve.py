"""The world of benchmarks.evolve: failures come and go as scheduled, and gaming changes no truth."""

import json
from collections import Counter

import numpy as np

from benchmarks.evolve.gaming import MANNERS, REALLY_BETTER, play
from benchmarks.evolve.gaming_gate import evidence_of
from benchmarks.evolve.stories import FAILURES, tell, to_request
from benchmarks.evolve.world import SCHEDULE, simulate


def test_a_failure_shows_between_its_days_and_seldom() -> None:
    shown: Counter[str] = Counter()
    for day, (_, requests, truth) in enumerate(simulate(days=10, runs_a_day=200, real={}, seed=1)):
        assert len(requests) == len(truth) == 200
        planted = {known.failure for known in truth if known.failure}
        assert planted <= {f.name for f in SCHEDULE if not f.real and f.shows(day, 10)}
        assert not any(known.content for known in truth if known.failure)
        shown.update(known.failure for known in truth if known.failure)
    assert shown["ignore_error"] / (200 * 8) < 0.04
    assert set(shown) == set(FAILURES)


def test_the_same_seed_is_the_same_world() -> None:
    worlds = [list(simulate(days=2, runs_a_day=20, real={}, seed=3)) for _ in range(2)]
    assert worlds[0] == worlds[1]


def test_a_story_is_told_once_over_its_spans() -> None:
    steps = FAILURES["wrong_tool"](tell(np.random.default_rng(1)))
    spans = to_request(steps, "c", 1_000).resource_spans[0].scope_spans[0].spans
    tools = [span for span in spans if span.name.startswith("execute_tool")]
    assert len(tools) == sum(step.kind == "tool" for step in steps)
    assert tools[0].status.code == 2
    root = next(span for span in spans if not span.parent_span_id)
    assert {span.parent_span_id for span in spans if span is not root} == {root.span_id}
    carried = {a.key: a.value.string_value for a in root.attributes}
    said = [m for m in json.loads(carried["gen_ai.input.messages"]) if m["role"] == "user"]
    assert len(said) == sum(step.kind == "user" for step in steps)


def test_gaming_moves_the_assessor_and_nothing_else() -> None:
    rng = np.random.default_rng(2)
    for manner in MANNERS.values():
        drawn = play(manner, scenarios=40_000, gold_share=0.25, rng=rng)
        assert abs(drawn.truth[1].mean() - drawn.truth[0].mean()) < 0.015
        assert drawn.judged[1].mean() - drawn.judged[0].mean() > 0.02
    better = play(REALLY_BETTER, scenarios=40_000, gold_share=0.25, rng=rng)
    assert abs(better.truth[1].mean() - better.truth[0].mean() - 0.15) < 0.02


def test_the_gate_sees_the_truth_of_the_gold_share_alone() -> None:
    drawn = play(MANNERS["resolved"], scenarios=200, gold_share=0.25, rng=np.random.default_rng(1))
    evidence = evidence_of(drawn)
    for arm in (evidence.baseline, evidence.candidate):
        assert (~np.isnan(arm.gold[:, 0]) == drawn.is_gold).all()
