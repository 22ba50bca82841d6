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


def send(address: str, body: bytes) -> ExportTraceServiceResponse:
    with grpc.insecure_channel(address) as channel:
        reply: bytes = channel.unary_unary(EXPORT)(body, timeout=20)
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


def test_a_second_process_is_told_who_owns_the_directory(make_server: Any) -> None:
    server = make_server().start()
    second = server.run("serve", check=False)
    assert second.returncode == 2
    assert "is in use by process" in second.stderr
    assert server.sql in second.stderr
    assert server.query("SELECT 1 AS one") == [{"one": 1}]  # goes through that endpoint
