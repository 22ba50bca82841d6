"""Decides from paired outcomes; pure. `decide` is the gate, `OnlineLevels` gives it its level."""

from spanloop.optimizer.gate.decision import (
    OUTCOMES,
    BatchOutcome,
    Look,
    decide,
    run_batch,
    run_sequential,
)
from spanloop.optimizer.gate.evidence import ArmRuns, EpisodeState, Evidence
from spanloop.optimizer.gate.levels import OnlineLevels, e_bh, level_on_one_set
from spanloop.optimizer.gate.order import frozen_order
from spanloop.optimizer.gate.settings import GateSettings
from spanloop.optimizer.gate.verdict import Decision, Number, Verdict

__all__ = [
    "OUTCOMES",
    "ArmRuns",
    "BatchOutcome",
    "Decision",
    "EpisodeState",
    "Evidence",
    "GateSettings",
    "Look",
    "Number",
    "OnlineLevels",
    "Verdict",
    "decide",
    "e_bh",
    "frozen_order",
    "level_on_one_set",
    "run_batch",
    "run_sequential",
]
