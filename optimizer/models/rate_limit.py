"""One limiter for everything that is asked at once: requests in flight, requests and tokens per minute."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

from spanloop.optimizer.models.stopwatch import standing_still

BURST_S = 6.0
"""Seconds' worth of a rate that may come at once: a tenth of a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """What a provider, or an agent, stands; None = no limit.

    Attributes:
        in_flight: requests at a time, and so episodes at a time.
    """

    in_flight: int = 16
    requests_a_minute: float | None = None
    tokens_a_minute: float | None = None


class RateLimiter:
    """First come, first served; used within one event loop at a time.

    A rate is kept by its theoretical arrival time (GCRA, ITU-T I.371): a request moves it on by its own share
    of a minute and waits while it is more than `BURST_S` ahead of the clock.
    """

    def __init__(
        self,
        limits: RateLimits,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.limits = limits
        self._clock = clock
        self._sleep = sleep
        self._free = limits.in_flight
        self._queue: deque[asyncio.Future[None]] = deque()
        self._requests = _Rate(limits.requests_a_minute)
        self._tokens = _Rate(limits.tokens_a_minute)

    @contextlib.asynccontextmanager
    async def slot(self, tokens: int = 0) -> AsyncGenerator["Slot"]:
        """Wait until a request of about ``tokens`` tokens may be sent, and hold its place while it is."""
        with standing_still():
            now = self._clock()
            wait_s = max(
                self._requests.take_inplace(1, now), self._tokens.take_inplace(tokens, now)
            )
            if wait_s > 0:
                await self._sleep(wait_s)
            await self._enter()
        try:
            yield Slot(self._tokens, tokens)
        finally:
            self._leave()

    async def _enter(self) -> None:
        if self._free and not self._queue:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()  # its turn came in the moment it gave up
            raise

    def _leave(self) -> None:
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class Slot:
    """A request's place among those in flight."""

    def __init__(self, rate: "_Rate", tokens: int) -> None:
        self._rate = rate
        self._tokens = tokens

    def correct(self, tokens: int) -> None:
        """Say how many tokens it really took."""
        self._rate.correct_inplace(tokens - self._tokens)


class _Rate:
    def __init__(self, a_minute: float | None) -> None:
        self._s_each = 60 / a_minute if a_minute else 0.0
        self._due_s = float("-inf")

    def take_inplace(self, n: float, now_s: float) -> float:
        """Return the seconds to wait."""
        self._due_s = max(self._due_s, now_s) + n * self._s_each
        return max(0.0, self._due_s - max(BURST_S, n * self._s_each) - now_s)

    def correct_inplace(self, n: float) -> None:
        self._due_s += n * self._s_each
