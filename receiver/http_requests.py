"""What every endpoint of the OTLP/HTTP port does alike: authorise, read a bounded body, answer errors."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import grpc
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from spanloop.processor.errors import InvalidRequest, RetryableError, SpanloopError
from spanloop.receiver.bodies import (
    BodyTooLarge,
    UnsupportedEncoding,
    read_body,
    refuse_announced_size,
)
from spanloop.receiver.responses import status

PROTOBUF = "application/x-protobuf"
JSON = "application/json"

INLINE_JSON_BYTES = 256 * 1024
"""JSON up to this size is parsed on the event loop; larger ones (64 MiB take seconds), beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """What the OTLP/HTTP application needs to know."""

    max_request_bytes: int = 64 * 1024 * 1024
    cors_origins: Sequence[str] = ()
    # Seconds within which a body must have arrived: one that trickles would hold its connection for ever.
    read_timeout_s: float = 60.0


def media_type_of(request: Request, default: str = "") -> str:
    """Return the Content-Type without its parameters."""
    return request.headers.get("content-type", default).partition(";")[0].strip().lower()


async def receive_body(request: Request, settings: HttpSettings) -> bytes:
    """Return the decompressed body.

    Raises:
        InvalidRequest: it is too large or does not decompress.
        TimeoutError: it did not arrive in time.
        ClientDisconnect: nobody is there any more.
    """
    encoding = request.headers.get("content-encoding")
    refuse_announced_size(
        request.headers.get("content-length"),
        encoding=encoding,
        max_bytes=settings.max_request_bytes,
    )
    async with asyncio.timeout(settings.read_timeout_s):
        return await read_body(
            request.stream(), encoding=encoding, max_bytes=settings.max_request_bytes
        )


async def answered(
    media_type: str, read_timeout_s: float, work: Callable[[], Awaitable[Response]]
) -> Response:
    """Return what ``work`` answers, or the answer to its failure."""
    try:
        return await work()
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to read it
    except TimeoutError:
        message = f"the body did not arrive within {read_timeout_s:g} s"
        return error_response(408, grpc.StatusCode.DEADLINE_EXCEEDED, media_type, message)
    except SpanloopError as error:
        return _from_error(error, media_type)


def unauthorised(media_type: str) -> Response:
    """Return the answer to a request without a good token."""
    response = error_response(
        401, grpc.StatusCode.UNAUTHENTICATED, media_type, "a valid bearer token is required"
    )
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


_STATUS_OF: Mapping[type[SpanloopError], tuple[int, grpc.StatusCode]] = {
    BodyTooLarge: (413, grpc.StatusCode.RESOURCE_EXHAUSTED),
    UnsupportedEncoding: (415, grpc.StatusCode.INVALID_ARGUMENT),
    InvalidRequest: (400, grpc.StatusCode.INVALID_ARGUMENT),
    RetryableError: (503, grpc.StatusCode.UNAVAILABLE),
}


def _from_error(error: SpanloopError, media_type: str) -> Response:
    for kind, (code, grpc_code) in _STATUS_OF.items():
        if isinstance(error, kind):
            response = error_response(code, grpc_code, media_type, str(error))
            if isinstance(error, RetryableError):
                response.headers["Retry-After"] = str(math.ceil(error.retry_after_s))
            return response
    raise error


def error_response(
    code: int, grpc_code: grpc.StatusCode, media_type: str, message: str
) -> Response:
    """Return a Status body in the encoding of ``media_type``."""
    as_json = media_type == JSON
    return Response(
        status(grpc_code.value[0], message, as_json=as_json),
        status_code=code,
        media_type=JSON if as_json else PROTOBUF,
    )
