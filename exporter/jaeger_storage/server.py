"""``jaeger.storage.v2`` over gRPC: tokens, turns and errors around `Answers`. Messages go out as bytes."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar, cast

import grpc
import grpc.aio

from spanloop.exporter.grpc_port import bind
from spanloop.exporter.jaeger_storage.answers import Answers, Method
from spanloop.exporter.jaeger_storage.engines import TookTooLong
from spanloop.exporter.jaeger_storage.messages import message_type
from spanloop.exporter.sql_endpoint.auth import TokenCheck
from spanloop.processor.errors import (
    InvalidRequest,
    Overloaded,
    SpanloopError,
    StoreUnavailable,
)

logger = logging.getLogger(__name__)

MAX_REQUEST_BYTES = 1024 * 1024
MAX_WAITING = 64
"""Calls at once, those that wait for a turn included; gRPC answers RESOURCE_EXHAUSTED to more."""
STALLED_S = 60.0
"""A reader that takes no message for so long is given up."""
Context: TypeAlias = "grpc.aio.ServicerContext[Any, bytes]"
_T = TypeVar("_T")
_STATUS = {
    InvalidRequest: grpc.StatusCode.INVALID_ARGUMENT,
    Overloaded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    TookTooLong: grpc.StatusCode.DEADLINE_EXCEEDED,
    StoreUnavailable: grpc.StatusCode.UNAVAILABLE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JaegerSettings:
    """The port; ``max_concurrent`` calls read the store at once."""

    host: str = "127.0.0.1"
    port: int = 17271
    max_concurrent: int = 4
    tls: grpc.ServerCredentials | None = None


class JaegerServer:
    """Serves a Jaeger that has spanloop as its remote storage."""

    def __init__(
        self, answers: Answers, settings: JaegerSettings, *, auth: TokenCheck | None = None
    ) -> None:
        """Without ``auth`` every caller is served."""
        self._answers = answers
        self._settings = settings
        self._auth = auth
        self._server: grpc.aio.Server | None = None
        self._threads = ThreadPoolExecutor(settings.max_concurrent, thread_name_prefix="jaeger")
        self._turns = asyncio.Semaphore(settings.max_concurrent)

    async def start(self) -> int:
        """Listen and return the port.

        Raises:
            PermanentError: the address cannot be bound.
        """
        settings = self._settings
        server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
                ("grpc.max_send_message_length", -1),
                ("grpc.so_reuseport", 0),  # a second server on the port must fail, not share it
            ],
            maximum_concurrent_rpcs=MAX_WAITING,
        )
        for name, methods in self._answers.services().items():
            handlers = {method: self._handler(one) for method, one in methods.items()}
            generic = cast("Any", grpc).method_handlers_generic_handler(name, handlers)
            server.add_generic_rpc_handlers([generic])
        port = bind(server, settings.host, settings.port, tls=settings.tls, setting="jaeger")
        await server.start()
        self._server = server
        return port

    async def stop(self, grace_s: float) -> None:
        """Refuse new calls and wait for those that run."""
        if self._server is not None:
            await self._server.stop(grace_s)
            self._server = None
        await asyncio.to_thread(self._threads.shutdown)

    def _handler(self, method: Method) -> Any:
        request: Any = message_type(method.request)
        handlers = cast("Any", grpc)
        if method.stream is not None:
            return handlers.unary_stream_rpc_method_handler(
                self._streamed(method.stream), request_deserializer=request.FromString
            )
        assert method.answer is not None
        return handlers.unary_unary_rpc_method_handler(
            self._whole(method.answer), request_deserializer=request.FromString
        )

    def _whole(self, answer: Callable[[Any], bytes]) -> Callable[[Any, Context], Awaitable[bytes]]:
        async def serve(request: Any, context: Context) -> bytes:
            async with self._turn(context):
                return await self._in_thread(lambda: answer(request))

        return serve

    def _streamed(
        self, stream: Callable[[Any], Iterator[bytes]]
    ) -> Callable[[Any, Context], Awaitable[None]]:
        async def serve(request: Any, context: Context) -> None:
            async with (
                self._turn(context),
                contextlib.aclosing(self._pieces(lambda: stream(request))) as messages,
            ):
                async for message in messages:
                    async with asyncio.timeout(STALLED_S):
                        await context.write(message)

        return serve

    @contextlib.asynccontextmanager
    async def _turn(self, context: Context) -> AsyncGenerator[None]:
        """Wait for a turn at the store; what fails then is told as a status."""
        await self._check_token(context)
        try:
            async with self._turns:
                yield
        except SpanloopError as failure:
            await context.abort(_status(failure), str(failure))
        except TimeoutError:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "the reader stalled")
        except Exception:  # the seam to gRPC, which would tell the client our exception's text
            logger.exception("a read for Jaeger failed")
            await context.abort(grpc.StatusCode.INTERNAL, "internal error; see the server's log")

    async def _pieces(self, start: Callable[[], Iterator[bytes]]) -> AsyncGenerator[bytes]:
        messages = await self._in_thread(start)
        try:
            while (message := await self._in_thread(lambda: next(messages, None))) is not None:
                yield message
        finally:
            close = getattr(messages, "close", None)  # of a generator: stops the statement
            if close is not None:
                await self._in_thread(close)

    async def _in_thread(self, call: Callable[[], _T]) -> _T:
        """Run ``call`` in a thread; a caller that goes away is let go only once the thread is done."""
        running = asyncio.get_running_loop().run_in_executor(self._threads, call)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.wait([running])
            raise

    async def _check_token(self, context: Context) -> None:
        if self._auth is None:
            return
        metadata: dict[str, str | bytes] = dict(context.invocation_metadata() or ())
        scheme, _, token = str(metadata.get("authorization", "")).partition(" ")
        if scheme.lower() != "bearer" or not self._auth(token.strip()):
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "a valid bearer token is required")


def _status(failure: SpanloopError) -> grpc.StatusCode:
    found = (code for kind, code in _STATUS.items() if isinstance(failure, kind))
    return next(found, grpc.StatusCode.INTERNAL)
