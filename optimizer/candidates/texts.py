"""Texts as they are read and compared, whatever characters they hide."""

import re
import unicodedata

HIDDEN_KINDS = {
    "Cf": "invisible characters",
    "Cc": "control characters",
    "Co": "private-use characters",
    "Cn": "unassigned characters",
    "Cs": "half characters",
}
"""General categories of Unicode whose characters are not seen, and what they are called."""


def visible(text: str) -> str:
    """Return ``text`` as a model reads it: compatibility forms, without hidden characters."""
    return unicodedata.normalize("NFKC", text).translate(_VISIBLE)


def normalised(text: str) -> str:
    r"""Return ``text`` as it is compared: hidden characters, case, spaces and punctuation aside.

    >>> normalised("Always  con\u200bfirm,\nplease.")
    'always confirm please'
    """
    return " ".join(re.findall(r"\w+", visible(text).casefold()))


class _Visible(dict[int, int | None]):
    """Code points as `str.translate` takes them, each looked up once."""

    def __missing__(self, code: int) -> int | None:
        self[code] = None if is_hidden(chr(code)) else code
        return self[code]


_VISIBLE = _Visible()


def is_hidden(character: str) -> bool:
    """Return whether nobody sees ``character``; line ends and tabs are seen."""
    if character in "\n\t\r":
        return False
    selector = "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
    blank = character in "\u115f\u1160\u3164\uffa0\u2800"
    return selector or blank or unicodedata.category(character) in HIDDEN_KINDS
