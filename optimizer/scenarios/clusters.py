"""Which runs may not be parted by a split: those of one person, of one thing, or that tell the same story.

Joins are made from the surest to the weakest. A value that joins is one that few runs hold: the number of
the shop is no person. The weaker joins stop where a cluster would grow beyond `MOST` of the traffic, or every
run would soon hang together by some chain and nothing could be held out.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from spanloop.optimizer.scenarios.sighting import Sighting
from spanloop.optimizer.scenarios.similarity import NEAR

RARE = 0.1
"""Share of the runs that hold a value, up to which it names a person or a thing."""

FEW = 4
"""Runs that may hold it anyhow."""

ONE_OWNER = 0.5
"""Share of the runs up to which a user id is taken for one person's; beyond, for an account that all use."""

MOST = 0.25
"""Share of the runs that a cluster made of values may hold."""


class _Sets:
    """Disjoint sets of row numbers, with their sizes."""

    def __init__(self, n: int) -> None:
        self._parent = list(range(n))
        self._size = [1] * n

    def find(self, row: int) -> int:
        while self._parent[row] != row:
            self._parent[row] = self._parent[self._parent[row]]
            row = self._parent[row]
        return row

    def join(self, a: int, b: int, *, most: float = float("inf")) -> None:
        a, b = sorted((self.find(a), self.find(b)))
        if a != b and self._size[a] + self._size[b] <= most:
            self._parent[b] = a
            self._size[a] += self._size[b]


def clusters(
    sightings: Sequence[Sighting],
    names: Sequence[frozenset[str]],
    near: Iterable[tuple[int, int, float]],
) -> list[int]:
    """Return the cluster of each of ``sightings``: the number of its first row.

    Args:
        sightings: runs and scenarios of one agent.
        names: words of each that may name one person or thing.
        near: near-duplicates, as `spanloop.optimizer.scenarios.similarity.near_duplicates` gives them.
    """
    n = len(sightings)
    sets = _Sets(n)
    for a, b, cosine in near:
        if cosine >= NEAR:
            sets.join(a, b)
    for rows in _holders((s.owners for s in sightings), max(ONE_OWNER * n, FEW)):
        for row in rows[1:]:
            sets.join(rows[0], row)
    for rows in _holders(names, max(RARE * n, FEW)):
        for row in rows[1:]:
            sets.join(rows[0], row, most=max(MOST * n, FEW))
    return [sets.find(row) for row in range(n)]


def _holders(values: Iterable[frozenset[str]], limit: float) -> list[list[int]]:
    """Return the rows that hold each value that at most ``limit`` rows hold, the rarest value first."""
    rows: defaultdict[str, list[int]] = defaultdict(list)
    for row, held in enumerate(values):
        for value in held:
            if value:
                rows[value].append(row)
    rare = [(value, held) for value, held in rows.items() if 1 < len(held) <= limit]
    return [held for _, held in sorted(rare, key=lambda entry: (len(entry[1]), entry[0]))]
