"""Text of trajectories through scikit-learn: who said similar things, and what labels say about words.

scikit-learn has no types; it is kept behind the functions of this file.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import (
    HashingVectorizer,  # pyright: ignore[reportUnknownVariableType]
    TfidfVectorizer,  # pyright: ignore[reportUnknownVariableType]
)
from sklearn.linear_model import LogisticRegression  # pyright: ignore[reportUnknownVariableType]

from spanloop.optimizer.satisfaction.peers import SIMILAR, Step

Floats = NDArray[np.float64]

WORD_BUCKETS = 2**14
WEAKNESS = 10.0
"""Inverse strength of the penalty on words (scikit-learn's C)."""

_BLOCK = 500
_WORDS_A_MESSAGE = 200
_MOST_TOKENS = 3_000


def said_similarity(texts: Sequence[str]) -> Any:
    """Return csr (n, n) cosines from `SIMILAR` up between TF-IDF vectors of what users said."""
    n = len(texts)
    vectorizer: Any = TfidfVectorizer(
        sublinear_tf=True, token_pattern=r"(?u)\b\w[\w\-]+\b", max_df=0.5 if n > 4 else 1.0
    )
    try:
        rows = sparse.csr_array(vectorizer.fit_transform(texts))
    except ValueError:  # no text holds a word that tells anything
        return sparse.csr_array((n, n))
    blocks: list[Any] = []
    for start in range(0, n, _BLOCK):  # most cosines are small: keep only what counts
        block = sparse.csr_array(rows[start : start + _BLOCK] @ rows.T)
        block.data[block.data < SIMILAR] = 0.0
        block.eliminate_zeros()
        blocks.append(block)
    return sparse.csr_array(sparse.vstack(blocks))


def told(steps: Sequence[Step]) -> str:
    """Return a run as one line of tokens: words by who said them, calls by name and status."""
    tokens: list[str] = []
    for step in steps:
        if step.kind == "tool":
            tokens += [f"tool:{step.name}", f"{step.status}:{step.name}"]
        else:
            words = step.text.lower().split()[:_WORDS_A_MESSAGE]
            tokens += [f"{step.kind[:1]}_{word}" for word in words]
        if len(tokens) >= _MOST_TOKENS:
            break
    return " ".join(tokens)


def hashed(documents: Sequence[str]) -> Any:
    """Return csr (n, WORD_BUCKETS) of 1 + ln(count) of each token's bucket."""
    make: Any = HashingVectorizer
    vectorizer = make(
        n_features=WORD_BUCKETS, alternate_sign=False, norm=None, token_pattern=r"\S+"
    )
    counts = sparse.csr_array(vectorizer.transform(documents), dtype=np.float64)
    counts.data = 1.0 + np.log(counts.data)
    return counts


@dataclass(frozen=True, slots=True, kw_only=True)
class WordModel:
    """A logistic regression on words.

    Attributes:
        idf: (WORD_BUCKETS,) weight of each bucket.
        coefficients: (WORD_BUCKETS,).
        intercept: log-odds.
    """

    idf: Floats
    coefficients: Floats
    intercept: float

    @classmethod
    def fit(cls, counts: Any, satisfied: Floats, background: Any) -> "WordModel":
        """Learn from labelled ``counts``; rarity of words comes from ``background``, labelled or not.

        Labels between 0 and 1 count in part for either side.
        """
        n = background.shape[0]
        frequency = np.asarray((background > 0).sum(axis=0), dtype=np.float64).reshape(-1)
        idf = np.log((1.0 + n) / (1.0 + frequency)) + 1.0
        idf[(frequency > 0.9 * n) | (frequency < 2)] = 0.0
        rows = _weighted(counts, idf)
        model: Any = LogisticRegression(C=WEAKNESS, solver="liblinear", random_state=0)
        model.fit(
            sparse.vstack([rows, rows]),
            np.repeat([1, 0], satisfied.size),
            sample_weight=np.concatenate([satisfied, 1.0 - satisfied]),
        )
        return cls(
            idf=idf,
            coefficients=np.asarray(model.coef_, dtype=np.float64).reshape(-1),
            intercept=float(model.intercept_[0]),
        )

    def log_odds(self, counts: Any) -> Floats:
        """Return (n,) log-odds of satisfaction, cut to ±4."""
        scores = _weighted(counts, self.idf) @ self.coefficients + self.intercept
        return np.clip(np.asarray(scores, dtype=np.float64).reshape(-1), -4.0, 4.0)

    def as_json(self) -> dict[str, Any]:
        """Return the model for storing."""
        return {
            "idf": _packed(self.idf),
            "coefficients": _packed(self.coefficients),
            "intercept": self.intercept,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "WordModel":
        """Return a stored model."""
        return cls(
            idf=_unpacked(stored["idf"]),
            coefficients=_unpacked(stored["coefficients"]),
            intercept=float(stored["intercept"]),
        )


def _weighted(counts: Any, idf: Floats) -> Any:
    rows = sparse.csr_array(counts @ sparse.diags_array(idf))
    norms = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).reshape(-1))
    return sparse.csr_array(sparse.diags_array(1.0 / np.maximum(norms, 1e-12)) @ rows)


def _packed(values: Floats) -> str:
    return base64.b64encode(values.astype("<f4").tobytes()).decode("ascii")


def _unpacked(text: str) -> Floats:
    return np.frombuffer(base64.b64decode(text), dtype="<f4").astype(np.float64)
