from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from spanloop.optimizer.strategies import Library, Situation, Taste, Trial, Validity
from spanloop.optimizer.strategies.choosing import Choice

START = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ("context_injection", "tool_selection", "verification", "stop_rule")
OLD, NEW = Validity(model_hash="old"), Validity(model_hash="new")


def trial(
    number: int, agent: str, intervention: str, effect: float | None, **said: object
) -> Trial:
    measured = {} if effect is None else {"effect_low": effect - 0.08, "effect_high": effect + 0.08}
    plain = Trial(
        trial_id=str(number),
        agent=agent,
        pattern_id="p",
        category="context_gap",
        intervention=intervention,  # type: ignore[arg-type]
        verdict="ship" if effect is not None and effect > 0.1 else "inconclusive",
        effect=effect,
        side_effect=0.0,
        side_effect_low=-0.08,
        side_effect_high=0.08,
        n=300,
        tokens=4_000_000,
        validity=OLD,
        recorded_at=START + timedelta(hours=number),
    )
    return replace(plain, **measured, **said)  # type: ignore[arg-type]


def situation(agent: str, validity: Validity = OLD, pattern: str = "p") -> Situation:
    return Situation(
        agent=agent,
        pattern_id=pattern,
        category="context_gap",
        prevalence=0.2,
        validity=validity,
        same_edits=True,
    )


def ranked(library: Library, asked: Situation, seed: int = 1) -> dict[str, Choice]:
    choices = library.rank([asked], NAMES, np.random.default_rng(seed))
    return {choice.intervention: choice for choice in choices}


def agreeing(agents: int, effects: dict[str, float]) -> list[Trial]:
    return [
        trial(10 * a + i, f"agent {a}", name, effect)
        for a in range(agents)
        for i, (name, effect) in enumerate(effects.items())
    ]


WON = {"context_injection": 0.25, "tool_selection": 0.0, "verification": -0.1}


def test_without_trials_nothing_is_preferred_and_all_is_worth_a_try() -> None:
    choices = ranked(Library(), situation("new"))
    assert {choice.basis for choice in choices.values()} == {"untried"}
    assert len({round(choice.gain, 9) for choice in choices.values()}) == 1
    assert all(choice.worthwhile for choice in choices.values())


def test_what_fixed_other_agents_is_tried_first_and_what_failed_them_is_left_out() -> None:
    choices = ranked(Library(agreeing(4, WON)), situation("new"))
    assert next(iter(choices)) == "context_injection"
    assert choices["context_injection"].basis == "transferred"
    assert choices["context_injection"].works > 0.6
    assert not choices["tool_selection"].worthwhile
    assert choices["stop_rule"].basis == "untried"


def test_agents_that_contradict_each_other_are_not_trusted() -> None:
    rng = np.random.default_rng(3)
    contradicting = [
        trial(10 * a + i, f"agent {a}", name, float(rng.choice([0.25, 0.0, -0.15])))
        for a in range(8)
        for i, name in enumerate(NAMES)
    ]
    trusting, wary = Library(agreeing(8, WON)), Library(contradicting)
    assert wary.fit.new_trust < 0.35 < 0.65 < trusting.fit.new_trust


def test_own_trials_outweigh_what_others_found() -> None:
    library = Library([*agreeing(4, WON), trial(99, "new", "context_injection", -0.02)])
    choice = ranked(library, situation("new"))["context_injection"]
    assert choice.basis == "own"
    assert choice.works < 0.1
    assert not choice.worthwhile


def test_another_edit_of_the_kind_is_worth_a_try_where_one_failed() -> None:
    failed = [trial(i, "a", "context_injection", 0.0) for i in range(4)]
    same = situation("a")
    other = replace(same, same_edits=False)
    once, often = Library(failed[:1]), Library(failed)
    assert not ranked(once, same)["context_injection"].worthwhile
    assert ranked(once, other)["context_injection"].worthwhile
    edges = [ranked(library, other)["context_injection"].edge for library in (once, often)]
    assert edges[1] < edges[0] < 1


def test_a_change_of_model_makes_own_trials_doubtful_and_worth_a_retest() -> None:
    library = Library([trial(1, "a", "context_injection", 0.0)])
    before = ranked(library, situation("a", OLD))["context_injection"]
    after = ranked(library, situation("a", NEW))["context_injection"]
    untried = ranked(library, situation("b", pattern="q"))["stop_rule"]
    assert before.works < after.works < untried.works


def test_how_much_outlives_a_change_is_learned_from_retests() -> None:
    def library(after: float) -> Library:
        first = [trial(i, f"agent {i}", "context_injection", 0.25) for i in range(6)]
        again = [
            trial(10 + i, f"agent {i}", "context_injection", after, validity=NEW) for i in range(6)
        ]
        return Library([*first, *again])

    keeps = [library(after).fit.memory.keeps["model"] for after in (0.25, 0.0)]
    assert keeps[0] > 0.7
    assert keeps[1] < 0.4


def test_old_trials_fade() -> None:
    library = [trial(1, "a", "context_injection", 0.3)]
    fresh = ranked(Library(library, now=START + timedelta(days=1)), situation("a"))
    stale = ranked(Library(library, now=START + timedelta(days=720)), situation("a"))
    assert stale["context_injection"].works < fresh["context_injection"].works / 2


def test_what_harms_other_traffic_is_not_worth_its_effect() -> None:
    harm = {"side_effect": -0.12, "side_effect_low": -0.2, "side_effect_high": -0.04}
    trials = [trial(i, f"agent {i}", "context_injection", 0.25, **harm) for i in range(4)]
    choice = ranked(Library(trials), situation("new"))["context_injection"]
    assert choice.works > 0.5
    assert choice.harms > 0.5
    assert not choice.worthwhile


def test_a_harm_that_was_seen_and_not_measured_counts() -> None:
    seen = trial(1, "a", "context_injection", None, harm=True, side_effect=None)
    choices = ranked(Library([seen]), situation("a"))
    assert choices["context_injection"].harms > choices["stop_rule"].harms


def test_a_trial_is_counted_once() -> None:
    once = Library(agreeing(2, WON))
    twice = Library([*agreeing(2, WON), *agreeing(2, WON)])
    twice.record(agreeing(2, WON))
    assert len(twice.trials) == len(once.trials) == 6
    assert np.array_equal(once.fit.law, twice.fit.law)


def test_the_same_seed_ranks_the_same() -> None:
    library = Library(agreeing(3, WON), taste=Taste(draws=1))
    asked = [situation("new"), situation("other", pattern="q")]
    first, again = (library.rank(asked, NAMES, np.random.default_rng(7)) for _ in range(2))
    assert first == again
    assert len(first) == 8


def test_draws_explore_what_is_close() -> None:
    library = Library(agreeing(1, {"context_injection": 0.2, "tool_selection": 0.18}))
    first = {next(iter(ranked(library, situation("agent 0"), seed))) for seed in range(30)}
    assert {"context_injection", "tool_selection"} <= first


@pytest.mark.parametrize("effect", [-1.0, 1.0, 0.0])
def test_any_measurable_effect_is_taken(effect: float) -> None:
    choice = ranked(Library([trial(1, "a", "stop_rule", effect)]), situation("a"))["stop_rule"]
    assert np.isfinite([choice.effect, choice.gain, choice.drawn]).all()
