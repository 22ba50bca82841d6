"""The receiver under test, and how it is talked to: plain sockets and raw gRPC, no OTLP client."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import grpc
import pytest
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from tests.conformance.messages import Signal

PROTOBUF, JSON = "application/x-protobuf", "application/json"
RETRYABLE_GRPC = {
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
}
RETRYABLE_HTTP = {429, 502, 503, 504}
TIMEOUT_S = 30.0
NO_LIMIT = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    def message(self, kind: type[Message]) -> Message:
        """Parse the body in the encoding that its content type names."""
        if self.content_type == JSON:
            return json_format.Parse(self.body or b"{}", kind())
        assert self.content_type == PROTOBUF, f"unexpected content type {self.content_type!r}"
        return kind.FromString(self.body)

    def status_message(self) -> Status:
        status = self.message(Status)
        assert isinstance(status, Status)
        return status


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcReply:
    """How a gRPC call ended."""

    code: grpc.StatusCode
    details: str
    body: bytes = b""
    trailers: Mapping[str, str | bytes] = field(default_factory=dict[str, str | bytes])


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One OTLP receiver. ``expects_all``: what it does not offer is a failure, not a skip."""

    grpc_address: str
    http_url: str
    expects_all: bool = False

    def offers(self, offered: bool, what: str) -> None:
        """End the test unless an optional capability is there."""
        if offered:
            return
        if self.expects_all:
            pytest.fail(f"not offered: {what}")
        pytest.skip(f"not offered: {what}")

    def connection(self) -> HTTPConnection:
        parts = urlsplit(self.http_url)
        assert parts.hostname
        return HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_S)

    def post(
        self, path: str, body: bytes, content_type: str | None = PROTOBUF, **headers: str
    ) -> Reply:
        return self.request("POST", path, body, content_type=content_type, **headers)

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        content_type: str | None = None,
        **headers: str,
    ) -> Reply:
        """Send one request on its own connection; ``content_encoding=`` is Content-Encoding."""
        connection = self.connection()
        try:
            sent = {name.replace("_", "-").title(): value for name, value in headers.items()}
            if content_type is not None:
                sent["Content-Type"] = content_type
            # Refused before the body was sent: the answer is there all the same.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, path, body, sent)
            return read_reply(connection.getresponse())
        finally:
            connection.close()

    def call(
        self,
        method: str | Signal,
        body: bytes,
        *,
        compression: grpc.Compression = grpc.Compression.NoCompression,
    ) -> GrpcReply:
        """Make one gRPC call with raw bytes on its own channel."""
        path = method if isinstance(method, str) else method.method
        with grpc.insecure_channel(self.grpc_address, options=NO_LIMIT) as channel:
            return call_on(channel, path, body, compression=compression)

    def is_alive(self) -> bool:
        """Say whether both ports still take an empty request."""
        called = self.call("/opentelemetry.proto.collector.trace.v1.TraceService/Export", b"")
        return called.code is grpc.StatusCode.OK and self.post("/v1/traces", b"").status == 200


def raw_call(channel: grpc.Channel, path: str) -> Any:
    """Return a unary call of bytes to bytes."""
    make: Callable[..., Any] = channel.unary_unary
    return make(path)


def call_on(
    channel: grpc.Channel,
    path: str,
    body: bytes,
    *,
    compression: grpc.Compression = grpc.Compression.NoCompression,
) -> GrpcReply:
    """Make one call on an open channel and say how it ended."""
    call = raw_call(channel, path)
    try:
        answer, ended = call.with_call(body, timeout=TIMEOUT_S, compression=compression)
    except grpc.RpcError as error:
        failed: Any = error
        trailers = dict(failed.trailing_metadata() or ())
        return GrpcReply(code=failed.code(), details=failed.details() or "", trailers=trailers)
    return GrpcReply(code=ended.code(), details="", body=answer)


def read_reply(response: HTTPResponse) -> Reply:
    body = response.read()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Reply(status=response.status, headers=headers, body=body)
