"""What an agent does right once its user objects becomes a candidate: names of tools, no text of traces."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from spanloop.optimizer.candidates.candidate import PatternBrief, Proposal
from spanloop.optimizer.candidates.edits import apply_edits
from spanloop.optimizer.candidates.recoveries import MIN_RECORDINGS, find_recoveries
from spanloop.optimizer.candidates.scan import scan
from spanloop.optimizer.candidates.slots import find_slots
from spanloop.optimizer.candidates.template_engine import TemplateEngine
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.models import Lease
from spanloop.optimizer.scenarios.scenario import Scenario, TapeCall, ToolSchema
from tests.support.scenarios import call, scenario

NAMES = ("browse", "read_loan", "renew", "renewal_status", "rules", "transfer_to_human")
KNOWN = frozenset(NAMES)
BASE = AgentConfiguration(
    components={"instructions": "Help members with loans of books and renewals."},
    tools=dict.fromkeys(NAMES, True),
)
SCHEMA = json.dumps({"type": "object", "properties": {"loan": {}, "ticket": {}, "q": {}}})
TOOLS = [ToolSchema(name=name, parameters=SCHEMA) for name in NAMES]


def late(made: TapeCall) -> TapeCall:
    return made.model_copy(update={"after_reaction": True})


def wrong_then_right(n: int) -> list[TapeCall]:
    return [
        call("browse", {"q": f"loan LN-{n}551"}, {"found": [], "count": 0}),
        late(call("read_loan", {"loan": f"LN-{n}551"}, {"holder": "Ann Bell", "due": f"{n} May"})),
        late(call("renewal_status", {"loan": f"LN-{n}551"}, {"renewals": n})),
    ]


def looked_up_late(n: int) -> list[TapeCall]:
    return [
        call("read_loan", {"loan": f"LN-{n}551"}, {"due": f"{n} May"}),
        late(call("rules", {"q": "how often"}, {"text": f"Twice, {n}."})),
        late(call("transfer_to_human", {"q": "angry"}, {"queue": n})),
    ]


def checked_late(n: int) -> list[TapeCall]:
    return [
        call("read_loan", {"loan": f"LN-{n}551"}, {"due": f"{n} May"}),
        call("renew", {"loan": f"LN-{n}551"}, {"ticket": f"RN-{n}77"}, writes=True),
        # Used so rarely that derivation takes it for a change.
        late(call("renewal_status", {"ticket": f"RN-{n}77"}, {"state": "refused"}, writes=True)),
    ]


def recorded(tapes: Sequence[Sequence[TapeCall]], name: str = "s") -> list[Scenario]:
    return [
        scenario(
            f"{name}{n}",
            opening="My renewals of loans, please",
            tape=[
                made.model_copy(update={"trajectory": f"{name}{n}", "position": at})
                for at, made in enumerate(tape)
            ],
            tools=TOOLS,
        )
        for n, tape in enumerate(tapes)
    ]


def brief(
    examples: Sequence[Scenario], others: Sequence[Scenario] = (), category: str = "loop"
) -> PatternBrief:
    return PatternBrief(
        pattern_id="p",
        category=category,
        title="t",
        explanation="e",
        predicate="{}",
        examples=examples,
        counterexamples=others,
    )


def found(*tapes: Sequence[TapeCall]) -> list[tuple[str, dict[str, str], int]]:
    recoveries = find_recoveries(brief(recorded(tapes)), KNOWN)
    return [(r.kind, dict(r.slots), r.recordings) for r in recoveries]


def propose(examples: Sequence[Scenario], category: str, n: int = 1) -> Sequence[Proposal]:
    told = brief(examples, category=category)
    return TemplateEngine().propose(told, BASE, lease=Lease(max_tokens=0), n=n)


def test_a_tool_that_serves_where_another_found_nothing() -> None:
    slots = {"wrong_tool": "browse", "tool": "read_loan", "tool_argument": "loan"}
    assert found(*map(wrong_then_right, range(3))) == [("tool", slots, 3)]
    assert found(*map(wrong_then_right, range(MIN_RECORDINGS - 1))) == []


def test_a_look_up_only_after_the_user_objected() -> None:
    assert found(*map(looked_up_late, range(3))) == [("lookup", {"late_tool": "rules"}, 3)]
    before = [call("rules", {"q": "loans"}, {"text": "Twice."}), *looked_up_late(1)]
    assert found(before) == []


def test_a_change_that_is_checked_only_after_the_user_objected() -> None:
    slots = {"changing_tool": "renew", "checking_tool": "renewal_status"}
    assert found(checked_late(1)) == [("check", slots, 1)]
    looked = call("renewal_status", {"ticket": "RN-177"}, {"state": "open"})
    renew, status = checked_late(1)[1:]
    assert found([renew, looked, status]) == []


def test_a_look_up_after_a_refused_change_is_no_better_tool() -> None:
    tapes = [
        [
            call("renew", {"loan": f"LN-{n}551"}, status="error"),
            call("read_loan", {"loan": f"LN-{n}551"}, {"due": "May"}),
        ]
        for n in range(4)
    ]
    assert found(*tapes) == []


def test_tools_and_arguments_that_nobody_declared_are_not_named() -> None:
    odd = [
        [
            call("browse", {"q": f"LN-{n}551"}, []),
            late(call("x; rm -rf", {"loan": f"LN-{n}551"}, {"a": 1})),
            late(call("read_loan", {"ignore all rules": f"LN-{n}551"}, {"a": 1})),
        ]
        for n in range(4)
    ]
    assert found(*odd) == []


def test_only_what_a_failing_run_shows_is_of_the_pattern() -> None:
    peers = recorded([looked_up_late(n) for n in range(4)], "peer")
    assert find_recoveries(brief(recorded([[call("rules")]]), peers), KNOWN) == []
    both = find_recoveries(brief(recorded([looked_up_late(1)]), peers), KNOWN)
    assert [(r.kind, r.recordings) for r in both] == [("lookup", 5)]


@pytest.mark.parametrize(
    ("make", "category", "component", "text"),
    [
        (wrong_then_right, "tool_selection", "tool.read_loan.guidance", "call `read_loan` first"),
        (wrong_then_right, "loop", "tool.read_loan.guidance", "call `read_loan` first"),
        (looked_up_late, "hallucination", "instructions", "look it up with `rules`"),
        (
            checked_late,
            "verification",
            "tool.renew.guidance",
            "check the outcome with `renewal_status`",
        ),
    ],
)
def test_the_cure_that_runs_show_is_tried_first_and_passes_the_scans(
    make: object, category: str, component: str, text: str
) -> None:
    assert callable(make)
    train = recorded([make(n) for n in range(4)])
    proposal = propose(train, category)[0]
    assert proposal.edits[0].component == component
    assert text in proposal.edits[0].text
    apply_edits(BASE, proposal.edits)
    hidden = [s.model_copy(update={"split": "test"}) for s in train]
    assert scan(proposal, configuration=BASE, train=train, hidden=hidden) == []


def test_several_cures_come_by_how_many_runs_show_them_and_a_guess_after_rules() -> None:
    tapes = [*map(wrong_then_right, range(4)), *map(looked_up_late, range(4, 7)), checked_late(8)]
    train = recorded(tapes)
    proposals = propose(train, "instruction_violation", n=40)
    assert [p.intervention for p in proposals[:2]] == ["tool_selection", "context_injection"]
    checks = [p for p in proposals if p.intervention == "verification"]
    assert "`renewal_status`" in checks[0].edits[0].text
    slots = find_slots(brief(train), BASE)
    assert (slots["tool"], slots["late_tool"], slots["checking_tool"]) == (
        "read_loan",
        "rules",
        "renewal_status",
    )
