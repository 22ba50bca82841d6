"""Known scenarios after new traffic: merged, retired, revived, aimed at what still fails."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from spanloop.optimizer.scenarios.comparing import Comparison
from spanloop.optimizer.scenarios.lifecycle import (
    Traffic,
    is_redundant,
    is_stale,
    merged,
    sighted,
)
from spanloop.optimizer.scenarios.scenario import Scenario, State
from spanloop.optimizer.scenarios.settings import ScenarioSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """The scenarios of a comparison, in its order, as they stand now, and what was done to them."""

    scenarios: Sequence[Scenario]
    merged: int
    retired: int
    revived: int


def renew(
    comparison: Comparison,
    sample: Traffic,
    *,
    live: Collection[str],
    settings: ScenarioSettings,
) -> Renewed:
    """Return the scenarios of ``comparison`` as new traffic leaves them.

    Args:
        comparison: of new traffic with all scenarios of its agent.
        sample: the random part of that traffic.
        live: patterns that are still seen.
        settings: when something is stale.
    """
    now = {scenario.scenario_id: scenario for scenario in comparison.scenarios}
    merges = merged(comparison)
    for gone, kept in merges.items():
        now[gone] = now[gone].model_copy(update={"state": "merged", "merged_into": kept})
    rows = sighted(comparison, _in_state(now, "active"))
    retired = 0
    for name in sorted(rows):
        before = now[name]
        seen = [comparison.runs[row].start for row in rows[name]]
        now[name] = _aimed(comparison, before, live)
        if is_stale(before, seen, sample, settings) or _has_outlived(comparison, now, name):
            # What it was aimed at stays: it is revived by that.
            now[name] = before.model_copy(update={"state": "retired"})
            retired += 1
        elif not now[name].pattern_ids:
            now[name] = now[name].model_copy(update={"origin": "traffic"})
    back = [name for name in sorted(_in_state(now, "retired")) if _is_back(comparison, now, name)]
    for name in back:
        now[name] = _aimed(comparison, now[name], live).model_copy(update={"state": "active"})
    return Renewed(
        scenarios=[now[scenario.scenario_id] for scenario in comparison.scenarios],
        merged=len(merges),
        retired=retired,
        revived=len(back),
    )


def _in_state(scenarios: Mapping[str, Scenario], state: State) -> dict[str, Scenario]:
    return {name: scenario for name, scenario in scenarios.items() if scenario.state == state}


def _aimed(comparison: Comparison, scenario: Scenario, live: Collection[str]) -> Scenario:
    """Return ``scenario`` with the patterns that its runs show and that are still seen."""
    made_of = [run for run in comparison.runs if run.key in scenario.trajectories]
    counts = Counter(pattern for run in made_of for pattern in run.patterns)
    often = {pattern for pattern, n in counts.items() if 2 * n >= len(scenario.trajectories)}
    aimed = tuple(sorted((often | set(scenario.pattern_ids)) & set(live)))
    update = {"pattern_ids": aimed, "origin": "pattern" if often & set(aimed) else scenario.origin}
    return scenario.model_copy(update=update)


def _has_outlived(comparison: Comparison, now: Mapping[str, Scenario], name: str) -> bool:
    """Whether a scenario was made for failures that are gone, and others cover the traffic it stands for."""
    scenario = now[name]
    if scenario.origin != "pattern" or scenario.pattern_ids:
        return False
    return is_redundant(comparison, scenario, list(_in_state(now, "active").values()))


def _is_back(comparison: Comparison, now: Mapping[str, Scenario], name: str) -> bool:
    """Whether new runs ask for a retired scenario: they show its failure, or no other covers them."""
    scenario = now[name]
    columns = {s.scenario_id: comparison.n + i for i, s in enumerate(comparison.scenarios)}
    active = [columns[other] for other in _in_state(now, "active")]
    for row in comparison.covers[:, columns[name]].nonzero()[0].tolist():
        run = comparison.runs[row]
        again = bool(run.patterns & set(scenario.pattern_ids))
        if run.start > scenario.last_seen and (again or not comparison.covers[row, active].any()):
            return True
    return False
