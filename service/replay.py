"""Send recorded OTLP to any endpoint: the other half of a receiver, for tests, demos and migrations.

Reads ``*.otlp``/``*.otlp.gz`` (messages preceded by their length as a varint) and OTLP/JSON lines
(``*.json``, ``*.jsonl``, also gzipped; one request a line). Speaks gRPC, HTTP/protobuf and HTTP/JSON, keeps
several requests in flight, and repeats what a receiver says may be repeated.
"""

import base64
import gzip
import json
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, Protocol, cast

import grpc
import httpx
import orjson
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from spanloop.processor.errors import InvalidRequest, PermanentError
from spanloop.receiver.check import count_rows
from spanloop.receiver.grpc_server import SERVICES
from spanloop.receiver.otlp_json import to_protobuf
from spanloop.receiver.otlp_messages import Signal

OtlpProtocol = Literal["grpc", "http/protobuf", "http/json"]
MAX_ATTEMPTS = 10
MAX_MESSAGE_BYTES = 1 << 30
RETRYABLE_HTTP = frozenset({429, 502, 503, 504})
RETRYABLE_GRPC = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.DATA_LOSS,
    }
)
_JSON_KEYS: Mapping[str, Signal] = {
    "resourceSpans": "traces",
    "resourceLogs": "logs",
    "resourceMetrics": "metrics",
}
_REQUESTS: Mapping[Signal, type[Message]] = {
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}
_RESPONSES: Mapping[Signal, type[Message]] = {
    "traces": ExportTraceServiceResponse,
    "logs": ExportLogsServiceResponse,
    "metrics": ExportMetricsServiceResponse,
}
_ID_FIELDS = frozenset({"traceId", "spanId", "parentSpanId"})


@dataclass(frozen=True, slots=True)
class Request:
    """One recorded request, in protobuf; ``offset`` counts bytes of its file up to its end."""

    signal: Signal
    body: bytes
    offset: int


@dataclass(slots=True)
class Totals:
    """What a replay did."""

    requests: int = 0
    items: int = 0
    rejected: int = 0
    retries: int = 0
    n_bytes: int = 0
    messages: set[str] = field(default_factory=set[str])


class Sender(Protocol):
    """Sends one request; returns (rejected items, message)."""

    def send(self, request: Request) -> tuple[int, str]:
        """Send once.

        Raises:
            RetryLater: the receiver asks to repeat it.
            PermanentError: it never will be accepted.
        """
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


class _Sent(NamedTuple):
    rejected: int
    message: str
    retries: int


class RetryLater(Exception):  # a request to the loop, not a failure of it
    """The receiver asks to send again after ``after_s``."""

    def __init__(self, reason: str, after_s: float | None) -> None:
        super().__init__(reason)
        self.after_s = after_s


def read_requests(path: Path, signal: Signal) -> Iterator[Request]:
    """Yield the requests recorded in ``path``; ``signal`` is that of length-prefixed files.

    Raises:
        PermanentError: the file is neither form, or ends inside a message.
    """
    try:
        with _open(path) as stream:
            if ".json" in path.name:
                yield from _read_json_lines(stream, path)
            else:
                yield from _read_delimited(stream, path, signal)
    except (OSError, EOFError, zlib.error) as failure:
        raise PermanentError(f"cannot read {path}: {failure}") from None


def _open(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return cast("IO[bytes]", gzip.open(path))
    return path.open("rb")


def _read_delimited(stream: IO[bytes], path: Path, signal: Signal) -> Iterator[Request]:
    offset = 0
    while (header := _read_varint(stream)) is not None:
        length, size = header
        if length > MAX_MESSAGE_BYTES:
            raise PermanentError(f"{path} is not a file of length-prefixed OTLP messages")
        body = stream.read(length)
        if len(body) < length:
            raise PermanentError(f"{path} ends inside a message at byte {offset}")
        offset += size + length
        yield Request(signal, body, offset)


def _read_varint(stream: IO[bytes]) -> tuple[int, int] | None:
    value = 0
    for i in range(10):
        byte = stream.read(1)
        if not byte and i:
            raise PermanentError("the file ends inside the length of a message")
        if not byte:
            return None
        value |= (byte[0] & 0x7F) << (7 * i)
        if byte[0] < 0x80:
            return value, i + 1
    raise PermanentError("not a file of length-prefixed OTLP messages")


def _read_json_lines(stream: IO[bytes], path: Path) -> Iterator[Request]:
    offset = 0
    for number, line in enumerate(stream, start=1):
        offset += len(line)
        if not line.strip():
            continue
        try:
            signal = _signal_of(line)
            yield Request(signal, to_protobuf(signal, line), offset)
        except (ValueError, InvalidRequest):
            raise PermanentError(f"{path} line {number} is no OTLP/JSON request") from None


def _signal_of(line: bytes) -> Signal:
    """Return the signal of an OTLP/JSON request by its top-level key; the others' may occur as text."""
    found: list[Signal] = [
        signal for key, signal in _JSON_KEYS.items() if f'"{key}"'.encode() in line
    ]
    if len(found) == 1:
        return found[0]
    content: object = orjson.loads(line)
    members = cast("dict[str, object]", content) if isinstance(content, dict) else {}
    signals: list[Signal] = [signal for key, signal in _JSON_KEYS.items() if key in members]
    if not signals:
        raise ValueError("no OTLP request")
    return signals[0]


class GrpcSender:
    """Sends over OTLP/gRPC."""

    def __init__(self, endpoint: str, headers: Mapping[str, str]) -> None:
        secure = endpoint.startswith("https://")
        target = endpoint.split("://", 1)[-1]
        options = [("grpc.max_send_message_length", -1)]
        self._channel = (
            grpc.secure_channel(target, grpc.ssl_channel_credentials(), options)
            if secure
            else grpc.insecure_channel(target, options)
        )
        self._metadata = tuple((name.lower(), value) for name, value in headers.items())

    def send(self, request: Request) -> tuple[int, str]:
        """Send once; see `Sender`."""
        channel: Any = self._channel
        export: Callable[..., bytes] = channel.unary_unary(f"/{SERVICES[request.signal]}/Export")
        try:
            reply = export(request.body, timeout=60, metadata=self._metadata)
        except grpc.RpcError as failure:
            code: grpc.StatusCode = failure.code()
            details: str = failure.details() or ""
            if code in RETRYABLE_GRPC:
                raise RetryLater(f"{code.name}: {details}", None) from None
            raise PermanentError(
                f"the receiver refused a request: {code.name}: {details}"
            ) from None
        return _partial_success(_RESPONSES[request.signal].FromString(reply))

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()


class HttpSender:
    """Sends over OTLP/HTTP, gzipped."""

    def __init__(self, endpoint: str, headers: Mapping[str, str], *, as_json: bool) -> None:
        self._url = endpoint.rstrip("/")
        self._as_json = as_json
        media_type = "application/json" if as_json else "application/x-protobuf"
        self._client = httpx.Client(
            timeout=60,
            headers={"Content-Type": media_type, "Content-Encoding": "gzip", **headers},
        )

    def send(self, request: Request) -> tuple[int, str]:
        """Send once; see `Sender`."""
        body = to_json(request) if self._as_json else request.body
        try:
            reply = self._client.post(
                f"{self._url}/v1/{request.signal}", content=gzip.compress(body, 1)
            )
        except httpx.TransportError as failure:
            raise RetryLater(f"{type(failure).__name__}: {failure}", None) from None
        if reply.status_code in RETRYABLE_HTTP:
            after = reply.headers.get("Retry-After", "")
            raise RetryLater(f"HTTP {reply.status_code}", float(after) if after.isdigit() else None)
        if reply.status_code != 200:
            raise PermanentError(
                f"the receiver refused a request: HTTP {reply.status_code} {reply.text[:200]!r}"
            )
        if self._as_json:
            partial: dict[str, Any] = json.loads(reply.content or b"{}").get("partialSuccess", {})
            counts = [int(v) for k, v in partial.items() if k.startswith("rejected")]
            return sum(counts), str(partial.get("errorMessage", ""))
        return _partial_success(_RESPONSES[request.signal].FromString(reply.content))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _partial_success(response: Any) -> tuple[int, str]:
    partial = response.partial_success
    rejected = sum(
        value
        for descriptor, value in partial.ListFields()
        if descriptor.name.startswith("rejected")
    )
    return rejected, partial.error_message


def to_json(request: Request) -> bytes:
    """Return a request as OTLP/JSON: proto3 JSON with hex ids and integer enums."""
    try:
        message = _REQUESTS[request.signal].FromString(request.body)
    except DecodeError:
        raise PermanentError(
            "a request holds text that is no UTF-8, which JSON cannot carry; replay it as protobuf"
        ) from None
    content = MessageToDict(message, use_integers_for_enums=True)
    return json.dumps(_with_hex_ids(content)).encode()


def _with_hex_ids(value: Any) -> Any:
    if isinstance(value, list):
        items: Any = value  # pyright: ignore[reportUnknownVariableType]
        return [_with_hex_ids(item) for item in items]
    return _members_with_hex_ids(value) if isinstance(value, dict) else value


def _members_with_hex_ids(members: Any) -> dict[str, Any]:
    return {
        key: base64.b64decode(item).hex() if key in _ID_FIELDS else _with_hex_ids(item)
        for key, item in members.items()
    }


def make_sender(protocol: OtlpProtocol, endpoint: str, headers: Mapping[str, str]) -> Sender:
    """Return the sender for ``protocol``."""
    if protocol == "grpc":
        return GrpcSender(endpoint, headers)
    return HttpSender(endpoint, headers, as_json=protocol == "http/json")


def replay(
    requests: Iterable[Request],
    sender: Sender,
    *,
    items_per_s: float | None = None,
    in_flight: int = 4,
    on_sent: Callable[[Request], None] = lambda _: None,
) -> Totals:
    """Send every request and return the totals; order is kept only with ``in_flight=1``.

    Raises:
        PermanentError: the receiver refused a request for good, or did not recover.
    """
    totals = Totals()
    started = time.monotonic()
    with ThreadPoolExecutor(max_workers=in_flight) as pool:
        running: dict[Future[_Sent], Request] = {}
        for request in requests:
            totals.items += sum(count_rows(request.signal, request.body).values())
            running[pool.submit(_send_until_taken, sender, request)] = request
            if len(running) >= in_flight:
                _collect(running, totals, on_sent)
            if items_per_s:
                time.sleep(max(0.0, started + totals.items / items_per_s - time.monotonic()))
        while running:
            _collect(running, totals, on_sent)
    return totals


def _collect(
    running: dict[Future[_Sent], Request],
    totals: Totals,
    on_sent: Callable[[Request], None],
) -> None:
    finished, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in finished:
        request = running.pop(future)
        sent = future.result()
        totals.requests += 1
        totals.n_bytes += len(request.body)
        totals.rejected += sent.rejected
        totals.retries += sent.retries
        if sent.message:
            totals.messages.add(sent.message)
        on_sent(request)


def _send_until_taken(sender: Sender, request: Request) -> _Sent:
    reason = ""
    for attempt in range(MAX_ATTEMPTS):
        try:
            rejected, message = sender.send(request)
        except RetryLater as later:
            reason = str(later)
            time.sleep(min(10.0, 0.25 * 2**attempt) if later.after_s is None else later.after_s)
        else:
            return _Sent(rejected, message, attempt)
    raise PermanentError(
        f"the receiver did not take a request in {MAX_ATTEMPTS} attempts: {reason}"
    )
