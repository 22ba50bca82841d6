"""The pure parts of scenarios: what is a fact, which runs hang together, sides, criteria, tools."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from spanloop.optimizer.patterns.predicates import Predicate, Term, to_json
from spanloop.optimizer.scenarios.clusters import (
    marks_of,
    neighbours_of,
    same_cases,
    stories,
    usable_rows,
)
from spanloop.optimizer.scenarios.content import Material, build_content
from spanloop.optimizer.scenarios.criteria import derive_criteria
from spanloop.optimizer.scenarios.facts import new_values, values_in
from spanloop.optimizer.scenarios.lifecycle import Traffic
from spanloop.optimizer.scenarios.recording import RecordedStep, Recording, read_recording
from spanloop.optimizer.scenarios.scenario import Split
from spanloop.optimizer.scenarios.settings import ScenarioSettings
from spanloop.optimizer.scenarios.sighting import Sighting, identifiers, masked
from spanloop.optimizer.scenarios.similarity import NEAR, near_duplicates, phrase_vectors
from spanloop.optimizer.scenarios.splits import Cluster, assign_splits
from spanloop.optimizer.scenarios.tool_schemas import infer_tool_schemas, read_tool_schemas

DAY = datetime(2026, 11, 1, tzinfo=UTC)


def sighting(key: str, text: str, *owners: str) -> Sighting:
    return Sighting(key=key, start=DAY, told=[text], owners=frozenset(owners))


def test_a_fact_is_told_where_it_is_new() -> None:
    heard = ["Your order W12 costs 95.50.", '{"city": "Oslo"}']
    assert new_values("W12 goes to Oslo on 3-5-2026, ask Ann Lee", heard) == ("3-5-2026", "Ann Lee")


def test_ids_do_not_tell_requests_apart() -> None:
    texts = [
        "Please cancel order W1000 of ann@example.org",
        "please cancel order W2000 of bob@example.org!",
        "How do I reset the router in the attic",
    ]
    assert masked(texts[0]).split() == masked(texts[1]).replace("!", "").split()
    assert [(a, b) for a, b, _ in near_duplicates(phrase_vectors(texts), NEAR)] == [(0, 1)]


def test_what_is_alike_or_names_the_same_thing_tells_a_story() -> None:
    runs = [
        sighting("a", "cancel order W1234"),
        sighting("b", "opening hours of the shop"),
        sighting("c", "cancel order w1234 now"),
        sighting("d", "opening hours of your shop?"),
        sighting("e", "an invoice for W1234"),
    ]
    marks = marks_of(runs, [identifiers(run.request) for run in runs])
    cases = same_cases(marks, lambda a, b: 0.9 if (a, b) == (0, 2) else 0.1)
    assert cases == [(0, 2, 0.9)]
    neighbours = neighbours_of([*cases, (1, 3, 0.7)])
    assert stories(neighbours, range(5), lambda _a, _b: True) == [0, 1, 0, 1, 4]


def test_a_chain_of_likeness_does_not_make_one_story() -> None:
    chain = neighbours_of([(i, i + 1, 0.6) for i in range(9)])
    assert len(set(stories(chain, range(10), lambda _a, _b: True))) == 5


def test_a_number_that_all_name_is_nobody() -> None:
    runs = [
        sighting(str(i), f"I called 555-010-99 about thing {i}", "user:all") for i in range(100)
    ]
    assert set(marks_of(runs, [identifiers(run.request) for run in runs])) == {frozenset()}


def test_a_person_and_a_near_duplicate_are_used_on_one_side_only() -> None:
    marks = [frozenset({"user:u1"})] * 3 + [frozenset({"user:u2"}), frozenset[str]()]
    sides: list[Split | None] = ["train", "test", "train", "test", None]
    for keys in (["a", "b", "c", "d", "e"], ["e", "d", "c", "b", "a"]):
        usable = usable_rows(marks, sides, {}, used={}, keys=keys)
        assert len({side for side, use in zip(sides[:3], usable[:3], strict=True) if use}) == 1
        assert usable[3:] == [True, False]
    taken = usable_rows(marks, sides, {}, used={1: "test"}, keys=["a"] * 5)
    assert taken[:3] == [False, True, False]
    alike = neighbours_of([(0, 3, 0.6)])
    assert usable_rows(marks, sides, alike, used={0: "train"}, keys=["a"] * 5)[3] is False


def test_sides_keep_their_shares_and_only_new_clusters_are_fresh() -> None:
    settings = ScenarioSettings()
    cut = DAY + timedelta(days=5)
    drawn = [
        Cluster(key=f"k{i}", first_seen=DAY + timedelta(days=i % 10), variants=1)
        for i in range(400)
    ]
    sides = assign_splits(drawn, cut=cut, held={}, settings=settings, seed=1)
    fresh = [c for c in drawn if sides[c.key] == "fresh"]
    assert all(c.first_seen > cut for c in fresh)
    assert len(fresh) == pytest.approx(settings.fresh_share * 160, abs=30)
    others: list[Split] = [side for side in sides.values() if side != "fresh"]
    for split, share in settings.shares.items():
        assert others.count(split) / len(others) == pytest.approx(share, abs=0.01)
    reordered = assign_splits(drawn[::-1], cut=cut, held={}, settings=settings, seed=1)
    assert reordered == sides


def test_silence_is_judged_by_how_often_something_was_seen() -> None:
    days = [DAY + timedelta(hours=i) for i in range(24 * 30)]
    traffic = Traffic(starts=days)
    often = days[0 : 24 * 20 : 24]
    assert traffic.is_over(often, doubt=0.05)
    assert not traffic.is_over(often[:2], doubt=0.001)
    assert not traffic.is_over([days[24 * 15]], doubt=0.05)
    assert traffic.is_over([], doubt=0.05)


def recording(name: str, *steps: tuple[str, str, str]) -> Recording:
    return Recording(
        trajectory_id=name,
        trace_ids=[],
        system="",
        findings={},
        steps=[
            RecordedStep(
                step=i,
                kind=kind,
                name=tool,
                text=None if tool else text,
                arguments=text if tool else None,
                result='{"fee": 41.5}' if tool else None,
                status="ok" if tool else "",
            )
            for i, (kind, tool, text) in enumerate(steps, start=1)
        ],
    )


def test_criteria_are_what_the_satisfied_have_in_common() -> None:
    satisfied = [
        recording(
            str(i),
            ("user", "", "cancel W12"),
            ("tool", "find", '{"id": "W12"}'),
            ("tool", "cancel", json.dumps({"id": "W12", "reason": f"because {i}"})),
            ("assistant", "", "Done, the fee was 41.5."),
            ("user", "", "bye"),
        )
        for i in range(3)
    ]
    failed = recording("x", ("user", "", "cancel W12"), ("tool", "escalate", "{}"))
    found = derive_criteria(
        satisfied,
        [failed],
        played=failed,
        changing=frozenset({"cancel", "escalate"}),
        predicates={"{}": 0.75},
    )
    assert [(c.kind, c.name, c.value, c.support) for c in found] == [
        ("calls", "cancel", '{"id": "w12"}', 0.875),
        ("avoids", "escalate", "", 0.875),
        ("says", "", "41.5", 0.875),
        ("lacks_pattern", "", "{}", 0.75),
        ("ends", "", "", 0.875),
    ]


def test_what_a_request_is_about_is_no_failure_to_be_without() -> None:
    about = Term("stratum", "i12")
    kept = to_json(Predicate.of(about, Term("symptom", "loop")))
    run = recording("r", ("user", "", "Renew it."), ("assistant", "", "Done."))
    found = derive_criteria(
        [run],
        [],
        played=run,
        changing=frozenset(),
        predicates={to_json(Predicate.of(about)): 0.5, kept: 0.5},
    )
    assert [c.value for c in found if c.kind == "lacks_pattern"] == [kept]


def test_values_of_another_case_are_not_asked_for() -> None:
    def cancelled(order: str) -> Recording:
        return recording(
            order,
            ("user", "", f"cancel {order}"),
            ("tool", "cancel", json.dumps({"id": order, "notify": "yes"})),
            ("assistant", "", "Done."),
        )

    found = derive_criteria(
        [cancelled("W12"), cancelled("W13")],
        [],
        played=recording("x", ("user", "", "cancel W99")),
        changing=frozenset({"cancel"}),
        predicates={},
    )
    assert [(c.name, c.value) for c in found if c.kind == "calls"] == [
        ("cancel", '{"notify": "yes"}')
    ]


def test_a_call_tells_whether_it_answers_a_reaction() -> None:
    run = recording(
        "r",
        ("user", "", "When must I return it?"),
        ("assistant", "", "In 60 days."),
        ("user", "", "That is not what the poster says."),
        ("tool", "rules", "{}"),
        ("assistant", "", "In 28 days."),
        ("user", "", "And how many may I lend?"),
        ("tool", "read_member", "{}"),
    )
    content = build_content(
        Material(
            recordings=[run],
            satisfied=frozenset(),
            tools=(),
            changing=frozenset(),
            predicates={},
        )
    )
    assert content is not None
    assert [(c.tool, c.after_reaction) for c in content.tape] == [
        ("rules", True),
        ("read_member", False),
    ]


def test_text_that_would_make_patterns_backtrack_is_read_in_one_pass() -> None:
    for hostile in ("a" * 200_000, "A" * 200_000, "a." * 100_000, "A" + "a" * 39 + "A" * 200_000):
        assert values_in(hostile) == []
        assert identifiers(hostile) == frozenset()
        assert masked(hostile) == hostile.lower()


def test_text_is_redacted_before_it_is_cut() -> None:
    secret = "sk-" + "a1" * 20
    row = ["t", ["trace"], None, [[1, "user", "", "x" * 7_990 + " " + secret, None, None, ""]], []]
    text = read_recording(row).steps[0].text or ""
    assert "sk-a1" not in text
    assert text.endswith("<SECRET>")


NAMED = {"name": "find", "description": "d"}
SCHEMA = {"type": "object"}


@pytest.mark.parametrize(
    "carried",
    [
        [{"type": "function", **NAMED, "parameters": SCHEMA}],
        [{"type": "function", "function": {**NAMED, "parameters": SCHEMA}}],
        [{**NAMED, "input_schema": SCHEMA}],
        [{"function_declarations": [{**NAMED, "parameters": SCHEMA}]}],
        [json.dumps({**NAMED, "parameters": json.dumps(SCHEMA)})],
    ],
)
def test_offered_tools_are_read_in_every_usual_form(carried: list[object]) -> None:
    (tool,) = read_tool_schemas(json.dumps(carried))
    assert (tool.name, tool.description, json.loads(tool.parameters)) == ("find", "d", SCHEMA)


@pytest.mark.parametrize(
    "carried", ["", "[", "null", "[[[[[[1]]]]]]", '[{"name": 3}]', "[" * 100_000]
)
def test_what_is_no_list_of_tools_is_none(carried: str) -> None:
    assert read_tool_schemas(carried) == ()


def test_tools_are_inferred_from_calls() -> None:
    (tool,) = infer_tool_schemas([("find", '{"id": "a", "n": 1}'), ("find", '{"id": "b"}')])
    assert json.loads(tool.parameters) == {
        "type": "object",
        "properties": {"id": {"type": "string"}, "n": {"type": "integer"}},
        "required": ["id"],
    }
