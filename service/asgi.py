"""Run ASGI applications inside this process's event loop, on a TCP port or a Unix socket."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Generator
from typing import Any

import uvicorn

from spanloop.processor.errors import PermanentError
from spanloop.service.config import Tls

GRACEFUL_SHUTDOWN_S = 5


class _QuietUvicorn(uvicorn.Server):
    """uvicorn without its own signal handling: this process has one place for that."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def serve_tcp(
    app: Any,
    host: str,
    port: int,
    stack: contextlib.AsyncExitStack,
    *,
    tls: Tls | None = None,
    keep_alive_s: int = 75,
) -> str:
    """Serve ``app`` until ``stack`` unwinds; return its URL.

    Raises:
        PermanentError: the address cannot be bound.
    """
    bound = _bind(host, port)
    config = _config(
        app,
        timeout_keep_alive=keep_alive_s,
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
        ssl_ca_certs=str(tls.client_ca) if tls and tls.client_ca else None,
        ssl_cert_reqs=ssl.CERT_REQUIRED if tls and tls.client_ca else ssl.CERT_NONE,
    )
    await _run(config, stack, sockets=[bound])
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{shown}:{bound.getsockname()[1]}"


async def serve_unix(app: Any, path: str, stack: contextlib.AsyncExitStack) -> None:
    """Serve ``app`` on a Unix socket until ``stack`` unwinds."""
    await _run(_config(app, uds=path), stack, sockets=None)


def _config(app: Any, **options: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="auto",
        server_header=False,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
        **options,
    )


async def _run(
    config: uvicorn.Config, stack: contextlib.AsyncExitStack, sockets: list[socket.socket] | None
) -> None:
    server = _QuietUvicorn(config)
    task = asyncio.create_task(server.serve(sockets=sockets))

    async def stop() -> None:
        server.should_exit = True
        await task

    stack.push_async_callback(stop)
    while not server.started:
        if task.done():
            await task
            raise PermanentError("an HTTP server ended as soon as it was started")
        await asyncio.sleep(0.01)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as failure:
        bound.close()
        raise PermanentError(f"cannot listen on {host}:{port}: {failure.strerror}") from None
    bound.listen(2048)
    bound.setblocking(False)
    return bound
