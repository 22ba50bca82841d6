"""A candidate: a bounded edit of a configuration, aimed at one pattern; and the port engines implement."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, get_args

from pydantic import BaseModel, ConfigDict

from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.models import Lease
from spanloop.optimizer.scenarios.scenario import Scenario

Operation = Literal["add", "replace", "delete", "enable", "disable", "set"]
Intervention = Literal[
    "context_injection",
    "tool_selection",
    "tool_arguments",
    "instruction_refinement",
    "verification",
    "stop_rule",
    "failure_handling",
    "example",
    "handoff",
    "parameter",
]
INTERVENTIONS: tuple[Intervention, ...] = get_args(Intervention)


class Edit(BaseModel):
    """One change of one component.

    Attributes:
        component: a component's name; ``tools.<name>`` for enable and disable, ``parameters.<name>`` for set.
        passage: for replace and delete, the text that goes: it occurs exactly once in the component.
        text: for add and replace, the text that comes; for set, the value as JSON.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    component: str
    operation: Operation
    passage: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternBrief:
    """What an engine learns of the pattern it is to fix.

    Attributes:
        predicate: JSON, as in ``failure_patterns``.
        examples: train scenarios that show it, the clearest first.
        counterexamples: train scenarios of the same strata that do not.
        tried: edits that were tested before on the same baseline and did not ship, or that this cycle has
            already: others are wanted.
    """

    pattern_id: str
    category: str
    title: str
    explanation: str
    predicate: str
    examples: Sequence[Scenario]
    counterexamples: Sequence[Scenario] = ()
    tried: Sequence[tuple[Edit, ...]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What an engine proposes; nothing in it is trusted before the scans."""

    engine: str
    intervention: Intervention
    edits: tuple[Edit, ...]
    rationale: str = ""
    strategy_id: str = ""
    tokens: int = 0
    cost_usd: float | None = 0.0


def with_shared_cost(
    proposals: Sequence[Proposal], *, tokens: int, cost_usd: float | None
) -> list[Proposal]:
    """Return ``proposals`` of one call, its cost shared out evenly among them."""
    if not proposals:
        return []
    each, rest = divmod(tokens, len(proposals))
    usd = None if cost_usd is None else cost_usd / len(proposals)
    return [
        replace(proposal, tokens=each + (rest if at == 0 else 0), cost_usd=usd)
        for at, proposal in enumerate(proposals)
    ]


class CandidateEngine(Protocol):
    """Proposes edits from train evidence only."""

    @property
    def name(self) -> str:
        """``library``, ``template``, ``model_diff``, ``gepa``, ``command``."""
        ...

    def propose(
        self, brief: PatternBrief, configuration: AgentConfiguration, *, lease: Lease, n: int
    ) -> Sequence[Proposal]:
        """Return at most ``n`` proposals; spends no more than ``lease`` holds.

        Raises:
            BudgetExhausted, ModelFailure, AnswerInvalid: nothing was proposed.
        """
        ...
