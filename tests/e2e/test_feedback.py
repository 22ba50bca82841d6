"""Feedback posted over HTTP is stored when it is acknowledged, and becomes an assessment."""

from __future__ import annotations

import json
from typing import Any

import httpx

TRACE = "5b8efff798038103d269b633813fc60c"
TOKENS = [{"token": "a-token-of-the-test"}]  # not a secret
COUNT = "SELECT count() AS n FROM otel_logs WHERE EventName = 'gen_ai.evaluation.result'"


def post(server: Any, content: object, **headers: str) -> httpx.Response:
    return httpx.post(f"{server.http}/v1/feedback", json=content, headers=headers, timeout=30)


def test_what_was_acknowledged_outlives_kill_nine(make_server: Any) -> None:
    slow = {"log": {"segment_max_age_s": 120}}  # so that it is only in the log when the server dies
    server = make_server(receiver=slow).start()
    said = {"trace_id": TRACE, "label": "thumbs_down", "comment": "no refund", "user": "ann"}
    reply = post(server, said)
    assert reply.status_code == 200
    (first,) = reply.json()["ids"]
    both = post(server, [{**said, "label": "thumbs_up"}, {"conversation_id": "c-1", "score": 1}])
    assert (
        both.json()["ids"][0] == first
    )  # the same user of the same trace: another mind, no other row
    server.kill()
    server.start()
    server.wait_until(COUNT, 3)
    rows = server.query(
        "SELECT TraceId, LogAttributes FROM otel_logs WHERE ScopeName = 'spanloop.feedback' "
        "ORDER BY Timestamp"
    )
    assert {row["TraceId"] for row in rows} == {TRACE, ""}
    assert rows[0]["LogAttributes"]["gen_ai.evaluation.explanation"] == "no refund"
    assert rows[-1]["LogAttributes"]["gen_ai.conversation.id"] == "c-1"


def test_refusals_name_the_field_and_never_its_value(make_server: Any) -> None:
    server = make_server(receiver={"tokens": TOKENS, "max_request_bytes": 10_000}).start()
    good = {"Authorization": "Bearer a-token-of-the-test"}
    for content, status, words in (
        ({"trace_id": "oops", "score": 1}, 400, "trace_id"),
        ([{"trace_id": TRACE, "score": 1}, {"score": 1}], 400, "[1]"),
        ({"trace_id": TRACE}, 400, "score, a label or a comment"),
        ({"trace_id": TRACE, "score": 1, "stars": 5}, 400, "stars"),
        ({"trace_id": TRACE, "label": "x" * 101}, 400, "label"),
        ({"trace_id": TRACE, "comment": "x" * 20_000}, 413, "10000 bytes"),
        ([], 400, "between 1 and"),
    ):
        reply = post(server, content, **good)
        assert reply.status_code == status, (content, reply.text)
        assert words in reply.json()["message"]
        assert "xxxx" not in reply.text
        assert "oops" not in reply.text
    assert post(server, {"trace_id": TRACE, "score": 1}).status_code == 401
    plain = httpx.post(f"{server.http}/v1/feedback", content=b"{}", headers=good, timeout=30)
    assert plain.status_code == 415
    broken = {**good, "Content-Type": "application/json"}
    reply = httpx.post(f"{server.http}/v1/feedback", content=b"{", headers=broken, timeout=30)
    assert (reply.status_code, reply.json()["message"]) == (400, "the body is not valid JSON")
    assert json.loads(server.run("status", "--json").stdout)["log_segments"] == 0
