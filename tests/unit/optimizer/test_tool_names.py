import re

import pytest

from spanloop.optimizer.satisfaction.lexicon import CHANGING_VERBS, READING_VERBS
from spanloop.optimizer.symptoms.tool_names import CHANGES, READS

OF_ONE_TRADE = (
    "refuel",
    "top",
    "reseat",
    "roam",
    "roaming",
    "apn",
    "rebook",
    "checkin",
    "dispatch",
)
"""Words of a benchmark's subject: whoever knows these has seen its tools."""


@pytest.mark.parametrize(
    "name", ["cancel_order", "update", "order_cancel", "send-email", "setLimit"]
)
def test_plain_english_says_that_a_tool_changes_something(name: str) -> None:
    assert any(re.search(pattern, name) for pattern in CHANGES)


@pytest.mark.parametrize("word", OF_ONE_TRADE)
def test_no_verb_is_of_one_trade_alone(word: str) -> None:
    assert not any(re.search(pattern, f"{word}_data") for pattern in (*CHANGES, *READS))
    assert word not in CHANGING_VERBS | READING_VERBS
