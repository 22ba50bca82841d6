"""The operator's socket runs an analysis and tells how far it is: one JSON object a line."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from clickhouse_connect.driver.exceptions import ClickHouseError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from spanloop.exporter.store import engine_message
from spanloop.processor.errors import SpanloopError

logger = logging.getLogger(__name__)

OnEvent = Callable[[str, int | None, int], None]
Analyze = Callable[[OnEvent], Mapping[str, Any]]
Event = Mapping[str, Any]

END: Event = {}


def analysis_route(analyze: Analyze) -> Route:
    """Return the route ``/analyze``; one analysis at a time, the rest are refused."""
    one_at_a_time = asyncio.Lock()

    async def handle(_: Request) -> Response:
        if one_at_a_time.locked():
            return JSONResponse({"error": "an analysis is under way; try again when it has ended"})
        return StreamingResponse(_lines(analyze, one_at_a_time), media_type="application/x-ndjson")

    return Route("/analyze", handle, methods=["POST"])


async def _lines(analyze: Analyze, lock: asyncio.Lock) -> AsyncIterator[str]:
    """Run ``analyze`` on a thread, which goes on to its end even if nobody listens any more."""
    async with lock:
        events: asyncio.Queue[Event] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def tell(event: Event) -> None:
            loop.call_soon_threadsafe(events.put_nowait, event)

        work = asyncio.create_task(asyncio.to_thread(_work, analyze, tell))
        try:
            while (event := await events.get()) is not END:
                yield json.dumps(event, default=str) + "\n"
        finally:
            await asyncio.shield(work)


def _work(analyze: Analyze, tell: Callable[[Event], None]) -> None:
    try:
        result = analyze(
            lambda stage, total, done: tell({"stage": stage, "total": total, "done": done})
        )
        tell({"result": result})
    except SpanloopError as error:
        tell({"error": str(error)})
    except ClickHouseError as error:
        tell({"error": engine_message(error)})
    except Exception as error:  # a bug: the operator must hear of it, and the server goes on
        logger.exception("an analysis failed")
        tell({"error": f"the analysis failed: {type(error).__name__}; see the server's log"})
    finally:
        tell(END)
