"""The operator's socket runs an analysis and tells how far it is: one JSON object a line.

One at a time, and none while a person's data is being erased: both rewrite the same tables. An analysis goes
on when the caller goes away, and holds its turn until it has ended; a server that stops ends it at its next
step.
"""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from clickhouse_connect.driver.exceptions import ClickHouseError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from spanloop.exporter.store import engine_message
from spanloop.processor.errors import RetryableError, SpanloopError

logger = logging.getLogger(__name__)

OnEvent = Callable[[str, int | None, int], None]
Analyze = Callable[[OnEvent], Mapping[str, Any]]
Event = Mapping[str, Any]

END: Event = {}


class Stopping(RetryableError):
    """The server stops; the next analysis does what is missing."""


class AnalysisRuns:
    """Runs ``analyze`` on a thread, one at a time; ``turn`` is held meanwhile."""

    def __init__(self, analyze: Analyze) -> None:
        self._analyze = analyze
        # Held by whoever rewrites derived tables: an analysis, or an erasure.
        self.turn = asyncio.Lock()
        self._stopping = threading.Event()
        self._running: set[asyncio.Task[None]] = set()

    @property
    def route(self) -> Route:
        """``POST /analyze``."""
        return Route("/analyze", self._handle, methods=["POST"])

    async def stop(self) -> None:
        """End a run at its next step, and wait for that."""
        self._stopping.set()
        await asyncio.gather(*self._running)

    async def _handle(self, _: Request) -> Response:
        if self.turn.locked():
            return JSONResponse(
                {"error": "an analysis or an erasure is under way; try again when it has ended"}
            )
        await self.turn.acquire()
        events: asyncio.Queue[Event] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def tell(event: Event) -> None:
            loop.call_soon_threadsafe(events.put_nowait, event)

        work = asyncio.create_task(asyncio.to_thread(self._work, tell))
        self._running.add(work)
        work.add_done_callback(self._ended)
        return StreamingResponse(_lines(events), media_type="application/x-ndjson")

    def _ended(self, work: "asyncio.Task[None]") -> None:
        self._running.discard(work)
        self.turn.release()

    def _work(self, tell: Callable[[Event], None]) -> None:
        def on_event(stage: str, total: int | None, done: int) -> None:
            if self._stopping.is_set():
                raise Stopping("the server stops; the next analysis does what is missing")
            tell({"stage": stage, "total": total, "done": done})

        try:
            tell({"result": self._analyze(on_event)})
        except SpanloopError as error:
            tell({"error": str(error)})
        except ClickHouseError as error:
            tell({"error": engine_message(error)})
        except Exception as error:  # a bug: the operator must hear of it, and the server goes on
            logger.exception("an analysis failed")
            tell({"error": f"the analysis failed: {type(error).__name__}; see the server's log"})
        finally:
            tell(END)


async def _lines(events: "asyncio.Queue[Event]") -> AsyncIterator[str]:
    while (event := await events.get()) is not END:
        yield json.dumps(event, default=str) + "\n"
