"""Writes the probability of every trajectory, with its evidence.

The engine scores all trajectories by the model's linear part; Python adds peers and words for a bounded
number of them. A trajectory with a label gets the probability of a model that did not see the label.
Beside it stands `Base`, one function for all trajectories: rates compare those with a label to the rest.
The model changes when labels or verdicts do, or when traffic has doubled; only then is everything scored
again.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from spanloop.optimizer.context import ALL_TIME_MS, Context
from spanloop.optimizer.satisfaction.examples import LABELLED, NEWEST, Loaded, load_examples
from spanloop.optimizer.satisfaction.features import FEATURE_VERSION, NUMBERS
from spanloop.optimizer.satisfaction.model import (
    CUT,
    NAMES,
    Base,
    CrossFitted,
    Examples,
    Model,
    cross_fit,
    prior_model,
)
from spanloop.optimizer.satisfaction.text import WordModel

EVIDENCE = 5
"""Entries of evidence that are kept."""

FEWEST_FOR_AUC = 20

COLUMNS = (
    "TrajectoryId",
    "Probability",
    "Base",
    "Method",
    "Evidence",
    "ModelId",
    "Version",
    "IsDeleted",
)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreResult:
    """What `score_satisfaction` did.

    Attributes:
        labels: trajectories with a label that the model learned from; 0 = common sense alone.
        by_experts: trajectories scored in Python.
        everything: 1 if all trajectories were scored again.
    """

    labels: int
    by_experts: int
    everything: int


class StoredModel(NamedTuple):
    """A model as it stands in ``satisfaction_models``, and what it was made of."""

    model_id: str
    model: Model
    fingerprint: str
    examples: int


class Scores(NamedTuple):
    """Log-odds of trajectories by the whole model, and by the function that all trajectories share."""

    log_odds: Floats
    base: Floats


def score_satisfaction(
    context: Context, *, newest: int = NEWEST, labelled: int = LABELLED
) -> ScoreResult:
    """Write ``trajectory_satisfaction``, and the model if it changed."""
    loaded = load_examples(context, newest=newest, labelled=labelled)
    stored = load_model(context)
    rows, satisfied = loaded.labelled()
    fingerprint = _fingerprint(loaded)
    fresh = (
        stored is None
        or stored.fingerprint != fingerprint
        or len(loaded.ids) >= 2 * max(stored.examples, 1)
    )
    model = (
        prior_model(loaded.examples.numbers) if fresh or stored is None else _as_prior(stored.model)
    )
    crossed: CrossFitted | None = None
    fitted = model
    if rows.size:
        crossed = cross_fit(
            model,
            loaded.examples.subset(rows),
            satisfied,
            loaded.examples.counts,
            rng=np.random.default_rng(context.seed),
        )
        fitted = crossed.model
    if fresh or stored is None:
        held_out = crossed.held_out if crossed else None
        model_id = _save_model(context, fitted, fingerprint, loaded, (satisfied, held_out))
    else:
        model_id, fitted = stored.model_id, stored.model
    scores = Scores(fitted.log_odds(loaded.examples), fitted.base_log_odds(loaded.examples.numbers))
    if crossed is not None and fitted.labels:
        scores.log_odds[rows] = crossed.held_out
        scores.base[rows] = crossed.held_out_base
    _write_experts(context, loaded, (fitted, model_id), scores)
    _write_others(context, fitted, model_id, everything=fresh)
    return ScoreResult(labels=fitted.labels, by_experts=len(loaded.ids), everything=int(fresh))


def _as_prior(model: Model) -> Model:
    fresh = prior_model(np.zeros((1, len(NAMES))))
    return Model(means=model.means, scales=model.scales, weights=fresh.weights, intercept=0.0)


def _fingerprint(loaded: Loaded) -> str:
    text = json.dumps([sorted(loaded.labels.items()), sorted(loaded.verdicts.items())])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _write_experts(
    context: Context, loaded: Loaded, scored_by: tuple[Model, str], scores: Scores
) -> None:
    context.run("satisfaction/create_expert")
    if not loaded.ids:
        return
    write_scores(context, loaded.ids, loaded.examples, scored_by=scored_by, scores=scores)
    context.client.insert(
        "expert_trajectories",
        [[name] for name in loaded.ids],
        column_names=["TrajectoryId"],
        database=context.renderer.settings.database,
    )


def write_scores(
    context: Context,
    ids: Sequence[str],
    examples: Examples,
    *,
    scored_by: tuple[Model, str],
    scores: Scores,
) -> None:
    """Write what a model (with its id) says of trajectories, with its evidence."""
    model, model_id = scored_by
    added = np.column_stack(
        [model.contributions(examples.numbers), model.word_contributions(examples.counts)]
    )
    known = any_known(examples.numbers)
    has_base = any_known(examples.numbers[:, : len(NUMBERS)])
    probability, base = expit(scores.log_odds), expit(scores.base)
    rows = [
        [
            name,
            float(probability[i]) if known[i] else None,
            float(base[i]) if has_base[i] else None,
            model.method,
            _evidence(added[i]) if known[i] else [],
            model_id,
            context.now_ms,
            0,
        ]
        for i, name in enumerate(ids)
    ]
    database = context.renderer.settings.database
    context.client.insert("trajectory_satisfaction", rows, column_names=COLUMNS, database=database)


def any_known(numbers: Floats) -> list[bool]:
    """Return whether any number of each row is known."""
    known: list[bool] = np.asarray(np.isfinite(numbers).any(axis=1), dtype=np.bool_).tolist()
    return known


def _evidence(added: Floats) -> list[tuple[str, float]]:
    names = (*NAMES, "words")
    order = np.argsort(-np.abs(added), kind="stable")[:EVIDENCE]
    return [(names[i], float(added[i])) for i in order.tolist() if abs(added[i]) >= 0.005]


def _write_others(context: Context, model: Model, model_id: str, *, everything: bool) -> None:
    own = len(NUMBERS)
    base = model.numbers_alone()
    context.run(
        "satisfaction/insert_scores",
        {
            "everything": everything,
            "names": list(NAMES[:own]),
            "means": model.means[:own].tolist(),
            "scales": model.scales[:own].tolist(),
            "weights": model.weights[:own].tolist(),
            "intercept": model.intercept,
            "base_weights": base.weights.tolist(),
            "base_intercept": base.intercept,
            "cut": CUT,
            "method": model.method,
            "model": model_id,
            "evidence": EVIDENCE,
            "feature_version": FEATURE_VERSION,
            "version": context.now_ms,
        },
    )
    context.run("satisfaction/insert_scores_gone", {"version": context.now_ms})


def load_model(context: Context, *, until_ms: int = ALL_TIME_MS) -> StoredModel | None:
    """Return the newest model made by ``until_ms`` (Unix milliseconds), None where there is none."""
    rows = context.rows(
        "satisfaction/select_model", {"feature_version": FEATURE_VERSION, "until": until_ms}
    )
    if not rows:
        return None
    stored: Mapping[str, Any] = json.loads(rows[0][1])
    if tuple(stored["names"]) != NAMES:
        return None
    base = stored.get("base")
    model = Model(
        means=np.array(stored["means"]),
        scales=np.array(stored["scales"]),
        weights=np.array(stored["weights"]),
        intercept=float(stored["intercept"]),
        words=WordModel.from_json(stored["words"]) if stored["words"] else None,
        words_weight=float(stored["words_weight"]),
        labels=int(rows[0][2]),
        base=Base(base[0], np.array(base[1])) if base else None,
    )
    return StoredModel(str(rows[0][0]), model, stored["fingerprint"], int(stored["examples"]))


def _save_model(
    context: Context,
    model: Model,
    fingerprint: str,
    loaded: Loaded,
    held_out: tuple[Floats, Floats | None],
) -> str:
    parameters = json.dumps(
        {
            "names": NAMES,
            "means": model.means.tolist(),
            "scales": model.scales.tolist(),
            "weights": model.weights.tolist(),
            "intercept": model.intercept,
            "base": [model.base.intercept, model.base.weights.tolist()] if model.base else None,
            "words": model.words.as_json() if model.words else None,
            "words_weight": model.words_weight,
            "fingerprint": fingerprint,
            "examples": len(loaded.ids),
        }
    )
    digest = hashlib.sha256(parameters.encode()).hexdigest()[:12]
    model_id = f"{model.method}-{digest}"
    created = datetime.fromtimestamp(context.now_ms / 1000, UTC)
    quality = _quality(*held_out) if model.labels else (None, None)
    context.client.insert(
        "satisfaction_models",
        [[model_id, created, FEATURE_VERSION, parameters, model.labels, *quality]],
        column_names=[
            "ModelId",
            "CreatedAt",
            "FeatureVersion",
            "Parameters",
            "Labels",
            "CrossFittedAuc",
            "CrossFittedLogLoss",
        ],
        database=context.renderer.settings.database,
    )
    return model_id


def _quality(satisfied: Floats, log_odds: Floats | None) -> tuple[float | None, float | None]:
    """Return AUC and log loss of held-out scores; None where there are too few labels."""
    if log_odds is None or satisfied.size < FEWEST_FOR_AUC:
        return None, None
    loss = float(np.mean(np.logaddexp(0, log_odds) - satisfied * log_odds))
    good, bad = log_odds[satisfied > 0.5], log_odds[satisfied < 0.5]
    if not good.size or not bad.size:
        return None, loss
    order = np.sign(good[:, None] - bad[None, :])
    return float((order + 1).mean() / 2), loss
