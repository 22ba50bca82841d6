"""What share of traffic a scenario stands for."""

from datetime import UTC, datetime

import pytest

from spanloop.optimizer.scenarios.comparing import compare
from spanloop.optimizer.scenarios.lifecycle import sighted, weights
from spanloop.optimizer.scenarios.scenario import Content, Scenario, TapeCall
from spanloop.optimizer.scenarios.sighting import Sighting

DAY = datetime(2026, 11, 1, tzinfo=UTC)
ASKED = "please exchange the lamp that arrived broken"
SHORT, LONG = ("find_order",), ("find_order", "search_products", "create_refund")


def runs(count: int, tools: tuple[str, ...]) -> list[Sighting]:
    return [
        Sighting(key=f"{len(tools)}-{n}", start=DAY, told=[f"{ASKED} {n}"], tools=frozenset(tools))
        for n in range(count)
    ]


def scenario(name: str, tools: tuple[str, ...]) -> Scenario:
    return Scenario(
        scenario_id=name,
        agent="agent",
        split="test",
        content=Content(
            opening=ASKED,
            tape=tuple(
                TapeCall(trajectory=name, position=at, tool=tool, arguments="{}", result="{}")
                for at, tool in enumerate(tools)
            ),
        ),
        weight=0.0,
        first_seen=DAY,
        last_seen=DAY,
        version=1,
    )


def test_runs_are_stood_for_by_what_does_the_same_for_them() -> None:
    """A tape that holds every tool covers all runs, and is yet not what most of them are like."""
    scenarios = {each.scenario_id: each for each in (scenario("s", SHORT), scenario("l", LONG))}
    comparison = compare([*runs(6, SHORT), *runs(2, LONG)], list(scenarios.values()))

    assert comparison.covers[:6, -2:].all()
    assert weights(comparison, scenarios) == pytest.approx({"s": 6 / 8, "l": 2 / 8})
    assert {name: len(rows) for name, rows in sighted(comparison, scenarios).items()} == {
        "s": 6,
        "l": 2,
    }


def test_what_alone_covers_runs_stands_for_them() -> None:
    only = {"l": scenario("l", LONG)}

    assert weights(compare(runs(4, ()), list(only.values())), only) == {"l": 1.0}
