"""The operator's socket runs long work (an analysis, a cycle) and tells how far it is: a JSON object a line.

One at a time, and none while a person's data is being erased: all rewrite the same tables. Work goes on when
the caller goes away, and holds its turn until it has ended; a server that stops ends it at its next step.
"""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from clickhouse_connect.driver.exceptions import ClickHouseError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from spanloop.exporter.store import engine_message
from spanloop.processor.errors import SpanloopError, Stopping

logger = logging.getLogger(__name__)

OnEvent = Callable[[str, int | None, int], None]
Job = Callable[[OnEvent, Mapping[str, Any]], Mapping[str, Any]]
"""Long work: tells how far it is, takes the arguments of the request, returns its answer."""
Event = Mapping[str, Any]

END: Event = {}
BEAT: Event = {"beat": True}
BEAT_S = 30.0
"""Of silence before a caller is told that its job goes on: no read of theirs times out meanwhile."""


class Jobs:
    """Runs the named jobs on a thread, one at a time; ``turn`` is held meanwhile."""

    def __init__(self, jobs: Mapping[str, Job], *, beat_s: float = BEAT_S) -> None:
        self._jobs = jobs
        self._beat_s = beat_s
        # Held by whoever rewrites derived tables: an analysis, or an erasure.
        self.turn = asyncio.Lock()
        self._stopping = threading.Event()
        self._running: set[asyncio.Task[None]] = set()

    @property
    def routes(self) -> Sequence[Route]:
        """``POST /<name>`` for each of them."""
        return [Route(f"/{name}", self._handle, methods=["POST"]) for name in self._jobs]

    async def stop(self) -> None:
        """End a run at its next step, and wait for that."""
        self._stopping.set()
        await asyncio.gather(*self._running)

    async def _handle(self, request: Request) -> Response:
        job = self._jobs[request.url.path.strip("/")]
        arguments: Mapping[str, Any] = await request.json()
        if self._stopping.is_set():
            return JSONResponse({"error": "the server stops"})
        if self.turn.locked():
            return JSONResponse(
                {
                    "error": "an analysis, a cycle or an erasure is under way; try again when it has ended"
                }
            )
        await self.turn.acquire()
        events: asyncio.Queue[Event] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def tell(event: Event) -> None:
            loop.call_soon_threadsafe(events.put_nowait, event)

        work = asyncio.create_task(asyncio.to_thread(self._work, job, arguments, tell))
        self._running.add(work)
        work.add_done_callback(self._ended)
        return StreamingResponse(_lines(events, self._beat_s), media_type="application/x-ndjson")

    def _ended(self, work: "asyncio.Task[None]") -> None:
        self._running.discard(work)
        self.turn.release()

    def _work(self, job: Job, arguments: Mapping[str, Any], tell: Callable[[Event], None]) -> None:
        def on_event(stage: str, total: int | None, done: int) -> None:
            if self._stopping.is_set():
                raise Stopping("the server stops; the next run does what is missing")
            tell({"stage": stage, "total": total, "done": done})

        try:
            tell({"result": job(on_event, arguments)})
        except SpanloopError as error:
            tell({"error": str(error)})
        except ClickHouseError as error:
            tell({"error": engine_message(error)})
        except Exception as error:  # a bug: the operator must hear of it, and the server goes on
            logger.exception("a job of the operator failed")
            tell({"error": f"it failed: {type(error).__name__}; see the server's log"})
        finally:
            tell(END)


async def _lines(events: "asyncio.Queue[Event]", beat_s: float) -> AsyncIterator[str]:
    while True:
        try:
            async with asyncio.timeout(beat_s):
                event = await events.get()
        except TimeoutError:
            event = BEAT
        if event is END:
            return
        yield json.dumps(event, default=str) + "\n"
