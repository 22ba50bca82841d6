"""The rate when the product's own model learns from the very labels that then correct it.

Each draw labels 20 % of a recorded set's runs, trains the product's model on them, scores every run as
`trajectory_satisfaction.Base` does (labelled ones by a model that did not see them) and asks for the rate of
the batch. Beside it the same with labelled runs scored by the model that saw them, which is what the
cross-fitting guards against.
"""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from benchmarks.truth.load import TruthData
from benchmarks.truth.outcome_runs import Runs, runs_by_set
from benchmarks.truth.rate_report import HIGH, LOW, MONTE_CARLO_LEVEL, rounded
from spanloop.optimizer.satisfaction.model import cross_fit, prior_model
from spanloop.optimizer.satisfaction.rate_core import rates
from spanloop.optimizer.statistics import Batch, Interval, Labels, wilson

DRAWS = 150
"""Training takes some 0.1 s a draw, so these cells have fewer draws and a wider Monte-Carlo error."""

SHARE = 0.20
FEWEST_RUNS = 100

Floats = NDArray[np.float64]


def retrained_cells(data: TruthData, *, seed: int, draws: int = DRAWS) -> list[dict[str, Any]]:
    """Return one cell per recorded set of some size with outcomes of both kinds."""
    return [
        _cell(name, runs, draws, np.random.default_rng([seed, zlib.crc32(name.encode())]))
        for name, runs in sorted(runs_by_set(data).items())
        if runs.outcome.size >= FEWEST_RUNS
        and not runs.graded
        and 0.0 < float(runs.outcome.mean()) < 1.0
    ]


def retrained_aim(cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the aim that these cells add to those of benchmarks.md."""
    off = [c for c in cells if c["monte_carlo"][0] > HIGH or c["monte_carlo"][1] < LOW]
    return {
        "aim": f"coverage with the product's model trained on the drawn labels ({len(cells)} sets)",
        "wanted": f"{LOW} to {HIGH}, within Monte-Carlo error",
        "measured": {str(c["set"]): c["coverage"] for c in cells},
        "met": not off if cells else None,
    }


def _cell(name: str, runs: Runs, draws: int, rng: np.random.Generator) -> dict[str, Any]:
    truth, n = float(runs.outcome.mean()), runs.outcome.size
    prior = prior_model(runs.examples.numbers)
    held_out: list[Interval] = []
    seen: list[Interval] = []
    alone: list[Interval] = []
    for _ in range(draws):
        chosen = _drawn(n, rng)
        fitted = cross_fit(
            prior,
            runs.examples.subset(chosen),
            runs.outcome[chosen],
            runs.examples.counts,
            rng=rng,
        )
        trained = expit(fitted.model.base_log_odds(runs.examples.numbers))
        crossed = trained.copy()
        crossed[chosen] = expit(fitted.held_out_base)
        held_out.append(_rate(runs.outcome, crossed, chosen))
        seen.append(_rate(runs.outcome, trained, chosen))
        alone.append(_rate(runs.outcome, np.zeros(n), chosen))
    held = sum(_holds(each, truth) for each in held_out)
    error = wilson(held, draws, level=MONTE_CARLO_LEVEL)
    return {
        "set": name,
        "labels": round(SHARE * n),
        "draws": draws,
        "coverage": rounded(error.point),
        "monte_carlo": [rounded(error.low), rounded(error.high)],
        "bias": rounded(float(np.mean([x.point for x in held_out if x.point is not None])) - truth),
        "coverage_if_the_model_saw_the_labels": rounded(
            float(np.mean([_holds(each, truth) for each in seen]))
        ),
        "width_ratio": rounded(_width(held_out) / _width(alone)),
        "score_used": rounded(
            float(np.mean([each.method == "prediction_powered" for each in held_out]))
        ),
    }


def _drawn(n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return np.sort(rng.permutation(n)[: round(SHARE * n)]).astype(np.int64)


def _rate(outcome: Floats, score: Floats, chosen: NDArray[np.int64]) -> Interval:
    """Return the batch's rate; clusters play no part where runs are drawn."""
    total = np.array([float(outcome.size)])
    labels = Labels(
        outcome=outcome[chosen],
        score=score[chosen],
        group=np.zeros(chosen.size, dtype=np.int64),
        cluster=chosen,
        weight=np.ones(chosen.size),
        cluster_runs=np.ones(chosen.size),
        cluster_score=score[chosen],
    )
    batch = Batch(
        runs=total,
        score=np.array([score.sum()]),
        clusters=total,
        runs_squared=total,
        runs_score=np.array([score.sum()]),
        score_squared=np.array([score @ score]),
    )
    return rates(labels, batch)[0]


def _holds(found: Interval, truth: float) -> bool:
    return found.low is not None and found.high is not None and found.low <= truth <= found.high


def _width(found: Sequence[Interval]) -> float:
    return float(np.mean([each.width for each in found if each.width is not None]))
