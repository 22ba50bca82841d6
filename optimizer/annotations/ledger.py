"""What is new: notes against what the ledger says was written before. Pure.

A version is numbered over all endpoints, so that the same version has the same bytes wherever it is sent. An
entry is written as ``pending`` before it is sent and as ``sent`` once acknowledged: whatever happened in
between, the next run repeats the same bytes or, if the finding changed meanwhile, a new version.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from spanloop.optimizer.annotations.note import (
    RETRACTED,
    Evaluation,
    Key,
    Kind,
    Note,
    Target,
    annotation_id,
)
from spanloop.optimizer.annotations.spans import Issue, payload_hash, verdict_hash

RETRACTABLE: tuple[Kind, ...] = ("satisfaction", "pattern", "assessment", "scenario")
"""What may cease to hold; that an experiment or a release was decided stays true."""
MOVABLE: tuple[Kind, ...] = ("scenario", "experiment", "release")
"""What stands where its evidence is: of one that holds, what was written elsewhere is taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The newest version of a finding at one endpoint; fields as the columns of table ``annotations``."""

    key: Key
    endpoint: str
    project: str
    agent: str
    version: int
    label: str
    score: float | None
    payload: str
    verdict: str
    retracted: bool
    state: Literal["pending", "sent"]
    found_ms: int
    moment_ms: int
    sent_ms: int | None = None
    logged_ms: int | None = None

    @property
    def span_id(self) -> str:
        """Id of its span."""
        return annotation_id(self.key, self.version)


def decide(note: Note, entries: Collection[Entry], endpoint: str) -> Issue | None:
    """Return the version of ``note`` to send to ``endpoint``, None if what it has is good.

    ``entries`` are those of its key, one for each endpoint.
    """
    if not entries:
        return Issue(note=note, version=1, found_ms=note.found_ms)
    mine = next((entry for entry in entries if entry.endpoint == endpoint), None)
    if mine is not None and mine.state == "sent" and _says(mine, note):
        return None
    return _version(note, entries, payload_hash(note), retracted=False)


def retract(entry: Entry, entries: Collection[Entry], target: Target, now_ms: int) -> Issue | None:
    """Return the version that takes ``entry`` back, None if that is done; ``entries`` as in `decide`."""
    if entry.retracted and entry.state == "sent":
        return None
    kind, _, _, identifier = entry.key
    note = Note(
        kind=kind,
        identifier=identifier,
        project=entry.project,
        agent=entry.agent,
        target=target,
        name=f"{kind} {RETRACTED}",
        found_ms=now_ms,
        moment_ms=entry.moment_ms,
        evaluation=Evaluation(name=kind, label=RETRACTED),
        links=(target,),
    )
    return _version(note, entries, payload_hash(note), retracted=True)


def unlogged(note: Note, entries: Collection[Entry], endpoint: str) -> Entry | None:
    """Return the entry of ``note`` whose span is at ``endpoint`` without its log event; None without one."""
    for entry in entries:
        if entry.endpoint == endpoint and entry.state == "sent" and entry.logged_ms is None:
            same = not entry.retracted and entry.payload == payload_hash(note)
            return entry if same else None
    return None


def entry_of(issue: Issue, endpoint: str) -> Entry:
    """Return what the ledger is to hold of ``issue`` before it is sent to ``endpoint``."""
    note = issue.note
    return Entry(
        key=note.key,
        endpoint=endpoint,
        project=note.project,
        agent=note.agent,
        version=issue.version,
        label=note.label,
        score=note.score,
        payload=payload_hash(note),
        verdict=verdict_hash(note),
        retracted=issue.retracted,
        state="pending",
        found_ms=issue.found_ms,
        moment_ms=note.moment_ms,
    )


def _version(note: Note, entries: Collection[Entry], payload: str, *, retracted: bool) -> Issue:
    """Return the newest version again if it has these bytes, else the one after it."""
    newest = max(entries, key=lambda entry: entry.version)
    if newest.payload == payload and newest.retracted == retracted:
        return Issue(
            note=note, version=newest.version, found_ms=newest.found_ms, retracted=retracted
        )
    return Issue(note=note, version=newest.version + 1, found_ms=note.found_ms, retracted=retracted)


def _says(entry: Entry, note: Note) -> bool:
    """Whether ``entry`` still says what ``note`` does."""
    if entry.retracted or entry.verdict != verdict_hash(note):
        return False
    if note.tolerance is None or note.score is None or entry.score is None:
        return entry.score == note.score
    return abs(entry.score - note.score) < note.tolerance


def by_key(entries: Sequence[Entry]) -> dict[Key, list[Entry]]:
    """Return ``entries`` by what they are about."""
    found: dict[Key, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.key, []).append(entry)
    return found
