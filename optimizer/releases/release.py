"""A release: a configuration that is, was or may be served to an agent; and what happened to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from spanloop.optimizer.configuration import AgentConfiguration, digest
from spanloop.processor.errors import PermanentError

State = Literal["proposed", "canary", "current", "superseded", "rolled_back", "refused"]
SERVED: frozenset[State] = frozenset({"canary", "current"})

Action = Literal[
    "proposed",
    "registered",
    "approved",
    "refused",
    "canary",
    "promoted",
    "superseded",
    "rolled_back",
]

Mode = Literal["manual", "canary", "auto"]
"""Who lets a proven candidate into production.

``manual``: a person approves it. ``canary``: it becomes a canary by itself, and the current release once
live traffic shows that it is not worse. ``auto``: the same, and where live traffic cannot tell in its time,
the experiment it rests on decides.
"""

SPANLOOP = "spanloop"
"""The actor of what no person did."""


class ReleaseConflict(PermanentError):
    """The release is not in a state in which this can be done to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What live traffic says of a release; None = nothing yet.

    Attributes:
        effect: satisfaction less that of the release it is compared with.
        n: judged trajectories of it.
        e_worse: evidence that it is worse.
    """

    effect: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    e_worse: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A version of a release; columns of ``releases`` (docs/tables.md).

    Attributes:
        share: of conversations that get it, 0 to 1.
        previous: release that a roll-back returns to; while it is proposed, the one it was tested against.
    """

    release_id: str
    project: str
    agent: str
    number: int
    state: State
    share: float = 0.0
    configuration: AgentConfiguration
    previous: str = ""
    candidate_id: str = ""
    experiment_id: str = ""
    effect: float | None = None
    live: Live = Live()
    created_at: datetime
    activated_at: datetime | None = None
    version: int = 0

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"release {self.number} ({self.release_id}) of {self.agent!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A row of the audit trail."""

    release: Release
    action: Action
    actor: str
    reason: str
    evidence: Mapping[str, Any]
    at: datetime

    @property
    def event_id(self) -> str:
        """The same for the same thing done at the same time."""
        return digest([self.release.release_id, self.action, self.actor, self.at.isoformat()])


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who does something, when, why, on what evidence."""

    actor: str
    at: datetime
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict[str, Any])
