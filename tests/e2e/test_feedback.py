"""Feedback posted over HTTP is stored when it is acknowledged, and becomes an assessment."""

from __future__ import annotations

import json
import random
from typing import Any

import httpx

from tests.integration.test_receive_and_store import request_of, send

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


def chat(conversation: str, user: str, seed: int) -> bytes:
    """Return a trace of one model call that answers one question."""
    request = request_of(1, random.Random(seed))
    (span,) = request.resource_spans[0].scope_spans[0].spans
    said = {"user": "Where is my parcel?", "assistant": "It arrives tomorrow."}
    messages = {
        role: json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])
        for role, text in said.items()
    }
    for key, value in {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.agent.name": "parcels",
        "gen_ai.conversation.id": conversation,
        "user.id": user,
        "gen_ai.input.messages": messages["user"],
        "gen_ai.output.messages": messages["assistant"],
    }.items():
        span.attributes.add(key=key).value.string_value = value
    return request.SerializeToString()


def told(server: Any, *arguments: str) -> Any:
    return json.loads(server.run(*arguments, "--json").stdout)


def test_from_a_users_word_to_an_audit_sample_and_to_nothing(make_server: Any) -> None:
    server = make_server(analysis={"idle_s": 0}).start()
    for n in range(3):
        send(server.grpc, chat(f"c{n}", "ann", n))
    post(server, {"conversation_id": "c0", "label": "👎", "user": "ann"})
    told(server, "feedback", "c1", "--label", "good", "--user", "ann")
    server.wait_until(COUNT, 2)
    server.wait_until("SELECT count() AS n FROM genai_spans", 3)
    told(server, "analyze")
    sample = told(server, "label", "draw", "--n", "2", "--seed", "1")
    assert (sample["drawn"], sample["population"]) == (2, 3)
    read = server.run("label", "next").stdout
    assert "Where is my parcel?" in read
    place = told(server, "label", "next")
    assert f"label set {place['trajectory']}" in read
    assert place["steps"][0]["text"] == "Where is my parcel?"
    server.stop()
    # Nobody owns the store now: the same commands open it themselves.
    told(server, "label", "set", place["trajectory"], "--satisfied", "no", "--note", "late")
    told(server, "feedback", "c2", "--score", "1")
    (status,) = told(server, "label", "status")
    assert (status["labelled"], status["left"]) == (1, 1)
    rows = server.query("SELECT * FROM trajectory_labels ORDER BY Source, TrajectoryId")
    assert [(r["Source"], r["Satisfied"]) for r in rows] == [
        ("feedback", 0),
        ("feedback", 1),
        ("feedback", 1),
        ("label", 0),
    ]
    assert rows[-1]["SampleId"] == sample["sample"]
    server.run("delete", "--user", "ann")
    left = [
        f"(SELECT count() FROM {table})"  # noqa: S608  # names only
        for table in (
            "assessments",
            "trajectories",
            "trajectory_steps",
            "label_samples",
            "otel_logs",
        )
    ]
    assert server.query(f"SELECT {' + '.join(left)} AS n") == [{"n": 0}]
