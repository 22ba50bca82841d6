"""Where a pattern stands: new, open, mitigated, resolved, regressed.

What decides is how often it occurs now against how often it once did, both with their intervals, so that a
quiet day changes nothing. "Now" is the newest `RECENT_DAYS` with data; "once" is the highest prevalence
that any earlier stretch of as many days surely reached. The bounds to leave a state and to come back to it
lie apart (hysteresis).

| from | to | when |
|---|---|---|
| (none) | new | first analysis that finds it |
| new | open | a later analysis sees it still |
| new, open, regressed | mitigated | now surely below half of once |
| any but resolved | resolved | now surely below a tenth of once |
| mitigated | open | now surely above three quarters of once |
| resolved | regressed | now surely above a quarter of once, in at least `MIN_RETURNS` trajectories |
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from spanloop.optimizer.statistics.intervals import wilson

State = Literal["new", "open", "mitigated", "resolved", "regressed"]
UNSOLVED: Collection[State] = ("new", "open", "regressed")
"""What is still worked on."""

RECENT_DAYS = 7
MITIGATED_BELOW = 0.5
RESOLVED_BELOW = 0.1
REOPENED_ABOVE = 0.75
REGRESSED_ABOVE = 0.25
"""Shares of the former prevalence, see the table above."""
MIN_RETURNS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """How often a pattern occurs.

    Attributes:
        members: now.
        trajectories: comparable ones now.
        once: share of comparable trajectories that it formerly reached for sure; None without a past.
        trend: prevalence of the newer half of all days less that of the older half; None if either
            half has no trajectory.
    """

    members: int
    trajectories: int
    once: float | None
    trend: float | None


def occurrence(members: Mapping[date, int], trajectories: Mapping[date, int]) -> Occurrence:
    """Return how often a pattern occurs, from counts by day.

    Args:
        members: trajectories that show it.
        trajectories: all comparable ones of the agents that show it.
    """
    if not trajectories:
        return Occurrence(members=0, trajectories=0, once=None, trend=None)
    newest = max(trajectories)
    stretches: dict[int, tuple[int, int]] = {}
    for day, count in trajectories.items():
        at = (newest - day).days // RECENT_DAYS
        m, n = stretches.get(at, (0, 0))
        stretches[at] = (m + members.get(day, 0), n + count)
    m, n = stretches.pop(0)
    former = [wilson(min(a, b), b).low or 0.0 for a, b in stretches.values() if b]
    return Occurrence(
        members=min(m, n),
        trajectories=n,
        once=max(former) if former else None,
        trend=_trend(members, trajectories),
    )


def next_state(state: State | None, seen: Occurrence) -> State:
    """Return the state after an analysis that found ``seen``; ``state`` is the one before."""
    if state is None:
        return "new"
    settled: State = "open" if state == "new" else state
    if not seen.once or not seen.trajectories:
        return settled
    now = wilson(seen.members, seen.trajectories)
    low, high = (now.low or 0.0) / seen.once, (1.0 if now.high is None else now.high) / seen.once
    if settled == "resolved":
        back = low > REGRESSED_ABOVE and seen.members >= MIN_RETURNS
        return "regressed" if back else "resolved"
    if high < RESOLVED_BELOW:
        return "resolved"
    if high < MITIGATED_BELOW:
        return "mitigated"
    if settled == "mitigated" and low > REOPENED_ABOVE:
        return "open"
    return settled


def _trend(members: Mapping[date, int], trajectories: Mapping[date, int]) -> float | None:
    oldest, newest = min(trajectories), max(trajectories)
    middle = oldest + timedelta(days=(newest - oldest).days // 2)
    older = [day for day in trajectories if day <= middle]
    newer = [day for day in trajectories if day > middle]
    if not older or not newer:
        return None
    return _share(newer, members, trajectories) - _share(older, members, trajectories)


def _share(
    days: Sequence[date], members: Mapping[date, int], trajectories: Mapping[date, int]
) -> float:
    total = sum(trajectories[day] for day in days)
    return sum(members.get(day, 0) for day in days) / total if total else 0.0
