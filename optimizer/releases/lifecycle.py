"""What may happen to the releases of one agent. Pure: every step returns the releases that change, and why.

::

    propose ─→ proposed ──approve──→ canary ──promote──→ current ──next one──→ superseded
                  │                    │                   │
                  └─refuse→ refused    └────roll back──────┴─→ rolled_back

An agent has one current release and at most one canary. A canary is compared with the current release, so it
goes with it: when another becomes current, the canary is superseded.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

from spanloop.optimizer.releases.release import (
    Action,
    By,
    Event,
    Live,
    Release,
    ReleaseConflict,
    State,
)

Line = Sequence[Release]
"""All releases of one agent."""


class Change(NamedTuple):
    """What a step changes; both are stored together."""

    releases: tuple[Release, ...]
    events: tuple[Event, ...]


def current_of(line: Line) -> Release | None:
    """Return the current release.

    Two processes on one server may both have promoted: the one activated last counts, in every reader alike.
    """
    return max((r for r in line if r.state == "current"), key=_activation, default=None)


def canary_of(line: Line) -> Release | None:
    """Return the canary; of several the one activated last."""
    return max((r for r in line if r.state == "canary"), key=_activation, default=None)


def next_number(line: Line) -> int:
    """Return the number of the agent's next release, from 1."""
    return max((r.number for r in line), default=0) + 1


def register(line: Line, release: Release, by: By, *, share: float = 1.0) -> Change:
    """Take ``release`` on a person's word: current at once, or with a share below 1 as a canary.

    Raises:
        ReleaseConflict: it cannot be a canary, see `begin_canary`.
    """
    told = _event(release, "registered", by)
    if share >= 1:
        return _as_current(line, release, by, [told])
    current = current_of(line)
    tested = replace(release, previous=current.release_id if current else "")
    begun = begin_canary([*line, tested], release.release_id, by, share=share)
    return Change(begun.releases, (told, *begun.events))


def propose(line: Line, release: Release, by: By) -> Change:
    """Enter ``release`` as proposed."""
    return Change((release,), (_event(release, "proposed", by),))


def approve(line: Line, release_id: str, by: By, *, share: float) -> Change:
    """Let a proposed release into production, or give a canary a larger share.

    With a share of 1, or where nothing is current yet, it becomes the current release.

    Raises:
        ReleaseConflict: it is neither proposed nor a canary, another canary is under way, or the share of
            a canary would shrink (conversations would change sides).
    """
    release = find(line, release_id)
    need(release, "approved", "proposed", "canary")
    told = _event(release, "approved", by)
    current, canary = current_of(line), canary_of(line)
    if share >= 1 or current is None:
        return _as_current(line, release, by, [told])
    if canary is not None and canary.release_id != release_id:
        raise ReleaseConflict(f"{canary.label} is a canary already: promote or roll it back first")
    if share < release.share:
        raise ReleaseConflict(
            f"{release.label} has a share of {release.share:g}; a smaller one would move conversations"
        )
    return _as_canary(release, by, share, [told])


def begin_canary(line: Line, release_id: str, by: By, *, share: float) -> Change:
    """Begin to serve a proposed release to ``share`` of conversations.

    Raises:
        ReleaseConflict: it is not proposed, nothing is current, another canary is under way, or the share
            leaves nobody on one side.
    """
    release = find(line, release_id)
    if not 0 < share < 1:
        raise ReleaseConflict(f"a canary's share lies between 0 and 1, not at {share:g}")
    need(release, "made a canary", "proposed")
    if current_of(line) is None:
        raise ReleaseConflict(f"{release.agent!r} has no current release to compare a canary with")
    if (canary := canary_of(line)) is not None:
        raise ReleaseConflict(f"{canary.label} is a canary already: promote or roll it back first")
    return _as_canary(release, by, share, [])


def promote(line: Line, release_id: str, by: By) -> Change:
    """Make a canary the current release.

    Raises:
        ReleaseConflict: it is no canary.
    """
    release = find(line, release_id)
    need(release, "promoted", "canary")
    return _as_current(line, release, by, [])


def refuse(line: Line, release_id: str, by: By) -> Change:
    """Say no to a proposed release.

    Raises:
        ReleaseConflict: it is not proposed; what is served is rolled back instead.
    """
    release = find(line, release_id)
    need(release, "refused", "proposed")
    refused = replace(_versioned(release, by), state="refused")
    return Change((refused,), (_event(refused, "refused", by),))


def roll_back(line: Line, release_id: str, by: By) -> Change:
    """Take a canary or the current release out of production.

    With the current release goes a canary that builds on it; the release before becomes current again.

    Raises:
        ReleaseConflict: it is not served, or nothing is known that came before it.
    """
    release = find(line, release_id)
    need(release, "rolled back", "canary", "current")
    gone = replace(_versioned(release, by), state="rolled_back", share=0.0)
    told = _event(gone, "rolled_back", by)
    if release.state == "canary":
        return Change((gone,), (told,))
    before = next((r for r in line if r.release_id == release.previous), None)
    if before is None:
        raise ReleaseConflict(f"{release.label} has none before it to return to; register one")
    # Without it in the line, what it returns to keeps its own `previous`: rolled back in turn, it leads on.
    back = _as_current([r for r in line if r.release_id != release.release_id], before, by, [])
    return Change((gone, *back.releases), (told, *back.events))


def with_live(release: Release, live: Live, by: By) -> Change:
    """Note what live traffic says; no event, since nothing is done about it."""
    return Change((replace(_versioned(release, by), live=live),), ())


def is_stale(line: Line, release: Release) -> bool:
    """Return whether a proposed release was tested against another one than is current now."""
    current = current_of(line)
    return current is not None and release.previous != current.release_id


def find(line: Line, release_id: str) -> Release:
    """Return a release by its id or the beginning of it.

    Raises:
        ReleaseConflict: there is none, or several.
    """
    found = [r for r in line if release_id and r.release_id.startswith(release_id)]
    if len(found) != 1:
        how_many = "several releases have" if found else "no release has"
        raise ReleaseConflict(f"{how_many} the id {release_id!r}")
    return found[0]


def need(release: Release, what: str, *states: State) -> None:
    """Refuse unless ``release`` is in one of ``states``.

    Raises:
        ReleaseConflict: it is not.
    """
    if release.state not in states:
        raise ReleaseConflict(
            f"{release.label} is {release.state}; only a {' or '.join(states)} one can be {what}"
        )


def _as_canary(release: Release, by: By, share: float, told: list[Event]) -> Change:
    canary = replace(
        _versioned(release, by),
        state="canary",
        share=share,
        activated_at=release.activated_at or by.at,
    )
    return Change((canary,), (*told, _event(canary, "canary", by, share=share)))


def _as_current(line: Line, release: Release, by: By, told: list[Event]) -> Change:
    """Make ``release`` current, and supersede what was served beside it."""
    served = [r for r in line if r.state in ("canary", "current")]
    others = [r for r in served if r.release_id != release.release_id]
    before = current_of(others)
    current = replace(
        _versioned(release, by),
        state="current",
        share=1.0,
        previous=before.release_id if before else release.previous,
        activated_at=by.at,
    )
    gone = [replace(_versioned(r, by), state="superseded", share=0.0) for r in others]
    events = [
        *told,
        _event(current, "promoted", by),
        *(_event(r, "superseded", by) for r in gone),
    ]
    return Change((current, *gone), tuple(events))


def _event(release: Release, action: Action, by: By, **evidence: float) -> Event:
    return Event(
        release=release,
        action=action,
        actor=by.actor,
        reason=by.reason,
        evidence={**by.evidence, **evidence},
        at=by.at,
    )


def _versioned(release: Release, by: By) -> Release:
    """Return ``release`` under a version above its own, also within one millisecond."""
    return replace(release, version=max(milliseconds(by.at), release.version + 1))


def milliseconds(at: datetime) -> int:
    """Return milliseconds since 1970, exactly."""
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000 + since.microseconds // 1_000


def _activation(release: Release) -> tuple[int, int, str]:
    at = release.activated_at
    return (milliseconds(at) if at else 0, release.number, release.release_id)
