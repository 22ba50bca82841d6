"""Candidates as the store holds them: the facts behind ``spanloop candidates`` and its ``--json``."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from spanloop.service.exploring import Explorer, Row

STATES = (
    "proposed",
    "refused",
    "screened",
    "deferred",
    "testing",
    "shipped",
    "rejected",
    "inconclusive",
    "unsupported",
    "empty",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateFilter:
    """Which candidates to list; '' means any."""

    agent: str = ""
    state: str = ""
    pattern: str = ""
    n: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateExplorer(Explorer):
    """Answers about candidates."""

    def candidates(self, wanted: CandidateFilter) -> Sequence[Row]:
        """List candidates, the newest first."""
        return self._rows(
            "select_candidates",
            agent=wanted.agent,
            state=wanted.state,
            pattern=wanted.pattern,
            n=wanted.n,
        )

    def candidate(self, name: str) -> Row:
        """Return one candidate with its edits.

        Raises:
            PermanentError: none, or several, are called so.
        """
        found = self._one("select_candidate", name, "candidate")
        return {**found, "edits": json.loads(found["edits"])}
