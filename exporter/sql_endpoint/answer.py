"""A result on its way to the client: in pieces, and stopped when nobody reads it any more."""

import asyncio
import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from spanloop.exporter.sql_endpoint.bodies import Codec, feed_all, finish_all
from spanloop.exporter.sql_endpoint.engine import Job, Result, SqlEngine
from spanloop.exporter.sql_endpoint.errors import EngineError, SqlError
from spanloop.exporter.sql_endpoint.formats import OUTPUT
from spanloop.exporter.sql_endpoint.native import at_revision

logger = logging.getLogger(__name__)
_T = TypeVar("_T")
_KILL_AGAIN_S = 0.2
_NO_COUNTS = dict.fromkeys(
    (
        "read_rows",
        "read_bytes",
        "written_rows",
        "written_bytes",
        "total_rows_to_read",
        "result_rows",
        "result_bytes",
        "elapsed_ns",
    ),
    "0",
)


class Host(Protocol):
    """What an answer needs of the endpoint."""

    @property
    def engine(self) -> SqlEngine:
        """The database."""
        ...

    @property
    def send_timeout_s(self) -> float:
        """Longest wait for a reader that does not read, seconds."""
        ...

    def blocking(self, call: Callable[[], _T]) -> Awaitable[_T]:
        """Run a blocking call in a thread."""
        ...

    def release_turn(self) -> None:
        """Let the next statement run."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapping:
    """How the client wants the bytes.

    Attributes:
        steps: compression, in order.
        encoding: value of Content-Encoding, "" for none.
        greeting_revision: for the answer to ``revision()``: the revision of Native to write it in.
    """

    steps: list[Codec]
    encoding: str
    greeting_revision: int = 0


def common_headers(query_id: str, timezone: str, *, written_rows: int = 0) -> dict[str, str]:
    """Headers that every answer carries; counts of rows are known for inserts only."""
    clean = "".join(char for char in query_id if char.isascii() and char.isprintable())
    return {
        "X-ClickHouse-Server-Display-Name": "spanloop",
        "X-ClickHouse-Query-Id": clean[:128],
        "X-ClickHouse-Timezone": timezone,
        "X-ClickHouse-Summary": json.dumps(_NO_COUNTS | {"written_rows": str(written_rows)}),
    }


def error_response(error: SqlError, query_id: str, timezone: str) -> Response:
    """An error before anything of the result was sent."""
    headers = common_headers(query_id, timezone)
    headers["X-ClickHouse-Exception-Code"] = str(error.code)
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="ClickHouse"'
    return Response(
        error.message + "\n",
        status_code=error.status,
        headers=headers,
        media_type="text/plain; charset=UTF-8",
    )


class Answer(Response):
    """A streamed result. ``start`` fetches the first piece, so early errors get their status."""

    def __init__(
        self, host: Host, job: Job, *, wrapping: Wrapping, headers: dict[str, str]
    ) -> None:
        self._tag = secrets.token_hex(8)
        own = {
            "X-ClickHouse-Format": job.format,
            "X-ClickHouse-Exception-Tag": self._tag,
            "Vary": "Accept-Encoding",
        }
        if wrapping.encoding:
            own["Content-Encoding"] = wrapping.encoding
        super().__init__(headers=headers | own, media_type=OUTPUT[job.format])
        del self.headers["content-length"]
        self._host = host
        self._job = job
        self._wrapping = wrapping
        self._result: Result | None = None
        self._piece: bytes | None = None
        self._gone: asyncio.Task[None] | None = None

    async def start(self, receive: Receive) -> None:
        """Run the statement until it gives its first piece, ends or fails."""
        self._gone = asyncio.create_task(_until_gone(receive))
        try:
            self._piece = await self._watched(self._first)
            if self._wrapping.greeting_revision:
                self._piece = at_revision(self._piece or b"", self._wrapping.greeting_revision)
        except BaseException:
            await self._stop()
            raise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the pieces as the client takes them."""
        steps = self._wrapping.steps
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            try:
                while self._piece is not None:
                    await self._send(send, feed_all(steps, self._piece))
                    self._piece = await self._watched(self._next)
            except EngineError as error:
                # The status is sent already: the error follows the rows, framed by the tag of
                # the header, and the response is left incomplete so that nobody takes it for all.
                await self._send(send, feed_all(steps, self._framed(error.error.message)))
                await self._send(send, finish_all(steps))
                logger.warning("A result broke off with error %d", error.error.code)
                return
            await self._send(send, finish_all(steps))
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except (ClientDisconnect, TimeoutError):
            logger.info("A client left before its result ended; the statement was stopped")
        finally:
            try:
                await self._stop()
            finally:
                self._host.release_turn()

    def _first(self) -> bytes | None:
        self._result = self._host.engine.run(self._job)
        return next(self._result, None)

    def _next(self) -> bytes | None:
        return None if self._result is None else next(self._result, None)

    async def _send(self, send: Send, body: bytes) -> None:
        if not body:
            return
        async with asyncio.timeout(self._host.send_timeout_s):
            await send({"type": "http.response.body", "body": body, "more_body": True})

    async def _watched(self, call: Callable[[], _T]) -> _T:
        """Run a blocking call; if the client leaves meanwhile, stop the statement."""
        running = asyncio.ensure_future(self._host.blocking(call))
        watched = {running} if self._gone is None else {running, self._gone}
        await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            return running.result()
        while not running.done():  # a statement can only be stopped once the engine knows it
            await self._host.blocking(lambda: self._host.engine.kill(self._job.marker))
            await asyncio.wait({running}, timeout=_KILL_AGAIN_S)
        running.exception()
        raise ClientDisconnect

    async def _stop(self) -> None:
        if self._gone is not None:
            self._gone.cancel()
        result, self._result = self._result, None
        if result is not None:
            await self._host.blocking(result.close)

    def _framed(self, message: str) -> bytes:
        size = len(message.encode()) + 1
        frame = f"\r\n__exception__\r\n{self._tag}\r\n{message}\n{size} {self._tag}\r\n__exception__\r\n"
        return frame.encode()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
