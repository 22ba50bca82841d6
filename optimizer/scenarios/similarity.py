"""How alike requests are: words hashed and weighted by rarity, tools compared by name. Everything is pure.

Two comparisons, for two questions. *Near-duplicates* (words and pairs of words, ids masked) tell the same
story and must stand on one side of a split. A run is *covered* by a scenario if it asks for something of the
same kind and the tools it calls are on the scenario's tape.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import (
    ENGLISH_STOP_WORDS,
    HashingVectorizer,
    TfidfTransformer,
)

from spanloop.optimizer.scenarios.sighting import Sighting, masked

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

REQUEST_SIMILAR = 0.15
"""Cosine of words, weighted by rarity, from which on two requests are of one kind. On the recorded support
conversations one pair of runs in 20 is, if tools are asked for too (docs/scenarios.md)."""

TOOLS_KNOWN = 0.8
"""Share of a run's tools, weighted by rarity, that a scenario's recordings call at least."""

NEAR = 0.4
"""Cosine of words and pairs of words from which on two requests are near-duplicates: on the recorded support
conversations fewer than one pair of different requests in 1,000 reaches it."""

NEAR_OPENING = 0.4
TELLING = 4
"""Telling words from which on an opening alone tells a story: what begins alike is not used on two sides. A
greeting begins every story."""

SAME = 0.8
"""Cosine from which on two scenarios that call the same tools are one."""

_WORD = re.compile(r"\w{3,}")
_WORDLESS = "wordless"
_BUCKETS = 2**18
_BLOCK = 512


def word_vectors(texts: Sequence[str]) -> sparse.csr_matrix:
    """Return (texts, buckets) rows of length 1: words, weighted by their rarity among ``texts``."""
    return _vectors(texts, pairs=False)


def phrase_vectors(texts: Sequence[str]) -> sparse.csr_matrix:
    """Return (texts, buckets) rows of length 1: words and pairs of words."""
    return _vectors(texts, pairs=True)


def _vectors(texts: Sequence[str], *, pairs: bool) -> sparse.csr_matrix:
    hashing_of: Any = HashingVectorizer  # their stubs know no sparse result
    weighting_of: Any = TfidfTransformer
    hashing = hashing_of(
        ngram_range=(1, 2 if pairs else 1),
        stop_words="english",
        n_features=_BUCKETS,
        alternate_sign=False,
        norm=None,
        binary=pairs,
    )
    counts = hashing.transform(map(_prepared, texts))
    weighted = weighting_of(sublinear_tf=True).fit_transform(counts)
    return sparse.csr_matrix(weighted, dtype=np.float32)


def _prepared(text: str) -> str:
    """Return ``text`` masked; one without a telling word is alike all others without."""
    plain = masked(text)
    return plain if any(len(word) > 3 for word in plain.split()) else f"{plain} {_WORDLESS}"


def telling_words(text: str) -> int:
    """Return how many different words of ``text`` tell something: no number, no stop word, no short one.

    >>> telling_words("Hi, can you cancel the order 12 for me, order 13 too?")
    2
    """
    words = set(_WORD.findall(masked(text)))
    return len(words - ENGLISH_STOP_WORDS)


def near_duplicates(vectors: sparse.csr_matrix, threshold: float) -> list[tuple[int, int, float]]:
    """Return (i, j, cosine) of rows i < j that are at least ``threshold`` alike, the most alike first."""
    found: list[tuple[int, int, float]] = []
    transposed = sparse.csc_matrix(vectors.T)
    for begin in range(0, vectors.shape[0], _BLOCK):
        block = sparse.coo_matrix(vectors[begin : begin + _BLOCK] @ transposed)
        rows = block.row + begin
        kept = (block.data >= threshold) & (rows < block.col)
        found += zip(
            rows[kept].tolist(), block.col[kept].tolist(), block.data[kept].tolist(), strict=True
        )
    return sorted(found, key=lambda pair: (-pair[2], pair[0], pair[1]))


def tool_weights(sightings: Sequence[Sighting]) -> dict[str, float]:
    """Return the weight of each tool: a tool that every run calls tells little."""
    n = len(sightings)
    counts: dict[str, int] = {}
    for sighting in sightings:
        for tool in sighting.tools:
            counts[tool] = counts.get(tool, 0) + 1
    return {
        tool: float(np.log((1 + n) / (1 + count))) + 0.2 for tool, count in sorted(counts.items())
    }


def tools_known(
    runs: Sequence[Sighting], tapes: Sequence[frozenset[str]], weights: dict[str, float]
) -> Floats:
    """Return (runs, tapes) shares of each run's tools that each tape holds; 1 for a run that calls none."""
    index = {tool: column for column, tool in enumerate(weights)}
    weight = np.array(list(weights.values()))
    called = _incidence([run.tools for run in runs], index)
    held = _incidence(tapes, index)
    total = called @ weight
    shared = (called * weight) @ held.T
    return np.where(total[:, None] > 0, shared / np.maximum(total, 1e-9)[:, None], 1.0)


def _incidence(sets: Sequence[frozenset[str]], index: dict[str, int]) -> Floats:
    matrix = np.zeros((len(sets), len(index)))
    for row, names in enumerate(sets):
        for name in names:
            if name in index:
                matrix[row, index[name]] = 1.0
    return matrix
