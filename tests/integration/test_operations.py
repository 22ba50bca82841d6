"""What an operator does, on a running server and on a stopped one."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanloop.optimizer.models.cache import ReplyCache
from spanloop.optimizer.models.chat import ChatReply, Message
from spanloop.service.erasing import REPLIES
from tests.integration.test_receive_and_store import request_of, send

NOW_MS = 4_000_000_000_000
COUNT = "SELECT count() AS n FROM otel_traces"


def conversation_of(name: str, user: str, seed: int) -> ExportTraceServiceRequest:
    """Return a trace of three spans of which one names the conversation and the user."""
    rnd = random.Random(seed)
    request = request_of(3, rnd)
    spans = request.resource_spans[0].scope_spans[0].spans
    for span in spans:
        span.trace_id = spans[0].trace_id
        span.attributes.add(key="gen_ai.operation.name").value.string_value = "chat"
    spans[1].attributes.add(key="gen_ai.conversation.id").value.string_value = name
    spans[1].attributes.add(key="user.id").value.string_value = user
    return request


def status(server: Any) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(server.run("status", "--json").stdout)
    return answer


def rows_of(answer: dict[str, Any]) -> dict[str, int]:
    return {table["table"]: table["rows"] for table in answer["tables"]}


def test_status_tells_the_same_from_inside_and_outside(make_server: Any) -> None:
    server = make_server().start()
    send(server.grpc, request_of(9, random.Random(1)).SerializeToString())
    server.wait_until(COUNT, 9)
    running = status(server)
    assert running["server"]["grpc"] == server.grpc
    assert rows_of(running)["otel_traces"] == 9
    server.stop()
    stopped = status(server)
    assert stopped["server"] is None
    assert rows_of(stopped)["otel_traces"] == 9
    assert stopped["log_segments"] == 0


def test_a_backup_of_a_running_server_fills_a_new_directory(
    make_server: Any, tmp_path: Path
) -> None:
    slow = {"log": {"segment_max_age_s": 120}}
    server = make_server(receiver=slow).start()
    send(server.grpc, request_of(5, random.Random(2)).SerializeToString())
    server.run("backup", str(tmp_path / "copy"))  # the spans are still only in the log
    server.kill()
    other = make_server("other")
    other.run("restore", str(tmp_path / "copy"))
    again = other.run("restore", str(tmp_path / "copy"), check=False)
    assert again.returncode == 2
    assert "not empty" in again.stderr
    other.start()
    other.wait_until(COUNT, 5)


@pytest.mark.parametrize("running", [True, False])
def test_delete_erases_whole_traces_of_a_person_only(make_server: Any, running: bool) -> None:
    server = make_server().start()
    for seed, (conversation, user) in enumerate([("c1", "ann"), ("c2", "ann"), ("c3", "bob")]):
        send(server.grpc, conversation_of(conversation, user, seed).SerializeToString())
    server.wait_until(COUNT, 9)
    replies = ReplyCache(server.directory / "data" / REPLIES, now_ms=lambda: NOW_MS)
    replies.put(
        b"asked", ChatReply(model="m", message=Message(role="assistant", content="Hello Ann"))
    )
    if not running:
        server.stop()
    erased = json.loads(server.run("delete", "--conversation", "c1", "--json").stdout)
    assert {row["table"]: row["rows_erased"] for row in erased}["otel_traces"] == 3
    assert replies.get(b"asked") is None
    replies.close()
    assert b"Hello Ann" not in b"".join(
        path.read_bytes() for path in (server.directory / "data").glob(f"{REPLIES}*")
    )
    server.run("delete", "--user", "ann")
    left = server.query(
        "SELECT (SELECT count() FROM otel_traces) AS traces, (SELECT count() FROM genai_spans) AS genai, "
        "(SELECT count() FROM otel_traces_trace_id_ts) AS times"
    )
    assert left == [{"traces": 3, "genai": 3, "times": 1}]


def test_delete_without_a_subject_is_refused(make_server: Any) -> None:
    server = make_server().start()
    for arguments in ([], ["--user", ""], ["--user", "a", "--conversation", "b"]):
        done = server.run("delete", *arguments, check=False)
        assert done.returncode == 2
        assert "exactly one" in done.stderr


def test_delete_in_a_directory_without_a_store_is_refused_and_makes_none(
    make_server: Any, tmp_path: Path
) -> None:
    wrong = tmp_path / "mistyped"
    done = make_server().run("delete", "--user", "a", "--data-dir", str(wrong), check=False)
    assert done.returncode == 2
    assert "there is no store in" in done.stderr
    assert not wrong.exists()


@pytest.mark.parametrize("running", [True, False])
def test_a_dead_letter_is_listed_shown_and_sent_again(make_server: Any, running: bool) -> None:
    server = make_server().start()
    body = request_of(4, random.Random(5)).SerializeToString()
    send(server.grpc, body)
    server.wait_until(COUNT, 4)
    server.stop()
    letter_id = put_dead_letter(server, request_of(2, random.Random(6)).SerializeToString())
    if running:
        server.start()
    listed = json.loads(server.run("dead-letters", "list", "--json").stdout)
    assert [(row["id"], row["rows"], row["reason"]) for row in listed] == [(letter_id, 2, "test")]
    shown = json.loads(server.run("dead-letters", "show", letter_id, "--json").stdout)
    assert shown["records"] == 1
    server.run("dead-letters", "requeue", letter_id)
    assert json.loads(server.run("dead-letters", "list", "--json").stdout) == []
    if not running:
        server.start()
    server.wait_until(COUNT, 6)


def put_dead_letter(server: Any, body: bytes) -> str:
    """Set a request aside as the drain does."""
    from spanloop.receiver.dead_letters import DeadLetters
    from spanloop.receiver.record import Envelope, frame
    from spanloop.receiver.segment import new_batch_id

    envelope = Envelope(project="default", received_ns=1, batch_id=new_batch_id())
    letters = DeadLetters(server.directory / "data" / "dead-letters")
    return letters.add("traces", b"".join(frame(body, envelope)), "test", rows=2)


def test_doctor_finds_a_taken_port(make_server: Any) -> None:
    server = make_server().start()
    port = int(server.grpc.rpartition(":")[2])
    other = make_server("other", receiver={"grpc": {"port": port}})
    done = other.run("doctor", "--json", check=False)
    assert done.returncode == 1
    findings = {row["check"]: row for row in json.loads(done.stdout)}
    assert findings["OTLP/gRPC port"]["verdict"] == "failure"
    assert findings["disk space"]["verdict"] == "ok"
    assert "created by the first start" in findings["store"]["detail"]
    assert not (other.directory / "data" / "db").exists()  # looking creates nothing


def test_migrate_is_idempotent_and_says_what_it_does(make_server: Any) -> None:
    server = make_server()
    planned = json.loads(server.run("migrate", "--dry-run", "--json").stdout)
    applied = json.loads(server.run("migrate", "--json").stdout)
    assert planned == applied
    assert len(applied) > 15
    assert json.loads(server.run("migrate", "--json").stdout) == []
