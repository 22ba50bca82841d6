"""Rotate the locked test: a set that was looked at too often is spent, and becomes train evidence."""

from spanloop.optimizer.context import Context
from spanloop.optimizer.scenarios.derive import FIRST_GENERATION
from spanloop.optimizer.scenarios.reading import read_agents
from spanloop.optimizer.scenarios.scenario import Scenario, Split
from spanloop.optimizer.scenarios.storing import (
    Derivation,
    read_derivation,
    read_scenarios,
    save_scenarios,
    write_derivation,
)

NEXT: dict[Split, Split] = {"test": "train", "fresh": "test"}
"""Where a scenario goes when the locked set of its agent is rotated. Whole clusters go, so none is torn."""


def rotate_locked_set(context: Context, *, agent: str) -> int:
    """Make the test scenarios of ``agent`` train evidence and the fresh ones the test; return the generation.

    From here on what is newer than all traffic known today may become fresh.
    """
    scenarios = read_scenarios(context, agent=agent)
    generation = max((s.generation for s in scenarios), default=FIRST_GENERATION - 1) + 1
    save_scenarios(context, [_rotated(s, generation) for s in scenarios if s.split in NEXT])
    for traffic in read_agents(context):
        if traffic.agent == agent:
            before = read_derivation(context, project=traffic.project, agent=agent)
            after = Derivation(
                cut=traffic.newest,
                version=before.version if before else 0,
                generation=generation,
                trajectories=before.trajectories if before else 0,
            )
            write_derivation(context, after, project=traffic.project, agent=agent, counts={})
    return generation


def _rotated(scenario: Scenario, generation: int) -> Scenario:
    split = NEXT[scenario.split]
    update = {"split": split, "generation": generation if split == "test" else scenario.generation}
    return scenario.model_copy(update=update)
