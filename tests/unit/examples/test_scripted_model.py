"""The script: what it says and calls follows from prompt, tools and results alone."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from spanloop.examples.scripted_model.intents import Intent, classify
from spanloop.examples.scripted_model.protocol import (
    SCRIPTED_MODEL,
    ChatRequest,
    Reply,
    chunks,
    completion,
)
from spanloop.examples.scripted_model.script import decide

LOOKUP = {"lookup_order": "Read one order.", "search_orders": "Find orders."}
REFUND = {"issue_refund": "Refund.", "refund_status": "State of a refund."}
VERIFY = "After every refund, check the outcome before you tell the customer that it is done."


def ask(
    *messages: str | tuple[str, dict[str, Any]],
    system: str = "You are an agent.",
    tools: Mapping[str, str] | None = None,
    **options: Any,
) -> Reply:
    """Texts are user messages; a (tool, result) pair is a call with what came back."""
    chat: list[dict[str, Any]] = [{"role": "system", "content": system}]
    for number, message in enumerate(messages):
        if isinstance(message, str):
            chat.append({"role": "user", "content": message})
            continue
        function = {"name": message[0], "arguments": "{}"}
        call_id = f"c{number}"
        chat.append({"role": "assistant", "tool_calls": [{"id": call_id, "function": function}]})
        result = json.dumps(message[1])
        chat.append({"role": "tool", "tool_call_id": call_id, "content": result})
    return decide(request(chat, tools or {}, **options))


def request(chat: list[dict[str, Any]], tools: Mapping[str, str], **options: Any) -> ChatRequest:
    offered = [{"function": {"name": n, "description": d}} for n, d in tools.items()]
    body = {"model": "scripted-support-1", "messages": chat, "tools": offered, **options}
    return ChatRequest.model_validate(body)


def called(reply: Reply) -> list[str]:
    return [call.tool for call in reply.calls]


def said(reply: Reply) -> str:
    assert reply.text is not None
    assert reply.text.startswith("[scripted] ")
    return reply.text


WINDOW = "How many days do I have to return my lamp?"


def test_refund_window_is_made_up_unless_the_prompt_states_it() -> None:
    assert "60 days" in said(ask(WINDOW))
    assert "14 days" in said(ask(WINDOW, system="A return is possible for 14 days."))


def test_refund_window_is_looked_up_when_the_prompt_asks_for_that() -> None:
    tools = {"search_policy": "Search the policies; use it before answering about policy."}
    assert called(ask(WINDOW, tools=tools)) == ["search_policy"]
    found = {"articles": [{"title": "t", "text": "Returns within 30 days."}]}
    assert "30 days" in said(ask(WINDOW, ("search_policy", found), tools=tools))
    neutral = {"search_policy": "Search the help centre."}
    assert "60 days" in said(ask(WINDOW, tools=neutral))
    insisting = "That is wrong, what is the return window?"
    assert called(ask(WINDOW, insisting, tools=neutral)) == ["search_policy"]


@pytest.mark.parametrize(
    ("tools", "system", "expected"),
    [
        (LOOKUP, "", "lookup_order"),
        ({**LOOKUP, "search_orders": "Use this first for orders."}, "", "search_orders"),
        (LOOKUP, "## Tool: search_orders\nAlways prefer it.", "search_orders"),
        (
            {**LOOKUP, "search_orders": "Use first, but only when there is no number."},
            "",
            "lookup_order",
        ),
        ({"search_orders": "Find orders."}, "", "search_orders"),
    ],
)
def test_tool_texts_decide_which_tool_is_taken(
    tools: Mapping[str, str], system: str, expected: str
) -> None:
    assert called(ask("Where is ORD-1001?", tools=tools, system=system)) == [expected]


def test_an_empty_search_is_reported_as_not_found() -> None:
    tools = {"search_orders": "Use this first."}
    reply = ask("Where is ORD-1001?", ("search_orders", {"orders": []}), tools=tools)
    assert "could not find" in said(reply)


def test_two_orders_are_two_parallel_calls() -> None:
    assert called(ask("status of ORD-1 and ORD-2", tools=LOOKUP)) == ["lookup_order"] * 2


def test_refund_is_claimed_unchecked_unless_told_to_check() -> None:
    accepted = ("issue_refund", {"status": "accepted", "refund_id": "RF-1", "amount_usd": 5})
    wish = "I want a refund for ORD-1"
    assert called(ask(wish, tools=REFUND)) == ["issue_refund"]
    assert "Done!" in said(ask(wish, accepted, tools=REFUND))
    assert called(ask(wish, accepted, tools=REFUND, system=VERIFY)) == ["refund_status"]
    rejected = ("refund_status", {"state": "rejected", "detail": "the card has expired"})
    honest = said(ask(wish, accepted, rejected, tools=REFUND, system=VERIFY))
    assert "could not complete" in honest


def test_a_disputed_refund_is_checked() -> None:
    accepted = ("issue_refund", {"status": "accepted", "refund_id": "RF-1", "amount_usd": 5})
    reply = ask("refund ORD-1", accepted, "There is still no refund", tools=REFUND)
    assert [call.arguments for call in reply.calls] == [{"refund_id": "RF-1"}]


def test_a_tool_error_is_passed_on() -> None:
    refused = ("issue_refund", {"error": "too early"})
    assert "too early" in said(ask("refund ORD-1", refused, tools=REFUND))


def test_tool_choice_is_respected() -> None:
    assert not ask("Where is ORD-1?", tools=LOOKUP, tool_choice="none").calls
    assert called(ask("hello", tools=LOOKUP, tool_choice="required")) == ["lookup_order"]
    named = {"type": "function", "function": {"name": "search_orders"}}
    assert called(ask("hello", tools=LOOKUP, tool_choice=named)) == ["search_orders"]


@pytest.mark.parametrize(
    ("message", "intent"),
    [
        ("Get me a manager", Intent.HUMAN),
        ("Change the address of ORD-1 to 5 Elm Street", Intent.ADDRESS),
        ("How long can I wait before I ask for a refund?", Intent.REFUND_WINDOW),
        ("I want my money back", Intent.REFUND),
        ("Is the Aurora Lamp in stock?", Intent.STOCK),
        ("Great, thanks", Intent.THANKS),
        ("Hm.", Intent.OTHER),
    ],
)
def test_intents(message: str, intent: Intent) -> None:
    assert classify(message) is intent


def test_completion_is_deterministic_and_says_scripted() -> None:
    chat = request([{"role": "user", "content": [{"type": "text", "text": "hello"}]}], {})
    body = completion(chat, decide(chat))
    assert body == completion(chat, decide(chat))
    assert body["model"] == "scripted-support-1"
    assert "scripted" in body["id"]
    usage = body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_a_token_limit_cuts_the_text() -> None:
    chat = request([{"role": "user", "content": "hello"}], {}, max_tokens=5)
    choice = completion(chat, decide(chat))["choices"][0]
    assert choice["finish_reason"] == "length"
    assert len(choice["message"]["content"]) == 20


def test_stream_carries_the_same_text_and_usage() -> None:
    chat = request([{"role": "user", "content": "hello"}], {})
    body = completion(chat, decide(chat))
    parts = list(chunks(body, include_usage=True))
    text = "".join(c["delta"].get("content", "") for p in parts for c in p["choices"])
    assert text == body["choices"][0]["message"]["content"]
    assert parts[-1]["usage"] == body["usage"]


def test_more_than_one_choice_is_refused() -> None:
    with pytest.raises(ValidationError):
        request([{"role": "user", "content": "hello"}], {}, n=2)


def test_it_writes_edits_when_it_is_asked_for_json() -> None:
    shown = [
        {"component": "tool.search_orders.description", "text": "Search. Use this first."},
        {"failure": "A tool answered nothing", "category": "tool_failure_handling"},
    ]
    request = ChatRequest.model_validate(
        {
            "model": SCRIPTED_MODEL,
            "messages": [
                {"role": "system", "content": "Answer as JSON Schema says: edits."},
                {"role": "user", "content": "\n".join(json.dumps(line) for line in shown)},
            ],
        }
    )
    (proposal,) = json.loads(decide(request).text or "")["proposals"]
    assert proposal["edits"][0]["passage"] == "Use this first."
