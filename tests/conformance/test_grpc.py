"""OTLP/gRPC, as seen from outside."""

import socket
import threading
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from tests.conformance import messages as m
from tests.conformance.messages import LOGS, METRICS, SIGNALS, TRACES, Signal
from tests.conformance.target import (
    NO_LIMIT,
    RETRYABLE_GRPC,
    TIMEOUT_S,
    GrpcReply,
    Target,
    call_on,
    raw_call,
)

clause = pytest.mark.clause
each_signal = pytest.mark.parametrize("signal", SIGNALS, ids=lambda s: s.name)


def assert_accepted(signal: Signal, reply: GrpcReply) -> Message:
    assert reply.code is grpc.StatusCode.OK, f"{reply.code}: {reply.details}"
    answer = signal.response.FromString(reply.body)
    assert m.rejected(signal, answer)[0] == 0
    return answer


def assert_refused_for_good(reply: GrpcReply) -> None:
    assert reply.code is not grpc.StatusCode.OK
    assert reply.code not in RETRYABLE_GRPC
    assert reply.code is not grpc.StatusCode.UNKNOWN, "an exception escaped"


@clause("must", "gRPC: a valid request is answered OK")
@each_signal
def test_full_success(target: Target, signal: Signal) -> None:
    assert_accepted(signal, target.call(signal, m.request_of(signal).SerializeToString()))


@clause("must", "gRPC: full success leaves partial_success unset")
@each_signal
def test_partial_success_is_unset(target: Target, signal: Signal) -> None:
    reply = target.call(signal, m.request_of(signal).SerializeToString())
    assert not assert_accepted(signal, reply).HasField("partial_success")


@clause("should", "gRPC: an empty envelope is a success")
@each_signal
def test_empty_envelope(target: Target, signal: Signal) -> None:
    assert_accepted(signal, target.call(signal, b""))


@clause("must", "gRPC: gzip is supported")
@each_signal
def test_gzip(target: Target, signal: Signal) -> None:
    body = m.request_of(signal).SerializeToString()
    assert_accepted(signal, target.call(signal, body, compression=grpc.Compression.Gzip))


@clause("may", "gRPC: deflate is supported")
def test_deflate(target: Target) -> None:
    body = m.request_of(TRACES).SerializeToString()
    reply = target.call(TRACES, body, compression=grpc.Compression.Deflate)
    target.offers(reply.code is grpc.StatusCode.OK, "deflate over gRPC")


BAD_IDS = [
    pytest.param({"trace_id": b""}, id="no trace id"),
    pytest.param({"span_id": b""}, id="no span id"),
    pytest.param({"trace_id": b"\1" * 15}, id="trace id of 15 bytes"),
    pytest.param({"span_id": b"\1" * 9}, id="span id of 9 bytes"),
    pytest.param({"trace_id": bytes(16)}, id="trace id all zero"),
    pytest.param({"span_id": bytes(8)}, id="span id all zero"),
]


@clause("should", "gRPC: one bad span is rejected by partial_success, the others are kept")
@pytest.mark.parametrize("bad", BAD_IDS)
def test_partial_success(target: Target, bad: dict[str, Any]) -> None:
    request = m.traces([m.span(), m.span(**bad), m.span()])
    reply = target.call(TRACES, request.SerializeToString())
    assert reply.code is grpc.StatusCode.OK, f"{reply.code}: {reply.details}"
    count, why = m.rejected(TRACES, TRACES.response.FromString(reply.body))
    assert count == 1
    assert why


@clause("must", "gRPC: a body that is not protobuf is refused with a code that is not retryable")
@each_signal
def test_malformed(target: Target, signal: Signal) -> None:
    assert_refused_for_good(target.call(signal, b"\xff\xff\xff\xff not protobuf"))


@clause("must", "gRPC: a truncated body is refused with a code that is not retryable")
@each_signal
def test_truncated(target: Target, signal: Signal) -> None:
    body = m.request_of(signal).SerializeToString()
    for cut in (1, len(body) // 2):
        assert_refused_for_good(target.call(signal, body[:-cut]))


@clause("should", "gRPC: more than 4 MiB in one request is accepted")
def test_5_mib(target: Target) -> None:
    assert_accepted(TRACES, target.call(TRACES, m.big_traces(5 * m.MIB)))


@clause("should", "gRPC: close to 64 MiB in one request is accepted")
def test_60_mib(target: Target) -> None:
    assert_accepted(TRACES, target.call(TRACES, m.big_traces(60 * m.MIB)))


@clause("must", "gRPC: over the size limit is RESOURCE_EXHAUSTED, without RetryInfo")
def test_over_the_limit(target: Target) -> None:
    reply = target.call(TRACES, m.big_traces(70 * m.MIB))
    assert reply.code is grpc.StatusCode.RESOURCE_EXHAUSTED, f"{reply.code}: {reply.details}"
    assert "google.rpc.retryinfo-bin" not in reply.trailers
    assert target.is_alive()


@clause("must", "gRPC: the size limit holds after decompression (gzip bomb)")
def test_gzip_bomb(target: Target) -> None:
    bomb = m.traces([m.span(attributes=[m.text("k", "\0" * (150 * m.MIB))])]).SerializeToString()
    reply = target.call(TRACES, bomb, compression=grpc.Compression.Gzip)
    assert reply.code is grpc.StatusCode.RESOURCE_EXHAUSTED, f"{reply.code}: {reply.details}"
    assert target.is_alive()


@clause("must", "gRPC: unknown services and methods are UNIMPLEMENTED")
@pytest.mark.parametrize("path", ["/no.such.Service/Export", TRACES.method + "X"])
def test_unimplemented(target: Target, path: str) -> None:
    assert target.call(path, b"").code is grpc.StatusCode.UNIMPLEMENTED


@clause("must", "gRPC: unknown protobuf fields are ignored")
def test_unknown_fields(target: Target) -> None:
    assert_accepted(TRACES, target.call(TRACES, m.with_unknown_fields()))


@clause("should", "gRPC: invalid UTF-8 in strings does not cost the request")
def test_invalid_utf8(target: Target) -> None:
    assert_accepted(TRACES, target.call(TRACES, m.with_invalid_utf8()))


@clause("should", "gRPC: a value nested too deep costs at most its span")
@pytest.mark.parametrize("levels", [20, 49, 51, 10_001])
def test_nesting(target: Target, levels: int) -> None:
    reply = target.call(TRACES, m.nested(levels))
    assert reply.code is grpc.StatusCode.OK, f"{reply.code}: {reply.details}"
    count, _ = m.rejected(TRACES, TRACES.response.FromString(reply.body))
    assert count <= (1 if levels > 20 else 0)
    assert target.is_alive()


@clause("should", "gRPC: many spans in one request")
def test_many_spans(target: Target) -> None:
    request = m.traces([m.span() for _ in range(20_000)])
    assert_accepted(TRACES, target.call(TRACES, request.SerializeToString()))


@clause("must", "gRPC: many calls at once on one channel")
def test_concurrent_calls(target: Target) -> None:
    bodies = [(s, m.request_of(s).SerializeToString()) for s in (TRACES, LOGS, METRICS) * 30]
    with grpc.insecure_channel(target.grpc_address, options=NO_LIMIT) as channel:
        futures = [
            (signal, raw_call(channel, signal.method).future(body, timeout=TIMEOUT_S))
            for signal, body in bodies
        ]
        for signal, future in futures:
            assert m.rejected(signal, signal.response.FromString(future.result()))[0] == 0


@clause("must", "gRPC: many clients at once")
def test_concurrent_clients(target: Target) -> None:
    body = m.request_of(TRACES).SerializeToString()
    replies: list[GrpcReply] = []

    def client() -> None:
        own = [*NO_LIMIT, ("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(target.grpc_address, options=own) as channel:
            replies.extend(call_on(channel, TRACES.method, body) for _ in range(5))

    threads = [threading.Thread(target=client) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert [reply.code for reply in replies] == [grpc.StatusCode.OK] * 100


@clause("must", "gRPC: HTTP/2 keepalive pings are answered")
def test_ping(target: Target) -> None:
    host, port = target.grpc_address.rsplit(":", 1)
    settings, ping = (0, 4), (8, 6)  # (payload length, frame type)
    mark = b"otlpping"
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        connection.sendall(_frame(*settings) + _frame(*ping) + mark)
        seen = b""
        while mark not in seen:
            chunk = connection.recv(65536)
            assert chunk, "the connection was closed without an answer"
            seen += chunk
    start = seen.index(mark) - 9
    assert (seen[start + 3], seen[start + 4] & 1) == (6, 1)  # PING with ACK


def _frame(length: int, kind: int) -> bytes:
    return length.to_bytes(3, "big") + bytes([kind, 0, 0, 0, 0, 0])


@clause("may", "gRPC: grpc.health.v1 says SERVING")
def test_health(target: Target) -> None:
    reply = target.call("/grpc.health.v1.Health/Check", b"")
    target.offers(reply.code is not grpc.StatusCode.UNIMPLEMENTED, "grpc.health.v1")
    assert (reply.code, reply.body) == (grpc.StatusCode.OK, b"\x08\x01")


@clause("must", "gRPC: a connection dropped in the middle of a request harms nobody else")
def test_dropped_connection(target: Target) -> None:
    host, port = target.grpc_address.rsplit(":", 1)
    for _ in range(20):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(0, 4) + b"\x00\xff")
    assert target.is_alive()
