"""The feedback endpoint without a log behind it: what a client is told when nothing can be kept."""

from __future__ import annotations

import asyncio

import httpx
from starlette.applications import Starlette
from starlette.routing import Route

from spanloop.processor.errors import Overloaded
from spanloop.receiver.auth import Tokens
from spanloop.receiver.feedback import feedback_endpoint
from spanloop.receiver.http_requests import HttpSettings
from spanloop.receiver.intake import Acknowledgement, Intake

SAID = {"conversation_id": "c", "score": 1}


class Recording(Intake):
    """Takes requests, or refuses them as a full log does."""

    def __init__(self, *, full: bool = False) -> None:
        self.taken: list[tuple[str, bytes, str]] = []
        self._full = full

    async def accept(self, signal: str, body: bytes, project: str) -> Acknowledgement:
        if self._full:
            raise Overloaded("the log is full", retry_after_s=7)
        self.taken.append((signal, body, project))
        return Acknowledgement()


def post(intake: Intake, content: object = SAID, **headers: str) -> httpx.Response:
    tokens = Tokens.of({"good": "shop"}, default_project="default")
    endpoint = feedback_endpoint(intake, tokens, HttpSettings(), clock_ns=lambda: 5)
    app = Starlette(routes=[Route("/v1/feedback", endpoint, methods=["POST"])])

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.post("/v1/feedback", json=content, headers=headers)

    return asyncio.run(send())


def test_it_is_a_log_request_of_the_tokens_project() -> None:
    intake = Recording()
    reply = post(intake, Authorization="Bearer good")
    assert (reply.status_code, len(reply.json()["ids"])) == (200, 1)
    ((signal, body, project),) = intake.taken
    assert (signal, project) == ("logs", "shop")
    assert b"gen_ai.evaluation.result" in body


def test_a_full_log_asks_to_come_back() -> None:
    reply = post(Recording(full=True), Authorization="Bearer good")
    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "7")
    assert reply.json() == {"code": 14, "message": "the log is full"}


def test_without_a_token_nothing_is_read() -> None:
    intake = Recording()
    reply = post(intake, Authorization="Bearer bad")
    assert (reply.status_code, reply.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert intake.taken == []
