"""Bearer tokens: who may send, and for which project."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tokens:
    """Accepted tokens, kept as digests so that looking one up leaks no timing of its text.

    Without tokens everyone may send, for ``default_project``.
    """

    projects: Mapping[bytes, str]
    default_project: str

    @classmethod
    def of(cls, tokens: Mapping[str, str], *, default_project: str) -> "Tokens":
        """Build from token → project."""
        return cls(
            {_digest(token.encode()): project for token, project in tokens.items()}, default_project
        )

    def project_of(self, authorization: str | None) -> str | None:
        """Return the project an ``Authorization`` header is good for, None if for none."""
        if not self.projects:
            return self.default_project
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        # Both transports hand over a header's bytes as Latin-1.
        return self.projects.get(_digest(token.strip().encode("latin-1", "replace")))


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()
