"""Which runs become scenarios: enough of each failure, then what covers the traffic with fewest."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spanloop.optimizer.scenarios.sighting import Sighting
from spanloop.optimizer.scenarios.similarity import Bools


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What is wanted of new scenarios.

    Attributes:
        budget: scenarios at most.
        a_pattern: scenarios that each pattern should have.
        have: scenarios that each pattern has already.
        usable: (runs,) whether a scenario may be made of the run.
        covered: (runs,) whether the run is covered already.
    """

    budget: int
    a_pattern: int
    have: Mapping[str, int]
    usable: Bools
    covered: Bools


def choose_anchors(
    sightings: Sequence[Sighting], covers: Bools, alike: Bools, need: Need
) -> list[int]:
    """Return the rows of ``sightings`` to make scenarios of, in order of choice.

    Args:
        sightings: runs.
        covers: (runs, runs) whether a scenario made of the column would cover the run of the row.
        alike: (runs, runs) whether two runs would be one scenario.
        need: what is wanted.
    """
    chosen: list[int] = []
    free = need.usable.copy()

    def take(row: int) -> None:
        chosen.append(row)
        free[alike[row]] = False
        free[row] = False

    for row in _of_patterns(sightings, covers, free, need):
        if free[row] and len(chosen) < need.budget:
            take(row)
    left = ~(need.covered | covers[:, chosen].any(axis=1))
    while len(chosen) < need.budget and free.any():
        gains = np.where(free, covers[left].sum(axis=0), -1)
        row = int(gains.argmax())
        if gains[row] > 0:
            take(row)
            left &= ~covers[:, row]
        elif left.all():
            break
        else:  # what is left, nobody covers: cover the rest once more
            left = np.ones(len(sightings), dtype=np.bool_)
    return chosen


def _of_patterns(
    sightings: Sequence[Sighting], covers: Bools, usable: Bools, need: Need
) -> list[int]:
    """Return rows that show patterns, the one with fewest scenarios first; a third of the budget at most."""
    counts = Counter(need.have)
    reach = covers.sum(axis=0)
    patterns = sorted({pattern for sighting in sightings for pattern in sighting.patterns})
    waiting: dict[str, list[int]] = {pattern: [] for pattern in patterns}
    for row in np.flatnonzero(usable).tolist():
        for pattern in sightings[row].patterns:
            waiting[pattern].append(row)
    for rows in waiting.values():
        rows.sort(key=lambda i: (reach[i], sightings[i].start, -i))
    chosen: list[int] = []
    while waiting and len(chosen) < max(1, need.budget // 3):
        pattern = min(waiting, key=lambda p: (counts[p], p))
        if counts[pattern] >= need.a_pattern or not waiting[pattern]:
            del waiting[pattern]
            continue
        row = waiting[pattern].pop()
        if row not in chosen:
            chosen.append(row)
            counts.update(sightings[row].patterns)
    return chosen
