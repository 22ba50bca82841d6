"""Satisfaction: numbers, strata and the probability of a trajectory; rates with intervals."""

from spanloop.optimizer.satisfaction.features import FeatureResult, compute_features
from spanloop.optimizer.satisfaction.rates import RateEstimate, estimate_rates
from spanloop.optimizer.satisfaction.score import ScoreResult, score_satisfaction

__all__ = [
    "FeatureResult",
    "RateEstimate",
    "ScoreResult",
    "compute_features",
    "estimate_rates",
    "score_satisfaction",
]
