"""Estimates that say how sure they are, each proven by simulation.

Small, pure, on numpy and scipy: no I/O, no clock; randomness comes in as a generator.
"""

from spanloop.optimizer.statistics.clustered import (
    cluster_folds,
    clustered_mean,
    clustered_rate,
)
from spanloop.optimizer.statistics.intervals import Interval, newcombe, unknown, wilson
from spanloop.optimizer.statistics.judged import (
    Calibration,
    misclassification_corrected_rate,
    retest_disagreement,
)
from spanloop.optimizer.statistics.multiplicity import (
    benjamini_hochberg,
    benjamini_yekutieli,
    max_t_adjusted,
)
from spanloop.optimizer.statistics.prediction_powered import (
    Batch,
    Labels,
    Means,
    combine_strata,
    mean_bounds,
    prediction_powered_means,
    rate_bounds,
)
from spanloop.optimizer.statistics.reliability import pass_hat_k
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
from spanloop.optimizer.statistics.volunteered import RESPONSE_RATIOS, volunteered_bounds

__all__ = [
    "RESPONSE_RATIOS",
    "Batch",
    "Calibration",
    "Interval",
    "Labels",
    "Means",
    "Permuted",
    "StratifiedLifts",
    "benjamini_hochberg",
    "benjamini_yekutieli",
    "bootstrap_indexes",
    "cluster_bootstrap",
    "cluster_folds",
    "cluster_weights",
    "clustered_mean",
    "clustered_rate",
    "combine_strata",
    "max_t_adjusted",
    "mean_bounds",
    "misclassification_corrected_rate",
    "newcombe",
    "pass_hat_k",
    "permuted_within_strata",
    "prediction_powered_means",
    "rate_bounds",
    "retest_disagreement",
    "sign_flipped",
    "stratified_lifts",
    "unknown",
    "volunteered_bounds",
    "wilson",
]
