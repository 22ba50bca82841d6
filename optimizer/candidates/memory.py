"""Edits that were refused or lost before: they are not tried again under the same conditions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import TypeAdapter

from spanloop.optimizer.candidates.candidate import Edit
from spanloop.optimizer.candidates.edits import edit_hash
from spanloop.optimizer.candidates.texts import normalised
from spanloop.optimizer.context import Context, unix_text

NEAR = 0.7
"""Share of common word pairs from which two edits of the same places count as one."""
_WORDS = 2
_FEWEST = 4
"""Pairs below which a text is too short to be near another one."""

EDITS = TypeAdapter(tuple[Edit, ...])
"""Reads the column ``Edits``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Remembered:
    candidate_id: str
    places: frozenset[str]
    shingles: frozenset[tuple[str, ...]]


@dataclass(slots=True)
class Memory:
    """What was tried and turned down for one agent and one baseline.

    Attributes:
        tried: edits that were tested and did not ship, or that this cycle proposed, the newest last; engines
            are told, since they passed the scans. Refused ones are never told: their text may be hostile.
    """

    tried: list[tuple[Edit, ...]] = field(default_factory=list[tuple[Edit, ...]])
    _by_hash: dict[str, str] = field(default_factory=dict[str, str])
    _entries: list[_Remembered] = field(default_factory=list[_Remembered])

    def add_inplace(self, candidate_id: str, edits: Sequence[Edit]) -> None:
        """Remember ``edits`` as turned down, or as proposed already."""
        self._by_hash.setdefault(edit_hash(edits), candidate_id)
        self._entries.append(_remembered(candidate_id, edits))

    def find(self, edits: Sequence[Edit]) -> str:
        """Return the candidate that did the same, or nearly, before; '' = none."""
        known = self._by_hash.get(edit_hash(edits))
        if known is not None:
            return known
        asked = _remembered("", edits)
        return next((e.candidate_id for e in self._entries if _near(asked, e)), "")


def load_memory(
    context: Context, *, agent: str, baseline_hash: str, since: datetime | None = None
) -> Memory:
    """Return what was turned down for ``agent`` on this baseline; what stayed open may be tried again.

    Args:
        context: of the store.
        agent: whose.
        baseline_hash: another baseline is another question: what lost there may win here.
        since: decisions before this do not count: the model or the tools changed then.
    """
    rows = context.rows(
        "candidates/select_turned_down",
        {
            "agent": agent,
            "baseline": baseline_hash,
            "since": unix_text(int(since.timestamp() * 1_000) if since else 0),
        },
    )
    memory = Memory()
    for candidate_id, state, text in rows:
        edits = EDITS.validate_json(str(text))
        if state in ("refused", "rejected", "screened"):
            memory.add_inplace(str(candidate_id), edits)
        if state != "refused":
            memory.tried.append(edits)
    return memory


def _remembered(candidate_id: str, edits: Iterable[Edit]) -> _Remembered:
    places: set[str] = set()
    shingles: set[tuple[str, ...]] = set()
    for edit in edits:
        places.add(f"{edit.operation} {edit.component}")
        for text in (edit.passage, edit.text):
            words = normalised(text).split()
            shingles |= {
                tuple(words[at : at + _WORDS]) for at in range(max(1, len(words) - _WORDS + 1))
            }
    return _Remembered(
        candidate_id=candidate_id, places=frozenset(places), shingles=frozenset(shingles - {()})
    )


def _near(one: _Remembered, other: _Remembered) -> bool:
    """Return whether both change the same places with nearly the same words.

    A switch or a value has no words to be near in: only the same edit is the same.
    """
    if one.places != other.places or len(one.shingles) < _FEWEST:
        return False
    union = len(one.shingles | other.shingles)
    return len(one.shingles & other.shingles) >= NEAR * union
