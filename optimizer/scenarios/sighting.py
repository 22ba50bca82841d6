"""What is compared of a run or of a scenario: who asked, what for, with which tools."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

MAX_MESSAGES = 12
MAX_MESSAGE_CHARS = 1_500
"""Of the user, that are compared."""

MIN_ID_CHARS = 5
_ID = re.compile(r"[\w@+](?:[\w@.+-]*[\w@+])?")
_TELLING = re.compile(r"[\d@]")
_TOKEN = re.compile(r"\S+")
_PLACEHOLDER = re.compile(r"<[A-Z_]{1,20}>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A run of production, or a scenario, as far as it is compared.

    Attributes:
        key: trajectory id, or scenario id.
        owners: who it belongs to: user and conversation; '' is nobody.
        start: of the run; of a scenario's newest sighting.
        probability: that the user was satisfied; None = unknown.
        drawn: whether it belongs to the random sample that tells shares of traffic.
        patterns: that it shows.
        told: messages of the user, in order.
        tools: that were called.
    """

    key: str
    start: datetime
    told: Sequence[str]
    tools: frozenset[str] = frozenset()
    owners: frozenset[str] = frozenset()
    stratum: str = ""
    probability: float | None = None
    drawn: bool = True
    patterns: frozenset[str] = frozenset()

    @property
    def request(self) -> str:
        """What the user said, in one text."""
        return "\n".join(self.told)


def masked(text: str) -> str:
    """Return ``text`` without what tells one case from the next of its kind: numbers, ids, addresses.

    >>> masked("Cancel order #W12 of ann@example.org, please")
    'cancel order of please'
    """
    plain = _PLACEHOLDER.sub(" ", text)
    kept = (token for token in _TOKEN.findall(plain) if not _TELLING.search(token))
    return " ".join(kept).lower()


def identifiers(text: str) -> frozenset[str]:
    """Return the words of ``text`` that may name one person or thing: those with a digit or an ``@``.

    >>> sorted(identifiers("order #W9348897 of ann@example.org, 3 items"))
    ['ann@example.org', 'w9348897']
    """
    words = (match[0] for match in _ID.finditer(text))
    return frozenset(
        word.lower() for word in words if len(word) >= MIN_ID_CHARS and _TELLING.search(word)
    )
