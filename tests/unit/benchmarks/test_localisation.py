"""What the trivial guesses guess, and which step a marked span stands for."""

from collections.abc import Sequence

import pytest

from benchmarks.truth.localisation import _cause, _score, _Span  # pyright: ignore[reportPrivateUsage]
from benchmarks.truth.localisation_baselines import BASELINES, EXTRA, Guess, Positions, Run, Shown


def shown(number: int, kind: str, agent: str, span: str = "", **more: int) -> Shown:
    return Shown(
        step=number,
        kind=kind,
        agent=agent,
        failed=bool(more.get("failed", 0)),
        trace="t",
        span=span or f"s{number}",
        start=number,
        length=more.get("length", 10),
    )


STEPS = (
    shown(2, "assistant", "planner"),
    shown(3, "assistant", "coder", length=900),
    shown(4, "tool", "terminal", failed=1),
    shown(5, "user", ""),
    shown(6, "assistant", "planner"),
)


def run(cause: int | None, steps: Sequence[Shown] = STEPS) -> Run:
    return Run(
        set="who_when",
        task="t",
        trajectory_id="t",
        steps=tuple(steps),
        cause=cause,
        agent="coder",
    )


@pytest.mark.parametrize(
    ("name", "step", "agent"),
    [
        ("first", 0, "planner"),
        ("last", 4, "planner"),
        ("step_1", 1, "coder"),
        ("most_active_agent", 0, "planner"),
        ("last_error", 2, "terminal"),
        ("agent_with_most_text", 1, "coder"),
    ],
)
def test_each_baseline_guesses_what_it_is_named_for(name: str, step: int, agent: str) -> None:
    guess = {**BASELINES, **EXTRA}[name](run(1))
    assert (guess.ranked[0], guess.agent) == (step, agent)
    assert sorted(guess.ranked) == [0, 1, 2, 4]  # every step but the user's, once


def test_positions_are_learned_from_other_runs() -> None:
    runs = [run(1) for _ in range(12)]
    assert all(guess.ranked[0] == 1 for guess in Positions.of(runs, None, seed=1).guesses)
    assert Positions.of(runs, [run(2)] * 5, seed=1).guesses[0].ranked[0] == 2
    assert Positions.of([run(None)], None, seed=1).guesses[0].ranked[0] == 0  # nothing to learn


def test_a_span_that_also_tells_the_instruction_stands_for_what_its_agent_said() -> None:
    steps = (
        shown(2, "assistant", "planner", span="x"),
        shown(3, "assistant", "coder", span="x"),
        shown(4, "tool", "coder"),
        shown(5, "user", "", span="y"),
    )
    assert _cause("x", steps, span=None, agent="coder") == 1
    assert _cause("x", steps, span=None, agent="planner") == 0
    asked = _Span(trace="t", start=4, operation="chat")
    assert _cause("only calls", steps, span=asked, agent="coder") == 2
    turn = _Span(trace="t", start=1, operation="invoke_agent")
    assert _cause("turn", steps, span=turn, agent="") == 3
    assert _cause("unknown", steps, span=None, agent="") is None


def test_scores_count_what_is_read_until_the_cause() -> None:
    guess = Guess(ranked=[2, 1, 0, 4], agent="coder")
    assert _score(run(1), guess) == (1, 0, 1, 1, 0.5)
    assert _score(run(3), guess) == (1, 0, 1, 0, 1)  # the user's step is proposed by nobody
    assert _score(run(None), guess) == (1, 0, 0, 0, 1)
