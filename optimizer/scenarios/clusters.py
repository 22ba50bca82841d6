"""Which runs tell one story, and whose runs may be used on a side: what splits may not part.

A story is what near-duplicates tell, and what runs that name the same thing ask for in similar words. It
stands on one side as a whole. People are kept on one side otherwise: joining all that one person ever asked
would, person by person, join every story to every other, and nothing could be held out. So a person belongs
to the side of the first of their runs that is used, and what they ask on other sides is used nowhere; it only
counts as traffic.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from spanloop.optimizer.scenarios.scenario import Split
from spanloop.optimizer.scenarios.sighting import Sighting

Similar = Callable[[int, int], bool]

SAME_CASE = 0.25
"""Cosine of words from which on runs that name the same person or thing tell one story."""

RARE = 0.1
"""Share of the runs that name something, up to which it is one person's or one thing's name."""

ONE_OWNER = 0.5
"""Share of the runs up to which a user id is taken for one person's; beyond, for an account that all use."""

FEW = 4
"""Runs that may hold either anyhow."""


class _Sets:
    """Disjoint sets of row numbers."""

    def __init__(self, n: int) -> None:
        self._parent = list(range(n))

    def find(self, row: int) -> int:
        while self._parent[row] != row:
            self._parent[row] = self._parent[self._parent[row]]
            row = self._parent[row]
        return row

    def join(self, a: int, b: int) -> None:
        a, b = sorted((self.find(a), self.find(b)))
        self._parent[b] = a


def marks_of(
    sightings: Sequence[Sighting], names: Sequence[frozenset[str]]
) -> list[frozenset[str]]:
    """Return, per row, the users and the names that belong to one person or thing.

    Args:
        sightings: runs and scenarios of one agent.
        names: words of each that may be names.
    """
    n = len(sightings)
    owners = _rare([s.owners for s in sightings], max(ONE_OWNER * n, FEW))
    named = _rare(names, max(RARE * n, FEW))
    return [a | b for a, b in zip(owners, named, strict=True)]


def _rare(held: Sequence[frozenset[str]], limit: float) -> list[frozenset[str]]:
    counts: defaultdict[str, int] = defaultdict(int)
    for values in held:
        for value in values:
            counts[value] += 1
    return [frozenset(v for v in values if counts[v] <= limit) for values in held]


def stories(
    marks: Sequence[frozenset[str]], alike: Iterable[tuple[int, int]], similar: Similar
) -> list[int]:
    """Return the story of each row: the number of its first row.

    Args:
        marks: as `marks_of` gives them.
        alike: rows that are near-duplicates, or made of each other.
        similar: whether two rows that share a mark ask for similar things.
    """
    sets = _Sets(len(marks))
    for a, b in alike:
        sets.join(a, b)
    rows: defaultdict[str, list[int]] = defaultdict(list)
    for row, held in enumerate(marks):
        for mark in held:
            rows[mark].append(row)
    for _, sharing in sorted(rows.items()):
        for i, a in enumerate(sharing):
            for b in sharing[i + 1 :]:
                if sets.find(a) != sets.find(b) and similar(a, b):
                    sets.join(a, b)
    return [sets.find(row) for row in range(len(marks))]


def usable_rows(
    marks: Sequence[frozenset[str]],
    sides: Sequence[Split | None],
    claimed: Mapping[str, Split],
    *,
    keys: Sequence[str],
) -> list[bool]:
    """Return whether each row may be used on its side: nothing it names is used on another.

    Args:
        marks: as `marks_of` gives them.
        sides: of each row's story; None = nothing is made of it.
        claimed: mark → the side on which it is used already.
        keys: of the rows; who comes first is drawn by them.
    """
    taken = dict(claimed)
    usable = [False] * len(marks)
    order = sorted(range(len(marks)), key=lambda row: hashlib.sha256(keys[row].encode()).digest())
    for row in order:
        side = sides[row]
        if side is not None and all(taken.get(mark, side) == side for mark in marks[row]):
            usable[row] = True
            taken.update(dict.fromkeys(marks[row], side))
    return usable
