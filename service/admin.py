"""The running server's door for its own operator: a Unix socket that only this user can open.

Commands such as ``spanloop backup`` need the process that owns the store. The socket stands in a directory of
mode 0700 and is named in the data directory's lock file; no port, no token, nothing reachable from afar.
"""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.exceptions import ClickHouseError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from spanloop.exporter.render import Renderer
from spanloop.exporter.store import Store, engine_message, with_client
from spanloop.processor.errors import PermanentError, SpanloopError
from spanloop.receiver.intake import Intake
from spanloop.receiver.log import Log
from spanloop.service.asgi import serve_unix
from spanloop.service.assessing import feedback_to_intake, label_in_store
from spanloop.service.erasing import Subject, delete, forget_replies
from spanloop.service.jobs import Jobs
from spanloop.service.operations import backup, running_status, table_status
from spanloop.service.releasing import releases_in_store

DRAIN_BEFORE_DELETE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """The parts of a running server that its operator may act on."""

    directory: Path
    store: Store
    renderer: Renderer
    log: Log
    intake: Intake
    jobs: Jobs


def create_admin_app(owned: Owned) -> Starlette:
    """Return the application behind the socket."""
    actions: Mapping[str, Callable[[Owned, dict[str, Any]], Awaitable[object]]] = {
        "status": _status,
        "backup": _backup,
        "delete": _delete,
        "requeue": _requeue,
        "feedback": _feedback,
        "label": _label,
        "releases": _releases,
        "strategies": _strategies,
    }

    def route(name: str) -> Route:
        async def handle(request: Request) -> Response:
            arguments: dict[str, Any] = await request.json()
            try:
                return JSONResponse(await actions[name](owned, arguments))
            except SpanloopError as error:
                return JSONResponse({"error": str(error)}, status_code=400)
            except ClickHouseError as error:
                return JSONResponse({"error": engine_message(error)}, status_code=500)
            except OSError as error:
                return JSONResponse(
                    {"error": f"{error.filename}: {error.strerror}"}, status_code=500
                )

        return Route(f"/{name}", handle, methods=["POST"])

    return Starlette(routes=[*(route(name) for name in actions), *owned.jobs.routes])


async def _status(owned: Owned, _: dict[str, Any]) -> object:
    tables = await asyncio.to_thread(
        with_client, owned.store, lambda client: table_status(client, owned.renderer)
    )
    return {"log": running_status(owned.log), "tables": tables}


async def _backup(owned: Owned, arguments: dict[str, Any]) -> object:
    destination = Path(arguments["destination"])
    await asyncio.to_thread(
        with_client,
        owned.store,
        lambda client: backup(client, owned.renderer, owned.directory, destination),
    )
    return {"backup": str(destination)}


async def _delete(owned: Owned, arguments: dict[str, Any]) -> object:
    """Let the log empty first: what is acknowledged but not yet stored must not arrive afterwards.

    And let an analysis end: it would write again what it read before.
    """
    subject = Subject(user=arguments.get("user"), conversation=arguments.get("conversation"))
    if not await asyncio.to_thread(owned.log.flush, timeout_s=DRAIN_BEFORE_DELETE_S):
        raise PermanentError(
            "the log does not empty (see `spanloop status`); it may hold their data, so nothing was deleted"
        )
    async with owned.jobs.turn:
        await asyncio.to_thread(forget_replies, owned.directory)
        return await asyncio.to_thread(
            with_client, owned.store, lambda client: delete(client, owned.renderer, subject)
        )


async def _requeue(owned: Owned, arguments: dict[str, Any]) -> object:
    letters = owned.log.dead_letters
    letter, records = letters.records(arguments["id"])
    if not records:
        raise PermanentError(
            f"dead letter {letter.id!r} holds damaged bytes, no record to send again"
        )
    for record in records:
        await owned.intake.accept(letter.signal, record.body, record.envelope.project)
    letters.remove(letter.id)
    return {"requeued": letter.id, "records": len(records)}


async def _feedback(owned: Owned, arguments: dict[str, Any]) -> object:
    return await feedback_to_intake(owned.intake, arguments)


async def _label(owned: Owned, arguments: dict[str, Any]) -> object:
    return await asyncio.to_thread(
        with_client,
        owned.store,
        lambda client: label_in_store(client, owned.renderer, arguments),
    )


async def _releases(owned: Owned, arguments: dict[str, Any]) -> object:
    return await asyncio.to_thread(
        with_client,
        owned.store,
        lambda client: releases_in_store(client, owned.renderer, arguments),
    )


async def _strategies(owned: Owned, arguments: dict[str, Any]) -> object:
    from spanloop.service.strategies import (
        strategies_in_store,  # scikit-learn takes seconds to load
    )

    return await asyncio.to_thread(
        with_client,
        owned.store,
        lambda client: strategies_in_store(client, owned.renderer, arguments),
    )


async def start_admin(owned: Owned, stack: contextlib.AsyncExitStack) -> str:
    """Serve the socket until ``stack`` unwinds; return its path."""
    folder = Path(tempfile.mkdtemp(prefix="spanloop-"))  # mkdtemp: mode 0700
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "admin.sock"
    await serve_unix(create_admin_app(owned), str(path), stack)
    return str(path)
