"""Scores of chosen trajectories by a model that was made before: nothing is fitted, nothing else is scored.

What peers do is left unknown: runs of an experiment have peers in production, and agreement with those would
speak for whatever changes nothing. So is the time that a run took: tools that are a tape answer at once.
Other numbers, words and a judge's verdict enter as in production.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import sparse
from scipy.special import expit

from spanloop.optimizer.context import Context
from spanloop.optimizer.satisfaction.examples import CHARS
from spanloop.optimizer.satisfaction.features import FEATURE_VERSION, NUMBERS
from spanloop.optimizer.satisfaction.features import NAMES as OWN_NAMES
from spanloop.optimizer.satisfaction.model import EXTRA_NAMES, Examples
from spanloop.optimizer.satisfaction.peers import Step
from spanloop.optimizer.satisfaction.score import Scores, StoredModel, any_known, write_scores
from spanloop.optimizer.satisfaction.text import WORD_BUCKETS, hashed, told

JUDGE = EXTRA_NAMES.index("judge")
CLOCK = OWN_NAMES.index("seconds")


def score_trajectories(
    context: Context,
    ids: Sequence[str],
    stored: StoredModel,
    *,
    verdicts: Mapping[str, float | None],
) -> Mapping[str, float]:
    """Write ``trajectory_satisfaction`` of the trajectories ``ids``, and return their probabilities.

    ``verdicts`` are a judge's, by trajectory; None = it could not tell. Trajectories without features of the
    model's version are left out.
    """
    rows = context.rows(
        "satisfaction/select_described",
        {"ids": list(ids), "chars": CHARS, "feature_version": FEATURE_VERSION},
    )
    if not rows:
        return {}
    names = [str(row[0]) for row in rows]
    own = np.array([row[1] for row in rows], dtype=np.float64).reshape(len(rows), len(NUMBERS))
    own[:, CLOCK] = np.nan
    extra = np.full((len(rows), len(EXTRA_NAMES)), np.nan)
    extra[:, JUDGE] = [_number(verdicts.get(name)) for name in names]
    counts = (
        sparse.csr_array((len(rows), WORD_BUCKETS))
        if stored.model.words is None
        else hashed([told([Step(*map(str, step)) for step in row[2]]) for row in rows])
    )
    examples = Examples(numbers=np.hstack([own, extra]), counts=counts, groups=[""] * len(rows))
    model = stored.model
    scores = Scores(model.log_odds(examples), model.base_log_odds(examples.numbers))
    write_scores(context, names, examples, scored_by=(model, stored.model_id), scores=scores)
    known = any_known(examples.numbers)
    probability: list[float] = np.asarray(expit(scores.log_odds), dtype=np.float64).tolist()
    return {name: probability[i] for i, name in enumerate(names) if known[i]}


def _number(verdict: float | None) -> float:
    return float("nan") if verdict is None else verdict
