"""Experiments: frozen plans, run in pairs on held-out scenarios until the gate decides; each look counts."""

from spanloop.optimizer.experiments.confirmation import Confirmation, Scrutiny, confirm_winner
from spanloop.optimizer.experiments.freezing import check_reach, freeze_plan
from spanloop.optimizer.experiments.holdout import HoldoutLimits, rotate_if_spent, scenarios_for
from spanloop.optimizer.experiments.parts import ExperimentParts
from spanloop.optimizer.experiments.plan import (
    Design,
    ExperimentPlan,
    PlanRefused,
    Purpose,
    Subject,
    make_plan,
)
from spanloop.optimizer.experiments.rounds import Outage
from spanloop.optimizer.experiments.runner import ExperimentOutcome, run_experiment
from spanloop.optimizer.experiments.validity import Replaying, check_validity

__all__ = [
    "Confirmation",
    "Design",
    "ExperimentOutcome",
    "ExperimentParts",
    "ExperimentPlan",
    "HoldoutLimits",
    "Outage",
    "PlanRefused",
    "Purpose",
    "Replaying",
    "Scrutiny",
    "Subject",
    "check_reach",
    "check_validity",
    "confirm_winner",
    "freeze_plan",
    "make_plan",
    "rotate_if_spent",
    "run_experiment",
    "scenarios_for",
]
