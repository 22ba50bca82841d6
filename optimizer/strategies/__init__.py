"""What fixed what: evidence, choice, transfer."""

from spanloop.optimizer.strategies.choosing import Choice, Situation, Taste
from spanloop.optimizer.strategies.library import Library
from spanloop.optimizer.strategies.measuring import Measures, measure
from spanloop.optimizer.strategies.standing import Record, record_of, restated, standing
from spanloop.optimizer.strategies.storing import (
    load_library,
    load_strategies,
    load_trials,
    record_trial,
    record_trials,
    save_strategies,
)
from spanloop.optimizer.strategies.strategy import Strategy, Trial, Validity

__all__ = [
    "Choice",
    "Library",
    "Measures",
    "Record",
    "Situation",
    "Strategy",
    "Taste",
    "Trial",
    "Validity",
    "load_library",
    "load_strategies",
    "load_trials",
    "measure",
    "record_of",
    "record_trial",
    "record_trials",
    "restated",
    "save_strategies",
    "standing",
]
