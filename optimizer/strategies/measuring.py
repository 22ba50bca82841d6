"""What an experiment measured of an edit: on scenarios of its pattern, and on all other traffic."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spanloop.optimizer.gate.evidence import Evidence, Flags, Floats
from spanloop.optimizer.gate.increments import Differences, audited, differences
from spanloop.optimizer.statistics.betting import PRIOR_COUNT, PRIOR_VARIANCE
from spanloop.optimizer.strategies.law import Z95


@dataclass(frozen=True, slots=True)
class Measures:
    """Mean differences and their standard errors, by experiment; NaN = nothing closed.

    What is missing counts against the candidate, and gold corrects the assessor, as in the verdict. For the
    library, not for a verdict: intervals are normal, and do not know when the experiment was stopped.
    """

    effect: Floats
    effect_error: Floats
    side_effect: Floats
    side_error: Floats

    def shared(self, n: int) -> "Measures":
        """Return what each of ``n`` edits is credited with that had this effect together.

        The error stays: how the effect is made up is not known.
        """
        return replace(self, effect=self.effect / n)

    def with_differences(self, differences: Sequence[float]) -> "Measures":
        """Return these measures with the effect that paired ``differences`` (one or more) show.

        Args:
            differences: of one edit, each -1 to 1; all count alike, whatever their scenarios weigh.
        """
        values = np.asarray(differences, dtype=np.float64)
        around = ((values - values.mean()) ** 2).sum()
        error = np.sqrt(_spread(around, values.size) / values.size)
        return replace(self, effect=values.mean(), effect_error=error)

    def effect_interval(self) -> tuple[float | None, float | None, float | None]:
        """Return effect, low, high (95 %) of a single experiment."""
        return _interval(float(self.effect), float(self.effect_error))

    def side_interval(self) -> tuple[float | None, float | None, float | None]:
        """Return side effect, low, high (95 %) of a single experiment."""
        return _interval(float(self.side_effect), float(self.side_error))


def measure(
    evidence: Evidence,
    on_pattern: Flags,
    closed: NDArray[np.int64] | int | None = None,
    *,
    elsewhere: Flags | None = None,
) -> Measures:
    """Return what ``evidence`` shows.

    Args:
        evidence: of one experiment, or of many with a leading axis.
        on_pattern: (scenarios,): whether a scenario shows the pattern that the edit is aimed at.
        closed: count only so many scenarios from the beginning, by experiment; None = all.
        elsewhere: (scenarios,): where side effects are looked for; None = wherever the pattern is not.
    """
    of = differences(evidence)
    count = len(evidence.scenario_ids) if closed is None else closed
    inside = np.arange(len(evidence.scenario_ids)) < np.asarray(count)[..., np.newaxis]
    effect, effect_error = _mean(of, on_pattern & inside)
    side, side_error = _mean(of, (~on_pattern if elsewhere is None else elsewhere) & inside)
    return Measures(effect, effect_error, side, side_error)


def _mean(of: Differences, part: Flags) -> tuple[Floats, Floats]:
    series = audited(of, within=np.broadcast_to(part, of.is_gold.shape))
    total = series.weight.sum(axis=-1)
    known = np.where(total > 0, total, np.nan)
    mean = np.where(series.of.used, series.of.gain, 0.0).sum(axis=-1) / known
    around = np.where(series.of.used, series.of.gain - mean[..., np.newaxis] * series.weight, 0.0)
    n = series.of.used.sum(axis=-1)
    return mean, np.sqrt(_spread((around**2).sum(axis=-1), n) * n) / known


def _spread(around: Floats, n: ArrayLike) -> Floats:
    """Return the variance of ``n`` values by the sum of their squares ``around`` the mean, with a prior."""
    return np.asarray((PRIOR_COUNT * PRIOR_VARIANCE + around) / (PRIOR_COUNT + np.asarray(n)))


def _interval(mean: float, error: float) -> tuple[float | None, float | None, float | None]:
    if np.isnan(mean):
        return None, None, None
    return mean, mean - Z95 * error, mean + Z95 * error
