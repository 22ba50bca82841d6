"""An episode: one scenario played once under one configuration. The port that targets implement."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.scenarios.scenario import Scenario

Tier = Literal["exact", "normalised", "stub", "synthesised", "live", "miss"]
ON_TAPE: frozenset[Tier] = frozenset({"exact", "normalised", "stub"})

RunState = Literal["finished", "timed_out", "crashed", "step_cap", "tape_miss", "infrastructure"]
"""``infrastructure``: neither arm's fault (model or receiver unreachable); tried again in both arms alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeRequest:
    """What is to be played.

    Attributes:
        run_id: unique; also the conversation id of its spans, and stamped on them as ``spanloop.run.id``.
        seed: of the user, the model and everything else that draws.
        max_steps: model calls after which the episode ends as ``step_cap``.
        timeout_s: wall clock after which it ends as ``timed_out``.
    """

    run_id: str
    scenario: Scenario
    configuration: AgentConfiguration
    seed: int = 0
    max_steps: int = 30
    timeout_s: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeResult:
    """How it went; None where unknown.

    Attributes:
        tiers: tool answers by tier.
        first_divergence: first model call (from 1) whose tool call left the tape.
        trace_ids: 32 hex digits each.
    """

    run_id: str
    state: RunState
    error_kind: str = ""
    tiers: Mapping[Tier, int] = field(default_factory=dict[Tier, int])
    first_divergence: int | None = None
    steps: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    latency_ms: float | None = None
    trace_ids: tuple[str, ...] = ()

    @property
    def coverage(self) -> float | None:
        """Share of tool calls answered from the tape; None without a call."""
        calls = sum(self.tiers.values())
        return (
            sum(n for tier, n in self.tiers.items() if tier in ON_TAPE) / calls if calls else None
        )


class Target(Protocol):
    """Where an agent is reached: ``replay``, ``http`` or ``python``."""

    @property
    def name(self) -> str:
        """Its kind, as stored."""
        ...

    @property
    def spends_lease(self) -> bool:
        """Whether it takes what episodes cost from the lease itself; if not, whoever plays them does."""
        ...

    async def run(self, request: EpisodeRequest) -> EpisodeResult:
        """Play one episode; its spans are acknowledged by the receiver when this returns.

        Faults of the agent are states of the result. Raises only for bugs and for BudgetExhausted.
        """
        ...
