"""A scenario: a situation taken from production that can be played again. All its texts are redacted."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from spanloop.optimizer.configuration import digest

Split = Literal["train", "validation", "test", "fresh"]
State = Literal["active", "retired", "merged", "dropped"]
Validity = Literal["unchecked", "reproduced", "contradicted"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TapeCall(_Part):
    """A recorded call of a tool.

    Attributes:
        trajectory: which recording it is from: order and state hold within one recording only.
        position: among the calls of its recording, from 0.
        arguments: JSON text as recorded.
        result: None where the recording does not carry it.
        writes: whether it changed something, as far as recordings tell.
        after_reaction: whether the user's last message before it answered a failure of the agent
            (`UserTurn.reaction`), as far as recordings tell.
    """

    trajectory: str
    position: int
    tool: str
    arguments: str
    result: str | None
    status: Literal["ok", "error", ""] = ""
    writes: bool = False
    after_reaction: bool = False


class UserTurn(_Part):
    """What the user said after the opening, and what of it was new.

    Attributes:
        facts: values (ids, names, numbers) that the user tells only here.
        reaction: it answers a failure of the agent (a correction, a repetition): said again only if the
            same failure shows.
        after: what the agent had said just before, '' if unknown; by it the same failure, or the same
            question, is known again.
    """

    text: str
    facts: tuple[str, ...] = ()
    reaction: bool = False
    after: str = ""


class Criterion(_Part):
    """An observable condition of success, checked by code.

    Attributes:
        kind: ``calls`` = tool ``name`` with at least the arguments in ``value`` (JSON); ``avoids`` = never
            ``name``; ``says`` = an answer holds ``value``; ``lacks_pattern`` = the predicate ``value`` does
            not hold; ``ends`` = the episode comes to an answer.
        support: share of satisfied recordings that meet it, 0 to 1.
    """

    kind: Literal["calls", "avoids", "says", "lacks_pattern", "ends"]
    name: str = ""
    value: str = ""
    support: float = 1.0


class ToolSchema(_Part):
    """A tool as it was offered: JSON Schema text of its parameters."""

    name: str
    description: str = ""
    parameters: str = "{}"


class Content(_Part):
    """What is played: everything that a version of a scenario may change.

    Attributes:
        opening: the user's first message.
        greeting: what the agent says before it, '' if nothing.
        parting: the agent's last words in the recording, which the user answered no more.
    """

    opening: str
    greeting: str = ""
    parting: str = ""
    turns: tuple[UserTurn, ...] = ()
    facts: tuple[str, ...] = ()
    persona: str = ""
    system: str = ""
    tools: tuple[ToolSchema, ...] = ()
    tape: tuple[TapeCall, ...] = ()
    criteria: tuple[Criterion, ...] = ()

    @property
    def hash(self) -> str:
        """32 hex digits."""
        return digest(self.model_dump(mode="json"))


class Scenario(_Part):
    """A version of a scenario; columns of ``scenarios`` (docs/tables.md)."""

    scenario_id: str
    project: str = ""
    agent: str = ""
    state: State = "active"
    origin: Literal["pattern", "traffic"] = "traffic"
    pattern_ids: tuple[str, ...] = ()
    split: Split = "train"
    generation: int = 0
    cluster_key: str = ""
    stratum: str = ""
    goal: str = ""
    content: Content
    trajectories: tuple[str, ...] = ()
    trace_ids: tuple[str, ...] = ()
    weight: float = Field(default=1.0, ge=0)
    production_satisfied: float | None = None
    validity: Validity = "unchecked"
    validity_runs: int = 0
    first_seen: datetime
    last_seen: datetime
    merged_into: str = ""
    version: int = 0
