"""Connections of an event loop are closed within it."""

import asyncio
from typing import cast

import pytest

from spanloop.optimizer.context import Context
from spanloop.optimizer.experiments.fakes import fixed_score
from spanloop.optimizer.experiments.parts import ExperimentParts
from spanloop.optimizer.experiments.rounds import Rounds
from spanloop.optimizer.models import Lease
from spanloop.optimizer.models.chat import Message
from spanloop.optimizer.models.fakes import ScriptedChat
from spanloop.optimizer.models.guarded import GuardedChat
from spanloop.optimizer.models.rate_limit import RateLimiter, RateLimits
from spanloop.optimizer.replay import KeepingEmitter, ReplayTarget


class Connected(ScriptedChat):
    closed = 0

    async def aclose(self) -> None:
        asyncio.get_running_loop()
        self.closed += 1


def rounds(model: ScriptedChat) -> Rounds:
    lease, limiter = Lease(max_tokens=1), RateLimiter(RateLimits())
    guarded = GuardedChat(model=model, lease=lease, limiter=limiter)
    parts = ExperimentParts(
        target=ReplayTarget(model=guarded, emitter=KeepingEmitter()),
        assessor=fixed_score(1.0),
        lease=lease,
        limiter=limiter,
    )
    return Rounds(cast(Context, None), parts, stored=(), may_recover=False)


def said(*_: object) -> Message:
    return Message(role="assistant", content="yes")


def test_the_model_is_closed_when_rounds_end_however_they_do() -> None:
    model = Connected(said)
    with rounds(model):
        assert model.closed == 0
    assert model.closed == 1
    with pytest.raises(KeyError), rounds(model):
        raise KeyError
    assert model.closed == 2


def test_a_model_without_connections_needs_no_closing() -> None:
    with rounds(ScriptedChat(said)):
        pass
