"""Which conversations were about the same thing: near-identical requests, the strata of the contrast.

Coarse intents are not enough: requests of one intent differ in difficulty, and whatever hard ones
share (more look-ups, more turns) then looks like a cause. Only runs of nearly the same request are
compared. Where users give the same codes, names and wishes, the request is the same whatever wording.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.feature_extraction.text import TfidfVectorizer  # pyright: ignore[reportMissingTypeStubs]

MAX_DISTANCE = 0.5
"""Mean cosine distance within a subject at most; 0 is the same words, 1 none in common."""
MAX_ROWS = 4_000
"""All pairs are compared: 4,000 rows are 64 MB of distances."""
_TOKEN = r"[\w#-]+"  # codes such as A1-B2 and #123 stay whole: they tell requests apart


def subjects(openings: Sequence[str], told: Sequence[str]) -> NDArray[np.int64]:
    """Return a subject (code from 0) per conversation.

    Average linkage on one minus the mean of two TF-IDF cosines: of the opening, which no agent has
    touched, and of all that the user said, which has the particulars.

    Args:
        openings: first message of the user; '' is unknown, and alone.
        told: all messages of the user.

    Raises:
        ValueError: for more than `MAX_ROWS` rows.
    """
    n = len(openings)
    if n > MAX_ROWS:
        raise ValueError(f"{n} conversations are more than the {MAX_ROWS} that can be compared.")
    if n < 2:
        return np.zeros(n, dtype=np.int64)
    distance = 1.0 - (_similarity(openings) + _similarity(told)) / 2
    unknown = np.array([not opening.strip() for opening in openings])
    distance[unknown] = distance[:, unknown] = 1.0
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(np.clip(distance, 0.0, 1.0), checks=False), "average")
    return (fcluster(tree, MAX_DISTANCE, "distance") - 1).astype(np.int64)


def _similarity(texts: Sequence[str]) -> NDArray[np.float32]:
    """Return (n, n) cosines; 0 where a text has no words."""
    if not any(re.search(_TOKEN, text) for text in texts):
        return np.zeros((len(texts), len(texts)), dtype=np.float32)
    make: Any = TfidfVectorizer  # its stubs allow no other dtype than the default
    vectorizer = make(token_pattern=_TOKEN, sublinear_tf=True, dtype=np.float32)
    vectors: Any = vectorizer.fit_transform(texts)
    return np.asarray((vectors @ vectors.T).todense(), dtype=np.float32)
