"""What a tool does to the world: it reads, it changes something, or it hands the conversation over.

No name of any particular tool is known. A name's English verbs decide where it has some. Another name
counts as changing only if it is used like that: rarely, hardly ever twice with the same arguments, and
mostly right after the user agreed; the last is not asked of names of several words, which mostly begin
with a verb (``redye_hair``).
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from spanloop.optimizer.satisfaction.lexicon import (
    CHANGING_VERBS,
    HANDOVER_WORDS,
    READING_VERBS,
)

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


class Effect(StrEnum):
    """What a call does."""

    READS = "reads"
    CHANGES = "changes"
    HANDS_OVER = "hands_over"


class ToolUse(NamedTuple):
    """How one tool is used.

    Attributes:
        name: of the tool.
        calls: how many were seen.
        repeated: share of calls that repeat the arguments of an earlier one in their trajectory.
        after_consent: share of calls whose last message before them is a user's that agrees.
        a_trajectory: calls per trajectory that calls it at all.
    """

    name: str
    calls: int
    repeated: float
    after_consent: float
    a_trajectory: float


def effect(use: ToolUse) -> Effect:
    """Return what ``use`` suggests a call of the tool does."""
    words = [word.lower() for word in _WORD.findall(use.name)]
    if HANDOVER_WORDS.intersection(words):
        return Effect.HANDS_OVER
    if words and words[0] in READING_VERBS:
        return Effect.READS
    if CHANGING_VERBS.intersection(words):
        return Effect.CHANGES
    if READING_VERBS.intersection(words):
        return Effect.READS
    rare = use.calls >= 5 and use.repeated <= 0.1 and use.a_trajectory <= 2
    agreed = use.after_consent >= 0.5
    return Effect.CHANGES if rare and (agreed or len(words) > 1) else Effect.READS


def effects(uses: Iterable[ToolUse]) -> dict[str, Effect]:
    """Return tool → effect."""
    return {use.name: effect(use) for use in uses}
