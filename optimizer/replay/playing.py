"""Many episodes at a time."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator

from spanloop.optimizer.models.budget import BudgetExhausted
from spanloop.optimizer.models.rate_limit import RateLimiter
from spanloop.optimizer.replay.episode import EpisodeRequest, EpisodeResult, Target

logger = logging.getLogger(__name__)

OnDone = Callable[[EpisodeRequest, EpisodeResult], None]


async def play_all(
    requests: Iterable[EpisodeRequest], target: Target, limiter: RateLimiter, on_done: OnDone
) -> None:
    """Play every request, at most as many at a time as ``limiter`` has requests in flight.

    ``requests`` is read as places come free, and nothing is kept of an episode once ``on_done`` has its
    result; ``on_done`` is called in this event loop, in the order in which episodes end. A fault of an
    episode is its state and stops nothing. Cancelled, it cancels the episodes under way.

    Raises:
        BudgetExhausted: episodes that could go on without a further call have ended; the others are not
            started, or were given up, and are for the caller to count.
    """
    waiting = iter(requests)
    exhausted: list[BudgetExhausted] = []

    async def play() -> None:
        for request in _until(waiting, exhausted):
            try:
                result = await target.run(request)
            except BudgetExhausted as error:
                exhausted.append(error)
                return
            except Exception as error:  # noqa: BLE001 - top of the task loop: a bug ends one episode, not all
                kind = type(error).__name__
                logger.error("an episode failed within spanloop: %s", kind)  # noqa: TRY400 - texts are hostile
                result = EpisodeResult(
                    run_id=request.run_id, state="infrastructure", error_kind=f"internal:{kind}"
                )
            on_done(request, result)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(limiter.limits.in_flight):
            tasks.create_task(play())
    if exhausted:
        raise exhausted[0]


def _until(
    waiting: Iterator[EpisodeRequest], over: list[BudgetExhausted]
) -> Iterator[EpisodeRequest]:
    for request in waiting:
        yield request
        if over:
            return
