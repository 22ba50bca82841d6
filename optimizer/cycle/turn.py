"""What the stages of one agent's turn share, read when it opens."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from spanloop.optimizer.candidates.observed import observe
from spanloop.optimizer.configuration import AgentConfiguration, digest
from spanloop.optimizer.context import Context, time_of
from spanloop.optimizer.cycle.ledger import BudgetLedger, Purpose
from spanloop.optimizer.cycle.parts import Agent, CycleParts
from spanloop.optimizer.cycle.state import Cycle
from spanloop.optimizer.experiments import Subject
from spanloop.optimizer.releases import current_release
from spanloop.optimizer.strategies import Library, Validity, load_library

CANDIDATES, SCREENING, VALIDITY = "candidates", "screening", "validity"
EXPERIMENTS, RELEASES = "experiments", "releases"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What the stages of one agent share.

    Attributes:
        production: the configuration that is served, or observed where nobody registered one.
        library: as it was when the cycle began.
        as_of_ms: when this cycle's analysis had ended: assessors know nothing later.
    """

    cycle: Cycle
    context: Context
    agent: Agent
    parts: CycleParts
    ledger: BudgetLedger
    production: AgentConfiguration
    library: Library
    as_of_ms: int

    @property
    def validity(self) -> Validity:
        """What outcomes are measured under."""
        return validity_of(self.agent, self.production)

    @property
    def unchanged(self) -> Subject:
        """Production beside itself: for what is asked before there is a candidate."""
        return Subject(
            agent=self.agent.name,
            project=self.agent.project,
            baseline=self.production,
            candidate=self.production,
            candidate_id="",
            created_at=time_of(self.as_of_ms),
        )

    def now(self) -> Context:
        """Return the context as of this moment, for what is written."""
        return replace(self.context, now_ms=self.parts.clock_ms())


def open_turn(
    cycle: Cycle, agent: Agent, parts: CycleParts, ledger: BudgetLedger, *, as_of_ms: int
) -> Turn:
    """Read what the stages of ``agent`` begin with."""
    context = cycle.context
    release = current_release(context, agent.name, project=agent.project)
    return Turn(
        cycle=cycle,
        context=context,
        agent=agent,
        parts=parts,
        ledger=ledger,
        production=release.configuration if release else observe(context, agent.name).configuration,
        # Without this cycle's own trials: a cycle that goes on after kill -9 ranks as it did before.
        library=load_library(context, before=time_of(cycle.started_ms)),
        as_of_ms=as_of_ms,
    )


def purpose_of(turn: Turn, stage: str, purpose: str) -> Purpose:
    """Return what a lease of ``stage`` is for."""
    return Purpose(
        stage=stage,
        role="generator" if stage == CANDIDATES else "agent",
        agent=turn.agent.name,
        project=turn.agent.project,
        purpose=purpose,
    )


def validity_of(agent: Agent, configuration: AgentConfiguration) -> Validity:
    """Return hashes of what an outcome holds for: model, texts, tools."""
    texts: Mapping[str, str] = configuration.components
    tools = {name: text for name, text in texts.items() if name.startswith("tool.")}
    return Validity(
        model_hash=digest(sorted(agent.models)),
        prompt_hash=digest({name: text for name, text in texts.items() if name not in tools}),
        tools_hash=digest([tools, dict(configuration.tools)]),
    )
