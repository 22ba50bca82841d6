"""What the store knows about rates: labelled trajectories, sums of all of them, raters, samples."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spanloop.optimizer.context import COMPARABLE_COMPLETENESS, Context
from spanloop.optimizer.satisfaction.label_frames import Frame, frame, probability
from spanloop.optimizer.satisfaction.rate_core import Raters
from spanloop.optimizer.statistics import Batch, Labels

Floats = NDArray[np.float64]
Key = tuple[str, str, str]
"""Project, dimension, value."""

DIMENSIONS = ("all", "agent", "release", "intent", "day", "agent_day")

_EVER_S = 1e12
"""Seconds that no time stamp reaches, 31,000 years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A trajectory with a label of a random sample.

    Attributes:
        project: it belongs to.
        trajectory: its id.
        cluster: its user, else itself.
        score: its `Base` less the mean of all; 0 where unknown.
        values: of each of `DIMENSIONS`, in order.
        satisfied: 0 to 1, mean over its labels.
        probability: with which it was labelled at all.
        elsewhere: whether a label came from no stored sample, with a probability of its own.
    """

    project: str
    trajectory: str
    cluster: str
    score: float
    values: Sequence[str]
    satisfied: float
    probability: float
    elsewhere: bool

    @property
    def configuration(self) -> str:
        """What must be the same for runs to be repeats: agent and release."""
        return "\x00".join(self.values[1:3])


class Groups(NamedTuple):
    """Every value of every dimension, in order.

    Attributes:
        keys: (K,) which.
        trajectories: (K,) comparable ones.
        runs: (K,) those of them that a label could speak for.
        score: (K,) sum of the scores of those.
    """

    keys: Sequence[Key]
    trajectories: Sequence[int]
    runs: Floats
    score: Floats


class Evidence(NamedTuple):
    """All that rates are estimated from.

    Attributes:
        groups: K values of dimensions.
        labelled: trajectories with a label.
        labels: rows of `labelled`, once per group that it belongs to.
        row: (n,) which of `labelled` a row of `labels` is.
        batch: sums of each group.
        raters: sums over volunteered feedback of each group.
    """

    groups: Groups
    labelled: Sequence[Labelled]
    labels: Labels
    row: Sequence[int]
    batch: Batch
    raters: Raters

    def rows_of(self, k: int) -> Sequence[int]:
        """Which of `labelled` belong to group ``k``."""
        return [self.row[int(at)] for at in np.flatnonzero(self.labels.group == k)]


def read_evidence(context: Context, *, clustered: bool) -> Evidence:
    """Read it; ``clustered`` adds the sums over clusters that the population target needs."""
    told = context.rows("satisfaction/select_rate_centre")
    parameters: dict[str, Any] = {
        "completeness": COMPARABLE_COMPLETENESS,
        "centre": float(told[0][0] or 0.0),
    }
    frames = _read_frames(context)
    labelled = _read_labelled(context, parameters, frames)
    groups = _read_groups(context, parameters | _reach(frames, labelled))
    labels, row = _labels(labelled, groups)
    batch = Batch(
        runs=groups.runs,
        score=groups.score,
        clusters=groups.runs,
        runs_squared=groups.runs,
        runs_score=groups.score,
        score_squared=np.zeros_like(groups.score),
    )
    if clustered:
        clusters = [labelled[at].cluster for at in row]
        sums = parameters | _reach(frames, labelled) | {"named": sorted(set(clusters))}
        rows = context.rows("satisfaction/select_rate_clusters", sums)
        batch, labels = _with_clusters(batch, labels, clusters, dict(_by_key(rows)), groups)
    return Evidence(groups, labelled, labels, row, batch, _read_raters(context, groups))


def _read_frames(context: Context) -> list[Frame]:
    return [
        frame(
            str(filters),
            str(stratum),
            drawn_at=float(drawn_at),
            population=int(population),
            labelled=int(labelled),
        )
        for filters, stratum, drawn_at, population, labelled in context.rows(
            "satisfaction/select_rate_frames"
        )
    ]


def _read_labelled(
    context: Context, parameters: Mapping[str, Any], frames: Sequence[Frame]
) -> list[Labelled]:
    result: list[Labelled] = []
    for row in context.rows("satisfaction/select_rate_labels", parameters):
        project, trajectory, cluster, score, agent, release, intent, day, start, satisfied, own = (
            row
        )
        chance = probability(frames, own, agent=agent, release=release, start=float(start))
        if chance is None:  # called sampled, but nothing tells with what probability
            continue
        result.append(
            Labelled(
                project=str(project),
                trajectory=str(trajectory),
                cluster=str(cluster),
                score=float(score),
                values=(
                    "",
                    str(agent),
                    str(release),
                    str(intent),
                    str(day),
                    f"{day} {agent}" if agent else "",
                ),
                satisfied=float(satisfied),
                probability=chance,
                elsewhere=bool(own),
            )
        )
    return result


def _reach(frames: Sequence[Frame], labelled: Sequence[Labelled]) -> dict[str, Any]:
    """Return what labels can speak for, as parameters of the statements that sum."""
    reach = [(f.agent, f.release, max(f.since, -_EVER_S), f.until) for f in frames]
    if not reach or any(each.elsewhere for each in labelled):
        reach = [("", "", -_EVER_S, _EVER_S)]
    agents, releases, since, until = (list(column) for column in zip(*reach, strict=True))
    return {"agents": agents, "releases": releases, "since": since, "until": until}


def _read_groups(context: Context, parameters: Mapping[str, Any]) -> Groups:
    rows = context.rows("satisfaction/select_rate_groups", parameters)
    return Groups(
        keys=[(str(r[0]), str(r[1]), str(r[2])) for r in rows],
        trajectories=[int(r[3]) for r in rows],
        runs=np.array([float(r[4]) for r in rows]),
        score=np.array([float(r[5]) for r in rows]),
    )


def _labels(labelled: Sequence[Labelled], groups: Groups) -> tuple[Labels, list[int]]:
    index = {key: k for k, key in enumerate(groups.keys)}
    pairs = [
        (at, index[each.project, dimension, value])
        for at, each in enumerate(labelled)
        for dimension, value in zip(DIMENSIONS, each.values, strict=True)
        if (each.project, dimension, value) in index
    ]
    clusters: dict[tuple[int, str], int] = {}
    rows = [labelled[at] for at, _ in pairs]
    code = [clusters.setdefault((k, labelled[at].cluster), len(clusters)) for at, k in pairs]
    score = np.array([each.score for each in rows])
    labels = Labels(
        outcome=np.array([each.satisfied for each in rows]),
        score=score,
        group=np.array([k for _, k in pairs], dtype=np.int64),
        cluster=np.array(code, dtype=np.int64),
        weight=np.array([1.0 / each.probability for each in rows]),
        cluster_runs=np.ones(len(rows)),
        cluster_score=score,
    )
    return labels, [at for at, _ in pairs]


def _with_clusters(
    batch: Batch,
    labels: Labels,
    clusters: Sequence[str],
    sums: Mapping[Key, Sequence[Any]],
    groups: Groups,
) -> tuple[Batch, Labels]:
    """Put the sums over clusters into ``batch``, and into ``labels`` those of each row's cluster."""
    zero: Sequence[Any] = (0, 0.0, 0.0, 0.0, [])
    found = [sums.get(key, zero) for key in groups.keys]
    columns = np.array([[float(value) for value in each[:4]] for each in found]).reshape(-1, 4)
    of_cluster: list[dict[str, tuple[float, float]]] = [
        {str(name): (float(runs), float(score)) for name, runs, score in each[4]} for each in found
    ]
    own: list[tuple[float, float]] = [
        of_cluster[k].get(cluster, (1.0, 0.0))
        for k, cluster in zip(labels.group.tolist(), clusters, strict=True)
    ]
    totals: Floats = np.array(own, dtype=np.float64).reshape(-1, 2)
    runs, score = totals[:, 0], totals[:, 1]
    n_clusters, runs_squared, runs_score, score_squared = columns.T
    return (
        replace(
            batch,
            clusters=n_clusters,
            runs_squared=runs_squared,
            runs_score=runs_score,
            score_squared=score_squared,
        ),
        replace(labels, cluster_runs=runs, cluster_score=score),
    )


def _read_raters(context: Context, groups: Groups) -> Raters:
    rows = context.rows(
        "satisfaction/select_rate_raters", {"completeness": COMPARABLE_COMPLETENESS}
    )
    sums = dict(_by_key(rows))
    columns = np.array(
        [[float(value) for value in sums.get(key, (0,) * 6)] for key in groups.keys]
    ).reshape(-1, 6)
    return Raters(*columns.T)


def _by_key(rows: Sequence[Sequence[Any]]) -> Iterator[tuple[Key, Sequence[Any]]]:
    for row in rows:
        yield (str(row[0]), str(row[1]), str(row[2])), row[3:]
