"""What a cycle is run with: ports that the composition root fills, and what it may do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import uuid4

from spanloop.optimizer.candidates.candidate import CandidateEngine
from spanloop.optimizer.candidates.gepa_engine import Player
from spanloop.optimizer.context import Context, unix_ms
from spanloop.optimizer.cycle.ledger import Caps
from spanloop.optimizer.experiments.assessing import Assessor
from spanloop.optimizer.experiments.holdout import HoldoutLimits
from spanloop.optimizer.experiments.parts import ExperimentParts
from spanloop.optimizer.experiments.plan import Design
from spanloop.optimizer.gate import GateSettings
from spanloop.optimizer.models import Lease
from spanloop.optimizer.releases import LiveSettings
from spanloop.optimizer.scenarios.settings import ScenarioSettings
from spanloop.optimizer.strategies import LibraryEngine


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """An agent that the loop works on.

    Attributes:
        models: of its newest trajectory.
        models_since: when these were first seen; None = not looked up.
    """

    name: str
    project: str
    trajectories: int
    models: tuple[str, ...]
    models_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """How candidates of one agent are tested.

    Attributes:
        target: `Target.name`.
    """

    target: str
    gate: GateSettings = field(default_factory=GateSettings)
    repeats: int = 1
    max_steps: int = 30
    timeout_s: float = 300.0

    def design(self, *, seed: int, assessor_version: str = "") -> Design:
        """Return how a test on the locked set is made."""
        return Design(
            purpose="gate",
            target=self.target,
            assessor_version=assessor_version,
            gate=self.gate,
            repeats=self.repeats,
            seed=seed,
            max_steps=self.max_steps,
            timeout_s=self.timeout_s,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleSettings:
    """What one cycle does.

    Attributes:
        agents: that are worked on; none = all.
        fewest_trajectories: an agent with fewer is left alone.
        fewest_scenarios: locked ones, without which nothing is tested.
        patterns: that candidates are made for, of one agent.
        candidates_a_pattern: sound ones wanted.
        screen_scenarios: open ones of its pattern that a candidate plays before it is tested; 0 = none.
        edits_a_test: that help together and are tested as one; 1 = each alone.
        tests: experiments of one agent.
        scenarios: how they are derived.
        live: how releases are let in, watched and rolled back.
        holdout: what one locked set may carry before it is replaced.
        tranche: tokens granted to an experiment at once: what a killed process can lose of the budget.
        generator_tokens: that making candidates of one agent may take.
    """

    seed: int = 1
    agents: tuple[str, ...] = ()
    fewest_trajectories: int = 50
    fewest_scenarios: int = 10
    patterns: int = 5
    candidates_a_pattern: int = 3
    screen_scenarios: int = 12
    edits_a_test: int = 4
    tests: int = 4
    scenarios: ScenarioSettings = field(default_factory=ScenarioSettings)
    live: LiveSettings = field(default_factory=LiveSettings)
    caps: Caps = field(default_factory=lambda: Caps(tokens=5_000_000))
    holdout: HoldoutLimits = field(default_factory=HoldoutLimits)
    tranche: int = 200_000
    generator_tokens: int = 200_000


class Players(Protocol):
    """Makes what the experiments of an agent are run with."""

    def testing(self, agent: Agent) -> Procedure:
        """Return how its candidates are tested.

        Raises:
            Unavailable: they cannot be.
        """
        ...

    def parts(
        self, context: Context, agent: Agent, *, lease: Lease, as_of_ms: int
    ) -> ExperimentParts:
        """Return target and assessor; they spend from ``lease`` and learned nothing after ``as_of_ms``."""
        ...

    def second(self, context: Context, *, lease: Lease, as_of_ms: int) -> Assessor | None:
        """Return who judges winners again; None if there is nobody."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleParts:
    """What a cycle is run with.

    Attributes:
        analyse: makes trajectories, satisfaction and patterns of what arrived; returns counts.
        engines: cheapest first; takes the one that proposes entries of the library, and what plays train
            scenarios for those that search.
        players: what experiments need.
        new_id: names a new cycle, as no cycle before. What it draws about candidates and runs is drawn from
            its name.
    """

    analyse: Callable[[Context], Mapping[str, int]]
    engines: Callable[[LibraryEngine, Player], Sequence[CandidateEngine]]
    players: Players
    settings: CycleSettings = field(default_factory=CycleSettings)
    clock_ms: Callable[[], int] = unix_ms
    new_id: Callable[[], str] = lambda: uuid4().hex
