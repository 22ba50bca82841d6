import numpy as np
import pytest

from spanloop.optimizer.satisfaction.clusters import (
    BUCKETS,
    Centroids,
    assign,
    centroid_matrix,
    inverse_frequency,
    make_clusters,
    vectors,
)
from spanloop.optimizer.satisfaction.strata import smallest


def documents(n: int = 60) -> list[list[int]]:
    """Three intents of 20 words each; a document holds ten of its intent, and one that all share."""
    rng = np.random.default_rng(1)
    return [
        sorted([4000, *(rng.choice(20, 10, replace=False) + 100 * (i % 3)).tolist()])
        for i in range(n)
    ]


def test_documents_of_one_intent_meet() -> None:
    rows = documents()
    matrix = vectors(rows, inverse_frequency(rows))
    members = make_clusters(matrix)
    assert sorted(sorted(m.tolist()) for m in members) == [list(range(i, 60, 3)) for i in range(3)]


def test_new_documents_find_their_cluster_and_foreign_ones_none() -> None:
    rows = documents()
    idf = inverse_frequency(rows)
    matrix = vectors(rows, idf)
    members = make_clusters(matrix)
    known = Centroids(ids=("i1", "i2", "i3"), matrix=centroid_matrix(matrix, members), idf=idf)
    fresh = vectors([rows[0], [900, 901, 902]], idf)
    assigned = assign(fresh, known)
    assert 0 in members[int(assigned.cluster[0])]
    assert assigned.cluster[1] == -1


def test_words_that_many_use_weigh_nothing() -> None:
    weights = inverse_frequency(documents())
    assert weights.shape == (BUCKETS,)
    assert weights[4000] == 0.0
    assert weights[0] > 0


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_documents_make_no_cluster(n: int) -> None:
    rows = documents(n)
    weights = np.ones(BUCKETS)
    matrix = vectors(rows, weights)
    assert make_clusters(matrix) == []
    none = Centroids(ids=(), matrix=matrix[:0], idf=weights)
    assert assign(matrix, none).cluster.tolist() == [-1] * n


@pytest.mark.parametrize(("n", "expected"), [(2, 2), (300, 2), (1_499, 2), (2_000, 4), (3_000, 6)])
def test_a_cluster_holds_its_share_of_many_documents_and_two_of_few(n: int, expected: int) -> None:
    assert smallest(n) == expected


def test_pairs_among_many_documents_make_no_cluster() -> None:
    """Four intents of 40 among 920 pairs: 2,000 documents that no pair may crowd out of."""
    rows = [[1000 + i // 2, 2000 + i // 2] for i in range(1_840)]
    rows += [[i % 4 * 10 + 1, i % 4 * 10 + 2] for i in range(160)]
    matrix = vectors(rows, np.ones(BUCKETS))
    members = make_clusters(matrix, smallest=smallest(len(rows)), most=512)
    assert [m.size for m in members] == [40] * 4
