"""What fixed what: evidence, choice, transfer."""

from spanloop.optimizer.strategies.choosing import Choice, Situation, Taste
from spanloop.optimizer.strategies.curve import CurvePoint, learning_curve
from spanloop.optimizer.strategies.distilling import Insight, Win, distil
from spanloop.optimizer.strategies.engine import LibraryEngine
from spanloop.optimizer.strategies.exchange import ImportRefused, export_lines, import_lines
from spanloop.optimizer.strategies.library import Library
from spanloop.optimizer.strategies.measuring import Measures, measure
from spanloop.optimizer.strategies.standing import Record, record_of, restated, standing
from spanloop.optimizer.strategies.storing import (
    keep_win,
    load_library,
    load_strategies,
    load_trials,
    record_trial,
    record_trials,
    restate,
    save_strategies,
)
from spanloop.optimizer.strategies.strategy import Strategy, Trial, Validity

__all__ = [
    "Choice",
    "CurvePoint",
    "ImportRefused",
    "Insight",
    "Library",
    "LibraryEngine",
    "Measures",
    "Record",
    "Situation",
    "Strategy",
    "Taste",
    "Trial",
    "Validity",
    "Win",
    "distil",
    "export_lines",
    "import_lines",
    "keep_win",
    "learning_curve",
    "load_library",
    "load_strategies",
    "load_trials",
    "measure",
    "record_of",
    "record_trial",
    "record_trials",
    "restate",
    "restated",
    "save_strategies",
    "standing",
]
