"""``POST /v1/feedback``: what a user says of a trace or conversation, as durable as any log record.

It becomes an OTLP log record ``gen_ai.evaluation.result`` and passes the same intake: 200 means that it is in
the log and outlives a crash.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import grpc
import orjson
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import SEVERITY_NUMBER_INFO
from starlette.requests import Request
from starlette.responses import Response

from spanloop.processor.errors import InvalidRequest
from spanloop.processor.feedback import EVENT, SCOPE, Feedback, parse_feedback
from spanloop.receiver.auth import Tokens
from spanloop.receiver.http_requests import (
    INLINE_JSON_BYTES,
    JSON,
    HttpSettings,
    answered,
    error_response,
    media_type_of,
    receive_body,
    unauthorised,
)
from spanloop.receiver.intake import Intake

MAX_BODY_BYTES = 8 * 1024 * 1024
"""Largest body after decompression: `MAX_ITEMS` pieces of feedback of 8 KiB each."""

Clock = Callable[[], int]
"""Returns Unix time in nanoseconds."""


def feedback_endpoint(
    intake: Intake, tokens: Tokens, settings: HttpSettings, clock_ns: Clock = time.time_ns
) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint: JSON, an object or a list of them, in; ``{"ids": […]}`` out."""
    most = min(settings.max_request_bytes, MAX_BODY_BYTES)
    settings = replace(settings, max_request_bytes=most)

    async def handle(request: Request) -> Response:
        if media_type_of(request) != JSON:
            message = f"feedback is sent as {JSON}"
            return error_response(415, grpc.StatusCode.INVALID_ARGUMENT, JSON, message)
        project = tokens.project_of(request.headers.get("authorization"))
        if project is None:
            return unauthorised(JSON)

        async def work() -> Response:
            items = await _from_json(await receive_body(request, settings))
            ids = await accept_feedback(intake, items, project, now_ns=clock_ns())
            return Response(orjson.dumps({"ids": ids}), media_type=JSON)

        return await answered(JSON, settings.read_timeout_s, work)

    return handle


async def accept_feedback(
    intake: Intake, items: Sequence[Feedback], project: str, *, now_ns: int
) -> list[str]:
    """Log ``items`` durably; return the ids of the assessments that they will be.

    Raises:
        RetryableError: they were not kept.
    """
    request = to_export_request(items, now_ns=now_ns)
    await intake.accept("logs", request.SerializeToString(), project)
    return [item.assessment_id(project) for item in items]


def to_export_request(items: Sequence[Feedback], *, now_ns: int) -> ExportLogsServiceRequest:
    """Return one log record per item, given at ``now_ns`` (Unix time) unless it says when."""
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    scope.scope.name = SCOPE
    for item in items:
        at_ns = (
            now_ns if item.timestamp is None else round(item.timestamp.timestamp() * 1e6) * 1_000
        )
        record = scope.log_records.add(
            time_unix_nano=at_ns,
            observed_time_unix_nano=now_ns,
            severity_number=SEVERITY_NUMBER_INFO,
            event_name=EVENT,
            trace_id=bytes.fromhex(item.trace_id or ""),
            span_id=bytes.fromhex(item.span_id or ""),
        )
        for key, value in item.attributes().items():
            record.attributes.add(key=key, value=_any_value(value))
    return request


def _any_value(value: str | float | bool) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case float():
            return AnyValue(double_value=value)
        case _:
            return AnyValue(string_value=str(value))


async def _from_json(body: bytes) -> Sequence[Feedback]:
    if len(body) <= INLINE_JSON_BYTES:
        return _parsed(body)
    return await asyncio.to_thread(_parsed, body)


def _parsed(body: bytes) -> Sequence[Feedback]:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise InvalidRequest("the body is not valid JSON") from None
    return parse_feedback(content)
