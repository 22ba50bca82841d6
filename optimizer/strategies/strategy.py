"""A strategy of the library, its measured trials, and what they hold for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from spanloop.optimizer.candidates.candidate import Edit, Intervention

State = Literal["hypothesis", "proven", "doubtful", "retired"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """What an outcome was measured under; a change of any of it makes the outcome older evidence."""

    model_hash: str = ""
    prompt_hash: str = ""
    tools_hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """An entry: insight, not data of one agent; columns of ``strategies``."""

    strategy_id: str
    project: str = ""
    title: str
    category: str
    intervention: Intervention
    applies_when: str
    not_when: str = ""
    principle: str
    edit_template: tuple[Edit, ...] = ()
    source: Literal["distilled", "imported", "written"] = "distilled"
    origin_agent: str = ""
    origin_experiment: str = ""
    state: State = "hypothesis"
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One measured outcome; columns of ``strategy_trials``; None = not measured."""

    trial_id: str
    strategy_id: str = ""
    project: str = ""
    agent: str
    pattern_id: str
    category: str
    intervention: Intervention
    experiment_id: str = ""
    verdict: str
    effect: float | None
    effect_low: float | None = None
    effect_high: float | None = None
    side_effect: float | None = None
    side_effect_low: float | None = None
    side_effect_high: float | None = None
    n: int = 0
    harm: bool = False
    transferred: bool = False
    survived_fresh: bool | None = None
    validity: Validity = Validity()
    tokens: int = 0
    cost_usd: float | None = None
    recorded_at: datetime
