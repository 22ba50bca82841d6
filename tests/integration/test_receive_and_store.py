"""Acknowledged means stored, once: the first promise, on the real engine and real ports."""

from __future__ import annotations

import random
import time
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def request_of(n: int, rnd: random.Random) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    attribute = resource.resource.attributes.add()
    attribute.key, attribute.value.string_value = "service.name", "tester"
    scope = resource.scope_spans.add()
    for _ in range(n):
        now = time.time_ns()
        scope.spans.add(
            trace_id=rnd.randbytes(16),
            span_id=rnd.randbytes(8),
            name="op",
            start_time_unix_nano=now,
            end_time_unix_nano=now + 1_000,
        )
    return request


def export_on(channel: grpc.Channel) -> Any:
    """Return the raw Export call of a channel: bytes in, bytes out (the stubs demand serializers)."""
    unary: Any = channel.unary_unary
    return unary(EXPORT)


def send(address: str, body: bytes) -> ExportTraceServiceResponse:
    with grpc.insecure_channel(address) as channel:
        reply: bytes = export_on(channel)(body, timeout=20)
    return ExportTraceServiceResponse.FromString(reply)


def span_ids(request: ExportTraceServiceRequest) -> list[str]:
    return [s.span_id.hex() for r in request.resource_spans for c in r.scope_spans for s in c.spans]


def stored(server: Any) -> list[str]:
    return [row["SpanId"] for row in server.query("SELECT SpanId FROM otel_traces")]


def test_acknowledged_spans_survive_kill_nine(make_server: Any) -> None:
    server = make_server().start()
    rnd = random.Random(1)
    acknowledged: list[str] = []
    for round_number in range(3):
        for _ in range(20):
            request = request_of(7, rnd)
            send(server.grpc, request.SerializeToString())
            acknowledged += span_ids(request)
        if round_number == 1:
            time.sleep(1)  # some rounds die with segments stored, some with none
        server.kill()
        server.start()
    assert server.stop() == 0
    assert sorted(stored(server)) == sorted(acknowledged)


def test_identical_retry_is_stored_once_across_a_restart(make_server: Any) -> None:
    server = make_server().start()
    body = request_of(5, random.Random(2)).SerializeToString()
    send(server.grpc, body)
    send(server.grpc, body)
    server.kill()
    server.start()
    send(server.grpc, body)
    server.stop()
    server.start()
    send(server.grpc, body)
    server.stop()
    assert len(stored(server)) == 5


def test_bad_spans_are_rejected_and_the_rest_kept(make_server: Any) -> None:
    server = make_server().start()
    request = request_of(4, random.Random(3))
    request.resource_spans[0].scope_spans[0].spans[1].trace_id = b"short"
    request.resource_spans[0].scope_spans[0].spans[2].span_id = bytes(8)
    reply = send(server.grpc, request.SerializeToString())
    assert reply.partial_success.rejected_spans == 2
    assert "16" in reply.partial_success.error_message
    server.stop()
    assert len(stored(server)) == 2


def test_more_requests_than_allowed_are_told_to_come_back(make_server: Any) -> None:
    server = make_server(receiver={"grpc": {"max_concurrent_requests": 1}}).start()
    bodies = [request_of(50, random.Random(seed)).SerializeToString() for seed in range(60)]
    with grpc.insecure_channel(server.grpc) as channel:
        calls = [export_on(channel).future(body, timeout=20) for body in bodies]
        refused = [call for call in calls if call.exception() is not None]
        for call in refused:
            assert call.code() is grpc.StatusCode.UNAVAILABLE
            assert "google.rpc.retryinfo-bin" in dict(call.trailing_metadata())
    server.stop()
    assert len(stored(server)) == 50 * (len(bodies) - len(refused))


def test_redaction_before_storage_keeps_secrets_out_of_log_and_tables(make_server: Any) -> None:
    server = make_server(
        redact_before_storage=True, receiver={"log": {"segment_max_age_s": 60}}
    ).start()
    request = request_of(1, random.Random(9))
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.status.message = "no mail to ann@example.org"
    span.attributes.add(key="said").value.string_value = "write to ann@example.org"
    nested = span.attributes.add(key="nested").value.kvlist_value.values.add(key="to")
    nested.value.string_value = "ann@example.org"
    send(server.grpc, request.SerializeToString())
    logged = b"".join(p.read_bytes() for p in (server.directory / "data").rglob("*.wal"))
    assert b"<EMAIL>" in logged
    assert b"ann@example.org" not in logged
    server.stop()
    row = server.query("SELECT SpanAttributes, StatusMessage FROM otel_traces")[0]
    assert row["SpanAttributes"]["said"] == "write to <EMAIL>"
    assert row["SpanAttributes"]["nested"] == '{"to":"<EMAIL>"}'
    assert row["StatusMessage"] == "no mail to <EMAIL>"


def test_a_second_process_is_told_who_owns_the_directory(make_server: Any) -> None:
    server = make_server().start()
    second = server.run("serve", check=False)
    assert second.returncode == 2
    assert "is in use by process" in second.stderr
    assert server.sql in second.stderr
    assert server.query("SELECT 1 AS one") == [{"one": 1}]  # goes through that endpoint
