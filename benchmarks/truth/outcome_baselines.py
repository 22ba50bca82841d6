"""The named baselines of `outcome_auc`: the same runs, the same labels, nothing of the product.

Known figures (dev → unseen tasks of tau2_bench, pooled): TF-IDF with logistic regression 0.65 with 10 %
of tasks labelled, 0.71 with 10 % of runs, 0.75 with all; trees on SVD 0.80; agent and domain base rate
0.69; fewer spans 0.68.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

KNOWN = {
    "tau2_bench": {
        "tfidf_lr, 10 % of tasks": 0.65,
        "tfidf_lr, 10 % of runs": 0.71,
        "tfidf_lr, all": 0.75,
        "svd_trees, all": 0.80,
        "base_rate": 0.69,
        "fewer_spans": 0.68,
    },
    "tau_bench": {"lower": 0.55, "upper": 0.68},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineRuns:
    """Runs as the baselines see them, labelled and to be scored together.

    Attributes:
        counts: csr TF-IDF of what was said and called.
        factors: (n, 50) its SVD.
        kinds: (n, agents x domains) indicators.
        spans: (n,) how many spans.
    """

    counts: Any
    factors: Floats
    kinds: Floats
    spans: Floats


def prepare(texts: Sequence[str], kinds: Sequence[str], spans: Floats, seed: int) -> BaselineRuns:
    """Turn texts into TF-IDF and its SVD; rarity of words comes from all runs, labelled or not."""
    vectorizer = TfidfVectorizer(
        sublinear_tf=True, min_df=2, max_df=0.9, token_pattern=r"\S+", max_features=30_000
    )
    counts = vectorizer.fit_transform(texts)
    size = max(2, min(50, counts.shape[0] - 1, counts.shape[1] - 1))
    factors = TruncatedSVD(size, random_state=seed).fit_transform(counts)
    names = sorted(set(kinds))
    indicators = np.array([[float(kind == name) for name in names] for kind in kinds])
    return BaselineRuns(counts=counts, factors=factors, kinds=indicators, spans=spans)


def unlabelled(runs: BaselineRuns, scored: Rows) -> Mapping[str, Floats]:
    """Return name → score without labels."""
    return {"fewer_spans": -runs.spans[scored]}


def labelled(
    runs: BaselineRuns, learned: Rows, scored: Rows, success: Floats, seed: int
) -> Mapping[str, Floats]:
    """Return name → score of ``scored`` after learning from ``learned`` with both outcomes."""
    return {
        "tfidf_lr": _tfidf_lr(runs, learned, scored, success, seed),
        "svd_trees": _svd_trees(runs, learned, scored, success, seed),
        "base_rate": _base_rate(runs, learned, scored, success),
    }


def ridge(runs: BaselineRuns, learned: Rows, scored: Rows, satisfaction: Floats) -> Floats:
    """Return predictions of a number by ridge regression on TF-IDF."""
    model = Ridge(alpha=1.0).fit(runs.counts[learned], satisfaction[learned])
    return np.asarray(model.predict(runs.counts[scored]), dtype=np.float64)


def _tfidf_lr(
    runs: BaselineRuns, learned: Rows, scored: Rows, success: Floats, seed: int
) -> Floats:
    model = LogisticRegression(C=10, solver="liblinear", random_state=seed).fit(
        runs.counts[learned], success[learned]
    )
    return np.asarray(model.decision_function(runs.counts[scored]), dtype=np.float64)


def _svd_trees(
    runs: BaselineRuns, learned: Rows, scored: Rows, success: Floats, seed: int
) -> Floats:
    model = ExtraTreesClassifier(100, min_samples_leaf=2, random_state=seed)
    model.fit(runs.factors[learned], success[learned])
    return np.asarray(model.predict_proba(runs.factors[scored])[:, 1], dtype=np.float64)


def _base_rate(runs: BaselineRuns, learned: Rows, scored: Rows, success: Floats) -> Floats:
    kinds = runs.kinds[learned]
    mean = success[learned].mean()
    rates = (kinds.T @ success[learned] + 2 * mean) / (kinds.sum(axis=0) + 2)
    return np.asarray(runs.kinds[scored] @ rates, dtype=np.float64)
