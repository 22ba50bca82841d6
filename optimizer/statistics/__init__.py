"""Estimates that say how sure they are, each proven by simulation.

Small, pure, on numpy and scipy: no I/O, no clock; randomness comes in as a generator.
"""

from spanloop.optimizer.statistics.clustered import clustered_rate
from spanloop.optimizer.statistics.intervals import Interval, unknown, wilson
from spanloop.optimizer.statistics.multiplicity import benjamini_hochberg, max_t_adjusted
from spanloop.optimizer.statistics.prediction_powered import (
    Batch,
    Labels,
    Means,
    prediction_powered_means,
    rate_bounds,
)
from spanloop.optimizer.statistics.reliability import pass_hat_k
from spanloop.optimizer.statistics.volunteered import RESPONSE_RATIOS, volunteered_bounds

__all__ = [
    "RESPONSE_RATIOS",
    "Batch",
    "Interval",
    "Labels",
    "Means",
    "benjamini_hochberg",
    "clustered_rate",
    "max_t_adjusted",
    "pass_hat_k",
    "prediction_powered_means",
    "rate_bounds",
    "unknown",
    "volunteered_bounds",
    "wilson",
]
