"""What chance each labelled trajectory had of being labelled, over all audit samples together.

Samples overlap: one of all traffic, then one of an agent, then one of last week. Counting each label
by its own sample's probability would count what two samples cover twice. A label's weight is the
inverse of the probability that *any* sample covers it, ``1 - prod_s (1 - q_s)`` over the samples
whose frame holds the trajectory (the single-frame estimator of Kalton and Anderson, JRSS A 149 (1986)
65), with q_s the share that was in truth labelled of the frame: a sample is labelled in random order,
so a half-labelled one is a smaller random sample.
"""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One stratum of one audit sample.

    Attributes:
        agent: drawn from this agent alone; '' = any.
        release: drawn from this release alone; '' = any.
        since: start of what it was drawn from, seconds since 1970.
        until: when it was drawn; later trajectories had no chance.
        share: labelled of the trajectories that it was drawn from, 0 to 1.
    """

    agent: str
    release: str
    since: float
    until: float
    share: float

    def holds(self, agent: str, release: str, start: float) -> bool:
        """Whether a trajectory could have been drawn."""
        return (
            self.agent in ("", agent)
            and self.release in ("", release)
            and self.since <= start < self.until
        )


def frame(filters: str, stratum: str, *, drawn_at: float, population: int, labelled: int) -> Frame:
    """Read one stratum of ``label_samples``.

    Args:
        filters: JSON of the draw: agent, release, since, stratified.
        stratum: the agent, in a stratified sample.
        drawn_at: when, seconds since 1970.
        population: trajectories of the stratum then.
        labelled: of those drawn.
    """
    chosen = json.loads(filters)
    since = chosen.get("since")
    agent = str(chosen.get("agent") or "")
    return Frame(
        agent=stratum if chosen.get("stratified") else agent,
        release=str(chosen.get("release") or ""),
        since=_seconds(datetime.fromisoformat(since)) if since else -math.inf,
        until=drawn_at,
        share=min(labelled / population, 1.0) if population else 0.0,
    )


def probability(
    frames: Iterable[Frame],
    own: Sequence[float],
    *,
    agent: str,
    release: str,
    start: float,
) -> float | None:
    """Return the probability that a trajectory was labelled at all, None where nothing tells it.

    Args:
        frames: of every sample.
        own: probabilities that labels from elsewhere (an API) carried for this trajectory.
        agent: of the trajectory.
        release: of the trajectory.
        start: of the trajectory, seconds since 1970.
    """
    missed = 1.0
    for each in frames:
        if each.holds(agent, release, start):
            missed *= 1.0 - each.share
    for carried in own:
        missed *= 1.0 - min(max(carried, 0.0), 1.0)
    return 1.0 - missed if missed < 1.0 else None


def _seconds(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
