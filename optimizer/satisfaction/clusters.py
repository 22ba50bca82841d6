"""Intent clusters: pure functions on hashed words.

A document is the set of buckets of its words; its vector has the inverse document frequency at each
bucket, and length 1. Clusters come from average linkage on a sample; a trajectory belongs to the
nearest centroid if that is near enough. Distinct wordings of one request meet because rare words
(places, products, codes) weigh most.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

BUCKETS = 4096
LINKAGE_DISTANCE = 0.65
"""Average cosine distance up to which clusters are joined."""

NEAR_ENOUGH = 0.4
"""Cosine to a centroid from which on a trajectory belongs to it."""

TOO_COMMON = 0.4
"""Share of documents from which on a word tells nothing."""

_BLOCK = 5_000

Floats = NDArray[np.float64]


class Assigned(NamedTuple):
    """Cluster of each document (-1 = none is near) and cosine to its centroid."""

    cluster: NDArray[np.int64]
    cosine: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Centroids:
    """Clusters: their ids and (clusters, BUCKETS) centroids of length 1, beside the weights of words."""

    ids: tuple[str, ...]
    matrix: Any
    idf: Floats


def inverse_frequency(documents: Sequence[Sequence[int]]) -> Floats:
    """Return the weight of each bucket: ln((1 + n) / (1 + df)), 0 for what many documents hold."""
    n = len(documents)
    counts = np.bincount(np.concatenate([np.asarray(d, dtype=np.int64) for d in documents]))
    frequency = np.zeros(BUCKETS)
    frequency[: counts.size] = counts
    weights = np.log((1 + n) / (1 + frequency))
    if n >= 50:
        weights[frequency > TOO_COMMON * n] = 0.0
    return weights


def vectors(documents: Sequence[Sequence[int]], idf: Floats) -> Any:
    """Return (documents, BUCKETS) csr rows of length 1 (0 where no word tells anything)."""
    sizes = np.fromiter((len(d) for d in documents), dtype=np.int64, count=len(documents))
    indices = np.fromiter((b for d in documents for b in d), dtype=np.int64, count=sizes.sum())
    indptr = np.concatenate([[0], np.cumsum(sizes)])
    rows = sparse.csr_array((idf[indices], indices, indptr), shape=(len(documents), BUCKETS))
    return _of_length_one(rows)


def make_clusters(documents: Any, *, smallest: int = 2, most: int = 256) -> list[NDArray[np.int64]]:
    """Return the members of each cluster of csr ``documents``, largest first."""
    n = documents.shape[0]
    if n < 2:
        return []
    distances = 1.0 - np.clip((documents @ documents.T).toarray(), 0.0, 1.0)
    np.fill_diagonal(distances, 0.0)
    tree = linkage(squareform(distances, checks=False), method="average")
    labels = fcluster(tree, LINKAGE_DISTANCE, criterion="distance")
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    wanted = [m for m in members if m.size >= smallest]
    return sorted(wanted, key=lambda m: (-m.size, int(m[0])))[:most]


def centroid_matrix(documents: Any, members: Sequence[NDArray[np.int64]]) -> Any:
    """Return (clusters, BUCKETS) centroids of length 1."""
    means = [documents[m].sum(axis=0) / m.size for m in members]
    stacked = np.asarray(means).reshape(len(members), BUCKETS)
    return _of_length_one(sparse.csr_array(stacked))


def assign(documents: Any, centroids: Centroids) -> Assigned:
    """Return the nearest cluster of each of the csr ``documents``."""
    n = documents.shape[0]
    if not centroids.ids or n == 0:
        return Assigned(np.full(n, -1, dtype=np.int64), np.zeros(n))
    columns = np.ascontiguousarray(centroids.matrix.toarray().T, dtype=np.float32)
    nearest, cosine = np.zeros(n, dtype=np.int64), np.zeros(n)
    for start in range(0, n, _BLOCK):  # dense, so a block at a time
        block = documents[start : start + _BLOCK].astype(np.float32) @ columns
        nearest[start : start + _BLOCK] = block.argmax(axis=1)
        cosine[start : start + _BLOCK] = block.max(axis=1)
    return Assigned(np.where(cosine >= NEAR_ENOUGH, nearest, -1), cosine)


def _of_length_one(rows: Any) -> Any:
    norms = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).reshape(-1))
    return sparse.csr_array(sparse.diags_array(1.0 / np.maximum(norms, 1e-12)) @ rows)
