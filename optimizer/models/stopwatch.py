"""Time an episode takes, less the time our own limits make it wait: being queued is nobody's fault."""

import asyncio
import contextlib
from collections.abc import Generator
from contextvars import ContextVar
from types import TracebackType

_running: ContextVar["Stopwatch | None"] = ContextVar("spanloop_stopwatch", default=None)


class Stopwatch:
    """Ends the block it encloses with TimeoutError once ``limit_s`` seconds of it have passed.

    It stands still inside `standing_still`, in this task and in tasks made by it.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._timeout = asyncio.timeout(limit_s)
        self._began_s = self._stopped_s = 0.0
        self._waited_s = 0.0
        self._waiting = 0

    @property
    def elapsed_s(self) -> float:
        """Seconds that count."""
        now = self._stopped_s if self._waiting else asyncio.get_running_loop().time()
        return now - self._began_s - self._waited_s

    async def __aenter__(self) -> "Stopwatch":
        """Start."""
        self._began_s = asyncio.get_running_loop().time()
        await self._timeout.__aenter__()
        self._token = _running.set(self)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop.

        Raises:
            TimeoutError: the limit was passed.
        """
        _running.reset(self._token)
        await self._timeout.__aexit__(kind, error, traceback)

    def charge_inplace(self, seconds: float) -> None:
        """Count ``seconds`` more than have passed."""
        self._waited_s -= seconds
        if not self._waiting and not self._timeout.expired():
            now = asyncio.get_running_loop().time()
            self._timeout.reschedule(now + self._limit_s - self.elapsed_s)

    def pause_inplace(self) -> None:
        """Stand still until as many `resume_inplace`."""
        if not self._waiting and not self._timeout.expired():
            self._stopped_s = asyncio.get_running_loop().time()
            self._timeout.reschedule(None)
        self._waiting += 1

    def resume_inplace(self) -> None:
        """Go on."""
        self._waiting -= 1
        if not self._waiting and not self._timeout.expired():
            now = asyncio.get_running_loop().time()
            self._waited_s += now - self._stopped_s
            self._timeout.reschedule(now + self._limit_s - self.elapsed_s)


@contextlib.contextmanager
def standing_still() -> Generator[None]:
    """Keep the stopwatch of the running episode, if there is one, from counting this block."""
    watch = _running.get()
    if watch is None:
        yield
        return
    watch.pause_inplace()
    try:
        yield
    finally:
        watch.resume_inplace()


def charge(seconds: float) -> None:
    """Let the stopwatch of the running episode, if there is one, count time of an earlier process."""
    watch = _running.get()
    if watch is not None:
        watch.charge_inplace(seconds)
