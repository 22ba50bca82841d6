"""A whole server inside this process, for the demo: the same composition root, in a thread of its own."""

import asyncio
import threading
from concurrent.futures import Future

from spanloop.service.config import Settings
from spanloop.service.server import Endpoints, Server


class ServerThread:
    """Runs a `Server`; ``stop`` drains it. A context manager."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ready: Future[Endpoints] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: Server | None = None
        self._thread = threading.Thread(target=self._run, name="spanloop-server")

    def __enter__(self) -> Endpoints:
        """Start and return where the server is reached."""
        self._thread.start()
        return self._ready.result()

    def __exit__(self, *_: object) -> None:
        """Stop, storing everything that was acknowledged."""
        if self._loop is not None and self._server is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._server.request_stop)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:  # top of the thread: who waits must hear of it
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = Server(self._settings)
        await self._server.run(self._ready.set_result)
