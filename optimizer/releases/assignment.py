"""Which release a conversation gets. The client helper does the same, to the last bit (`spanloop.client`)."""

import hashlib


def position(unit: str, salt: str) -> float:
    """Return where ``unit`` (a conversation or user id) stands, uniform in [0, 1): the same for ever.

    The salt is the canary's release id, so that every canary meets other conversations. The first 53 bits of
    SHA-256 of ``salt``, a newline and ``unit``: as many as a double holds exactly.

    >>> position("conversation-1", "release-1")
    0.7637452084126275
    """
    digest = hashlib.sha256(f"{salt}\n{unit}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / (1 << 53)


def in_canary(unit: str, salt: str, share: float) -> bool:
    """Return whether ``unit`` is among the ``share`` of units that get the canary.

    A larger share keeps everyone who is in.
    """
    return position(unit, salt) < share
