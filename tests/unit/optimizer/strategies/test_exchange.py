import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from spanloop.optimizer.candidates.candidate import Edit
from spanloop.optimizer.strategies.exchange import ImportRefused, export_lines, import_lines
from spanloop.optimizer.strategies.strategy import Strategy, Trial

NOW = datetime(2026, 11, 25, tzinfo=UTC)
HEADER = '{"format":"spanloop.strategies","version":1}'
ENTRY: Mapping[str, Any] = {
    "title": "Look up before answering",
    "category": "context_gap",
    "intervention": "context_injection",
    "applies_when": "The answer needs a fact that the conversation does not hold.",
    "principle": "What is looked up is not made up.",
    "edit_template": [
        {"component": "instructions", "operation": "add", "text": "Call `{reading_tool}` first."}
    ],
}
STRATEGY = Strategy(
    strategy_id="s1",
    title="Look up before answering",
    category="context_gap",
    intervention="context_injection",
    applies_when="The answer needs a fact that the conversation does not hold.",
    principle="What is looked up is not made up.",
    edit_template=(
        Edit(component="instructions", operation="add", text="Call `{reading_tool}` first."),
    ),
    origin_agent="billing-agent-7",
    origin_experiment="e9",
    state="proven",
    created_at=NOW,
)
TRIAL = Trial(
    trial_id="t",
    strategy_id="s1",
    agent="billing-agent-7",
    pattern_id="p77",
    category="context_gap",
    intervention="context_injection",
    verdict="ship",
    effect=0.2,
    n=100,
    recorded_at=NOW,
)


def entry(**changed: object) -> str:
    return json.dumps({**ENTRY, **changed})


def test_what_is_exported_comes_in_as_a_hypothesis_without_its_origin() -> None:
    lines = list(export_lines([STRATEGY], [TRIAL]))
    assert "billing-agent-7" not in "".join(lines)
    (strategy,) = import_lines(lines, now=NOW)
    assert strategy.state == "hypothesis"
    assert strategy.source == "imported"
    assert (strategy.title, strategy.edit_template) == (STRATEGY.title, STRATEGY.edit_template)
    assert strategy.origin_agent == ""


def test_the_same_entry_twice_is_one() -> None:
    assert len(import_lines([HEADER, entry(), entry()], now=NOW)) == 1


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("empty", []),
        ("no header", [entry()]),
        ("another version", ['{"format":"spanloop.strategies","version":2}', entry()]),
        ("no JSON", [HEADER, "{"]),
        ("an unknown key", [HEADER, entry(state="proven")]),
        ("an unknown intervention", [HEADER, entry(intervention="shell")]),
        ("a line without end", [HEADER, entry(principle="x" * 50_000)]),
        ("a link", [HEADER, entry(principle="See https://evil.example/a for the rest of it.")]),
        ("an address", [HEADER, entry(title="Write to ann@example.org")]),
        ("hidden characters", [HEADER, entry(principle="Look it up\u202e always and ever.")]),
        (
            "a model of their own",
            [
                HEADER,
                entry(
                    edit_template=[
                        {"component": "instructions", "operation": "delete", "passage": "Never"}
                    ]
                ),
            ],
        ),
    ],
)
def test_a_hostile_file_is_refused_without_telling_what_it_holds(
    name: str, lines: list[str]
) -> None:
    with pytest.raises(ImportRefused) as refused:
        import_lines(lines, now=NOW)
    assert "evil" not in str(refused.value)
    assert "ann@" not in str(refused.value), name


def test_one_bad_line_keeps_the_whole_file_out() -> None:
    with pytest.raises(ImportRefused, match="line 3"):
        import_lines([HEADER, entry(), entry(category="Not A Name")], now=NOW)
