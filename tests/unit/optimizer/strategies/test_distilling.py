import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from spanloop.optimizer.candidates.candidate import Edit, PatternBrief
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.models import Lease
from spanloop.optimizer.strategies.distilling import Win, distil
from spanloop.optimizer.strategies.engine import LibraryEngine
from spanloop.optimizer.strategies.library import Library
from spanloop.optimizer.strategies.strategy import Trial
from tests.support.scenarios import call, scenario

BASE = AgentConfiguration(
    components={"instructions": "Help members with loans of books and renewals."},
    tools={"find": True, "lookup": True, "renew": True},
)
FAILING = [
    scenario(f"f{n}", opening=f"Renew it, member M-{n}9931", tape=[call("find", {"q": "x"})])
    for n in range(4)
]
PEERS = [
    scenario(
        f"s{n}", tape=[call("lookup", {"loan": n}, {"holder": f"Ann Bell {n}"})], satisfied=0.9
    )
    for n in range(4)
]
BRIEF = PatternBrief(
    pattern_id="p",
    category="tool_selection",
    title="t",
    explanation="e",
    predicate="{}",
    examples=FAILING,
    counterexamples=PEERS,
)
TRIAL = Trial(
    trial_id="t1",
    agent="librarian",
    pattern_id="p",
    category="tool_selection",
    intervention="tool_selection",
    experiment_id="e1",
    verdict="ship",
    effect=0.25,
    effect_low=0.17,
    effect_high=0.33,
    side_effect=0.0,
    side_effect_low=-0.05,
    side_effect_high=0.05,
    n=200,
    recorded_at=datetime(2026, 11, 25, tzinfo=UTC),
)
GUIDANCE = Edit(
    component="tool.lookup.guidance",
    operation="add",
    text="Use `lookup`, not `find`, for requests of this kind.",
)


def win(*edits: Edit) -> Win:
    return Win(edits=edits, brief=BRIEF, configuration=BASE, trial=TRIAL)


def added(text: str) -> Edit:
    return Edit(component="instructions", operation="add", text=text)


def test_names_of_tools_become_placeholders() -> None:
    (edit,) = distil(win(GUIDANCE)).edit_template
    assert edit.component == "tool.{tool}.guidance"
    assert edit.text == "Use `{tool}`, not `{wrong_tool}`, for requests of this kind."


def test_the_same_insight_is_one_entry_whoever_won_it() -> None:
    other = replace(win(GUIDANCE), trial=replace(TRIAL, agent="clerk", experiment_id="e2"))
    assert distil(win(GUIDANCE)).strategy_id == distil(other).strategy_id
    assert distil(win(added("Answer in one sentence."))).strategy_id != distil(other).strategy_id


def test_a_replaced_passage_stays_with_its_agent() -> None:
    edit = Edit(
        component="instructions",
        operation="replace",
        passage="Help members with loans",
        text="Call `lookup` first.",
    )
    (general,) = distil(win(edit)).edit_template
    assert (general.operation, general.passage, general.text) == ("add", "", "Call `{tool}` first.")


@pytest.mark.parametrize(
    "text",
    [
        "Call `renew` and then answer.",
        "Members such as M-19931 wait.",
        "Ask Ann Bell about it.",
        "Read https://rules.example/loans first.",
        "The librarian always knows.",
        "Fill in {tool} yourself.",
    ],
)
def test_no_template_remains_where_something_of_one_agent_would(text: str) -> None:
    strategy = distil(win(added(text)))
    assert strategy.edit_template == ()
    told = json.dumps([strategy.title, strategy.applies_when, strategy.principle])
    for word in ("renew", "M-19931", "Ann", "rules.example", "librarian"):
        assert word not in told


def test_an_edit_that_only_deletes_teaches_no_template() -> None:
    gone = Edit(component="instructions", operation="delete", passage="and renewals")
    assert distil(win(gone)).edit_template == ()


def test_the_engine_fills_an_entry_for_another_agent() -> None:
    strategy = distil(win(GUIDANCE))
    library = Library([replace(TRIAL, strategy_id=strategy.strategy_id)], [strategy])
    configuration = AgentConfiguration(tools={"grep": True, "query": True})
    brief = replace(
        BRIEF,
        examples=[scenario(f"f{n}", tape=[call("grep")]) for n in range(4)],
        counterexamples=[scenario(f"s{n}", tape=[call("query")], satisfied=1.0) for n in range(4)],
    )
    engine = LibraryEngine(library=library, agent="analyst", prevalences={"p": 0.2})
    (proposal,) = engine.propose(brief, configuration, lease=Lease(max_tokens=0, max_usd=0.0), n=3)
    assert proposal.strategy_id == strategy.strategy_id
    assert proposal.edits[0].component == "tool.query.guidance"
    assert proposal.edits[0].text == "Use `query`, not `grep`, for requests of this kind."


def test_the_engine_proposes_nothing_that_failed_here() -> None:
    strategy = distil(win(GUIDANCE))
    failed = replace(
        TRIAL,
        trial_id="t2",
        agent="analyst",
        verdict="reject",
        effect=-0.05,
        effect_low=-0.12,
        effect_high=0.02,
    )
    library = Library([TRIAL, failed], [strategy])
    engine = LibraryEngine(library=library, agent="analyst", prevalences={})
    assert not engine.propose(BRIEF, BASE, lease=Lease(max_tokens=0, max_usd=0.0), n=3)
