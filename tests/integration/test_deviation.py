"""The statement that reads evidence, on the real engine, and the ranking on what it returns."""

from collections.abc import Iterator
from typing import Any

import pytest

from spanloop.optimizer.patterns.deviation import locate
from tests.support.analysis import AnalysisStore, open_analysis_store

COLUMNS = ("TrajectoryId", "Step", "Kind", "Agent", "Name", "Text", "Arguments", "Result", "Status")
CODE = "```python\\ntotal = 4 * 17\\nprint(total, 'visits to the museum in winter')\\n```"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    opened = open_analysis_store(tmp_path_factory.mktemp("deviation") / "db")
    yield opened
    opened.client.close()


def tell(store: AnalysisStore, trajectory: str, opening: str, steps: list[tuple[Any, ...]]) -> None:
    store.client.insert(
        "trajectories",
        [[trajectory, opening, "Refunds take 30 days.", 1]],
        column_names=["TrajectoryId", "Opening", "System", "Version"],
    )
    store.client.insert(
        "trajectory_steps",
        [[trajectory, number, *step, 1] for number, step in enumerate(steps, 1)],
        column_names=[*COLUMNS, "Version"],
    )


def test_tokens_are_read_by_kind(store: AnalysisStore) -> None:
    text = (
        "1. Step 2: the fare of Roman Opania is $1,250.50, see order AB12345.\n"
        f"2. Probably about 7 seats. Then:\n{CODE}"
    )
    tell(store, "tokens", "How much is it?", [("assistant", "a", "", text, None, None, "ok")])
    request, row = store.context().rows(
        "patterns/deviation_evidence", {"ids": ["tokens"], "characters": 20_000}
    )
    assert request[1:3] == (0, "request")
    assert "30" in request[17]
    prose_length, code_length, acts, weight, symptoms, assumptions = row[6:12]
    words, numbers, names, codes = row[12:16]
    assert 0 < code_length < len(CODE) + 5
    assert prose_length < len(text)
    assert acts == 1
    assert (weight, symptoms) == (0, [])
    assert assumptions == 1  # "Probably"
    assert set(numbers) == {"1,250.50", "7"}  # neither the enumeration, nor "Step 2", nor code
    assert set(names) == {"roman", "opania"}
    assert set(codes) == {"ab12345"}
    assert {"fare", "seats", "museum"} <= set(words)


def test_the_step_that_made_up_a_number_is_located(store: AnalysisStore) -> None:
    items = '{"items": [{"price": 46.66}, {"price": 53.27}]}'
    tell(
        store,
        "shop",
        "How many shirts do you sell, and where is my order?",
        [
            ("user", "", "", "How many shirts do you sell?", None, None, ""),
            ("tool", "support", "list_items", None, '{"kind":"shirt"}', items, "ok"),
            ("assistant", "support", "", "We sell 11 different shirts today.", None, None, "ok"),
            ("user", "", "", "And the cheapest?", None, None, ""),
            ("assistant", "support", "", "The cheapest shirt is sold for 46.66.", None, None, "ok"),
        ],
    )
    [located] = locate(store.context(), ["shop"])
    assert located.agent == "support"
    assert located.ranked[0].step == 3
    assert "first_unbacked" in located.ranked[0].reasons
    assert {suspicion.step for suspicion in located.ranked} == {2, 3, 5}


def test_symptoms_count_and_are_named(store: AnalysisStore) -> None:
    calm = "Everything is booked as you wished, thank you for calling."
    tell(
        store,
        "symptom",
        "Please book the usual room.",
        [
            ("assistant", "a", "", calm, None, None, "ok"),
            ("assistant", "a", "", calm, None, None, ""),
        ],
    )
    store.client.insert(
        "trajectory_symptoms",
        [["symptom", name, 2, 0.9, 1] for name in ("premature_end", "refusal")],
        column_names=["TrajectoryId", "Symptom", "Step", "Weight", "Version"],
    )
    [located] = locate(store.context(), ["symptom"])
    assert located.ranked[0].step == 2
    assert {"premature_end", "refusal"} <= set(located.ranked[0].reasons)


def test_hostile_and_empty_texts_are_only_counted(store: AnalysisStore) -> None:
    endless = "```" + "(" * 30_000
    tell(
        store,
        "odd",
        "",
        [
            ("assistant", "a", "", endless, None, None, ""),
            ("assistant", "b", "", None, None, None, ""),
            ("tool", "c", "", None, None, None, ""),
            ("assistant", "a", "", "'; DROP TABLE trajectories -- {{ 7 * 7 }} \\z 1,,2..3", None, None, ""),
        ],
    )  # fmt: skip
    [located] = locate(store.context(), ["odd"])
    assert len(located.ranked) == 4
    assert locate(store.context(), ["no such trajectory"]) == []
    assert locate(store.context(), []) == []
