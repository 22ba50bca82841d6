from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from spanloop.optimizer.candidates.candidate import Edit, PatternBrief
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.strategies import (
    Situation,
    Validity,
    Win,
    keep_win,
    learning_curve,
    load_library,
    load_strategies,
    load_trials,
    record_trial,
    record_trials,
    restate,
    save_strategies,
)
from tests.support.analysis import AnalysisStore, open_analysis_store
from tests.support.strategies import STRATEGY, TRIAL


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    opened = open_analysis_store(tmp_path_factory.mktemp("strategies"))
    yield opened
    opened.client.close()


def test_what_is_stored_is_read_back(store: AnalysisStore) -> None:
    context = store.context()
    null = replace(TRIAL, trial_id="t2", effect=None, effect_low=None, effect_high=None, n=0)
    save_strategies(context, [STRATEGY])
    record_trials(context, [TRIAL, null])
    assert load_strategies(context) == [STRATEGY]
    assert load_trials(context) == [TRIAL, null]


def test_a_trial_stored_again_is_one_trial(store: AnalysisStore) -> None:
    context = store.context()
    record_trial(context, TRIAL)
    record_trial(context, replace(TRIAL, survived_fresh=False))
    assert [t.survived_fresh for t in load_trials(context) if t.trial_id == "t1"] == [False]


def test_secrets_in_an_entry_are_not_stored(store: AnalysisStore) -> None:
    context = store.context()
    save_strategies(context, [replace(STRATEGY, principle="As ann@example.org said, look it up.")])
    assert load_strategies(context)[0].principle == "As <EMAIL> said, look it up."


def test_the_stored_library_ranks(store: AnalysisStore) -> None:
    context = store.context()
    record_trial(context, TRIAL)
    library = load_library(context)
    asked = Situation(agent="new", pattern_id="q", category="context_gap", prevalence=0.2)
    names = ("stop_rule", "context_injection")
    choices = library.rank([asked], names, np.random.default_rng(1))
    assert {choice.basis for choice in choices} == {"untried", "transferred"}


def test_a_win_becomes_an_entry_once_and_is_doubtful_when_the_model_changes(
    store: AnalysisStore,
) -> None:
    context = store.context()
    trial = replace(TRIAL, trial_id="w1", strategy_id="", category="loop", agent="first")
    brief = PatternBrief(
        pattern_id="p1", category="loop", title="", explanation="", predicate="{}", examples=()
    )
    edit = Edit(component="instructions", operation="add", text="Stop after the third attempt.")
    win = Win(edits=(edit,), brief=brief, configuration=AgentConfiguration(), trial=trial)
    record_trial(context, trial)
    entry = keep_win(context, win)
    second = replace(trial, trial_id="w2", agent="second")
    assert keep_win(context, replace(win, trial=second)) == entry
    linked = {t.trial_id: t for t in load_trials(context) if t.strategy_id == entry.strategy_id}
    assert {name: t.transferred for name, t in linked.items()} == {"w1": False, "w2": True}
    restate(context, {})
    states = {s.strategy_id: s.state for s in load_strategies(context)}
    assert states[entry.strategy_id] == "proven"
    changed = Validity(model_hash="another")
    moved = restate(context, {"first": changed, "second": changed})
    assert {s.strategy_id: s.state for s in moved}[entry.strategy_id] == "doubtful"


def test_the_curve_counts_what_wins_cost_and_whether_they_last(store: AnalysisStore) -> None:
    store.client.command(
        "INSERT INTO experiments (ExperimentId, AgentName, CycleId, Purpose, State, Verdict, Tokens, "
        "CostUsd, StartedAt, Version) VALUES "
        "('x1', 'curve', 'c1', 'gate', 'decided', 'inconclusive', 100, 1, '2026-11-01', 1), "
        "('x2', 'curve', 'c1', 'gate', 'decided', 'ship', 50, 0.5, '2026-11-01', 1), "
        "('x3', 'curve', 'c1', 'confirmation', 'decided', 'ship', 30, NULL, '2026-11-01', 1), "
        "('x4', 'curve', 'c2', 'gate', 'decided', 'reject', 70, 0.7, '2026-11-02', 1), "
        "('x5', 'curve', 'c2', 'gate', 'running', '', 10, 0, '2026-11-02', 1)"
    )
    context = store.context()
    record_trial(context, replace(TRIAL, trial_id="x2", experiment_id="x2", survived_fresh=True))
    first, second = learning_curve(context, agent="curve")
    assert (first.experiments, first.wins, first.tokens, first.cost_usd) == (2, 1, 180, None)
    assert (first.tokens_per_win, first.survival) == (180, 1.0)
    assert (second.experiments, second.wins, second.tokens_per_win) == (1, 0, None)
    assert second.survival is None
