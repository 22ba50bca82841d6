"""What a verdict needs; fixed and hashed with the plan, before any outcome."""

from pydantic import BaseModel, ConfigDict, Field


class GateSettings(BaseModel):
    """Levels, margins and caps.

    Attributes:
        alpha: level of each guardrail and of "below the least useful effect"; the claim has a level
            of its own.
        look_every: pairs between looks.
        cap: pairs that the experiment can come to at most: scenarios of the frozen plan times
            repeats, if fewer.
        min_effect: the least useful effect, in probability of satisfaction: less is not shipped,
            and rejected once shown.
        gold_share: of scenarios, drawn before any outcome; 1 where criteria are checked in code
            everywhere.
        guardrails: False: only the claim itself is tested.
        margin: harm to a part of traffic that must be ruled out, in probability of satisfaction.
        max_cost_ratio: candidate's to baseline's; None = not guarded. Latency likewise.
        major_share: of traffic, from which a stratum is tested by itself.
        minor_share: of traffic, below which strata are guarded together, as one part.
        major_scenarios: that a major stratum needs; one that the plan gives fewer is guarded as a
            small part.
        max_harm_probability: of a small part, posterior.
        coverage_margin: by which the candidate's share of answers from the tape may lie below the
            baseline's.
        max_unknown_share: of scenarios without cost (latency), above which nothing is shown about
            it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    alpha: float = Field(default=0.05, gt=0, lt=1)
    look_every: int = Field(default=10, ge=1)
    cap: int = Field(default=600, ge=1)
    min_effect: float = Field(default=0.05, ge=0, lt=1)
    gold_share: float = Field(default=0.25, ge=0, le=1)
    guardrails: bool = True
    margin: float = Field(default=0.10, gt=0, lt=1)
    max_cost_ratio: float | None = Field(default=1.10, gt=1)
    max_latency_ratio: float | None = Field(default=1.10, gt=1)
    major_share: float = Field(default=0.20, gt=0, le=1)
    minor_share: float = Field(default=0.05, ge=0, le=1)
    major_scenarios: int = Field(default=60, ge=1)
    max_harm_probability: float = Field(default=0.20, gt=0, lt=1)
    coverage_margin: float = Field(default=0.15, gt=0, lt=1)
    max_unknown_share: float = Field(default=0.05, ge=0, lt=1)
