"""On which side each story stands, and which runs may be used there."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from spanloop.optimizer.configuration import digest
from spanloop.optimizer.scenarios.clusters import usable_rows
from spanloop.optimizer.scenarios.comparing import Comparison
from spanloop.optimizer.scenarios.scenario import Split
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
        usable: (runs,) whether a run may be used on its side: nothing it names, and no near-duplicate of
            it, is used on another.
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
    sides: dict[int, tuple[str, Split]] = dict(known)
    for story, cluster in new.items():
        sides[story] = (cluster.key, drawn[cluster.key])
    usable = usable_rows(
        comparison.marks,
        [sides[story][1] for story in comparison.stories],
        comparison.neighbours,
        used=_used(comparison),
        keys=[
            *(run.key for run in comparison.runs),
            *(s.scenario_id for s in comparison.scenarios),
        ],
    )
    return Standing(sides=sides, usable=np.array(usable[: comparison.n], dtype=np.bool_), cut=cut)


def _known(comparison: Comparison) -> dict[int, tuple[str, Split]]:
    """Return cluster key and side of each story that a scenario began."""
    return {
        story: (scenario.cluster_key, scenario.split)
        for story, scenario in enumerate(comparison.scenarios, start=comparison.n)
        if comparison.stories[story] == story
    }


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


def _used(comparison: Comparison) -> dict[int, Split]:
    """Return the rows that scenarios are, and are made of, with their sides."""
    used: dict[int, Split] = {}
    rows = {run.key: row for row, run in enumerate(comparison.runs)}
    for column, scenario in enumerate(comparison.scenarios, start=comparison.n):
        own = [rows[key] for key in scenario.trajectories if key in rows]
        used |= dict.fromkeys((column, *own), scenario.split)
    return used
