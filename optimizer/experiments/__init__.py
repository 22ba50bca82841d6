"""Experiments: frozen plans, run in pairs on held-out scenarios until the gate decides; each look counts."""

from spanloop.optimizer.experiments.freezing import freeze_plan
from spanloop.optimizer.experiments.holdout import HoldoutLimits, rotate_if_spent
from spanloop.optimizer.experiments.parts import ExperimentParts
from spanloop.optimizer.experiments.plan import (
    Design,
    ExperimentPlan,
    PlanRefused,
    Purpose,
    Subject,
    make_plan,
)
from spanloop.optimizer.experiments.runner import ExperimentOutcome, run_experiment

__all__ = [
    "Design",
    "ExperimentOutcome",
    "ExperimentParts",
    "ExperimentPlan",
    "HoldoutLimits",
    "PlanRefused",
    "Purpose",
    "Subject",
    "freeze_plan",
    "make_plan",
    "rotate_if_spent",
    "run_experiment",
]
