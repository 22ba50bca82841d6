"""Derive scenarios from production traffic: read what is new, decide, write what changed.

Idempotent: where nothing is new nothing is done, and the scenarios of an agent are written in one insert,
so that a derivation which was killed is repeated as if it had not begun. Its cost is bounded by the sample
that is compared, however much traffic there is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta

from spanloop.optimizer.context import Context
from spanloop.optimizer.patterns.predicates import to_json
from spanloop.optimizer.patterns.storing import Pattern, read_patterns
from spanloop.optimizer.scenarios.comparing import Comparison, compare
from spanloop.optimizer.scenarios.lifecycle import Traffic, sighted, weights
from spanloop.optimizer.scenarios.making import (
    growing_runs,
    grown_scenario,
    make_scenario,
    read_materials,
)
from spanloop.optimizer.scenarios.planning import plan_new
from spanloop.optimizer.scenarios.reading import AgentTraffic, read_agents, read_sightings
from spanloop.optimizer.scenarios.renewing import renew
from spanloop.optimizer.scenarios.scenario import Scenario
from spanloop.optimizer.scenarios.settings import ScenarioSettings
from spanloop.optimizer.scenarios.sighting import Sighting
from spanloop.optimizer.scenarios.standing import Standing, stand
from spanloop.optimizer.scenarios.storing import (
    Derivation,
    read_derivation,
    read_scenarios,
    save_scenarios,
    write_derivation,
)

FIRST_GENERATION = 1
WEIGHT_MOVED = 0.1
"""Change of a weight, as a share of it, that is worth a new version."""
SEEN_MOVED = timedelta(days=1)


@dataclass(slots=True, kw_only=True)
class ScenarioResult:
    """What a derivation did, over all agents that had new traffic.

    Attributes:
        agents: that had.
        compared: runs of them that were compared.
        sampled: of those, drawn at random.
        covered: of those, by an active scenario.
        scenarios: active ones afterwards.
        derived: new ones.
        updated: whose content was made anew of more recordings.
        held_back: runs that only count as traffic, since what they name is used on another side.
        notes: what was skipped, and why.
    """

    agents: int = 0
    compared: int = 0
    sampled: int = 0
    covered: int = 0
    scenarios: int = 0
    derived: int = 0
    updated: int = 0
    merged: int = 0
    retired: int = 0
    revived: int = 0
    held_back: int = 0
    notes: list[str] = field(default_factory=list[str])

    def add_inplace(self, other: "ScenarioResult") -> None:
        """Add the counts and notes of ``other``."""
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def derive_scenarios(context: Context, settings: ScenarioSettings | None = None) -> ScenarioResult:
    """Bring the scenarios of every agent that has new traffic up to date."""
    settings = settings or ScenarioSettings()
    patterns = [p for p in read_patterns(context) if p.state != "resolved"]
    agents = read_agents(context)
    context.progress.stage("scenarios", len(agents))
    result = ScenarioResult()
    for traffic in agents:
        before = read_derivation(context, project=traffic.project, agent=traffic.agent)
        if before is None or (before.version, before.trajectories) != (
            traffic.version,
            traffic.trajectories,
        ):
            own = [p for p in patterns if p.project == traffic.project]
            result.add_inplace(_derive(context, traffic, before, own, settings))
        context.progress.advance()
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class _Agent:
    """What stays the same while the scenarios of one agent are derived."""

    context: Context
    traffic: AgentTraffic
    settings: ScenarioSettings
    generation: int
    live: Mapping[str, str]


def _derive(
    context: Context,
    traffic: AgentTraffic,
    before: Derivation | None,
    patterns: Sequence[Pattern],
    settings: ScenarioSettings,
) -> ScenarioResult:
    """Derive the scenarios of one agent."""
    known = read_scenarios(context, agent=traffic.agent, project=traffic.project)
    ids = [pattern.pattern_id for pattern in patterns]
    runs = read_sightings(context, traffic, patterns=ids, settings=settings)
    sample = Traffic(starts=sorted(run.start for run in runs if run.drawn))
    if not sample.starts:  # what was there when agents were counted is gone
        return ScenarioResult(agents=1)
    agent = _Agent(
        context=context,
        traffic=traffic,
        settings=settings,
        generation=before.generation if before else FIRST_GENERATION,
        live=_live(patterns, runs, sample, settings),
    )
    runs = [replace(run, patterns=run.patterns & agent.live.keys()) for run in runs]
    comparison = compare(runs, known)
    renewed = renew(comparison, sample, live=agent.live.keys(), settings=settings)
    comparison = replace(comparison, scenarios=renewed.scenarios)
    standing = stand(
        comparison, cut=before.cut if before else None, settings=settings, seed=context.seed
    )
    made, grown = _make(agent, comparison, standing, budget=_budget(agent, comparison, sample))
    everything = sorted([*grown, *made], key=lambda scenario: scenario.scenario_id)
    current, covered = _weighted(runs, everything)
    save_scenarios(context, changed(known, current))
    result = ScenarioResult(
        agents=1,
        compared=len(runs),
        sampled=len(sample.starts),
        covered=covered,
        scenarios=sum(scenario.state == "active" for scenario in current),
        derived=len(made),
        updated=sum(
            a.content != b.content for a, b in zip(grown, comparison.scenarios, strict=True)
        ),
        merged=renewed.merged,
        retired=renewed.retired,
        revived=renewed.revived,
        held_back=int((~standing.usable).sum()),
    )
    if standing.cut is not None:  # there are runs, so there are stories
        _note(agent, standing.cut, result)
    return result


def _live(
    patterns: Sequence[Pattern],
    runs: Sequence[Sighting],
    sample: Traffic,
    settings: ScenarioSettings,
) -> dict[str, str]:
    """Return pattern id → predicate (JSON) of the patterns that runs of this agent still show."""
    seen: dict[str, list[datetime]] = {}
    for run in runs:
        for pattern in run.patterns:
            seen.setdefault(pattern, []).append(run.start)
    return {
        pattern.pattern_id: to_json(pattern.predicate)
        for pattern in patterns
        if not sample.is_over(seen.get(pattern.pattern_id, []), doubt=settings.doubt)
    }


def _budget(agent: _Agent, comparison: Comparison, sample: Traffic) -> int:
    """Return how many scenarios may be made."""
    settings = agent.settings
    drawn = len(sample.starts)
    # A sample that is not full holds all traffic of the window.
    traffic = drawn if drawn < settings.sample else agent.traffic.trajectories
    allowed = min(max(1, traffic // settings.trajectories_a_scenario), settings.most)
    active = sum(scenario.state == "active" for scenario in comparison.scenarios)
    return min(max(0, allowed - active), settings.most_new)


def _make(
    agent: _Agent, comparison: Comparison, standing: Standing, *, budget: int
) -> tuple[list[Scenario], list[Scenario]]:
    """Return the new scenarios, and the known ones, those with enough new recordings made of them anew."""
    planned = plan_new(comparison, standing, budget=budget, settings=agent.settings)
    most = agent.settings.recordings
    growing = growing_runs(comparison, standing, agent.traffic, most=most)
    wanted = {comparison.runs[row].key for each in planned for row in each.rows}
    wanted |= {run.key for made_of in growing.values() for run in made_of}
    materials = read_materials(agent.context, wanted, predicates=agent.live, runs=comparison.runs)
    made = [
        make_scenario(
            each,
            comparison.runs,
            materials,
            traffic=agent.traffic,
            generation=agent.generation,
        )
        for each in planned
    ]
    grown = [
        grown_scenario(scenario, growing.get(scenario.scenario_id, ()), materials)
        for scenario in comparison.scenarios
    ]
    return [scenario for scenario in made if scenario is not None], grown


def _weighted(
    runs: Sequence[Sighting], scenarios: Sequence[Scenario]
) -> tuple[list[Scenario], int]:
    """Return ``scenarios`` with the share of traffic that each stands for, and how many runs they cover.

    A retired one keeps the weight that it had.
    """
    comparison = compare(runs, scenarios)
    active = {s.scenario_id: s for s in scenarios if s.state == "active"}
    shares = weights(comparison, active)
    seen = sighted(comparison, active)
    weighted = [
        scenario.model_copy(
            update={
                "weight": shares[scenario.scenario_id],
                "last_seen": max(
                    [scenario.last_seen, *(runs[row].start for row in seen[scenario.scenario_id])]
                ),
            }
        )
        if scenario.scenario_id in active
        else scenario
        for scenario in scenarios
    ]
    covered = {row for own in seen.values() for row in own if runs[row].drawn}
    return weighted, len(covered)


def changed(known: Sequence[Scenario], current: Sequence[Scenario]) -> list[Scenario]:
    """Return those of ``current`` that are new or differ from ``known`` by what is worth a version."""
    before = {scenario.scenario_id: scenario for scenario in known}
    return [s for s in current if s.scenario_id not in before or _differs(before[s.scenario_id], s)]


def _differs(old: Scenario, new: Scenario) -> bool:
    small = {"weight": old.weight, "last_seen": old.last_seen}
    return (
        new.model_copy(update=small) != old
        or abs(new.weight - old.weight) > WEIGHT_MOVED * old.weight
        or new.last_seen - old.last_seen >= SEEN_MOVED
    )


def _note(agent: _Agent, cut: datetime, result: ScenarioResult) -> None:
    traffic = agent.traffic
    write_derivation(
        agent.context,
        Derivation(
            cut=cut,
            version=traffic.version,
            generation=agent.generation,
            trajectories=traffic.trajectories,
        ),
        project=traffic.project,
        agent=traffic.agent,
        counts={name: n for name, n in asdict(result).items() if isinstance(n, int)},
    )
