"""OTLP over HTTP: ``/v1/traces``, ``/v1/logs``, ``/v1/metrics`` in protobuf and JSON; feedback and health.

Every 4xx and 5xx body is a ``google.rpc.Status`` in the encoding of the request. Overload answers 503 with
Retry-After, not 429, which some SDKs take for permanent (opentelemetry-python#5460).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import grpc
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from spanloop.receiver.auth import Tokens
from spanloop.receiver.feedback import feedback_endpoint
from spanloop.receiver.http_requests import (
    INLINE_JSON_BYTES,
    JSON,
    PROTOBUF,
    HttpSettings,
    answered,
    error_response,
    media_type_of,
    receive_body,
    unauthorised,
)
from spanloop.receiver.intake import Intake
from spanloop.receiver.otlp_json import to_protobuf
from spanloop.receiver.otlp_messages import SIGNALS, Signal
from spanloop.receiver.responses import partial_success

__all__ = ["HttpSettings", "Probes", "create_app"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """Callables behind the health pages: ``not_ready`` names what is wrong, None when all is well."""

    not_ready: Callable[[], str | None]
    metrics_text: Callable[[], str]


def create_app(
    intake: Intake,
    tokens: Tokens,
    settings: HttpSettings,
    probes: Probes,
    *,
    more: Sequence[BaseRoute] = (),
) -> Starlette:
    """Return the ASGI application of the OTLP/HTTP port; ``more`` is what others serve on it."""
    endpoint = _OtlpEndpoint(intake, tokens, settings)
    routes = [
        Route(f"/v1/{signal}", endpoint.handler(signal), methods=["POST"]) for signal in SIGNALS
    ]
    feedback = feedback_endpoint(intake, tokens, settings)
    routes.append(Route("/v1/feedback", feedback, methods=["POST"]))
    return Starlette(
        routes=[*routes, *more, *_probe_routes(probes)],
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
            media_type = media_type_of(request)
            if media_type not in (PROTOBUF, JSON):
                return error_response(
                    415,
                    grpc.StatusCode.INVALID_ARGUMENT,
                    media_type,
                    f"Content-Type {media_type!r} is not OTLP; use {PROTOBUF} or {JSON}",
                )
            project = self._tokens.project_of(request.headers.get("authorization"))
            if project is None:
                return unauthorised(media_type)
            return await answered(
                media_type,
                self._settings.read_timeout_s,
                lambda: self._export(request, signal, media_type, project),
            )

        return handle

    async def _export(
        self, request: Request, signal: Signal, media_type: str, project: str
    ) -> Response:
        as_json = media_type == JSON
        body = await receive_body(request, self._settings)
        if as_json:
            body = await _from_json(signal, body)
        ack = await self._intake.accept(signal, body, project)
        return Response(partial_success(signal, ack, as_json=as_json), media_type=media_type)


async def _from_json(signal: Signal, body: bytes) -> bytes:
    """Convert small bodies here and large ones beside the event loop."""
    if len(body) <= INLINE_JSON_BYTES:
        return to_protobuf(signal, body)
    return await asyncio.to_thread(to_protobuf, signal, body)


def _on_fault(request: Request, _: Exception) -> Response:
    """Answer a fault of ours with a Status too; the framework logs it."""
    return error_response(
        500,
        grpc.StatusCode.INTERNAL,
        media_type_of(request, JSON),
        "internal error; see the server's log",
    )


def _on_http_exception(request: Request, error: Exception) -> Response:
    """Wrong path or method: a Status body too, as OTLP asks of every 4xx."""
    assert isinstance(error, HTTPException)
    media_type = media_type_of(request, JSON)
    code = grpc.StatusCode.NOT_FOUND if error.status_code == 404 else grpc.StatusCode.UNIMPLEMENTED
    response = error_response(error.status_code, code, media_type, error.detail)
    response.headers.update(error.headers or {})
    return response
