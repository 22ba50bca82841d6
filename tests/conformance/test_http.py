"""OTLP/HTTP in both encodings, as seen from outside."""

import base64
import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
import zstandard
from google.protobuf import json_format
from google.protobuf.message import Message

from tests.conformance import messages as m
from tests.conformance.messages import SIGNALS, TRACES, Signal
from tests.conformance.target import JSON, PROTOBUF, RETRYABLE_HTTP, Reply, Target, read_reply
from tests.conformance.test_grpc import BAD_IDS

clause = pytest.mark.clause
each_signal = pytest.mark.parametrize("signal", SIGNALS, ids=lambda s: s.name)
each_encoding = pytest.mark.parametrize("encoding", [PROTOBUF, JSON], ids=["protobuf", "json"])


def encode(request: Message, encoding: str) -> bytes:
    if encoding == PROTOBUF:
        return request.SerializeToString()
    as_dict = json_format.MessageToDict(request, use_integers_for_enums=True)
    for block in as_dict.get("resourceSpans", []):
        for one in block["scopeSpans"][0]["spans"]:
            for name in ("traceId", "spanId"):
                if name in one:
                    one[name] = base64.b64decode(one[name]).hex()
    return json.dumps(as_dict).encode()


def assert_accepted(signal: Signal, reply: Reply, encoding: str) -> Message:
    assert reply.status == 200, f"{reply.status}: {reply.body[:200]!r}"
    assert reply.content_type == encoding
    answer = reply.message(signal.response)
    assert m.rejected(signal, answer)[0] == 0
    return answer


def assert_refused_for_good(reply: Reply, *statuses: int) -> None:
    assert 400 <= reply.status < 500, reply.status
    assert reply.status not in RETRYABLE_HTTP
    assert not statuses or reply.status in statuses, reply.status


@clause("must", "HTTP: a valid request is 200, and the answer has its encoding")
@each_encoding
@each_signal
def test_full_success(target: Target, signal: Signal, encoding: str) -> None:
    reply = target.post(signal.path, encode(m.request_of(signal), encoding), encoding)
    assert_accepted(signal, reply, encoding)


@clause("must", "HTTP: full success leaves partial_success unset")
@each_encoding
@each_signal
def test_partial_success_is_unset(target: Target, signal: Signal, encoding: str) -> None:
    reply = target.post(signal.path, encode(m.request_of(signal), encoding), encoding)
    assert not assert_accepted(signal, reply, encoding).HasField("partial_success")


@clause("should", "HTTP: an empty envelope is a success")
@each_encoding
@each_signal
def test_empty_envelope(target: Target, signal: Signal, encoding: str) -> None:
    body = b"" if encoding == PROTOBUF else b"{}"
    assert_accepted(signal, target.post(signal.path, body, encoding), encoding)


@clause("must", "HTTP: gzip is supported")
@each_encoding
@each_signal
def test_gzip(target: Target, signal: Signal, encoding: str) -> None:
    body = gzip.compress(encode(m.request_of(signal), encoding))
    reply = target.post(signal.path, body, encoding, content_encoding="gzip")
    assert_accepted(signal, reply, encoding)


@clause("must", "HTTP: a gzip body of several members is one body")
def test_gzip_members(target: Target) -> None:
    body = m.request_of(TRACES).SerializeToString()
    packed = gzip.compress(body[:20]) + gzip.compress(body[20:])
    assert_accepted(TRACES, target.post(TRACES.path, packed, content_encoding="gzip"), PROTOBUF)


@clause("may", "HTTP: zstd is supported")
@each_encoding
def test_zstd(target: Target, encoding: str) -> None:
    body = zstandard.compress(encode(m.request_of(TRACES), encoding))
    reply = target.post(TRACES.path, body, encoding, content_encoding="zstd")
    target.offers(reply.status == 200, "zstd over HTTP")
    assert_accepted(TRACES, reply, encoding)


@clause("should", "HTTP: 'Content-Encoding: identity' is no encoding")
def test_identity(target: Target) -> None:
    body = m.request_of(TRACES).SerializeToString()
    reply = target.post(TRACES.path, body, content_encoding="identity")
    assert_accepted(TRACES, reply, PROTOBUF)


@clause("must", "HTTP: an unknown Content-Encoding is refused for good")
def test_unknown_content_encoding(target: Target) -> None:
    body = m.request_of(TRACES).SerializeToString()
    assert_refused_for_good(target.post(TRACES.path, body, content_encoding="rot13"), 400, 415)


@clause("should", "HTTP: one bad span is rejected by partial_success, the others are kept")
@each_encoding
@pytest.mark.parametrize("bad", BAD_IDS)
def test_partial_success(target: Target, bad: dict[str, Any], encoding: str) -> None:
    request = m.traces([m.span(), m.span(**bad), m.span()])
    reply = target.post(TRACES.path, encode(request, encoding), encoding)
    assert reply.status == 200, f"{reply.status}: {reply.body[:200]!r}"
    count, why = m.rejected(TRACES, reply.message(TRACES.response))
    assert count == 1
    assert why


@clause("must", "HTTP: bad data is 400, with a Status in the request's encoding")
@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        pytest.param(PROTOBUF, b"\xff\xff\xff\xff no", id="protobuf, garbage"),
        pytest.param(PROTOBUF, b"\x0a\xff\xff\x03", id="protobuf, truncated"),
        pytest.param(JSON, b"{", id="json, truncated"),
        pytest.param(JSON, b"[]", id="json, not an object"),
        pytest.param(JSON, b'{"resourceSpans": "no"}', id="json, wrong type"),
        pytest.param(JSON, b"\x0a\x00", id="json, protobuf sent"),
    ],
)
def test_bad_data(target: Target, encoding: str, body: bytes) -> None:
    reply = target.post(TRACES.path, body, encoding)
    assert_refused_for_good(reply, 400)
    assert reply.content_type == encoding
    assert reply.status_message().message


@clause("must", "HTTP: truncated requests of every signal are refused for good")
@each_encoding
@each_signal
def test_truncated(target: Target, signal: Signal, encoding: str) -> None:
    body = encode(m.request_of(signal), encoding)
    for cut in (1, len(body) // 2):
        assert_refused_for_good(target.post(signal.path, body[:-cut], encoding), 400)


@clause("must", "HTTP: a truncated or false gzip stream is refused for good")
@pytest.mark.parametrize("cut", [1, 12, None], ids=["no end", "half", "not gzip"])
def test_bad_gzip(target: Target, cut: int | None) -> None:
    body = m.request_of(TRACES).SerializeToString()
    packed = body if cut is None else gzip.compress(body)[:-cut]
    assert_refused_for_good(target.post(TRACES.path, packed, content_encoding="gzip"), 400)


@clause("must", "HTTP: a wrong content type is 415")
@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", None])
def test_wrong_content_type(target: Target, content_type: str | None) -> None:
    body = m.request_of(TRACES).SerializeToString()
    assert_refused_for_good(target.post(TRACES.path, body, content_type), 415)


@clause("must", "HTTP: content types carry parameters and ignore case")
@pytest.mark.parametrize("sent", ["application/json; charset=utf-8", "Application/JSON"])
def test_content_type_forms(target: Target, sent: str) -> None:
    body = encode(m.request_of(TRACES), JSON)
    assert_accepted(TRACES, target.post(TRACES.path, body, sent), JSON)


@clause("must", "HTTP: a wrong path is 404")
@pytest.mark.parametrize("path", ["/v1/nothing", "/", "/v1/traces/more", "/v2/traces"])
def test_wrong_path(target: Target, path: str) -> None:
    assert_refused_for_good(target.post(path, b""), 404)


@clause("must", "HTTP: a wrong method is 405")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_wrong_method(target: Target, method: str) -> None:
    assert_refused_for_good(target.request(method, TRACES.path), 405)


@clause("should", "HTTP: more than 20 MiB in one request is accepted")
def test_21_mib(target: Target) -> None:
    reply = target.post(TRACES.path, m.big_traces(21 * m.MIB))
    assert_accepted(TRACES, reply, PROTOBUF)


@clause("should", "HTTP: close to 64 MiB in one request is accepted")
def test_60_mib(target: Target) -> None:
    reply = target.post(TRACES.path, m.big_traces(60 * m.MIB))
    assert_accepted(TRACES, reply, PROTOBUF)


@clause("must", "HTTP: over the size limit is 413, with a Status")
def test_over_the_limit(target: Target) -> None:
    reply = target.post(TRACES.path, m.big_traces(70 * m.MIB))
    assert_refused_for_good(reply, 413)
    assert reply.status_message().message
    assert target.is_alive()


@clause("must", "HTTP: the size limit holds after decompression (bombs)")
@pytest.mark.parametrize("coding", ["gzip", "zstd"])
@each_encoding
def test_bomb(target: Target, coding: str, encoding: str) -> None:
    plain = b"\x0a" * (150 * m.MIB) if encoding == PROTOBUF else b" " * (150 * m.MIB)
    packed = gzip.compress(plain, 6) if coding == "gzip" else zstandard.compress(plain)
    began = time.monotonic()
    reply = target.post(TRACES.path, packed, encoding, content_encoding=coding)
    if coding == "zstd":
        target.offers(reply.status != 415, "zstd over HTTP")
    assert_refused_for_good(reply, 413)
    assert time.monotonic() - began < 10
    assert target.is_alive()


@clause("must", "HTTP: unknown protobuf fields are ignored")
def test_unknown_fields(target: Target) -> None:
    assert_accepted(TRACES, target.post(TRACES.path, m.with_unknown_fields()), PROTOBUF)


@clause("should", "HTTP: invalid UTF-8 in strings does not cost the request")
def test_invalid_utf8(target: Target) -> None:
    assert_accepted(TRACES, target.post(TRACES.path, m.with_invalid_utf8()), PROTOBUF)


@clause("should", "HTTP: a value nested too deep costs at most its span")
@pytest.mark.parametrize("levels", [20, 49, 51, 10_001])
def test_nesting(target: Target, levels: int) -> None:
    reply = target.post(TRACES.path, m.nested(levels))
    assert reply.status == 200, f"{reply.status}: {reply.body[:200]!r}"
    assert m.rejected(TRACES, reply.message(TRACES.response))[0] <= (1 if levels > 20 else 0)
    assert target.is_alive()


@clause("must", "HTTP: chunked transfer encoding")
@each_encoding
def test_chunked(target: Target, encoding: str) -> None:
    body = encode(m.request_of(TRACES), encoding)
    connection = target.connection()
    pieces = (body[i : i + 50] for i in range(0, len(body), 50))
    connection.request("POST", TRACES.path, pieces, {"Content-Type": encoding}, encode_chunked=True)
    assert_accepted(TRACES, read_reply(connection.getresponse()), encoding)
    connection.close()


@clause("must", "HTTP: a chunked body over the size limit is 413")
def test_chunked_over_the_limit(target: Target) -> None:
    def endless() -> Iterator[bytes]:
        yield from [b"\x0a" * m.MIB] * 80

    connection = target.connection()
    # It may hang up as soon as the limit is passed, and then the answer may be lost.
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.request("POST", TRACES.path, endless(), {"Content-Type": PROTOBUF})
    with suppress(BrokenPipeError, ConnectionResetError):
        assert_refused_for_good(read_reply(connection.getresponse()), 413)
    connection.close()
    assert target.is_alive()


@clause("must", "HTTP/1.1: a connection carries several requests, also after a refused one")
def test_keep_alive(target: Target) -> None:
    connection = target.connection()
    good = m.request_of(TRACES).SerializeToString()
    sockets: set[socket.socket] = set()
    for body, status in [(good, 200), (b"\xff\xff", 400), (good, 200), (good, 200)]:
        connection.request("POST", TRACES.path, body, {"Content-Type": PROTOBUF})
        if connection.sock is not None:
            sockets.add(connection.sock)
        assert read_reply(connection.getresponse()).status == status
    connection.close()
    assert len(sockets) == 1


@clause("should", "HTTP/1.1: 'Expect: 100-continue' is answered")
def test_expect_continue(target: Target) -> None:
    body = m.request_of(TRACES).SerializeToString()
    with _socket(target) as connection:
        connection.sendall(_head(len(body), "Expect: 100-continue\r\n"))
        assert connection.recv(4096).startswith(b"HTTP/1.1 100")
        connection.sendall(body)
        assert b"200" in connection.recv(4096).split(b"\r\n")[0]


@clause("must", "HTTP: a client that hangs up in its body, or dawdles, harms nobody else")
def test_hang_up(target: Target) -> None:
    dawdler = _socket(target)
    dawdler.sendall(_head(1000) + b"\x0a")
    for _ in range(20):
        with _socket(target) as connection:
            connection.sendall(_head(1000) + b"\x0a\x05abc")
    assert target.is_alive()
    dawdler.close()


@clause("must", "HTTP: a body that comes in pieces is put together")
def test_slow_body(target: Target) -> None:
    body = m.request_of(TRACES).SerializeToString()
    with _socket(target) as connection:
        connection.sendall(_head(len(body)))
        for i in range(0, len(body), 60):
            connection.sendall(body[i : i + 60])
            time.sleep(0.05)
        assert b"200" in connection.recv(4096).split(b"\r\n")[0]


@clause("must", "HTTP: many clients at once")
def test_concurrent_clients(target: Target) -> None:
    body = m.request_of(TRACES).SerializeToString()
    replies: list[int] = []

    def client() -> None:
        replies.extend(target.post(TRACES.path, body).status for _ in range(5))

    threads = [threading.Thread(target=client) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert replies == [200] * 100


@clause("may", "HTTP: CORS preflight is answered")
def test_cors(target: Target) -> None:
    reply = target.request(
        "OPTIONS",
        TRACES.path,
        origin="http://app.example",
        access_control_request_method="POST",
        access_control_request_headers="content-type",
    )
    target.offers("access-control-allow-origin" in reply.headers, "CORS")
    assert reply.status in (200, 204)
    assert reply.headers["access-control-allow-origin"] in ("*", "http://app.example")


@clause("may", "HTTP: /healthz and /readyz")
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health(target: Target, path: str) -> None:
    reply = target.request("GET", path)
    target.offers(reply.status != 404, path)
    assert reply.status == 200


def _socket(target: Target) -> socket.socket:
    parts = urlsplit(target.http_url)
    assert parts.hostname
    assert parts.port
    return socket.create_connection((parts.hostname, parts.port), timeout=10)


def _head(length: int, extra: str = "") -> bytes:
    return (
        f"POST {TRACES.path} HTTP/1.1\r\nHost: x\r\nContent-Type: {PROTOBUF}\r\n"
        f"Content-Length: {length}\r\n{extra}\r\n"
    ).encode()
