"""Versioned configurations: who gets which, canary, live check, roll-back.

`lifecycle` says what may happen (pure), `acting` does it, `assignment` says who gets the canary, `document`
what an agent is told, `live` what its traffic says of it.
"""

import importlib
from typing import TYPE_CHECKING, Any

from spanloop.optimizer.releases.acting import (
    ReleaseProposal,
    approve,
    begin_waiting_canary,
    current_release,
    propose_release,
    refuse,
    register,
    roll_back,
)
from spanloop.optimizer.releases.release import (
    By,
    Live,
    Mode,
    Release,
    ReleaseConflict,
    State,
)
from spanloop.optimizer.releases.stored import (
    configuration_by_hash,
    load_events,
    load_releases,
    load_served,
)

if TYPE_CHECKING:
    from spanloop.optimizer.releases.live import LiveSettings, LiveVerdict, check_live

__all__ = [
    "By",
    "Live",
    "LiveSettings",
    "LiveVerdict",
    "Mode",
    "Release",
    "ReleaseConflict",
    "ReleaseProposal",
    "State",
    "approve",
    "begin_waiting_canary",
    "check_live",
    "configuration_by_hash",
    "current_release",
    "load_events",
    "load_releases",
    "load_served",
    "propose_release",
    "refuse",
    "register",
    "roll_back",
]

_LATE = ("LiveSettings", "LiveVerdict", "check_live")


def __getattr__(name: str) -> Any:
    """Load `live` when it is asked for: a server that only serves configurations needs no scipy."""
    if name in _LATE:
        return getattr(importlib.import_module("spanloop.optimizer.releases.live"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
