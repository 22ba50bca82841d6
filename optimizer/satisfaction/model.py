"""The probability that a trajectory satisfied its user: a logistic regression that starts from a prior.

Every number has a weight before any label is seen. Labels move the weights away from there, the more of
them the further: the maximum of the likelihood times a Gaussian around those weights. With no label the
weights stay (method ``prior``); the order is then meaningful, the level is not. With labels a second
expert reads the words, and its part grows with their number. Everything here is pure.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from spanloop.optimizer.satisfaction.features import NUMBERS
from spanloop.optimizer.satisfaction.peers import PEER_NAMES
from spanloop.optimizer.satisfaction.text import WordModel

Floats = NDArray[np.float64]

EXTRA_PRIORS: Mapping[str, float] = {
    "same_changes": 0.5,
    "same_changing_tools": 0.5,
    "same_values": 0.5,
    "same_handover": 0.1,
    "same_numbers": 0.1,
    "peers_agree_changes": 0.35,
    "judge": 0.8,
}
"""Weights, before labels are seen, of numbers that only some trajectories have; the rest of them 0."""

EXTRA_NAMES = (*PEER_NAMES, "judge")
NAMES = (*(number.name for number in NUMBERS), *EXTRA_NAMES)
PRIORS: Floats = np.array(
    [number.prior for number in NUMBERS] + [EXTRA_PRIORS.get(name, 0.0) for name in EXTRA_NAMES]
)

JUDGE_MEAN = JUDGE_SCALE = 0.5
"""A verdict is 0 to 1 and says what it says, however many verdicts there are and whichever way they go."""

TRUST_IN_PRIORS = 200.0
"""Precision of the Gaussian around the prior weights, in labels' worth of a standardised number."""

CUT = 4.0
"""Standard deviations at which a number is cut."""

FEWEST_LABELS = 8
"""Labels, of both kinds, from which on the model learns."""

WORDS_FROM = 20
"""Labels from which on words are read."""

WORDS_MOST = 1.0
WORDS_HALF = 300
"""The words' log-odds enter times WORDS_MOST · n / (n + WORDS_HALF)."""

CALIBRATE_FROM = 50
"""Labels from which on the level is calibrated on held-out scores (Platt 1999)."""

FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Trajectories as the model sees them.

    Attributes:
        numbers: (n, len(NAMES)); NaN = unknown.
        counts: csr (n, WORD_BUCKETS) of `spanloop.optimizer.satisfaction.text.hashed`.
        groups: (n,) which belong together (stratum), so that folds do not split them.
    """

    numbers: Floats
    counts: Any
    groups: Sequence[str]

    def subset(self, rows: NDArray[np.int64]) -> "Examples":
        """Return the examples at ``rows``."""
        return Examples(
            numbers=self.numbers[rows],
            counts=self.counts[rows],
            groups=[self.groups[int(i)] for i in rows],
        )


class Base(NamedTuple):
    """Log-odds by the numbers alone that every trajectory has.

    Attributes:
        intercept: where all numbers are at their means.
        weights: (len(NUMBERS),) per standard deviation.
    """

    intercept: float
    weights: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Log-odds = intercept + Σ weight · standardised number + words_weight · log-odds of the words.

    Attributes:
        means: (len(NAMES),) of the numbers, over labelled and unlabelled trajectories; the judge's is fixed.
        scales: (len(NAMES),) their standard deviations; 0 where a number does not vary; the judge's is fixed.
        weights: (len(NAMES),) per standard deviation.
        words: the expert that reads words, if there were labels enough.
        labels: trained on.
        base: the mean of the models that held out a part of the labels each: labelled trajectories get
            those, and the others must get no more than that. None = own weights.
    """

    means: Floats
    scales: Floats
    weights: Floats
    intercept: float
    words: WordModel | None = None
    words_weight: float = 0.0
    labels: int = 0
    base: Base | None = None

    @property
    def method(self) -> str:
        """``prior`` or ``trained``."""
        return "trained" if self.labels else "prior"

    def contributions(self, numbers: Floats) -> Floats:
        """Return (n, len(NAMES)) what each number adds to the log-odds; unknown ones add 0."""
        return standardised(numbers, self.means, self.scales) * self.weights

    def word_contributions(self, counts: Any) -> Floats:
        """Return (n,) what the words add to the log-odds."""
        if self.words is None:
            return np.zeros(int(counts.shape[0]))
        return self.words_weight * self.words.log_odds(counts)

    def log_odds(self, examples: Examples) -> Floats:
        """Return (n,) log-odds."""
        added: Floats = self.contributions(examples.numbers).sum(axis=1)
        return added + self.word_contributions(examples.counts) + self.intercept

    def numbers_alone(self) -> Base:
        """Return the function behind `base_log_odds`."""
        return self.base or Base(self.intercept, self.weights[: len(NUMBERS)])

    def base_log_odds(self, numbers: Floats) -> Floats:
        """Return (n,) log-odds by the numbers alone that every trajectory has."""
        own = slice(len(NUMBERS))
        base = self.numbers_alone()
        added: Floats = (
            standardised(numbers[:, own], self.means[own], self.scales[own]) @ base.weights
        )
        return added + base.intercept


class CrossFitted(NamedTuple):
    """A model, and for each labelled row what models say that did not see its fold.

    Attributes:
        model: learned from all labels.
        held_out: log-odds.
        held_out_base: `Model.base_log_odds`.
    """

    model: Model
    held_out: Floats
    held_out_base: Floats


def standardised(numbers: Floats, means: Floats, scales: Floats) -> Floats:
    """Return numbers in standard deviations from the mean, cut at `CUT`; 0 where unknown."""
    scaled = (numbers - means) / np.where(scales > 0, scales, np.inf)
    return np.clip(np.nan_to_num(scaled, nan=0.0), -CUT, CUT)


def prior_model(numbers: Floats) -> Model:
    """Return the model before labels are seen, standardised by ``numbers``."""
    known = np.isfinite(numbers)
    n = np.maximum(known.sum(axis=0), 1)
    filled = np.where(known, numbers, 0.0)
    means = filled.sum(axis=0) / n
    squares = (np.where(known, numbers - means, 0.0) ** 2).sum(axis=0) / n
    scales = np.sqrt(squares)
    scales[scales < 1e-6] = 0.0
    judge = NAMES.index("judge")
    means[judge], scales[judge] = JUDGE_MEAN, JUDGE_SCALE
    return Model(means=means, scales=scales, weights=PRIORS.copy(), intercept=0.0)


def fit(prior: Model, labelled: Examples, satisfied: Floats, background: Any) -> Model:
    """Return ``prior`` moved by labels; too few labels, or of one kind only, leave it as it is.

    Args:
        prior: of `prior_model`.
        labelled: the labelled trajectories.
        satisfied: (n,) 0 to 1.
        background: csr counts of labelled and unlabelled trajectories, for the rarity of words.
    """
    n = satisfied.size
    if n < FEWEST_LABELS or not 0 < satisfied.mean() < 1:
        return prior
    z = standardised(labelled.numbers, prior.means, prior.scales)
    intercept, weights = _maximum_a_posteriori(z, satisfied, prior.weights)
    model = replace(prior, weights=weights, intercept=intercept, labels=n)
    if n < WORDS_FROM:
        return model
    words = WordModel.fit(labelled.counts, satisfied, background)
    return replace(model, words=words, words_weight=WORDS_MOST * n / (n + WORDS_HALF))


def cross_fit(
    prior: Model,
    labelled: Examples,
    satisfied: Floats,
    background: Any,
    *,
    rng: np.random.Generator,
) -> CrossFitted:
    """Fit on all labels, and on each part of the groups for the scores of the rest; calibrate.

    The prior stays where labels are too few for every part: scores with and without a label would
    else be of different kinds.
    """
    folds = group_folds(labelled.groups, rng=rng)
    parts: list[_Part] = []
    for fold in np.unique(folds).tolist():
        kept = np.flatnonzero(folds != fold)
        part = fit(prior, labelled.subset(kept), satisfied[kept], background)
        if not part.labels:
            return _cross_fitted(prior, [_Part(np.arange(satisfied.size), prior)], labelled)
        parts.append(_Part(np.flatnonzero(folds == fold), part))
    model = fit(prior, labelled, satisfied, background)
    if satisfied.size >= CALIBRATE_FROM:
        raw = _cross_fitted(model, parts, labelled).held_out
        model = calibrated(model, *platt(raw, satisfied))
        parts = [
            _Part(out, calibrated(part, *platt(np.delete(raw, out), np.delete(satisfied, out))))
            for out, part in parts
        ]
    return _cross_fitted(replace(model, base=_mean_base(parts)), parts, labelled)


class _Part(NamedTuple):
    """Rows, and a model that did not see them."""

    rows: NDArray[np.int64]
    model: Model


def _cross_fitted(model: Model, parts: Sequence[_Part], labelled: Examples) -> CrossFitted:
    held_out = np.zeros((2, len(labelled.groups)))
    for rows, part in parts:
        own = labelled.subset(rows)
        held_out[:, rows] = part.log_odds(own), part.base_log_odds(own.numbers)
    return CrossFitted(model, *held_out)


def _mean_base(parts: Sequence[_Part]) -> Base:
    shares = [part.rows.size for part in parts]
    weights: Floats = np.average([part.model.weights for part in parts], axis=0, weights=shares)
    intercept = np.average([part.model.intercept for part in parts], weights=shares)
    return Base(float(intercept), weights[: len(NUMBERS)])


def calibrated(model: Model, a: float, b: float) -> Model:
    """Return ``model`` with log-odds a + b · log-odds."""
    return replace(
        model,
        intercept=a + b * model.intercept,
        weights=b * model.weights,
        words_weight=b * model.words_weight,
    )


def platt(log_odds: Floats, satisfied: Floats) -> tuple[float, float]:
    """Return (a, b >= 0.05) such that a + b · log-odds fits ``satisfied``, b held near 1."""

    def loss(x: Floats) -> tuple[float, Floats]:
        eta = x[0] + x[1] * log_odds
        residual = _probability(eta) - satisfied
        value = np.logaddexp(0, eta).sum() - satisfied @ eta + 5.0 * (x[1] - 1.0) ** 2
        slope = np.array([residual.sum(), residual @ log_odds + 10.0 * (x[1] - 1.0)])
        return float(value), slope

    found: Any = minimize(loss, np.array([0.0, 1.0]), jac=True, method="L-BFGS-B")
    return float(found.x[0]), max(float(found.x[1]), 0.05)


def group_folds(groups: Sequence[str], *, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the fold of each row; rows of one group share it.

    Rows of group '' are of one each, and so are those of a group that would more than fill a fold.
    """
    size = Counter(groups)
    alone = {"", *(group for group in size if size[group] * FOLDS > len(groups))}
    names = [f"\0{i}" if group in alone else group for i, group in enumerate(groups)]
    distinct = sorted(set(names))
    order = rng.permutation(len(distinct))
    fold = {name: int(order[i]) % FOLDS for i, name in enumerate(distinct)}
    return np.array([fold[name] for name in names], dtype=np.int64)


def _probability(log_odds: Floats) -> Floats:
    probability: Any = expit(log_odds)
    return np.asarray(probability, dtype=np.float64)


def _maximum_a_posteriori(z: Floats, satisfied: Floats, prior: Floats) -> tuple[float, Floats]:
    def loss(x: Floats) -> tuple[float, Floats]:
        eta = x[0] + z @ x[1:]
        moved = x[1:] - prior
        residual = _probability(eta) - satisfied
        value = np.logaddexp(0, eta).sum() - satisfied @ eta
        value += TRUST_IN_PRIORS / 2 * float(moved @ moved) + 0.005 * x[0] ** 2
        slope = np.concatenate(
            [[residual.sum() + 0.01 * x[0]], z.T @ residual + TRUST_IN_PRIORS * moved]
        )
        return float(value), slope

    start = np.concatenate([[0.0], prior])
    found: Any = minimize(loss, start, jac=True, method="L-BFGS-B")
    solution = np.asarray(found.x, dtype=np.float64)
    return float(solution[0]), solution[1:]
