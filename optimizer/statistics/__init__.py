"""Estimates that say how sure they are, each proven by simulation.

Small, pure, on numpy and scipy: no I/O, no clock; randomness comes in as a generator.
"""

from spanloop.optimizer.statistics.intervals import Interval, newcombe, unknown, wilson
from spanloop.optimizer.statistics.multiplicity import (
    benjamini_hochberg,
    benjamini_yekutieli,
    max_t_adjusted,
)
from spanloop.optimizer.statistics.resampling import (
    bootstrap_indexes,
    cluster_bootstrap,
    cluster_weights,
)
from spanloop.optimizer.statistics.stratified import (
    Permuted,
    StratifiedLifts,
    permuted_within_strata,
    sign_flipped,
    stratified_lifts,
)

__all__ = [
    "Interval",
    "Permuted",
    "StratifiedLifts",
    "benjamini_hochberg",
    "benjamini_yekutieli",
    "bootstrap_indexes",
    "cluster_bootstrap",
    "cluster_weights",
    "max_t_adjusted",
    "newcombe",
    "permuted_within_strata",
    "sign_flipped",
    "stratified_lifts",
    "unknown",
    "wilson",
]
