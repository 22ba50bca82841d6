"""What a derivation of scenarios is told: bounds, shares of the splits, when a scenario is stale."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from spanloop.optimizer.scenarios.scenario import Split


def _shares() -> Mapping[Split, float]:
    return {"train": 0.4, "validation": 0.15, "test": 0.45}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioSettings:
    """Settings of `derive_scenarios`.

    Attributes:
        shares: of the scenarios of traffic that is not fresh, by split; they add up to 1. The locked test
            gets most: a verdict takes many scenarios, a candidate few.
        fresh_share: of the clusters first seen after the cut that stay fresh; the others are split by
            ``shares``, or a new failure could never be worked on.
        fresh_quantile: of an agent's first scenarios that belong to clusters older than the first cut.
        trajectories_a_scenario: traffic per scenario at least.
        most: active scenarios of an agent at most.
        most_new: scenarios made in one derivation at most; the next goes on.
        a_pattern: scenarios that a pattern gets before the rest of the traffic is looked at.
        sample: trajectories of the window that are compared, at random.
        members: newest members of each pattern that are compared besides.
        window_days: of the newest traffic that scenarios stand for.
        recordings: trajectories whose calls make one tape, at most.
        doubt: probability of so long a silence, were a pattern still shown as often as before, at which it
            counts as gone; a new sighting brings it back.
        silence: the same of a scenario, at which it retires: lower, since there are many, each of them
            asked again by every derivation.
        stale_days: of traffic without a sighting after which it retires however rare it was.
    """

    shares: Mapping[Split, float] = field(default_factory=_shares)
    fresh_share: float = 0.5
    fresh_quantile: float = 0.7
    trajectories_a_scenario: int = 5
    most: int = 1_000
    most_new: int = 300
    a_pattern: int = 6
    sample: int = 2_000
    members: int = 30
    window_days: int = 30
    recordings: int = 8
    doubt: float = 0.05
    silence: float = 0.005
    stale_days: int = 30
