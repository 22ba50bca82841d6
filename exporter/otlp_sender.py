"""Spans and log events to an OTLP endpoint that the operator names, by the exporters of OpenTelemetry's SDK.

They retry what is worth it within the time-out, and answer whether the endpoint acknowledged all of a request
(they do not read OTLP's partial success). Requests are small: a gRPC server takes 4 MB unless told otherwise.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import grpc
import requests
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from spanloop.processor.errors import ConfigError

ITEMS_A_REQUEST = 100
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where to send, and how.

    Attributes:
        endpoint: ``host:port`` or a URL; ``https`` means TLS. For HTTP without the path of a signal.
        headers: sent with every request.
        ca: PEM file of who signed the endpoint's certificate; None = the system's.
        certificate: PEM file of our own (mTLS), with ``key``.
        timeout_s: of one request with its retries.
    """

    endpoint: str
    protocol: Literal["grpc", "http"] = "grpc"
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    timeout_s: float = 10.0

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        try:
            port = parts.port
        except ValueError as error:
            raise ConfigError(f"{self.endpoint!r} is no OTLP endpoint: {error}") from None
        if not parts.hostname or parts.scheme not in ("http", "https"):
            raise ConfigError(
                f"{self.endpoint!r} is no OTLP endpoint: give host:port or http(s)://host:port"
            )
        default = 4317 if self.protocol == "grpc" else 443 if parts.scheme == "https" else 80
        return parts.hostname, port or default

    @property
    def secure(self) -> bool:
        """Whether TLS is spoken."""
        return urlsplit(self.url).scheme == "https"

    @property
    def url(self) -> str:
        """The endpoint with its scheme: without one it is plain, or TLS where certificates are named."""
        if "://" in self.endpoint:
            return self.endpoint.rstrip("/")
        named = self.ca is not None or self.certificate is not None
        return f"{'https' if named else 'http'}://{self.endpoint.rstrip('/')}"


class OtlpSender:
    """Sends to one destination; connects at the first request of each signal."""

    def __init__(self, destination: Destination) -> None:
        """Check the destination.

        Raises:
            ConfigError: it is none, or a certificate cannot be read.
        """
        self._to = destination
        _ = destination.address
        self._pems = {
            name: _read(path)
            for name in ("ca", "certificate", "key")
            if (path := getattr(destination, name)) is not None
        }

    def send_spans(self, spans: Sequence[ReadableSpan]) -> int:
        """Send ``spans`` in order; return how many of the first ones were acknowledged."""
        return _acknowledged(
            spans, lambda some: self._spans.export(some) is SpanExportResult.SUCCESS
        )

    def send_logs(self, records: Sequence[ReadableLogRecord]) -> int:
        """Send ``records`` in order; return how many of the first ones were acknowledged."""
        return _acknowledged(
            records, lambda some: self._logs.export(some) is LogRecordExportResult.SUCCESS
        )

    def close(self) -> None:
        """Close connections; safe to call twice."""
        for name in ("_spans", "_logs"):
            exporter = self.__dict__.pop(name, None)
            if exporter is not None:
                exporter.shutdown()

    @cached_property
    def _spans(self) -> SpanExporter:
        if self._to.protocol == "grpc":
            return GrpcSpans(**self._grpc_options())
        return HttpSpans(**self._http_options("traces"))

    @cached_property
    def _logs(self) -> LogRecordExporter:
        if self._to.protocol == "grpc":
            return GrpcLogs(**self._grpc_options())
        return HttpLogs(**self._http_options("logs"))

    def _grpc_options(self) -> dict[str, Any]:
        credentials = grpc.ssl_channel_credentials(
            self._pems.get("ca"), self._pems.get("key"), self._pems.get("certificate")
        )
        return {
            "endpoint": self._to.url,
            "insecure": not self._to.secure,
            "credentials": credentials if self._to.secure else None,
            # gRPC wants them in lower case.
            "headers": tuple((key.lower(), value) for key, value in self._to.headers.items()),
            "timeout": self._to.timeout_s,
        }

    def _http_options(self, signal: str) -> dict[str, Any]:
        files = {
            "certificate_file": self._to.ca,
            "client_certificate_file": self._to.certificate,
            "client_key_file": self._to.key,
        }
        return {
            "endpoint": f"{self._to.url}/v1/{signal}",
            "headers": dict(self._to.headers),
            "timeout": self._to.timeout_s,
            "session": _session(trust_environment=self._to.ca is None),
            **{name: str(path) for name, path in files.items() if path is not None},
        }


def _session(*, trust_environment: bool) -> requests.Session:
    """Return a session; where a CA is named, $REQUESTS_CA_BUNDLE must not take its place."""
    session = requests.Session()
    session.trust_env = trust_environment
    return session


def _acknowledged(items: Sequence[T], send: Callable[[Sequence[T]], bool]) -> int:
    done = 0
    for some in _slices(items):
        if not send(some):
            break
        done += len(some)
    return done


def _slices(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for begin in range(0, len(items), ITEMS_A_REQUEST):
        yield items[begin : begin + ITEMS_A_REQUEST]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as failure:
        raise ConfigError(f"annotations.tls: cannot read {path}: {failure.strerror}") from None
