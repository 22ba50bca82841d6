"""Many worlds lived through under every policy, in step: one call of the gate decides a whole round."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, get_args

import numpy as np

from benchmarks.learning.gate import Outcome, decide_all, next_level
from benchmarks.learning.generator import (
    AGENTS,
    CYCLES,
    WORTHWHILE,
    Floats,
    Pairs,
    World,
    keyed,
    make_world,
)
from benchmarks.learning.policies import (
    Entry,
    Memory,
    Policy,
    PolicyName,
    agent_name,
    category_name,
    make_policy,
    pattern_name,
    validity_of,
)
from spanloop.optimizer.candidates.candidate import INTERVENTIONS as NAMES
from spanloop.optimizer.strategies import Trial

POLICIES: Sequence[PolicyName] = get_args(PolicyName)
EXPERIMENTS_A_CYCLE = 2
TOKENS_FIXED, TOKENS_A_PAIR = 20_000, 16_000

COUNTS = ("tokens", "experiments", "ships", "wins", "harms")
"""What is counted of a cycle; the last axis of every result."""

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Asked(NamedTuple):
    """An experiment that is about to run."""

    entry: Entry
    pairs: Pairs
    level: float


@dataclass(slots=True)
class Run:
    """One world under one policy."""

    world: World
    policy: Policy
    memory: Memory
    counts: Floats = field(default_factory=lambda: np.zeros((CYCLES, len(COUNTS))))
    occasions: Counter[Entry] = field(default_factory=Counter[Entry])
    tests: Counter[int] = field(default_factory=Counter[int])
    claims: Counter[int] = field(default_factory=Counter[int])
    plan: dict[int, list[Entry]] = field(default_factory=dict[int, list[Entry]])
    trials: list[Trial] = field(default_factory=list[Trial])

    def begin(self, cycle: int) -> None:
        """Let weaknesses open again, and plan."""
        if cycle > 1:
            opened = self.world.reopens[cycle - 1] & ~self.memory.open
            self.memory.open |= opened
            self.memory.in_place = {e for e in self.memory.in_place if not opened[e[:2]]}
        self.plan = {
            agent: list(self.policy.order(self.memory, agent, cycle)) for agent in range(AGENTS)
        }

    def ask(self, cycle: int) -> list[Asked]:
        """Return the next experiment of each agent, where one is worthwhile."""
        asked: list[Asked] = []
        for agent, plan in self.plan.items():
            while plan and not self.memory.open[plan[0][:2]]:
                plan.pop(0)
            if plan:
                entry = plan.pop(0)
                pairs = self.world.pairs(entry, cycle, self.occasions[entry])
                level = next_level(self.tests[agent], self.claims[agent])
                asked.append(Asked(entry, pairs, level))
        return asked

    def settle(self, entry: Entry, outcome: Outcome, cycle: int) -> None:
        """Ship or not, count, and note the trial."""
        ships = outcome.decision == "ship"
        tokens = TOKENS_FIXED + TOKENS_A_PAIR * outcome.pairs
        won = ships and self.world.is_win(*entry, cycle)
        harmed = ships and self.world.is_harm(*entry, cycle)
        self.counts[cycle - 1] += (tokens, 1, ships, won, harmed)
        self.occasions[entry] += 1
        self.tests[entry.agent] += 1
        self.claims[entry.agent] += ships
        trial = self._trial(entry, outcome, cycle, tokens)
        self.memory.trials[entry] = trial
        self.trials.append(trial)
        if ships:
            self.memory.in_place.add(entry)
            if self.world.effects(*entry, cycle)[0] >= WORTHWHILE:
                self.memory.open[entry[:2]] = False

    def end(self) -> None:
        """Let the policy learn from the cycle."""
        self.policy.learn(self.trials)
        self.trials = []

    def _trial(self, entry: Entry, outcome: Outcome, cycle: int, tokens: int) -> Trial:
        effect, low, high = outcome.effect
        side, side_low, side_high = outcome.side
        agent, category, intervention = entry
        return Trial(
            trial_id=f"{agent}/{category}/{intervention}/{self.occasions[entry]}",
            agent=agent_name(agent),
            pattern_id=pattern_name(category),
            category=category_name(self.world.seen_as[agent, category]),
            intervention=NAMES[intervention],
            verdict=outcome.decision,
            effect=effect,
            effect_low=low,
            effect_high=high,
            side_effect=side,
            side_effect_low=side_low,
            side_effect_high=side_high,
            n=outcome.pairs,
            validity=validity_of(self.world, agent, cycle),
            tokens=tokens,
            recorded_at=BEGIN + timedelta(days=cycle),
        )


def simulate(
    tau: float, repeats: Sequence[int], policies: Sequence[PolicyName] = POLICIES
) -> Floats:
    """Return what was counted: (policies, repeats, cycles, counts)."""
    runs = [_run(name, make_world(repeat, tau)) for name in policies for repeat in repeats]
    for cycle in range(1, CYCLES + 1):
        for run in runs:
            run.begin(cycle)
        for _ in range(EXPERIMENTS_A_CYCLE):
            _round(runs, cycle)
        for run in runs:
            run.end()
    counts = np.stack([run.counts for run in runs])
    return counts.reshape(len(policies), len(repeats), CYCLES, len(COUNTS))


def _round(runs: Sequence[Run], cycle: int) -> None:
    asked = [(run, one) for run in runs for one in run.ask(cycle)]
    outcomes = decide_all([one.pairs for _, one in asked], [one.level for _, one in asked])
    for (run, one), outcome in zip(asked, outcomes, strict=True):
        run.settle(one.entry, outcome, cycle)


def _run(name: PolicyName, world: World) -> Run:
    rng = keyed(world.repeat, 2, POLICIES.index(name))
    return Run(world, make_policy(name, world, rng), Memory(world.open_at_start.copy()))
