"""The scripted desk that the loop's benchmark plays."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx

from benchmarks.loop import tickets
from benchmarks.loop.model_server import answer, create_app

WHOLE = ["find_ticket", "read_history", "says", "close_ticket", "says"]
KNOWING = "Call read_history before you close a ticket."


def play(number: int, system: str) -> list[str]:
    """Return what the agent does and says, its tools answering as recorded."""
    results = {tool: result for tool, _, result in tickets.tape(number)}
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": system},
        {"role": "user", "content": tickets.opening(number)},
    ]
    seen: list[str] = []
    while len(seen) < 10:
        said = answer(messages)
        messages.append(said)
        if said.get("tool_calls"):
            name = said["tool_calls"][0]["function"]["name"]
            seen.append(name)
            messages.append({"role": "tool", "content": results[name]})
        else:
            seen.append("says")
            if sum(m["role"] == "user" for m in messages) == 2:
                break
            messages.append({"role": "user", "content": tickets.second(number)})
    return seen


def test_who_knows_better_reads_before_closing() -> None:
    outcomes = {tuple(play(n, "")) for n in range(40)}
    assert outcomes == {
        tuple(WHOLE),
        ("find_ticket", "says", "close_ticket", "read_history", "says"),
    }
    assert all(play(n, KNOWING) == WHOLE for n in range(40))


def test_what_an_edit_mends_depends_on_its_words() -> None:
    forgotten = [n for n in range(400) if tickets.forgets(tickets.code_of(n), tickets.SYSTEM)]
    mended = [
        {n for n in forgotten if play(n, f"{tickets.SYSTEM} {words}") == WHOLE}
        for words in ("Check twice.", "Errors tell.")
    ]
    assert mended[0] != mended[1]
    assert all(0.5 < len(each) / len(forgotten) < 0.9 for each in mended)


def test_production_is_what_the_agent_does() -> None:
    for number in range(20):
        *tools, chat = tickets.conversation_spans(number, start_ns=0)
        called = [span["attributes"]["gen_ai.tool.name"] for span in tools]
        assert called == [step for step in play(number, "") if step != "says"]
        failed = tickets.forgets(tickets.code_of(number), "")
        answers = json.loads(chat["attributes"]["gen_ai.output.messages"])
        assert ("sorry" in answers[0]["parts"][0]["content"]) == failed


def test_the_server_counts_what_is_answered_twice() -> None:
    body = {"seed": 7, "messages": [{"role": "user", "content": tickets.opening(1)}]}

    async def counts() -> dict[str, int]:
        transport = httpx.ASGITransport(app=create_app(0.0))
        async with httpx.AsyncClient(transport=transport, base_url="http://model") as client:
            for asked in (body, body, {**body, "seed": 8}):
                await client.post("/v1/chat/completions", json=asked)
            told: dict[str, int] = (await client.get("/counts")).json()
        return told

    assert asyncio.run(counts()) == {"requests": 3, "answered": 3, "given_up": 0, "twice": 1}
