"""OTLP over HTTP: ``/v1/traces``, ``/v1/logs``, ``/v1/metrics`` in protobuf and JSON, and health.

Every 4xx and 5xx body is a ``google.rpc.Status`` in the encoding of the request. Overload answers 503 with
Retry-After, not 429, which some SDKs take for permanent (opentelemetry-python#5460).
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import grpc
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from spanloop.processor.errors import InvalidRequest, RetryableError, SpanloopError
from spanloop.receiver.auth import Tokens
from spanloop.receiver.bodies import (
    BodyTooLarge,
    UnsupportedEncoding,
    read_body,
    refuse_announced_size,
)
from spanloop.receiver.intake import Intake
from spanloop.receiver.otlp_json import to_protobuf
from spanloop.receiver.otlp_messages import SIGNALS, Signal
from spanloop.receiver.responses import partial_success, status

logger = logging.getLogger(__name__)

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
_INLINE_JSON_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """What the OTLP/HTTP application needs to know."""

    max_request_bytes: int = 64 * 1024 * 1024
    cors_origins: Sequence[str] = ()
    # Seconds within which a body must have arrived: one that trickles would hold its connection for ever.
    read_timeout_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """Callables behind the health pages: ``not_ready`` names what is wrong, None when all is well."""

    not_ready: Callable[[], str | None]
    metrics_text: Callable[[], str]


def create_app(intake: Intake, tokens: Tokens, settings: HttpSettings, probes: Probes) -> Starlette:
    """Return the ASGI application of the OTLP/HTTP port."""
    endpoint = _OtlpEndpoint(intake, tokens, settings)
    routes = [
        Route(f"/v1/{signal}", endpoint.handler(signal), methods=["POST"]) for signal in SIGNALS
    ]
    return Starlette(
        routes=[*routes, *_probe_routes(probes)],
        middleware=_cors(settings.cors_origins),
        exception_handlers={HTTPException: _on_http_exception, Exception: _on_fault},
    )


def _probe_routes(probes: Probes) -> list[Route]:
    def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    def readyz(_: Request) -> Response:
        reason = probes.not_ready()
        if reason is None:
            return PlainTextResponse("ready\n")
        return PlainTextResponse(f"not ready: {reason}\n", status_code=503)

    def metrics(_: Request) -> Response:
        return PlainTextResponse(
            probes.metrics_text(), media_type="text/plain; version=0.0.4; charset=utf-8"
        )

    pages = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}
    return [Route(path, page, methods=["GET"]) for path, page in pages.items()]


def _cors(origins: Sequence[str]) -> list[Middleware]:
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["POST"],
            allow_headers=["Content-Type", "Content-Encoding", "Authorization"],
            max_age=7200,
        )
    ]


class _OtlpEndpoint:
    def __init__(self, intake: Intake, tokens: Tokens, settings: HttpSettings) -> None:
        self._intake = intake
        self._tokens = tokens
        self._settings = settings

    def handler(self, signal: Signal) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint of one path."""

        async def handle(request: Request) -> Response:
            media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if media_type not in (PROTOBUF, JSON):
                return _error(
                    415,
                    grpc.StatusCode.INVALID_ARGUMENT,
                    media_type,
                    f"Content-Type {media_type!r} is not OTLP; use {PROTOBUF} or {JSON}",
                )
            project = self._tokens.project_of(request.headers.get("authorization"))
            if project is None:
                response = _error(
                    401,
                    grpc.StatusCode.UNAUTHENTICATED,
                    media_type,
                    "a valid bearer token is required",
                )
                response.headers["WWW-Authenticate"] = "Bearer"
                return response
            return await self._respond(request, signal, media_type, project)

        return handle

    async def _respond(
        self, request: Request, signal: Signal, media_type: str, project: str
    ) -> Response:
        as_json = media_type == JSON
        try:
            refuse_announced_size(
                request.headers.get("content-length"),
                encoding=request.headers.get("content-encoding"),
                max_bytes=self._settings.max_request_bytes,
            )
            async with asyncio.timeout(self._settings.read_timeout_s):
                body = await read_body(
                    request.stream(),
                    encoding=request.headers.get("content-encoding"),
                    max_bytes=self._settings.max_request_bytes,
                )
            if as_json:
                body = await _from_json(signal, body)
            ack = await self._intake.accept(signal, body, project)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        except TimeoutError:
            message = f"the body did not arrive within {self._settings.read_timeout_s:g} s"
            return _error(408, grpc.StatusCode.DEADLINE_EXCEEDED, media_type, message)
        except SpanloopError as error:
            return _from_error(error, media_type)
        return Response(partial_success(signal, ack, as_json=as_json), media_type=media_type)


async def _from_json(signal: Signal, body: bytes) -> bytes:
    """Convert small bodies here and large ones (64 MiB take seconds) beside the event loop."""
    if len(body) <= _INLINE_JSON_BYTES:
        return to_protobuf(signal, body)
    return await asyncio.to_thread(to_protobuf, signal, body)


_STATUS_OF: Mapping[type[SpanloopError], tuple[int, grpc.StatusCode]] = {
    BodyTooLarge: (413, grpc.StatusCode.RESOURCE_EXHAUSTED),
    UnsupportedEncoding: (415, grpc.StatusCode.INVALID_ARGUMENT),
    InvalidRequest: (400, grpc.StatusCode.INVALID_ARGUMENT),
    RetryableError: (503, grpc.StatusCode.UNAVAILABLE),
}


def _from_error(error: SpanloopError, media_type: str) -> Response:
    for kind, (code, grpc_code) in _STATUS_OF.items():
        if isinstance(error, kind):
            response = _error(code, grpc_code, media_type, str(error))
            if isinstance(error, RetryableError):
                response.headers["Retry-After"] = str(math.ceil(error.retry_after_s))
            return response
    raise error


def _error(code: int, grpc_code: grpc.StatusCode, media_type: str, message: str) -> Response:
    as_json = media_type == JSON
    return Response(
        status(grpc_code.value[0], message, as_json=as_json),
        status_code=code,
        media_type=JSON if as_json else PROTOBUF,
    )


def _on_fault(request: Request, _: Exception) -> Response:
    """Answer a fault of ours with a Status too; the framework logs it."""
    return _error(
        500, grpc.StatusCode.INTERNAL, _media_type(request), "internal error; see the server's log"
    )


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", JSON).partition(";")[0].strip().lower()


def _on_http_exception(request: Request, error: Exception) -> Response:
    """Wrong path or method: a Status body too, as OTLP asks of every 4xx."""
    assert isinstance(error, HTTPException)
    media_type = _media_type(request)
    code = grpc.StatusCode.NOT_FOUND if error.status_code == 404 else grpc.StatusCode.UNIMPLEMENTED
    response = _error(error.status_code, code, media_type, error.detail)
    response.headers.update(error.headers or {})
    return response
