"""Configuration of the loop: the section ``optimizer``."""

from typing import Literal

from pydantic import Field, SecretStr, model_validator

from spanloop.service.config_section import Section


class ModelRole(Section):
    """A language model in one role; off unless ``model`` is named (litellm's name)."""

    model: str | None = None
    api_base: str | None = None
    api_key: SecretStr | None = None
    timeout_s: float = Field(default=60.0, gt=0)
    max_retries: int = Field(default=2, ge=0, le=10)


class Models(Section):
    """Roles are configured apart: who writes an edit must not be who judges it."""

    generator: ModelRole = ModelRole()
    second_judge: ModelRole = ModelRole()
    user: ModelRole = ModelRole()
    agent: ModelRole = ModelRole()


class Budget(Section):
    """Caps of a cycle, and of a day over all cycles; checked before each spend."""

    max_tokens: int = Field(default=5_000_000, ge=0)
    max_usd: float | None = Field(default=None, gt=0)
    max_tokens_a_day: int | None = Field(default=None, ge=0)
    max_usd_a_day: float | None = Field(default=None, gt=0)


class AgentTarget(Section):
    """How episodes of one agent are played (docs/replay.md)."""

    target: Literal["replay", "http", "python"] = "replay"
    url: str | None = None
    callable: str | None = Field(default=None, pattern=r"^[\w.]+:[\w.]+$")
    live_tools: dict[str, str] = Field(default_factory=dict[str, str])
    synthesise: bool = False
    max_steps: int = Field(default=30, ge=1, le=1000)
    timeout_s: float = Field(default=300.0, gt=0)

    @model_validator(mode="after")
    def _complete(self) -> "AgentTarget":
        if self.target == "http" and self.url is None:
            raise ValueError("target http needs url")
        if self.target == "python" and self.callable is None:
            raise ValueError("target python needs callable (module:name)")
        return self


class Experiments(Section):
    """How candidates are tested (docs/gate.md)."""

    repeats: int = Field(default=1, ge=1, le=20)
    max_scenarios: int = Field(default=600, ge=10, le=100_000)
    look_every: int = Field(default=10, ge=1)
    scenarios_a_round: int = Field(default=20, ge=1)
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    gold_share: float = Field(default=0.25, ge=0, le=1)
    min_effect: float = Field(default=0.05, ge=0, lt=1)
    max_cost_ratio: float | None = Field(default=1.10, gt=1)
    max_latency_ratio: float | None = Field(default=1.10, gt=1)
    concurrency: int = Field(default=16, ge=1, le=1000)
    requests_a_minute: int | None = Field(default=None, ge=1)


class Scenarios(Section):
    """How production becomes situations that can be played again (docs/scenarios.md)."""

    trajectories_a_scenario: int = Field(default=5, ge=1, le=1_000)
    most: int = Field(default=1_000, ge=10, le=100_000)


class Candidates(Section):
    """How many edits are made and tested in a cycle, and by what."""

    engines: tuple[Literal["library", "template", "model_diff", "gepa", "command"], ...] = (
        "library",
        "template",
        "model_diff",
    )
    command: tuple[str, ...] = ()
    patterns_a_cycle: int = Field(default=5, ge=1, le=1000)
    screen_scenarios: int = Field(default=12, ge=0, le=1000)
    edits_a_test: int = Field(default=4, ge=1, le=6)
    tests_a_cycle: int = Field(default=4, ge=1, le=1000)


class Releasing(Section):
    """What happens to a candidate that the gate ships (docs/releases.md)."""

    mode: Literal["manual", "canary", "auto"] = "manual"
    canary_share: float = Field(default=0.1, ge=0.001, le=0.999)
    unit: Literal["conversation", "user"] = "conversation"
    margin: float = Field(default=0.05, gt=0, lt=0.5)


class Optimizer(Section):
    """The loop that turns recurring failures into tested improvements."""

    models: Models = Models()
    budget: Budget = Budget()
    agents: dict[str, AgentTarget] = Field(default_factory=dict[str, AgentTarget])
    scenarios: Scenarios = Scenarios()
    experiments: Experiments = Experiments()
    candidates: Candidates = Candidates()
    releases: Releasing = Releasing()
    fewest_trajectories: int = Field(default=50, ge=1)
    interval_s: float = Field(default=3_600.0, gt=0)
