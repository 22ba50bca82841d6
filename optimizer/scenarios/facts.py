"""What of a message is a fact that only the user can tell: ids, numbers, dates, names."""

import re
from collections.abc import Iterable

MAX_FACTS = 40
MAX_FACT_CHARS = 80

# Linear in the length of hostile text: no pattern can begin again inside of what it failed on.
_TOKEN = re.compile(r"(?:[^\s\"“”'‘’(),;!?<>{}\[\]$€£*`]|,(?=\d))+")
_DIGIT = re.compile(r"\d")
_NAME = re.compile(r"\b[A-Z][\w'’-]{1,40}(?: [A-Z][\w'’-]{1,40})+\b")
_INSIDE = re.compile(r"(?<=[a-z,;] )(?!I\W)[A-Z][\w-]{2,}")


def values_in(text: str) -> list[str]:
    """Return the values that ``text`` tells, in order, each once.

    Numbers and what holds a digit, names of several words, and words with a capital inside a sentence.

    >>> values_in("I am Ann Lee. My order W12 went to Oslo on 3 May, for $95.50.")
    ['W12', '3', '95.50', 'Ann Lee', 'Oslo']
    """
    tokens = (match[0] for match in _TOKEN.finditer(text))
    found = [token.strip(".,:/-") for token in tokens if _DIGIT.search(token)]
    found += [match[0] for match in _NAME.finditer(text)]
    found += [match[0] for match in _INSIDE.finditer(text)]
    kept: list[str] = []
    for value in found:
        if value and len(value) <= MAX_FACT_CHARS and not any(value in other for other in kept):
            kept.append(value)
    return kept[:MAX_FACTS]


def new_values(text: str, heard: Iterable[str]) -> tuple[str, ...]:
    """Return the values of ``text`` that occur in nothing of ``heard``."""
    before = "\n".join(heard).lower()
    return tuple(value for value in values_in(text) if value.lower() not in before)
