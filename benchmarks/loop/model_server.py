"""A *scripted* OpenAI-compatible model in a process of its own: it answers after a set delay, and counts.

It plays the agent of `benchmarks.loop.tickets`: look-ups and an answer, then one change and an answer. No
language model is behind it. ``GET /counts`` says how many requests came, were answered in full, or were given
up by their caller before the answer; and how many answers went to a question (by its seed, which names run
and step) that had been answered before: what was paid for twice.

Run as ``python -m benchmarks.loop.model_server --port 0 --delay-s 1``; the port it got is its first line.
"""

import argparse
import asyncio
import json
import re
import socket
from collections import Counter
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from benchmarks.loop import tickets
from benchmarks.loop.tickets import CLOSE, FIND, READ

CODE = re.compile(r"T-\d{5}")
PROMPT_TOKENS, COMPLETION_TOKENS = 500, 50


def answer(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the scripted agent says next."""
    users = [message["content"] for message in messages if message["role"] == "user"]
    done = sum(message["role"] == "tool" for message in messages)
    found = CODE.search(users[0])
    code = found[0] if found else "T-00000"
    system = next((m["content"] or "" for m in messages if m["role"] == "system"), "")
    forgets = tickets.forgets(code, system)
    if len(users) > 1 and tickets.neglects(code, system):
        return {"role": "assistant", "content": "Somebody will look into it next week."}
    calls = (FIND, CLOSE, READ) if forgets else (FIND, READ, CLOSE)
    wanted = calls if len(users) > 1 else calls[: calls.index(CLOSE)]
    if done < len(wanted):
        name, argument = wanted[done]
        call = {"name": name, "arguments": json.dumps({argument: code})}
        return {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": f"call_{done}", "type": "function", "function": call}],
        }
    if len(users) == 1:
        return {"role": "assistant", "content": tickets.found(code)}
    return {"role": "assistant", "content": tickets.closed(code, hastily=forgets)}


def completion(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a chat completion."""
    message = answer(messages)
    reason = "tool_calls" if message.get("tool_calls") else "stop"
    return {
        "id": "scripted",
        "object": "chat.completion",
        "created": 0,
        "model": "scripted-agent",
        "choices": [{"index": 0, "finish_reason": reason, "message": message}],
        "usage": {
            "prompt_tokens": PROMPT_TOKENS,
            "completion_tokens": COMPLETION_TOKENS,
            "total_tokens": PROMPT_TOKENS + COMPLETION_TOKENS,
        },
    }


def create_app(delay_s: float) -> Starlette:
    """Return the server."""
    counts: Counter[str] = Counter(requests=0, answered=0, given_up=0, twice=0)
    answered: set[tuple[int, int]] = set()

    async def complete(request: Request) -> JSONResponse:
        body = await request.json()
        counts["requests"] += 1
        await asyncio.sleep(delay_s)
        gone = await request.is_disconnected()
        counts["given_up" if gone else "answered"] += 1
        if not gone:
            question = (body.get("seed", 0), len(body["messages"]))
            counts["twice"] += question in answered
            answered.add(question)
        return JSONResponse(completion(body["messages"]))

    async def tell(request: Request) -> JSONResponse:
        del request
        return JSONResponse(dict(counts))

    return Starlette(
        routes=[
            Route("/v1/chat/completions", complete, methods=["POST"]),
            Route("/counts", tell, methods=["GET"]),
        ]
    )


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay-s", type=float, default=1.0)
    arguments = parser.parse_args()
    listening = socket.create_server(("127.0.0.1", arguments.port), backlog=1024)
    print(listening.getsockname()[1], flush=True)
    config = uvicorn.Config(
        create_app(arguments.delay_s), log_level="warning", access_log=False, lifespan="off"
    )
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
