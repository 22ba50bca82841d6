"""An entry of the library, and a trial of it that shipped."""

from datetime import UTC, datetime

from spanloop.optimizer.candidates.candidate import Edit
from spanloop.optimizer.strategies import Strategy, Trial, Validity

WHEN = datetime(2026, 11, 1, 12, 30, 0, 250_000, tzinfo=UTC)

STRATEGY = Strategy(
    strategy_id="look-up-first",
    project="demo",
    title="Look up before answering",
    category="context_gap",
    intervention="context_injection",
    applies_when="The answer needs a fact that the conversation does not hold.",
    principle="Facts that are looked up are not made up.",
    edit_template=(Edit(component="instructions", operation="add", text="Call `{tool}` first."),),
    origin_agent="support",
    created_at=WHEN,
)
TRIAL = Trial(
    trial_id="t1",
    strategy_id="look-up-first",
    agent="support",
    pattern_id="p1",
    category="context_gap",
    intervention="context_injection",
    verdict="ship",
    effect=0.25,
    effect_low=0.17,
    effect_high=0.33,
    n=200,
    survived_fresh=True,
    validity=Validity(model_hash="m", prompt_hash="p", tools_hash="t"),
    tokens=3_000_000,
    recorded_at=WHEN,
)
