"""Scenarios: situations of production that can be played again, derived and kept up to date from traffic."""

from spanloop.optimizer.scenarios.derive import ScenarioResult, derive_scenarios
from spanloop.optimizer.scenarios.rotation import rotate_locked_set
from spanloop.optimizer.scenarios.settings import ScenarioSettings
from spanloop.optimizer.scenarios.storing import load_scenarios, save_scenarios

__all__ = [
    "ScenarioResult",
    "ScenarioSettings",
    "derive_scenarios",
    "load_scenarios",
    "rotate_locked_set",
    "save_scenarios",
]
