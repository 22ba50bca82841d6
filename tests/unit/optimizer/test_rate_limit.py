import asyncio

import pytest

from spanloop.optimizer.models.rate_limit import BURST_S, RateLimiter, RateLimits
from spanloop.optimizer.models.stopwatch import Stopwatch


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def limiter(clock: Clock, limits: RateLimits) -> RateLimiter:
    return RateLimiter(limits, clock=clock, sleep=clock.sleep)


async def spend(limiter: RateLimiter, n: int, tokens: int = 0) -> None:
    for _ in range(n):
        async with limiter.slot(tokens):
            pass


def test_requests_keep_to_their_rate_after_a_burst() -> None:
    clock = Clock()
    asyncio.run(spend(limiter(clock, RateLimits(requests_a_minute=60)), 66))
    assert clock.now == pytest.approx(66 - BURST_S)


def test_tokens_keep_to_their_rate_as_they_turn_out() -> None:
    async def run() -> None:
        for _ in range(10):
            async with limited.slot(1_000) as slot:
                slot.correct(100)

    clock = Clock()
    limited = limiter(clock, RateLimits(tokens_a_minute=6_000))
    asyncio.run(run())
    assert clock.now < 10
    before = clock.now
    asyncio.run(spend(limited, 10, 1_000))
    assert clock.now - before > 80


def test_no_more_are_in_flight_than_allowed_and_a_cancelled_one_gives_its_place_back() -> None:
    most = 0
    flying = 0

    async def fly(limited: RateLimiter) -> None:
        nonlocal most, flying
        async with limited.slot():
            flying += 1
            most = max(most, flying)
            await asyncio.sleep(0)
            flying -= 1

    async def run() -> None:
        limited = limiter(Clock(), RateLimits(in_flight=3))
        tasks = [asyncio.create_task(fly(limited)) for _ in range(20)]
        await asyncio.sleep(0)
        for task in tasks[5:10]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(fly(limited) for _ in range(5)))

    asyncio.run(run())
    assert (most, flying) == (3, 0)


def test_waiting_for_a_place_does_not_count_as_time_of_the_episode() -> None:
    async def episode(limited: RateLimiter) -> float:
        async with Stopwatch(0.2) as watch:
            async with limited.slot():
                await asyncio.sleep(0.05)
            return watch.elapsed_s

    async def run() -> list[float]:
        limited = RateLimiter(RateLimits(in_flight=1))
        return await asyncio.gather(*(episode(limited) for _ in range(6)))

    assert max(asyncio.run(run())) < 0.2


def test_time_that_counts_runs_out() -> None:
    async def run() -> None:
        async with Stopwatch(0.01):
            await asyncio.sleep(10)

    with pytest.raises(TimeoutError):
        asyncio.run(run())
