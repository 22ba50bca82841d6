"""Of two equal requests one is the original; the other waits until that is durable."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

import pytest

from spanloop.processor.errors import Overloaded
from spanloop.receiver.digests import RetryDigests, digest

KEY = digest("p", b"body")
SECOND = 1_000_000_000


def make(capacity: int = 10) -> RetryDigests:
    return RetryDigests(window_s=10, capacity=capacity)


def test_project_and_body_make_the_digest() -> None:
    assert len(KEY) == 16
    assert digest("q", b"body") != KEY
    assert digest("p", b"body") == KEY


def test_a_retry_waits_for_the_original() -> None:
    digests = make()
    assert digests.claim(KEY, now_ns=0) is None
    waiting = digests.claim(KEY, now_ns=0)
    assert waiting is not None
    assert not waiting.done()
    digests.settle(KEY, now_ns=1)
    assert waiting.result(0) is None
    later = digests.claim(KEY, now_ns=2)
    assert later is not None
    assert later.done()


def test_after_a_failure_the_retry_is_an_original_again() -> None:
    digests = make()
    assert digests.claim(KEY, now_ns=0) is None
    waiting = digests.claim(KEY, now_ns=0)
    assert waiting is not None
    digests.settle(KEY, now_ns=1, error=Overloaded("full"))
    with pytest.raises(Overloaded):
        waiting.result(0)
    assert digests.claim(KEY, now_ns=2) is None


def test_a_client_that_leaves_cancels_neither_the_original_nor_other_retries() -> None:
    async def scenario() -> None:
        digests = make()
        assert digests.claim(KEY, now_ns=0) is None

        async def wait() -> None:
            future = digests.claim(KEY, now_ns=0)
            assert future is not None
            await asyncio.wrap_future(future)

        leaves, stays = asyncio.create_task(wait()), asyncio.create_task(wait())
        await asyncio.sleep(0)
        leaves.cancel()
        await asyncio.sleep(0)
        digests.settle(KEY, now_ns=1)
        await stays
        assert leaves.cancelled()

    asyncio.run(scenario())


def test_the_window_ends() -> None:
    digests = make()
    digests.claim(KEY, now_ns=0)
    digests.settle(KEY, now_ns=0)
    assert digests.claim(KEY, now_ns=10 * SECOND) is not None
    assert digests.claim(KEY, now_ns=10 * SECOND + 1) is None


def test_the_oldest_leave_first_when_there_are_too_many() -> None:
    digests = make(capacity=2)
    keys = [digest("p", bytes([i])) for i in range(3)]
    for i, key in enumerate(keys):
        digests.claim(key, now_ns=i)
        digests.settle(key, now_ns=i)
    assert [digests.claim(key, now_ns=3) is None for key in keys] == [True, False, False]


def test_time_without_a_server_does_not_count() -> None:
    digests = make()
    hour = 3600 * SECOND
    digests.load([(KEY, 0)], now_ns=hour)
    assert digests.claim(KEY, now_ns=hour + SECOND) is not None
    assert digests.claim(KEY, now_ns=hour + 11 * SECOND) is None


def test_what_was_not_stored_after_all_is_new() -> None:
    digests = make()
    digests.load([(KEY, 0)], now_ns=0)
    digests.forget([KEY])
    assert digests.claim(KEY, now_ns=1) is None


def test_settling_what_nobody_claimed_is_harmless() -> None:
    make().settle(KEY, now_ns=0, error=Overloaded("full"))


def test_of_many_concurrent_copies_exactly_one_is_the_original() -> None:
    digests = make()
    claims: list[Future[None] | None] = []
    barrier = threading.Barrier(8)

    def claim() -> None:
        barrier.wait()
        claims.append(digests.claim(KEY, now_ns=0))

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert claims.count(None) == 1
    digests.settle(KEY, now_ns=0)
    assert all(future.done() for future in claims if future is not None)
