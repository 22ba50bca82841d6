"""A chat model behind everything that guards it: replies paid for earlier, the budget, the rate."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from spanloop.optimizer.models.budget import BudgetReserved, Lease, Reservation
from spanloop.optimizer.models.cache import ReplyCache, reply_key
from spanloop.optimizer.models.chat import (
    ChatModel,
    ChatReply,
    ChatTool,
    Message,
    Parameters,
    close_connections,
    tokens_at_most,
)
from spanloop.optimizer.models.port import ModelFailure
from spanloop.optimizer.models.rate_limit import RateLimiter
from spanloop.optimizer.models.stopwatch import charge, standing_still

BYTES_A_TOKEN = 4
"""Of English text, about: what a call is expected to take of the provider's rate."""
ASK_AGAIN_S = 0.05
MAX_WAIT_S = 600.0
"""Calls in flight have ended by then; what is still reserved will not be given back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedChat:
    """A `ChatModel`: a reply is taken from the cache, else reserved, waited for, paid and stored.

    A call that does not fit only because of calls in flight waits for them. Whatever ends a call that may
    have been answered (a time-out, a cancellation) is charged in full.
    """

    model: ChatModel
    lease: Lease
    limiter: RateLimiter
    cache: ReplyCache | None = None

    @property
    def name(self) -> str:
        """The model's."""
        return self.model.name

    def price_at_most(
        self, messages: Sequence[Message], tools: Sequence[ChatTool], parameters: Parameters
    ) -> float | None:
        """The model's."""
        return self.model.price_at_most(messages, tools, parameters)

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ChatTool],
        parameters: Parameters,
        *,
        nonce: str,
    ) -> ChatReply:
        """Answer a conversation; see `ChatModel.complete`."""
        key = reply_key(self.name, messages, tools, parameters, nonce=nonce)
        known = self.cache.get(key) if self.cache else None
        if known is not None:
            charge(known.took_s or 0.0)  # else what is played again after a crash would look fast
            return known
        bound = tokens_at_most(messages, tools, parameters)
        with await self._reserved(bound, self.price_at_most(messages, tools, parameters)) as held:
            reply = await self._asked(messages, tools, parameters, nonce=nonce, held=held)
            # Stored before it is settled: a reply that is kept has been paid, never the other way round.
            if self.cache:
                self.cache.put(key, reply)
            tokens = _tokens(reply)
            held.settle(bound if tokens is None else tokens, reply.cost_usd)
        return reply

    async def aclose(self) -> None:
        """Close the model's connections of the running event loop."""
        await close_connections(self.model)

    async def _asked(
        self,
        messages: Sequence[Message],
        tools: Sequence[ChatTool],
        parameters: Parameters,
        *,
        nonce: str,
        held: Reservation,
    ) -> ChatReply:
        sent = False
        try:
            async with self.limiter.slot(held.tokens_at_most // BYTES_A_TOKEN) as slot:
                sent = True
                began_s = time.monotonic()
                reply = await self.model.complete(messages, tools, parameters, nonce=nonce)
                reply = replace(reply, took_s=time.monotonic() - began_s)
                slot.correct(_tokens(reply) or held.tokens_at_most)
        except ModelFailure as failure:
            if not failure.answered_late:
                held.cancel()
            raise
        except asyncio.CancelledError:
            if not sent:
                held.cancel()
            raise
        return reply

    async def _reserved(self, tokens: int, usd: float | None) -> Reservation:
        until_s = time.monotonic() + MAX_WAIT_S
        with standing_still():
            while True:
                try:
                    return self.lease.reserve(tokens, usd)
                except BudgetReserved:
                    if time.monotonic() >= until_s:
                        raise
                    await asyncio.sleep(ASK_AGAIN_S)


def _tokens(reply: ChatReply) -> int | None:
    if reply.input_tokens is None or reply.output_tokens is None:
        return None
    return reply.input_tokens + reply.output_tokens
