from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from spanloop.optimizer.gate.evidence import ArmRuns, Evidence
from spanloop.optimizer.strategies import measure, record_of, restated, standing
from spanloop.optimizer.strategies.standing import RETIRE_AFTER
from spanloop.optimizer.strategies.strategy import Strategy, Trial, Validity

NOW = datetime(2026, 11, 25, tzinfo=UTC)
STRATEGY = Strategy(
    strategy_id="s",
    title="t",
    category="loop",
    intervention="stop_rule",
    applies_when="w",
    principle="p",
    created_at=NOW,
)
WIN = Trial(
    trial_id="t",
    strategy_id="s",
    agent="a",
    pattern_id="p",
    category="loop",
    intervention="stop_rule",
    verdict="ship",
    effect=0.2,
    n=100,
    tokens=10,
    validity=Validity(model_hash="m1", prompt_hash="x"),
    recorded_at=NOW,
)
LOSS = replace(WIN, verdict="inconclusive", effect=0.0, transferred=True, harm=True)


@pytest.mark.parametrize(
    ("trials", "now", "state"),
    [
        ([], {}, "hypothesis"),
        ([LOSS], {}, "hypothesis"),
        ([WIN], {}, "proven"),
        ([WIN], {"a": Validity(model_hash="m1", prompt_hash="y")}, "proven"),
        ([WIN], {"a": Validity(model_hash="m2")}, "doubtful"),
        ([WIN, replace(WIN, agent="b")], {"a": Validity(model_hash="m2")}, "proven"),
        (
            [WIN, replace(WIN, agent="b")],
            {"a": Validity(model_hash="m2"), "b": Validity(model_hash="m2")},
            "doubtful",
        ),
        ([replace(WIN, survived_fresh=False)], {}, "hypothesis"),
        ([WIN, *[LOSS] * RETIRE_AFTER], {}, "retired"),
    ],
)
def test_state_follows_from_trials(
    trials: list[Trial], now: Mapping[str, Validity], state: str
) -> None:
    assert standing(STRATEGY, trials, now) == state
    moved = restated([STRATEGY], trials, now)
    assert [s.state for s in moved] == ([] if state == "hypothesis" else [state])


def test_an_entry_stays_doubtful_until_it_is_proven_where_it_is_asked_about() -> None:
    doubtful = replace(STRATEGY, state="doubtful")
    assert standing(doubtful, [WIN], {}) == "doubtful"
    assert standing(doubtful, [WIN], {"a": Validity(model_hash="m1")}) == "proven"


def test_the_record_counts_transfers_and_harms() -> None:
    record = record_of([WIN, LOSS, replace(WIN, transferred=True, survived_fresh=True)])
    assert (record.trials, record.shipped, record.harmed, record.tokens) == (3, 2, 1, 30)
    assert record.transferred == 2
    assert record.transfer_rate.point == 0.5
    assert record.survived.n == 1
    assert not record_of([WIN]).transfer_rate.known


def arm(outcomes: list[float]) -> ArmRuns:
    runs = np.array(outcomes)[:, np.newaxis]
    unknown = np.full(runs.shape, np.nan)
    return ArmRuns(
        outcome=runs,
        state=np.zeros(runs.shape, dtype=np.int8),
        gold=runs,
        cost=unknown,
        latency=unknown,
        coverage=unknown,
    )


def test_effect_and_side_effect_are_measured_apart() -> None:
    on_pattern = np.array([True, True, True, True, False, False, False, False])
    evidence = Evidence(
        scenario_ids=[str(i) for i in range(8)],
        stratum=np.zeros(8, dtype=np.int64),
        strata=["all"],
        shares=np.array([1.0]),
        fixed_patterns=np.zeros((8, 0), dtype=bool),
        patterns=[],
        weight=np.ones(8),
        is_gold=np.ones(8, dtype=bool),
        baseline=arm([0, 0, 0, 1, 1, 1, 1, 1]),
        candidate=arm([1, 1, 0, 1, 1, 0, 1, 1]),
    )
    measures = measure(evidence, on_pattern)
    effect, low, high = measures.effect_interval()
    assert effect == pytest.approx(0.5)
    assert low is not None
    assert high is not None
    assert low < 0.5 < high
    assert measures.side_interval()[0] == pytest.approx(-0.25)
    none = measure(evidence, np.zeros(8, dtype=bool))
    assert none.effect_interval() == (None, None, None)
