"""Versioned configurations: who gets which, canary, live check, roll-back.

`lifecycle` says what may happen (pure), `acting` does it, `assignment` says who gets the canary, `document`
what an agent is told, `live` what its traffic says of it.
"""

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

__all__ = [
    "By",
    "Live",
    "Mode",
    "Release",
    "ReleaseConflict",
    "ReleaseProposal",
    "State",
    "approve",
    "begin_waiting_canary",
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
