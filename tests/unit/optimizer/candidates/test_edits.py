"""Edits are exact, bounded, and the same when they say the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloop.optimizer.candidates.candidate import Edit, Operation
from spanloop.optimizer.candidates.edits import (
    EditLimits,
    EditRefused,
    apply_edits,
    diff,
    edit_hash,
    edits_between,
    oversize,
)
from spanloop.optimizer.configuration import AgentConfiguration

BASE = AgentConfiguration(
    components={
        "instructions": "Be kind.\nBe brief.\nBe kind to cats.",
        "context.shop": "Open daily.",
    },
    tools={"search": True, "refund": False},
    parameters={"temperature": 0.5, "max_steps": 8},
    version="7",
)


def edit(operation: Operation, component: str, passage: str = "", text: str = "") -> Edit:
    return Edit(operation=operation, component=component, passage=passage, text=text)


def test_every_operation_does_what_it_says() -> None:
    edited = apply_edits(
        BASE,
        [
            edit("replace", "instructions", "Be brief.", "Be short."),
            edit("add", "context.shop", text="Closed on Sunday.\n"),
            edit("add", "tool.search.guidance", text="Search first."),
            edit("disable", "tools.search"),
            edit("enable", "tools.refund"),
            edit("set", "parameters.temperature", text="0"),
        ],
    )
    assert edited.components == {
        "instructions": "Be kind.\nBe short.\nBe kind to cats.",
        "context.shop": "Open daily.\n\nClosed on Sunday.",
        "tool.search.guidance": "Search first.",
    }
    assert edited.tools == {"search": False, "refund": True}
    assert edited.parameters == {"temperature": 0, "max_steps": 8}
    assert BASE.components["context.shop"] == "Open daily."
    gone = apply_edits(BASE, [edit("delete", "context.shop", "Open daily.")])
    assert "context.shop" not in gone.components


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (edit("replace", "instructions", "Be kind", "x"), "occurs 2 times"),
        (edit("delete", "instructions", "Be rude."), "occurs 0 times"),
        (edit("replace", "context.none", "a", "b"), "no component"),
        (edit("replace", "instructions", "", "b"), "takes a passage"),
        (edit("delete", "instructions", "Be brief.", "b"), "no text"),
        (edit("add", "instructions", "Be brief.", "b"), "no passage"),
        (edit("add", "instructions", text=" \n"), "has a text"),
        (edit("add", "whims", text="b"), "does not match"),
        (edit("replace", "instructions", "Be brief.", "Be brief."), "change nothing"),
        (edit("disable", "tools.refund"), "not offered already"),
        (edit("enable", "tools.new"), "offered already"),
        (edit("disable", "refund"), r"tools\.<name>"),
        (edit("set", "parameters.api_base", text='"x"'), "neither"),
        (edit("set", "parameters.temperature", text='"hot"'), "is a float"),
        (edit("set", "parameters.temperature", text="NaN"), "no number"),
        (edit("set", "parameters.temperature", text="{}"), "no number"),
        (edit("set", "temperature", text="1"), r"parameters\.<name>"),
        (edit("set", "parameters.temperature", text="7"), "from 0 to 2"),
        (edit("set", "parameters.max_tokens", text='"all"'), "from 1 to 200000"),
        (edit("set", "parameters.max_steps", text="1000000"), "from 1 to 200"),
    ],
)
def test_what_cannot_be_applied_is_refused_with_its_reason(bad: Edit, told: str) -> None:
    with pytest.raises(EditRefused, match=told):
        apply_edits(BASE, [bad])


def test_no_edit_is_refused() -> None:
    with pytest.raises(EditRefused, match="no edit"):
        apply_edits(BASE, [])


def test_long_prompts_stay_intact() -> None:
    long = AgentConfiguration(components={"instructions": "Rule. " * 2_000})
    limits = EditLimits()
    rewritten = [edit("replace", "instructions", long.components["instructions"], "Be good.")]
    assert any(
        "takes away 12000 of 12000" in reason for reason in oversize(long, rewritten, limits)
    )
    assert oversize(BASE, [edit("replace", "instructions", "Be brief.", "Be short.")], limits) == []
    short = [edit("replace", "instructions", BASE.components["instructions"], "Be good.")]
    assert oversize(BASE, short, limits) == []  # a short text can be rewritten


def test_growth_is_capped_whatever_it_is_cut_into() -> None:
    pieces = [edit("add", f"context.t{n}", text="x " * 450) for n in range(5)]
    reasons = oversize(BASE, pieces, EditLimits())
    assert any("grows by 4500" in reason for reason in reasons)
    assert any("adds 4500" in reason for reason in reasons)
    assert oversize(BASE, pieces, EditLimits(edits=2))[0] == "5 edits; at most 2"
    one = [edit("add", "instructions", text="x" * 2_001)]
    assert "an edit of 2001 characters" in oversize(BASE, one, EditLimits())[0]


def test_the_same_edit_in_other_clothes_has_the_same_hash() -> None:
    one = [edit("add", "instructions", text="Always confirm, please."), edit("disable", "tools.x")]
    other = [edit("disable", "tools.x"), edit("add", "instructions", text="always  CONFIRM please")]
    assert edit_hash(one) == edit_hash(other)
    assert edit_hash(one) != edit_hash(one[:1])
    low, high = ([edit("set", "parameters.temperature", text=t)] for t in ("-1", "1"))
    assert edit_hash(low) != edit_hash(high)


def test_a_diff_shows_texts_switches_and_values() -> None:
    shown = diff(
        [
            edit("replace", "instructions", "Be\nbrief.", "Be short."),
            edit("disable", "tools.search"),
            edit("set", "parameters.max_tokens", text="100"),
        ]
    ).splitlines()
    assert shown[:5] == ["--- instructions", "+++ instructions", "-Be", "-brief.", "+Be short."]
    assert shown[5:8] == ["--- tools.search", "+++ tools.search", "+disable"]
    assert shown[-1] == "+100"


LINES = st.lists(st.sampled_from(["a", "b", "ab", "", "c d"]), min_size=1, max_size=8)


@given(before=LINES, after=LINES)
def test_edits_between_lead_from_one_text_to_the_other(before: list[str], after: list[str]) -> None:
    one = AgentConfiguration(components={"instructions": "\n".join(before)})
    other = AgentConfiguration(components={"instructions": "\n".join(after)})
    edits = edits_between(one, other)
    if not edits:
        assert "\n".join(before).rstrip() == "\n".join(after).rstrip()
        return
    made = apply_edits(one, edits).components.get("instructions", "")
    assert "\n".join(made.split()) == "\n".join("\n".join(after).split())


def test_edits_between_name_only_what_changed() -> None:
    after = AgentConfiguration(
        components={**BASE.components, "instructions": "Be kind.\nBe short.\nBe kind to cats."},
        tools={"search": False, "refund": False},
        parameters={"temperature": 0.1, "max_steps": 8},
    )
    assert edits_between(BASE, after) == (
        edit("replace", "instructions", "Be brief.\n", "Be short.\n"),
        edit("disable", "tools.search"),
        edit("set", "parameters.temperature", text="0.1"),
    )
    with pytest.raises(EditRefused, match="only be set"):
        edits_between(BASE, AgentConfiguration(components=BASE.components, tools=BASE.tools))
