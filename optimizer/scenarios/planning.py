"""What new scenarios are made of, and on which side they stand: decided by pure functions."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from spanloop.optimizer.configuration import digest
from spanloop.optimizer.scenarios.choosing import Need, choose_anchors
from spanloop.optimizer.scenarios.comparing import Comparison
from spanloop.optimizer.scenarios.scenario import Scenario, Split, State
from spanloop.optimizer.scenarios.settings import ScenarioSettings
from spanloop.optimizer.scenarios.similarity import SAME, Bools
from spanloop.optimizer.scenarios.splits import Cluster, assign_splits, first_cut


class Planned(NamedTuple):
    """A scenario to make.

    Attributes:
        rows: runs that it is made of: the one to play, then the others, newest first.
        cluster_key: of the cluster that they belong to.
        split: of that cluster.
    """

    rows: Sequence[int]
    cluster_key: str
    split: Split


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """On which side each group stands.

    Attributes:
        known: group → cluster key and split, of groups that hold a scenario.
        torn: groups that would join two sides: nothing is made of their runs.
    """

    known: Mapping[int, tuple[str, Split]]
    torn: Collection[int]


def sides_of(comparison: Comparison) -> Sides:
    """Return the sides that the scenarios of ``comparison`` give to groups."""
    found: defaultdict[int, list[Scenario]] = defaultdict(list)
    for row, scenario in enumerate(comparison.scenarios, start=comparison.n):
        found[comparison.groups[row]].append(scenario)
    known: dict[int, tuple[str, Split]] = {}
    torn: set[int] = set()
    for group, scenarios in found.items():
        if len({scenario.split for scenario in scenarios}) > 1:
            torn.add(group)
        first = min(scenarios, key=lambda s: (s.first_seen, s.scenario_id))
        known[group] = (first.cluster_key, first.split)
    return Sides(known=known, torn=torn)


def plan_new(
    comparison: Comparison,
    *,
    budget: int,
    cut: datetime | None,
    settings: ScenarioSettings,
    seed: int,
) -> tuple[list[Planned], datetime | None]:
    """Return the scenarios to make, and the cut.

    Args:
        comparison: of the runs with all scenarios of their agent.
        budget: scenarios at most.
        cut: before which no cluster is fresh; None = to be made now (it is not, while nothing is made).
        settings: shares, and what a pattern should have.
        seed: of the draw of sides.
    """
    sides = sides_of(comparison)
    active = [s for s in comparison.scenarios if s.state == "active"]
    covered, over = _covered(comparison, "active"), _covered(comparison, "retired")
    # What retired is not made again of the runs it was made for; its failures, seen anew, are.
    failing = np.array([bool(run.patterns) for run in comparison.runs])
    need = Need(
        budget=budget,
        a_pattern=settings.a_pattern,
        have=Counter(pattern for scenario in active for pattern in scenario.pattern_ids),
        usable=_usable(comparison, sides) & (covered | ~over | failing),
        covered=covered | over,
    )
    own = comparison.covers[:, : comparison.n]
    anchors = choose_anchors(comparison.runs, own, comparison.alike(), need)
    new = _new_clusters(comparison, anchors, sides)
    if cut is None and new:
        cut = first_cut(list(new.values()), settings.fresh_quantile)
    assigned = assign_splits(
        list(new.values()),
        cut=cut or datetime.max.replace(tzinfo=UTC),
        held=Counter(scenario.split for scenario in active),
        settings=settings,
        seed=seed,
    )
    splits = {**sides.known, **{g: (c.key, assigned[c.key]) for g, c in new.items()}}
    planned = [
        Planned(
            rows=[anchor, *companions(comparison, anchor, most=settings.recordings - 1)],
            cluster_key=splits[comparison.groups[anchor]][0],
            split=splits[comparison.groups[anchor]][1],
        )
        for anchor in anchors
    ]
    return planned, cut


def _covered(comparison: Comparison, state: State) -> Bools:
    """Return whether any scenario in ``state`` covers each run."""
    columns = [
        column
        for column, scenario in enumerate(comparison.scenarios, start=comparison.n)
        if scenario.state == state
    ]
    return comparison.covers[:, columns].any(axis=1)


def _usable(comparison: Comparison, sides: Sides) -> Bools:
    """Return whether a scenario may be made of each run: of none that one is made of, nor of its like."""
    usable = np.array([group not in sides.torn for group in comparison.groups[: comparison.n]])
    used = {trajectory for s in comparison.scenarios for trajectory in s.trajectories}
    for row, run in enumerate(comparison.runs):
        if run.key in used:
            usable[row] = False
    for a, b, cosine in comparison.near:
        if cosine >= SAME and a < comparison.n <= b:
            tools = {call.tool for call in comparison.scenarios[b - comparison.n].content.tape}
            if comparison.runs[a].tools <= tools:
                usable[a] = False
    return usable


def companions(comparison: Comparison, anchor: int, *, most: int) -> list[int]:
    """Return rows of the runs whose recordings go with row ``anchor`` (a run or a scenario), newest first.

    They tell the same story, or ask about the same person or thing; those that share most come first, if
    there are too many.
    """
    group = comparison.groups[anchor]
    alike = _near_rows(comparison, anchor)
    own = comparison.names[anchor]
    scored: list[tuple[int, float, datetime, int]] = []
    for row, run in enumerate(comparison.runs):
        if row == anchor or comparison.groups[row] != group:
            continue
        shared = len(own & comparison.names[row])
        if shared or row in alike:
            scored.append((shared, alike.get(row, 0.0), run.start, row))
    best = sorted(scored, reverse=True)[:most]
    return [row for _, _, _, row in sorted(best, key=lambda s: (s[2], s[3]), reverse=True)]


def _near_rows(comparison: Comparison, row: int) -> dict[int, float]:
    pairs = ((b if a == row else a, cosine) for a, b, cosine in comparison.near if row in (a, b))
    return dict(pairs)


def _new_clusters(
    comparison: Comparison, anchors: Sequence[int], sides: Sides
) -> dict[int, Cluster]:
    """Return the groups of ``anchors`` that stand on no side yet."""
    wanted = Counter(comparison.groups[anchor] for anchor in anchors)
    members: defaultdict[int, list[int]] = defaultdict(list)
    for row in range(comparison.n):
        members[comparison.groups[row]].append(row)
    return {
        group: Cluster(
            key=_cluster_key(comparison, members[group]),
            first_seen=min(comparison.runs[row].start for row in members[group]),
            scenarios=n,
        )
        for group, n in wanted.items()
        if group not in sides.known
    }


def _cluster_key(comparison: Comparison, rows: Sequence[int]) -> str:
    """Return the name of a cluster: of its person if it has one, else of its first run; hashed."""
    owners = [owner for row in rows for owner in comparison.runs[row].owners]
    users = sorted(owner for owner in owners if owner.startswith("user:"))
    first = min((comparison.runs[row].start, comparison.runs[row].key) for row in rows)[1]
    return f"user:{digest(users[0])}" if users else f"run:{digest(first)}"
