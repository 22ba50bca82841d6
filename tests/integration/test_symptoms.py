"""Each symptom on the real engine: a trajectory that shows it, and one that looks like it and does not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from spanloop.optimizer.symptoms import find_symptoms
from spanloop.optimizer.symptoms.catalogue import CATALOGUE, SURE
from tests.support.analysis import AnalysisStore, open_analysis_store

Step = Mapping[str, Any]
ORDER = {"order": "A-1001", "total": 250.75, "state": "paid"}
FILLER = "Hello there, what can I do for you today, and which order is it about?"


def user(text: str) -> Step:
    return {"Kind": "user", "Text": text}


def agent(text: str, **more: Any) -> Step:
    return {"Kind": "assistant", "Text": text, "Agent": "desk", **more}


def call(name: str, arguments: Any, result: Any = "done", **more: Any) -> Step:
    told = result if result is None or isinstance(result, str) else json.dumps(result)
    return {
        "Kind": "tool",
        "Name": name,
        "Arguments": arguments if isinstance(arguments, str) else json.dumps(arguments),
        "Result": told,
        "Status": "ok",
        **more,
    }


def look(order: str = "A-1001", **more: Any) -> Step:
    return call("get_order", {"order": order}, {**ORDER, "order": order}, **more)


def cancel(order: str = "A-1001", **more: Any) -> Step:
    return call("cancel_order", {"order": order, "reason": "late"}, {"order": order}, **more)


ASKED = (user("Please cancel order A-1001, it is late."),)
CLOSED = (agent("Order A-1001 has been cancelled."), user("Thanks, that's all."))
GOOD = (*ASKED, look(), agent("Shall I cancel order A-1001?"), user("Yes."), cancel(), *CLOSED)
FAILED = {"Status": "error", "Result": "Error: order is locked"}

CASES: dict[str, tuple[str, Sequence[Step], Sequence[Step]]] = {
    "tool error": (
        "tool_error",
        (*ASKED, look(**FAILED), agent("I could not find it.")),
        GOOD,
    ),
    "a failed change is told as done": (
        "ignored_error",
        (*ASKED, look(), cancel(**FAILED), *CLOSED),
        (*ASKED, look(), cancel(**FAILED), agent("I am sorry, the order is locked."), *CLOSED[1:]),
    ),
    "an answer is empty": (
        "empty_result",
        (*ASKED, look(Result=" "), cancel(), *CLOSED),
        GOOD,
    ),
    "an answer is missing": (
        "missing_result",
        (*ASKED, look(Result=None), cancel(), *CLOSED),
        GOOD,
    ),
    "arguments are no JSON": (
        "invalid_arguments",
        (*ASKED, call("get_order", '{"order": "A-10', ORDER), *CLOSED),
        GOOD,
    ),
    "arguments are those of another tool": (
        "invalid_arguments",
        (*ASKED, call("get_order", {"postcode": "12345", "name": "Lee"}, ORDER), *CLOSED),
        GOOD,
    ),
    "a tool that was not offered": (
        "unknown_tool",
        (*ASKED, call("launch_rocket", {"order": "A-1001"}), *CLOSED),
        GOOD,
    ),
    "an identifier that nobody told": (
        "fabricated_argument",
        (*ASKED, look("A-7777"), *CLOSED),
        (*ASKED, look("A-1001"), *CLOSED),
    ),
    "the answer is about another order": (
        "argument_mismatch",
        (
            user("Please cancel A-1001, not A-1002."),
            call("get_order", {"order": "A-1002"}, ORDER),
            *CLOSED,
        ),
        GOOD,
    ),
    "another order is changed than the one that is talked about": (
        "argument_mismatch",
        (
            user("I have A-1002 and A-1001."),
            look(),
            look("A-1002"),
            agent("Which one is late?"),
            user("The first one."),
            agent("Shall I cancel order A-1001?"),
            user("Yes."),
            cancel("A-1002"),
            *CLOSED,
        ),
        GOOD,
    ),
    "an amount that nothing tells": (
        "ungrounded_claim",
        (*ASKED, look(), agent("You will get $317.20 back."), user("Thanks, that's all.")),
        (*ASKED, look(), agent("You will get $250.75 back."), user("Thanks, that's all.")),
    ),
    "a sum of what was told": (
        "ungrounded_claim",
        (*ASKED, look(), agent("Two of $250.75 make $511.50."), *CLOSED),
        (*ASKED, look(), agent("Two of $250.75 make $501.50."), *CLOSED),
    ),
    "a change without the look-up that peers make": (
        "missing_peer_step",
        (*ASKED, cancel(), *CLOSED),
        GOOD,
    ),
    "the same call at once": (
        "repeated_call",
        (*ASKED, look(), look(), cancel(), *CLOSED),
        (*ASKED, look(), cancel(), look(), *CLOSED),
    ),
    "the same message again": (
        "loop",
        (user("Hello."), agent(FILLER), user("Hello?"), agent(FILLER), user("Bye.")),
        (user("Hello."), agent(FILLER), user("Hello?"), agent("Go on, please."), user("Bye.")),
    ),
    "a text stops for want of tokens": (
        "truncated_output",
        (*ASKED, agent("I will cancel it.", FinishReason="length"), *CLOSED),
        GOOD,
    ),
    "a text stops inside a sentence": (
        "truncated_output",
        (*ASKED, agent("I looked at your order and found that the"), *CLOSED),
        (*ASKED, agent("These are yours:\n- one lamp\n- two chairs"), *CLOSED),
    ),
    "the run ends with a promise": (
        "premature_end",
        (*ASKED, look(), agent("I will cancel it now.")),
        (*ASKED, look(), agent("Please confirm, and I will cancel it now.")),
    ),
    "the run ends with a consent": (
        "unanswered_user",
        (*ASKED, look(), agent("Shall I cancel order A-1001?"), user("Yes, please.")),
        (*ASKED, look(), agent("It is cancelled. Anything else?"), user("No, thank you.")),
    ),
    "a person is asked for": (
        "escalation",
        (*ASKED, agent("It can not be cancelled."), user("Let me talk to a manager.")),
        GOOD,
    ),
    "the user corrects": (
        "user_correction",
        (*ASKED, agent("You want to return it?"), user("No, that's not what I said.")),
        GOOD,
    ),
    "the user is annoyed": (
        "user_frustration",
        (*ASKED, agent("One moment."), user("This is ridiculous.")),
        GOOD,
    ),
    "the request is made again": (
        "rephrased_request",
        (
            user("Please cancel my order number A-1001 because it is late."),
            agent("Which one?"),
            user("Please cancel my order number A-1001 because it is late!"),
        ),
        GOOD,
    ),
    "the question is asked again": (
        "repeated_question",
        (
            user("Cancel it."),
            agent("Could you please tell me the number of your order?"),
            user("A-1001."),
            agent("Could you please tell me the number of your order?"),
        ),
        GOOD,
    ),
    "it is refused": (
        "refusal",
        (*ASKED, agent("I cannot cancel it."), user("Fine.")),
        GOOD,
    ),
    "another tool does it": (
        "wrong_tool_then_right",
        (*ASKED, look(**FAILED), call("find_order", {"order": "A-1001"}, ORDER), *CLOSED),
        GOOD,
    ),
    "the context is full": (
        "context_near_limit",
        (
            *ASKED,
            {
                "Kind": "failure",
                "Status": "error",
                "Text": "maximum context length is 8192 tokens",
            },
        ),
        (*ASKED, look(**FAILED), agent("I am sorry.")),
    ),
    "work goes to and fro": (
        "handoff_ping_pong",
        tuple({"Kind": "handoff", "Name": name} for name in ("a", "b", "a", "b")),
        tuple({"Kind": "handoff", "Name": name} for name in ("a", "b", "c", "d")),
    ),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    """Hold peers, and every case with its look-alike, analysed once."""
    store = open_analysis_store(Path(tmp_path_factory.mktemp("symptoms")))
    store.client.command("CREATE TABLE changed_trajectories (TrajectoryId String) ENGINE = Memory")
    tell(store, {f"peer {n}": GOOD for n in range(12)})
    for name, (_, shows, lacks) in CASES.items():
        tell(store, {f"shows {name}": shows, f"lacks {name}": lacks})
    find_symptoms(store.context(now_ms=1_000))
    yield store
    store.client.close()


def tell(store: AnalysisStore, stories: Mapping[str, Sequence[Step]], version: int = 1) -> None:
    """Store trajectories as an assembly would, and name them as changed."""
    for name, story in stories.items():
        rows = [
            {"TrajectoryId": name, "Step": n, "TraceId": name, "SpanId": str(n), **step}
            for n, step in enumerate(story, 1)
        ]
        trajectory = {
            "TrajectoryId": name,
            "AgentName": "desk",
            "State": "closed",
            "Completeness": 1,
            "Tools": ["get_order", "find_order", "cancel_order"],
            "System": "Help people with their orders.",
            "ToolCalls": sum(step["Kind"] == "tool" for step in story),
            "Version": version,
        }
        insert(store, "trajectory_steps", [{"Version": version, **row} for row in rows])
        insert(store, "trajectories", [trajectory])
        insert(store, "changed_trajectories", [{"TrajectoryId": name}])


def insert(store: AnalysisStore, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that may name different columns."""
    for row in rows:
        store.client.insert(table, [list(row.values())], column_names=list(row))


def symptoms_of(store: AnalysisStore, trajectory: str) -> dict[str, dict[str, Any]]:
    rows = store.rows(
        "SELECT Symptom, Step, Weight, SpanId FROM trajectory_symptoms FINAL "
        "WHERE TrajectoryId = {id:String} ORDER BY Weight",
        id=trajectory,
    )
    return {row["Symptom"]: row for row in rows}


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_symptom_is_found_where_it_shows(store: AnalysisStore, name: str) -> None:
    symptom = CASES[name][0]
    found = symptoms_of(store, f"shows {name}")
    assert symptom in found
    assert found[symptom]["SpanId"] == str(found[symptom]["Step"])


@pytest.mark.parametrize("name", sorted(CASES))
def test_what_only_looks_like_it_is_no_sure_symptom(store: AnalysisStore, name: str) -> None:
    symptom = CASES[name][0]
    found = symptoms_of(store, f"lacks {name}")
    assert symptom not in found or found[symptom]["Weight"] < SURE


def test_what_goes_well_shows_nothing_sure(store: AnalysisStore) -> None:
    found = symptoms_of(store, "peer 1")
    assert [s for s, row in found.items() if row["Weight"] >= SURE] == []


def test_only_symptoms_of_the_catalogue_are_found(store: AnalysisStore) -> None:
    rows = store.rows("SELECT DISTINCT Symptom FROM trajectory_symptoms FINAL")
    assert {row["Symptom"] for row in rows} <= set(CATALOGUE)


def test_a_symptom_that_is_gone_is_deleted(store: AnalysisStore) -> None:
    tell(store, {"mended": (*ASKED, look(**FAILED), agent("I could not find it."))})
    find_symptoms(store.context(now_ms=2_000))
    assert "tool_error" in symptoms_of(store, "mended")
    store.client.command("TRUNCATE TABLE changed_trajectories")
    tell(store, {"mended": GOOD}, version=2)
    result = find_symptoms(store.context(now_ms=3_000))
    assert result.trajectories == 1
    assert "tool_error" not in symptoms_of(store, "mended")
    assert "tool_error" in symptoms_of(store, "shows tool error")
