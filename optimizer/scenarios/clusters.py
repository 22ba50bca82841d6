"""Which runs tell one story, and which of them may be used on a side: what splits must keep apart.

A story is a run and the later ones that are near-duplicates of it, or that name the same thing and ask for
it in similar words. It stands on one side. Neither likeness nor people stop at its borders: run by run,
person by person, a chain of them would join every story to every other, and nothing could be held out. So
what two sides share is used on one of them: a run is left aside if somebody or something it names, or a
near-duplicate of it, is used on another side. It only counts as traffic.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from spanloop.optimizer.scenarios.scenario import Split
from spanloop.optimizer.scenarios.sighting import Sighting

Edge = tuple[int, int, float]
"""Two rows and how alike they are."""

SAME_CASE = 0.25
"""Cosine of words from which on runs that name the same person or thing tell one story."""

RARE = 0.1
"""Share of the runs that name something, up to which it is one person's or one thing's name."""

ONE_OWNER = 0.5
"""Share of the runs up to which a user id is taken for one person's; beyond, for an account that all use."""

FEW = 4
"""Runs that may hold either anyhow."""


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


def same_cases(
    marks: Sequence[frozenset[str]], closeness: Callable[[int, int], float]
) -> list[Edge]:
    """Return the rows that share a mark and ask for similar things.

    Args:
        marks: as `marks_of` gives them.
        closeness: cosine of the words of two rows, the first of them before the second.
    """
    rows: defaultdict[str, list[int]] = defaultdict(list)
    for row, held in enumerate(marks):
        for mark in held:
            rows[mark].append(row)
    pairs = {
        (a, b) for sharing in rows.values() for i, a in enumerate(sharing) for b in sharing[i + 1 :]
    }
    edges = ((a, b, closeness(a, b)) for a, b in sorted(pairs))
    return [edge for edge in edges if edge[2] >= SAME_CASE]


def neighbours_of(edges: Iterable[Edge]) -> dict[int, dict[int, float]]:
    """Return row → row that it is alike → how much."""
    found: defaultdict[int, dict[int, float]] = defaultdict(dict)
    for a, b, likeness in edges:
        for row, other in ((a, b), (b, a)):
            found[row][other] = max(likeness, found[row].get(other, 0.0))
    return found


def stories(
    neighbours: Mapping[int, Mapping[int, float]],
    order: Sequence[int],
    may_join: Callable[[int, int], bool],
) -> list[int]:
    """Return the story of each row, as the row that began it: the one that it is most alike, or itself.

    Args:
        neighbours: as `neighbours_of` gives them.
        order: all rows, from the first that may begin a story on.
        may_join: whether a row may belong to the story that another began.
    """
    story = list(range(len(order)))
    begun: set[int] = set()
    for row in order:
        near = [
            (likeness, -other)
            for other, likeness in neighbours.get(row, {}).items()
            if other in begun and may_join(row, other)
        ]
        if near:
            story[row] = -max(near)[1]
        else:
            begun.add(row)
    return story


def usable_rows(
    marks: Sequence[frozenset[str]],
    sides: Sequence[Split | None],
    neighbours: Mapping[int, Mapping[int, float]],
    *,
    used: Mapping[int, Split],
    keys: Sequence[str],
) -> list[bool]:
    """Return whether each row may be used on its side, or is.

    Args:
        marks: as `marks_of` gives them.
        sides: of each row's story; None = nothing is made of it.
        neighbours: near-duplicates of each row.
        used: rows that are used already, and where.
        keys: of the rows; who comes first is drawn by them.
    """
    at: dict[int, Split] = dict(used)
    taken: dict[str, Split] = {}
    for row, there in used.items():
        for mark in marks[row]:
            taken.setdefault(mark, there)
    order = sorted(range(len(marks)), key=lambda row: hashlib.sha256(keys[row].encode()).digest())
    for row in order:
        side = sides[row]
        if row in at or side is None:
            continue
        apart = all(taken.get(mark, side) == side for mark in marks[row])
        if apart and all(at.get(other, side) == side for other in neighbours.get(row, ())):
            at[row] = side
            taken.update(dict.fromkeys(marks[row], side))
    return [row in at for row in range(len(marks))]
