"""On which side each story stands, and which runs may be used there."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from spanloop.optimizer.configuration import digest
from spanloop.optimizer.scenarios.clusters import usable_rows
from spanloop.optimizer.scenarios.comparing import Comparison
from spanloop.optimizer.scenarios.scenario import Scenario, Split
from spanloop.optimizer.scenarios.settings import ScenarioSettings
from spanloop.optimizer.scenarios.sighting import Sighting, masked
from spanloop.optimizer.scenarios.similarity import Bools
from spanloop.optimizer.scenarios.splits import Cluster, assign_splits, first_cut

MOST_VARIANTS = 20
"""Wordings of one story that count when sides are balanced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where the stories of a comparison stand.

    Attributes:
        sides: story → cluster key and split.
        usable: (runs,) whether a run may be used on its side: its story stands on one, and nothing it
            names is used on another.
        cut: before which no story is fresh; None while there is none.
    """

    sides: Mapping[int, tuple[str, Split]]
    usable: Bools
    cut: datetime | None


def stand(
    comparison: Comparison, *, cut: datetime | None, settings: ScenarioSettings, seed: int
) -> Standing:
    """Return where the stories of ``comparison`` stand: where their scenarios do, else drawn by ``seed``.

    Args:
        comparison: of the runs with all scenarios of their agent.
        cut: before which no story is fresh; None = to be made now.
        settings: shares of the splits.
        seed: of the draw.
    """
    known = _known(comparison)
    new = _new_clusters(comparison, known)
    if cut is None and new:
        cut = first_cut(list(new.values()), settings.fresh_quantile)
    drawn = assign_splits(
        list(new.values()),
        cut=cut or datetime.max.replace(tzinfo=UTC),
        held=_held(comparison),
        settings=settings,
        seed=seed,
    )
    sides = {story: side for story, side in known.items() if side is not None}
    sides |= {story: (cluster.key, drawn[cluster.key]) for story, cluster in new.items()}
    usable = usable_rows(
        comparison.marks[: comparison.n],
        [sides[s][1] if s in sides else None for s in comparison.stories[: comparison.n]],
        _claimed(comparison),
        keys=[run.key for run in comparison.runs],
    )
    return Standing(sides=sides, usable=np.array(usable, dtype=np.bool_), cut=cut)


def _known(comparison: Comparison) -> dict[int, tuple[str, Split] | None]:
    """Return the side of each story that holds a scenario; None where its scenarios stand on several."""
    found: defaultdict[int, list[Scenario]] = defaultdict(list)
    for row, scenario in enumerate(comparison.scenarios, start=comparison.n):
        found[comparison.stories[row]].append(scenario)
    known: dict[int, tuple[str, Split] | None] = {}
    for story, scenarios in found.items():
        first = min(scenarios, key=lambda s: (s.first_seen, s.scenario_id))
        torn = any(scenario.split != first.split for scenario in scenarios)
        known[story] = None if torn else (first.cluster_key, first.split)
    return known


def _new_clusters(comparison: Comparison, known: Collection[int]) -> dict[int, Cluster]:
    members: defaultdict[int, list[Sighting]] = defaultdict(list)
    for story, run in zip(comparison.stories, comparison.runs, strict=False):
        members[story].append(run)
    return {story: _cluster(runs) for story, runs in members.items() if story not in known}


def _cluster(runs: Sequence[Sighting]) -> Cluster:
    first = min(runs, key=lambda run: (run.start, run.key))
    variants = {masked(run.request) for run in runs}
    return Cluster(
        key=digest(["story", first.key]),
        first_seen=first.start,
        variants=min(len(variants), MOST_VARIANTS),
    )


def _held(comparison: Comparison) -> Counter[Split]:
    """Return the variants that the known stories hold, by split."""
    stories: dict[int, Split] = {
        story: scenario.split
        for story, scenario in zip(
            comparison.stories[comparison.n :], comparison.scenarios, strict=True
        )
        if scenario.state == "active"
    }
    members: defaultdict[int, list[Sighting]] = defaultdict(list)
    for story, run in zip(comparison.stories, comparison.runs, strict=False):
        members[story].append(run)
    held: Counter[Split] = Counter()
    for story, split in stories.items():
        held[split] += _cluster(members[story]).variants if story in members else 1
    return held


def _claimed(comparison: Comparison) -> dict[str, Split]:
    """Return the side on which each person and thing is used already."""
    claimed: dict[str, Split] = {}
    rows = {run.key: row for row, run in enumerate(comparison.runs)}
    for column, scenario in enumerate(comparison.scenarios, start=comparison.n):
        own = [rows[key] for key in scenario.trajectories if key in rows]
        for row in (column, *own):
            for mark in comparison.marks[row]:
                claimed.setdefault(mark, scenario.split)
    return claimed
