"""How a user writes, as far as messages show it: length, case, politeness. No guess about the person."""

import re
from collections.abc import Sequence

_POLITE = re.compile(r"\b(?:please|thank|thanks|kindly|appreciate)\b", re.IGNORECASE)
_CURT_WORDS = 12
_LONG_WORDS = 40


def persona(messages: Sequence[str]) -> str:
    """Return one line on the style of ``messages``, '' without any.

    >>> persona(["cancel my order", "yes"])
    'Writes messages of about 2 words (curt), in lower case, without please or thanks.'
    """
    if not messages:
        return ""
    words = round(sum(len(message.split()) for message in messages) / len(messages))
    length = "curt" if words <= _CURT_WORDS else "long" if words >= _LONG_WORDS else "medium"
    text = "\n".join(messages)
    letters = [character for character in text if character.isalpha()]
    share = sum(c.isupper() for c in letters) / len(letters) if letters else 0.0
    case = "in lower case" if share < 0.01 else "in capitals" if share > 0.6 else "in mixed case"
    polite = sum(bool(_POLITE.search(message)) for message in messages) / len(messages)
    manner = (
        "without please or thanks"
        if polite == 0
        else "with please or thanks in most messages"
        if polite >= 0.5
        else "seldom with please or thanks"
    )
    exclaims = ", with exclamation marks" if text.count("!") >= len(messages) else ""
    return f"Writes messages of about {words} words ({length}), {case}, {manner}{exclaims}."
