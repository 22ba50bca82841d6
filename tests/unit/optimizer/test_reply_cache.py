import asyncio
import stat
from pathlib import Path
from typing import Any

import pytest

from spanloop.optimizer.models import BudgetExhausted, Lease, ModelFailure
from spanloop.optimizer.models.cache import ReplyCache, reply_key
from spanloop.optimizer.models.chat import ChatReply, Message, ToolCall
from spanloop.optimizer.models.fakes import ScriptedChat
from spanloop.optimizer.models.guarded import GuardedChat
from spanloop.optimizer.models.rate_limit import RateLimiter, RateLimits
from spanloop.optimizer.models.stopwatch import Stopwatch

ASKED = [Message(role="user", content="where is it?")]
CALL = Message(
    role="assistant", tool_calls=(ToolCall(id="c1", name="track", arguments='{"id": 1}'),)
)
REPLY = ChatReply(message=CALL, model="m", input_tokens=7, output_tokens=3, cost_usd=0.5)


def opened(path: Path, now_ms: int = 0, **bounds: int) -> ReplyCache:
    return ReplyCache(path / "replies.sqlite", now_ms=lambda: now_ms, **bounds)


def key(n: int) -> bytes:
    return reply_key("m", ASKED, [], {}, nonce=str(n))


def test_a_reply_is_found_again_by_another_opening_of_the_file(tmp_path: Path) -> None:
    first = opened(tmp_path)
    first.put(key(1), REPLY)
    second = opened(tmp_path)  # the first is still open, as after a crash
    found = second.get(key(1))
    assert found is not None
    assert (found.message, found.cost_usd, found.cached) == (CALL, 0.5, True)
    assert second.get(key(2)) is None
    assert stat.S_IMODE((tmp_path / "replies.sqlite").stat().st_mode) == 0o600
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}
    first.close()
    second.close()


def test_what_is_old_or_too_much_goes(tmp_path: Path) -> None:
    early = opened(tmp_path, 1_000)
    for n in range(4):
        early.put(key(n), REPLY)
    early.close()
    late = opened(tmp_path, 2_000, max_age_ms=1_500)
    late.put(key(9), REPLY)
    assert late.prune() == 0
    late.close()
    small = opened(tmp_path, 2_000, max_bytes=400)
    assert small.get(key(9)) is not None
    assert small.get(key(0)) is None
    small.close()
    older = opened(tmp_path, 9_000, max_age_ms=1_500)
    assert older.get(key(9)) is None
    older.put(key(9), REPLY)
    older.clear()
    assert older.get(key(9)) is None
    older.close()


def test_the_key_holds_everything_an_answer_depends_on() -> None:
    keys = {
        reply_key("m", ASKED, [], {}, nonce="1"),
        reply_key("n", ASKED, [], {}, nonce="1"),
        reply_key("m", [*ASKED, CALL], [], {}, nonce="1"),
        reply_key("m", ASKED, [], {"temperature": 1.0}, nonce="1"),
        reply_key("m", ASKED, [], {}, nonce="2"),
    }
    assert len(keys) == 5
    assert reply_key("m", ASKED, [], {"max_steps": 3}, nonce="1") in keys  # of the loop


def test_nothing_is_paid_twice(tmp_path: Path) -> None:
    cache = opened(tmp_path)
    model = ScriptedChat(lambda messages, tools: CALL, usd_a_call=0.25)
    lease = Lease(max_tokens=10_000, max_usd=10.0)
    chat = GuardedChat(model=model, lease=lease, limiter=RateLimiter(RateLimits()), cache=cache)

    async def ask(nonce: str) -> ChatReply:
        return await chat.complete(ASKED, [], {}, nonce=nonce)

    paid = [asyncio.run(ask(nonce)) for nonce in ("1", "2", "1")]
    cache.close()
    assert [reply.cached for reply in paid] == [False, False, True]
    assert {reply.input_tokens for reply in paid} == {100}
    assert model.nonces == ["1", "2"]
    assert (lease.tokens, lease.usd, lease.reserved_tokens) == (220, 0.5, 0)


@pytest.mark.parametrize(("kind", "charged"), [("503", False), ("timeout", True)])
def test_only_a_call_that_may_have_been_answered_is_charged(kind: str, charged: bool) -> None:
    lease = Lease(max_tokens=10_000)
    model = ScriptedChat(lambda messages, tools: ModelFailure(kind, "failed"))
    chat = GuardedChat(model=model, lease=lease, limiter=RateLimiter(RateLimits()))
    with pytest.raises(ModelFailure):
        asyncio.run(chat.complete(ASKED, [], {}, nonce=""))
    assert (lease.tokens > 0, lease.reserved_tokens) == (charged, 0)


def test_calls_in_flight_wait_for_what_others_give_back() -> None:
    lease = Lease(max_tokens=4_000)
    chat = GuardedChat(
        model=ScriptedChat(lambda messages, tools: CALL),
        lease=lease,
        limiter=RateLimiter(RateLimits()),
    )

    async def run() -> None:
        await asyncio.gather(*(chat.complete(ASKED, [], {}, nonce=str(n)) for n in range(20)))
        for n in range(20):
            await chat.complete(ASKED, [], {}, nonce=str(n))

    with pytest.raises(BudgetExhausted):
        asyncio.run(run())
    assert 20 * 110 < lease.tokens <= 4_000


def test_an_episode_that_is_played_again_takes_as_long_as_it_took(tmp_path: Path) -> None:
    class Slow(ScriptedChat):
        async def complete(self, *args: Any, **options: Any) -> ChatReply:
            await asyncio.sleep(0.05)
            return await super().complete(*args, **options)

    cache = opened(tmp_path)
    chat = GuardedChat(
        model=Slow(lambda messages, tools: CALL),
        lease=Lease(max_tokens=10_000),
        limiter=RateLimiter(RateLimits()),
        cache=cache,
    )

    async def episode(limit_s: float) -> float:
        async with Stopwatch(limit_s) as watch:
            await chat.complete(ASKED, [], {}, nonce="1")
            await asyncio.sleep(0)
            return watch.elapsed_s

    first, again = (asyncio.run(episode(10)) for _ in range(2))
    assert again >= 0.05
    assert first >= 0.05
    with pytest.raises(TimeoutError):
        asyncio.run(episode(0.04))
    cache.close()
