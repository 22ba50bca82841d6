"""How well do the scenarios of a split stand for the traffic that they cover, by how heavy one may be?

The weighted success rate of a split's scenarios, each by the run that it would be made of, against the
success rate of the runs that they cover. Splits are drawn anew many times; success is the recorded reward.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.truth.load import TruthData
from spanloop.optimizer.scenarios.comparing import Comparison, compare
from spanloop.optimizer.scenarios.lifecycle import about_as_close
from spanloop.optimizer.scenarios.planning import plan_new
from spanloop.optimizer.scenarios.reading import read_agents, read_sightings
from spanloop.optimizer.scenarios.settings import ScenarioSettings
from spanloop.optimizer.scenarios.standing import stand

Floats = NDArray[np.float64]

CAPS = (np.inf, 8.0, 5.0, 4.0, 3.0, 2.0, 1.0)
"""Times the mean weight of a split's scenarios."""

DENSITIES = (5, 2)
"""Trajectories a scenario."""

SPLITS = ("test", "train")
FEWEST_RUNS, FEWEST_SCENARIOS, FEWEST_DRAWS = 60, 5, 20


def measure(data: TruthData, *, draws: int = 60) -> dict[str, Any]:
    """Return root mean square errors and evidence by agent, density and cap; ``draws`` of splits each."""
    rewards = {
        str(row["trajectory_id"]): float(row["reward"])
        for row in data.truth
        if row.get("reward") is not None
    }
    found: dict[str, Any] = {}
    for traffic in read_agents(data.context):
        for density in DENSITIES:
            settings = replace(ScenarioSettings(), trajectories_a_scenario=density)
            runs = read_sightings(data.context, traffic, patterns=[], settings=settings)
            if len(runs) < FEWEST_RUNS:
                continue
            told = np.array([rewards.get(run.key, np.nan) for run in runs], dtype=np.float64)
            found[f"{traffic.agent}, {density} trajectories a scenario"] = _by_cap(
                compare(runs, []), told, settings, draws=draws
            )
    return {name: each for name, each in found.items() if each}


def _by_cap(
    comparison: Comparison, told: Floats, settings: ScenarioSettings, *, draws: int
) -> Mapping[str, Any]:
    errors: dict[float, list[float]] = {cap: [] for cap in CAPS}
    evidence: dict[float, list[float]] = {cap: [] for cap in CAPS}
    for seed in range(draws):
        standing = stand(comparison, cut=None, settings=settings, seed=seed)
        budget = comparison.n // settings.trajectories_a_scenario
        planned = plan_new(comparison, standing, budget=budget, settings=settings)
        for split in SPLITS:
            anchors = [
                each.rows[0]
                for each in planned
                if each.split == split and not np.isnan(told[each.rows[0]])
            ]
            if len(anchors) < FEWEST_SCENARIOS:
                continue
            weight, truth = _weights(comparison, anchors, told)
            for cap in CAPS:
                kept = np.minimum(weight, cap * weight.mean())
                errors[cap].append(float(kept @ told[anchors] / kept.sum()) - truth)
                evidence[cap].append(float(kept.sum() / kept.max()) / len(anchors))
    if len(errors[CAPS[0]]) < FEWEST_DRAWS:
        return {}
    return {
        "none" if np.isinf(cap) else f"{cap:g}": {
            "rmse": round(float(np.sqrt(np.mean(np.square(errors[cap])))), 4),
            "bias": round(float(np.mean(errors[cap])), 4),
            "total_over_heaviest_a_scenario": round(float(np.mean(evidence[cap])), 3),
        }
        for cap in CAPS
    }


def _weights(comparison: Comparison, anchors: Sequence[int], told: Floats) -> tuple[Floats, float]:
    """Return how many runs each anchor stands for (as scenarios share them), and their success rate."""
    drawn = np.array([run.drawn for run in comparison.runs], dtype=np.bool_)
    near = about_as_close(comparison, anchors)
    counted = drawn & near.any(axis=1) & ~np.isnan(told)
    parts = near[counted] / near[counted].sum(axis=1, keepdims=True)
    return np.asarray(parts.sum(axis=0), dtype=np.float64), float(told[counted].mean())
