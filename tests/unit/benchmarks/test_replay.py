"""The measures of the tool world, on recordings whose right answers are known."""

import asyncio
from collections.abc import Sequence

import pytest

from benchmarks.replay import cross_trial, self_replay
from benchmarks.replay.runs import Run, Step
from spanloop.optimizer.scenarios.scenario import TapeCall

READ, CANCEL = "get_reservation_details", "cancel_reservation"
BEFORE, AFTER = '{"id": "R100", "status": "open"}', '{"id": "R100", "status": "cancelled"}'


def run(trial: str, steps: Sequence[Step]) -> Run:
    tools = [step for step in steps if step.kind == "tool"]
    return Run(
        trajectory=f"t{trial}",
        task=("tau_bench", "airline", "1"),
        agent="a",
        trial=trial,
        system="be helpful",
        steps=steps,
        calls=[
            TapeCall(
                trajectory=f"t{trial}",
                position=position,
                tool=step.tool,
                arguments=step.arguments,
                result=step.result,
                status="ok",
            )
            for position, step in enumerate(tools)
        ],
    )


def says(kind: str, text: str) -> Step:
    return Step(kind, text, "", "", "")


def call(tool: str, result: str) -> Step:
    return Step("tool", "", tool, '{"id": "R100"}', result)


OPENING = says("user", "cancel R100 please")
LOOKS = run("0", [OPENING, call(READ, BEFORE), says("assistant", "It is open.")])
CANCELS = run(
    "1",
    [
        says("assistant", "Hello!"),
        OPENING,
        says("assistant", "I look it up."),
        call(CANCEL, AFTER),
        call(READ, AFTER),
        says("assistant", "Done."),
        says("user", "thanks"),
    ],
)


@pytest.mark.parametrize("recorded", [LOOKS, CANCELS])
def test_a_run_replayed_from_itself_gives_its_steps(recorded: Run) -> None:
    result, told = asyncio.run(self_replay.replay(recorded))
    assert told == list(recorded.steps)
    ended = {"t0": ("finished", ""), "t1": ("infrastructure", self_replay.END)}
    assert (result.state, result.error_kind) == ended[recorded.trajectory]


def test_a_false_answer_after_a_write_is_counted() -> None:
    told = cross_trial.measure([LOOKS, CANCELS], seed=1)["ways"]
    known, ours = told["known exact match, all tapes"], told["own path, all tapes"]
    # Text match gives each the other's reading: one of them was made before the write.
    assert (known["both"]["right"]["k"], known["both"]["right"]["n"]) == (0, 2)
    assert known["both"]["false after a write"]["k"] == 1
    assert ours["both"]["right"]["n"] == 0
    assert ours["both"]["calls"] == 3
