"""Which intent cluster a trajectory belongs to: its stratum, within which runs can be compared.

Clusters live in ``intent_clusters`` and keep their ids. New traffic is assigned to them; what fits none
makes new clusters once there is enough of it.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spanloop.optimizer.context import Context
from spanloop.optimizer.satisfaction.clusters import (
    BUCKETS,
    Centroids,
    assign,
    centroid_matrix,
    inverse_frequency,
    make_clusters,
    vectors,
)

MEMBERS_PER = 500
"""Of so many documents one must be alike, and two at least, for a cluster: else pairs take all places."""

SAMPLE = 3_000
"""Documents from which clusters are made at a time: linkage takes the square of this."""

ENOUGH = 2
"""Documents without a cluster from which on new clusters are tried."""

MOST = 512
"""Clusters in all."""

COLUMNS = ("Stratum", "Buckets", "Weights", "Members", "Example", "Version")


class _Openings(NamedTuple):
    ids: Sequence[str]
    documents: Sequence[Sequence[int]]
    runs: NDArray[np.bool_]  # of experiments: they join clusters, and never make one


def assign_strata(context: Context, bounds: Mapping[str, Any]) -> int:
    """Fill ``trajectory_strata`` for changed trajectories in ``bounds``; return how many clusters exist."""
    context.run("satisfaction/create_strata")
    openings = _openings(context, bounds)
    known = _load(context)
    if not openings.ids:
        return 0 if known is None else len(known.ids)
    if known is None:
        production = np.flatnonzero(~openings.runs)
        if not production.size:
            return 0
        sample: list[int] = production[_sampled(production, context.seed)].tolist()
        idf = inverse_frequency([openings.documents[i] for i in sample])
        known = Centroids(ids=(), matrix=sparse.csr_array((0, BUCKETS)), idf=idf)
        _insert(context, [("", range(BUCKETS), idf, len(sample), "")])
    documents = vectors(openings.documents, known.idf)
    assigned = assign(documents, known)
    homeless = np.flatnonzero((assigned.cluster < 0) & ~openings.runs)
    if homeless.size >= ENOUGH and len(known.ids) < MOST:
        known = _with_new_clusters(context, known, documents, (homeless, openings.ids))
        assigned = assign(documents, known)
    rows = [
        [trajectory, known.ids[int(cluster)]]
        for trajectory, cluster in zip(openings.ids, assigned.cluster, strict=True)
        if cluster >= 0
    ]
    if rows:
        context.client.insert(
            "trajectory_strata",
            rows,
            column_names=["TrajectoryId", "Stratum"],
            database=context.renderer.settings.database,
        )
    return len(known.ids)


def smallest(documents: int) -> int:
    """Return how many of ``documents`` a new cluster holds at least."""
    return max(2, documents // MEMBERS_PER)


def _openings(context: Context, bounds: Mapping[str, Any]) -> _Openings:
    rows = context.rows(
        "satisfaction/select_openings", {**bounds, "share": 1.0, "buckets": BUCKETS}
    )
    return _Openings(
        [str(row[0]) for row in rows],
        [row[1] for row in rows],
        np.array([bool(row[2]) for row in rows], dtype=np.bool_),
    )


def _sampled(documents: Any, seed: int) -> list[int]:
    rng = np.random.default_rng(seed)
    n = len(documents)
    chosen = rng.choice(n, size=min(n, SAMPLE), replace=False)
    return sorted(int(i) for i in chosen)


def _with_new_clusters(
    context: Context, known: Centroids, documents: Any, homeless: tuple[Any, Sequence[str]]
) -> Centroids:
    rows, ids = homeless
    chosen = rows[_sampled(rows, context.seed)]
    members = make_clusters(
        documents[chosen], smallest=smallest(len(chosen)), most=MOST - len(known.ids)
    )
    if not members:
        return known
    fresh = centroid_matrix(documents[chosen], members)
    names = [f"i{len(known.ids) + i + 1}" for i in range(len(members))]
    nearest = np.asarray((documents[chosen] @ fresh.T).toarray()).argmax(axis=0)
    _insert(
        context,
        [
            (name, *_row(fresh, i), members[i].size, ids[int(chosen[nearest[i]])])
            for i, name in enumerate(names)
        ],
    )
    return Centroids(
        ids=(*known.ids, *names),
        matrix=sparse.csr_array(sparse.vstack([known.matrix, fresh])),
        idf=known.idf,
    )


def _row(matrix: Any, i: int) -> tuple[Sequence[int], Sequence[float]]:
    start, end = int(matrix.indptr[i]), int(matrix.indptr[i + 1])
    return matrix.indices[start:end].tolist(), matrix.data[start:end].tolist()


def _insert(context: Context, clusters: Sequence[tuple[str, Any, Any, int, str]]) -> None:
    context.client.insert(
        "intent_clusters",
        [
            [
                name,
                [int(b) for b in buckets],
                [float(w) for w in weights],
                members,
                example,
                context.now_ms,
            ]
            for name, buckets, weights, members, example in clusters
        ],
        column_names=COLUMNS,
        database=context.renderer.settings.database,
    )


def _load(context: Context) -> Centroids | None:
    rows = context.rows("satisfaction/select_clusters")
    words = [row for row in rows if row[0] == ""]
    if not words:
        return None
    clusters = [row for row in rows if row[0] != ""]
    idf = np.zeros(BUCKETS)
    idf[np.asarray(words[0][1], dtype=np.int64)] = words[0][2]
    offsets = np.concatenate([[0], np.cumsum([len(row[1]) for row in clusters])]).astype(np.int64)
    indices = np.zeros(int(offsets[-1]), dtype=np.int64)
    data = np.zeros(int(offsets[-1]))
    for row, (start, end) in zip(clusters, pairwise(offsets), strict=True):
        indices[start:end], data[start:end] = row[1], row[2]
    matrix = sparse.csr_array((data, indices, offsets), shape=(len(clusters), BUCKETS))
    return Centroids(ids=tuple(str(row[0]) for row in clusters), matrix=matrix, idf=idf)
