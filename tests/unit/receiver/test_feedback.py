"""The feedback endpoint without a log behind it: what a client is told when nothing can be kept."""

from __future__ import annotations

import asyncio
import threading

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from spanloop.processor.errors import Overloaded
from spanloop.processor.feedback import MAX_ITEMS, Feedback, parse_feedback
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


def test_a_body_that_is_too_large_for_feedback_is_refused_before_it_is_parsed() -> None:
    intake = Recording()
    good = {"Authorization": "Bearer good"}
    reply = post(intake, {**SAID, "comment": "x" * 8 * 1024 * 1024}, **good)
    assert reply.status_code == 413
    assert "exceeds 8388608 bytes" in reply.json()["message"]
    assert intake.taken == []


def test_what_may_be_sent_at_once_is_parsed_beside_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parsed_by: list[int] = []

    def parse(content: object) -> list[Feedback]:
        parsed_by.append(threading.get_ident())
        return parse_feedback(content)

    monkeypatch.setattr("spanloop.receiver.feedback.parse_feedback", parse)
    longest = {"conversation_id": "c" * 1_000, "comment": "é" * 2_000}
    intake = Recording()
    good = {"Authorization": "Bearer good"}
    reply = post(intake, [{**longest, "user": str(n)} for n in range(MAX_ITEMS)], **good)
    assert (reply.status_code, len(reply.json()["ids"])) == (200, MAX_ITEMS)
    assert post(intake, **good).status_code == 200
    large, small = parsed_by
    assert (large != threading.get_ident(), small == threading.get_ident()) == (True, True)
