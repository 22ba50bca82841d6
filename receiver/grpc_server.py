"""OTLP over gRPC: TraceService, LogsService and MetricsService on one port, bytes in, bytes out.

Requests are not deserialised by gRPC: the check parses them once. Overload is UNAVAILABLE with RetryInfo in
both places clients look (``google.rpc.retryinfo-bin`` and the status details), as OTLP 1.11 asks.
"""

import contextlib
import logging
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias, cast

import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from spanloop.exporter.grpc_port import bind
from spanloop.processor.errors import Overloaded, PermanentError, RetryableError
from spanloop.receiver.auth import Tokens
from spanloop.receiver.intake import Intake
from spanloop.receiver.otlp_messages import Signal
from spanloop.receiver.responses import partial_success

logger = logging.getLogger(__name__)

SERVICES: dict[Signal, str] = {
    "traces": "opentelemetry.proto.collector.trace.v1.TraceService",
    "logs": "opentelemetry.proto.collector.logs.v1.LogsService",
    "metrics": "opentelemetry.proto.collector.metrics.v1.MetricsService",
}
Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcSettings:
    """The gRPC port. Ages and times in seconds, sizes in bytes; 0 ages mean no limit."""

    host: str = "127.0.0.1"
    port: int = 4317
    max_request_bytes: int = 64 * 1024 * 1024
    max_concurrent_requests: int = 1024
    max_connection_age_s: float = 0.0
    max_connection_idle_s: float = 0.0
    keepalive_s: float = 60.0
    tls: grpc.ServerCredentials | None = None


class GrpcServer:
    """Serves OTLP and grpc.health.v1."""

    def __init__(self, intake: Intake, tokens: Tokens, settings: GrpcSettings) -> None:
        self._intake = intake
        self._tokens = tokens
        self._settings = settings
        # The stubs do not know that the module carries its asyncio form.
        self._health: Any = cast("Any", health).aio.HealthServicer()
        self._server: grpc.aio.Server | None = None
        self._in_flight = 0

    async def start(self) -> int:
        """Listen and return the port (useful where 0 was asked for).

        Raises:
            PermanentError: the address cannot be bound.
        """
        settings = self._settings
        server = grpc.aio.server(options=_options(settings))
        server.add_generic_rpc_handlers([self._handler(s) for s in SERVICES])
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        port = bind(server, settings.host, settings.port, tls=settings.tls, setting="receiver.grpc")
        await server.start()
        self._server = server
        await self.set_ready(True)
        return port

    async def stop(self, grace_s: float) -> None:
        """Refuse new requests and wait for those in flight."""
        if self._server is not None:
            await self.set_ready(False)
            await self._server.stop(grace_s)
            self._server = None

    async def set_ready(self, ready: bool) -> None:
        """Set what grpc.health.v1 answers, for the server and each service."""
        status = health_pb2.HealthCheckResponse
        for service in ("", *SERVICES.values()):
            await self._health.set(service, status.SERVING if ready else status.NOT_SERVING)

    def _handler(self, signal: Signal) -> "grpc.GenericRpcHandler[bytes, bytes]":
        handler: grpc.GenericRpcHandler[bytes, bytes] = cast(
            "Any", grpc
        ).method_handlers_generic_handler(
            SERVICES[signal], {"Export": grpc.unary_unary_rpc_method_handler(self._export(signal))}
        )
        return handler

    def _export(self, signal: Signal) -> Callable[[bytes, Context], Awaitable[bytes]]:
        async def export(body: bytes, context: Context) -> bytes:
            metadata: dict[str, str | bytes] = dict(context.invocation_metadata() or ())
            project = self._tokens.project_of(_text(metadata.get("authorization")))
            if project is None:
                await context.abort(
                    grpc.StatusCode.UNAUTHENTICATED, "a valid bearer token is required"
                )
            try:
                with self._turn():
                    ack = await self._intake.accept(signal, body, project)
            except RetryableError as refused:
                await _abort_retryable(context, refused)
            except PermanentError as invalid:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(invalid))
            except Exception:  # the seam to gRPC, which would tell the client our exception's text
                logger.exception("an Export of %s failed", signal)
                await context.abort(
                    grpc.StatusCode.INTERNAL, "internal error; see the server's log"
                )
            return partial_success(signal, ack)

        return export

    @contextlib.contextmanager
    def _turn(self) -> Generator[None]:
        """Count requests in flight.

        gRPC's own limit answers RESOURCE_EXHAUSTED without RetryInfo, which by OTLP's rules a client may
        not repeat: it would drop data for a moment's load.
        """
        if self._in_flight >= self._settings.max_concurrent_requests:
            raise Overloaded("too many requests at once; send again later")
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1


def _text(value: str | bytes | None) -> str | None:
    return value.decode("latin-1") if isinstance(value, bytes) else value


async def _abort_retryable(context: Context, refused: RetryableError) -> NoReturn:
    retry = RetryInfo()
    retry.retry_delay.FromNanoseconds(int(refused.retry_after_s * 1e9))
    detail = AnyMessage()
    detail.Pack(retry)
    status = Status(
        code=grpc.StatusCode.UNAVAILABLE.value[0], message=str(refused), details=[detail]
    )
    await context.abort(
        grpc.StatusCode.UNAVAILABLE,
        str(refused),
        (
            ("google.rpc.retryinfo-bin", retry.SerializeToString()),
            ("grpc-status-details-bin", status.SerializeToString()),
        ),
    )


def _options(settings: GrpcSettings) -> Sequence[tuple[str, int]]:
    options = {
        "grpc.max_receive_message_length": settings.max_request_bytes,
        "grpc.so_reuseport": 0,  # a second server on the port must fail, not share it
        "grpc.keepalive_time_ms": int(settings.keepalive_s * 1000),
        "grpc.keepalive_timeout_ms": 20_000,
        "grpc.keepalive_permit_without_calls": 1,
        "grpc.http2.min_recv_ping_interval_without_data_ms": 10_000,
    }
    for name, seconds in (
        ("grpc.max_connection_age_ms", settings.max_connection_age_s),
        ("grpc.max_connection_idle_ms", settings.max_connection_idle_s),
    ):
        if seconds:
            options[name] = int(seconds * 1000)
    if settings.max_connection_age_s:
        options["grpc.max_connection_age_grace_ms"] = 30_000
    return list(options.items())
