"""Which traffic known scenarios stand for, which have become one, and which are not seen any more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from spanloop.optimizer.scenarios.comparing import Comparison
from spanloop.optimizer.scenarios.scenario import Scenario
from spanloop.optimizer.scenarios.settings import ScenarioSettings
from spanloop.optimizer.scenarios.similarity import SAME, Bools

AS_CLOSE = 0.8
"""Share of the closest scenario's cosine from which on another one is about as close."""

ENOUGH = 5
"""Sightings from which on the time between the first and the last tells how often something is seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The random sample of an agent's traffic, in order of time."""

    starts: Sequence[datetime]

    def is_over(self, sightings: Sequence[datetime], *, doubt: float) -> bool:
        """Whether silence since the last of ``sightings`` says that no more will come.

        If k sightings still came at random, the last would stand within the first share x of the traffic
        with probability x ** k; it is over where that is at most ``doubt``. From `ENOUGH` sightings on,
        traffic counts from the first one, which is given then (k - 1 remain): what is new is not rare.
        """
        if not sightings:
            return True
        first, last = min(sightings), max(sightings)
        k = len(sightings)
        begin = self.starts[0]
        if k >= ENOUGH:
            begin, k = first, k - 1
        since = [start for start in self.starts if start >= begin]
        until = sum(start <= last for start in since)
        return (until / max(len(since), 1)) ** k <= doubt


def weights(comparison: Comparison, scenarios: Mapping[str, Scenario]) -> dict[str, float]:
    """Return the share of the drawn runs that each scenario stands for.

    Within each split each run is stood for, in equal parts, by the scenarios that cover it about as closely
    as any of that split does: so the weights of one split tell all traffic that it covers, whatever the
    others hold, and no scenario weighs much only for being the closest by a hair.

    Args:
        comparison: of runs with all scenarios of their agent.
        scenarios: those that may stand for traffic, by id.
    """
    drawn = np.array([run.drawn for run in comparison.runs], dtype=np.bool_)
    found: dict[str, float] = {}
    for split in sorted({scenario.split for scenario in scenarios.values()}):
        own = [
            column
            for column, scenario in enumerate(comparison.scenarios, start=comparison.n)
            if scenario.scenario_id in scenarios and scenario.split == split
        ]
        near = about_as_close(comparison, own)[drawn]
        parts = near / np.maximum(near.sum(axis=1, keepdims=True), 1)
        for column, weight in zip(own, parts.sum(axis=0) / max(drawn.sum(), 1), strict=True):
            found[comparison.scenarios[column - comparison.n].scenario_id] = float(weight)
    return found


def sighted(comparison: Comparison, scenarios: Mapping[str, Scenario]) -> dict[str, list[int]]:
    """Return scenario id → rows of the runs that show it is still asked for.

    They are the runs that it covers about as closely as the closest scenario of any split does: the loose
    likeness by which a scenario may stand for other traffic keeps it alive no longer.
    """
    columns = [
        column
        for column, scenario in enumerate(comparison.scenarios, start=comparison.n)
        if scenario.scenario_id in scenarios
    ]
    near = about_as_close(comparison, columns)
    return {
        comparison.scenarios[column - comparison.n].scenario_id: np.flatnonzero(near[:, i]).tolist()
        for i, column in enumerate(columns)
    }


def about_as_close(comparison: Comparison, columns: Sequence[int]) -> Bools:
    """Return (runs, columns) whether a column covers a run, and about as closely as the closest of them."""
    covers = comparison.covers[:, columns]
    closeness = np.where(covers, comparison.closeness[:, columns], 0.0)
    closest = closeness.max(axis=1, initial=0.0, keepdims=True)
    return np.asarray(covers & (closeness >= AS_CLOSE * closest), dtype=np.bool_)


def merged(comparison: Comparison) -> dict[str, str]:
    """Return scenario → the older one that it has become the same as; only within one split."""
    found: dict[str, str] = {}
    for a, b, cosine in comparison.near:
        if cosine < SAME:
            break
        if a < comparison.n:
            continue
        pair = [comparison.scenarios[a - comparison.n], comparison.scenarios[b - comparison.n]]
        tools = [{call.tool for call in s.content.tape} for s in pair]
        if (
            all(s.state == "active" and s.scenario_id not in found for s in pair)
            and pair[0].split == pair[1].split
            and tools[0] == tools[1]
        ):
            kept, gone = sorted(pair, key=lambda s: (s.first_seen, s.scenario_id))
            found[gone.scenario_id] = kept.scenario_id
    return found


def is_redundant(comparison: Comparison, scenario: Scenario, active: Sequence[Scenario]) -> bool:
    """Whether others of its split cover every run that ``scenario`` covers."""
    columns = {s.scenario_id: comparison.n + i for i, s in enumerate(comparison.scenarios)}
    others = [
        columns[s.scenario_id]
        for s in active
        if s.split == scenario.split and s.scenario_id != scenario.scenario_id
    ]
    own = comparison.covers[:, columns[scenario.scenario_id]]
    return bool(comparison.covers[own][:, others].any(axis=1).all())


def is_stale(
    scenario: Scenario, sightings: Sequence[datetime], traffic: Traffic, settings: ScenarioSettings
) -> bool:
    """Whether ``scenario`` is not seen any more, by how often it was or by time alone."""
    last = max([scenario.last_seen, *sightings])
    if traffic.starts[-1] - last >= timedelta(days=settings.stale_days):
        return True
    return traffic.is_over(sightings or [scenario.last_seen], doubt=settings.silence)
