"""Make scenarios of what was decided: read the recordings, build contents, fill in what a row tells."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from spanloop.optimizer.configuration import digest
from spanloop.optimizer.context import Context
from spanloop.optimizer.satisfaction.features import tool_effects
from spanloop.optimizer.satisfaction.tools import Effect
from spanloop.optimizer.scenarios.comparing import Comparison
from spanloop.optimizer.scenarios.content import Material, build_content, goal_of
from spanloop.optimizer.scenarios.planning import Planned, companions
from spanloop.optimizer.scenarios.reading import AgentTraffic, read_offered, read_recordings
from spanloop.optimizer.scenarios.recording import Recording
from spanloop.optimizer.scenarios.scenario import Content, Scenario, ToolSchema
from spanloop.optimizer.scenarios.sighting import Sighting
from spanloop.optimizer.scenarios.standing import Standing
from spanloop.optimizer.scenarios.tool_schemas import infer_tool_schemas

SATISFIED = 0.5
"""Probability above which a recording counts as one of a satisfied user."""

ELSEWHERE = 2.0
"""Recordings of the same story that the satisfied runs of all other traffic weigh as much as."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Materials:
    """What contents are made of.

    Attributes:
        recordings: by trajectory id.
        offered: tools by trajectory id.
        inferred: tools as calls show them, where spans do not carry what was offered.
        changing: tools that change something.
        predicates: of the patterns that live, JSON, by pattern id.
        lacked: by pattern id, the share of all satisfied runs of the agent that do not show it.
    """

    recordings: Mapping[str, Recording]
    offered: Mapping[str, tuple[ToolSchema, ...]]
    inferred: tuple[ToolSchema, ...]
    changing: frozenset[str]
    predicates: Mapping[str, str]
    lacked: Mapping[str, float]


def read_materials(
    context: Context,
    ids: Iterable[str],
    *,
    predicates: Mapping[str, str],
    runs: Sequence[Sighting],
) -> Materials:
    """Return what contents of the trajectories ``ids`` are made of; ``runs`` are those of their agent."""
    recordings = read_recordings(context, ids)
    effects = tool_effects(context) if recordings else {}
    return Materials(
        recordings=recordings,
        offered=read_offered(context, recordings),
        inferred=infer_tool_schemas(
            (step.name, step.arguments or "{}")
            for recording in recordings.values()
            for step in recording.of_kind("tool")
        ),
        changing=frozenset(name for name, effect in effects.items() if effect is Effect.CHANGES),
        predicates=predicates,
        lacked=_lacked(predicates, runs),
    )


def _lacked(patterns: Iterable[str], runs: Sequence[Sighting]) -> dict[str, float]:
    satisfied = [run for run in runs if run.drawn and _is_satisfied(run)]
    return {
        pattern: _share_without(pattern, satisfied, usual=0.5, weight=1.0) for pattern in patterns
    }


def scenario_id_of(traffic: AgentTraffic, trajectory_id: str) -> str:
    """Return the id of the scenario that plays ``trajectory_id``: the same however often it is derived."""
    return digest(["scenario", traffic.project, traffic.agent, trajectory_id])


def make_scenario(
    planned: Planned,
    runs: Sequence[Sighting],
    materials: Materials,
    *,
    traffic: AgentTraffic,
    generation: int,
) -> Scenario | None:
    """Return a new scenario; None if what it is to play is gone or holds no message of a user."""
    made_of = [runs[row] for row in planned.rows]
    content = content_of(made_of, materials)
    if content is None:
        return None
    shown = _shown(made_of, materials)
    newest_first = sorted(made_of, key=lambda run: (run.start, run.key), reverse=True)
    return Scenario(
        scenario_id=scenario_id_of(traffic, made_of[0].key),
        project=traffic.project,
        agent=traffic.agent,
        origin="pattern" if made_of[0].patterns else "traffic",
        pattern_ids=shown,
        split=planned.split,
        generation=generation,
        cluster_key=planned.cluster_key,
        stratum=made_of[0].stratum,
        goal=goal_of(content.opening),
        content=content,
        trajectories=tuple(run.key for run in newest_first),
        trace_ids=_trace_ids(newest_first, materials),
        weight=0.0,
        production_satisfied=mean_probability(made_of),
        first_seen=newest_first[-1].start,
        last_seen=newest_first[0].start,
    )


def growing_runs(
    comparison: Comparison, standing: Standing, traffic: AgentTraffic, *, most: int
) -> dict[str, list[Sighting]]:
    """Return active scenario → the runs to make it of anew, the played one first.

    A scenario is made anew when its recordings have doubled, so a few times in its life: what is measured
    on it should stay the same otherwise.
    """
    rows = {run.key: row for row, run in enumerate(comparison.runs)}
    played = {scenario_id_of(traffic, key): row for key, row in rows.items()}
    growing: dict[str, list[Sighting]] = {}
    for column, scenario in enumerate(comparison.scenarios, start=comparison.n):
        anchor = played.get(scenario.scenario_id)
        if scenario.state != "active" or anchor is None or len(scenario.trajectories) >= most:
            continue
        kept = [rows[key] for key in scenario.trajectories if key in rows]
        near = companions(comparison, standing, column, most=most)
        made_of = list(dict.fromkeys([anchor, *kept, *near]))[:most]
        if len(made_of) >= min(most, 2 * len(scenario.trajectories)):
            growing[scenario.scenario_id] = [comparison.runs[row] for row in made_of]
    return growing


def grown_scenario(
    scenario: Scenario, made_of: Sequence[Sighting], materials: Materials
) -> Scenario:
    """Return ``scenario`` made anew of ``made_of``; as it is, if there are none or they are gone."""
    content = content_of(made_of, materials) if made_of else None
    if content is None:
        return scenario
    newest_first = sorted(made_of, key=lambda run: (run.start, run.key), reverse=True)
    return scenario.model_copy(
        update={
            "content": content,
            "trajectories": tuple(run.key for run in newest_first),
            "trace_ids": _trace_ids(newest_first, materials),
            "production_satisfied": mean_probability(made_of),
            "first_seen": min(scenario.first_seen, newest_first[-1].start),
        }
    )


def content_of(made_of: Sequence[Sighting], materials: Materials) -> Content | None:
    """Return what is played, made of the recordings of ``made_of``, the first of which is the one to play."""
    if made_of[0].key not in materials.recordings:
        return None
    known = [run for run in made_of if run.key in materials.recordings]
    satisfied = [run for run in known if _is_satisfied(run)]
    # A story that always fails has no satisfied recording; what satisfied runs do elsewhere tells then.
    lacking = {
        materials.predicates[pattern]: _share_without(
            pattern, satisfied, usual=materials.lacked[pattern], weight=ELSEWHERE
        )
        for pattern in _shown(known[:1], materials)
    }
    return build_content(
        Material(
            recordings=[materials.recordings[run.key] for run in known],
            satisfied=frozenset(run.key for run in satisfied),
            tools=materials.offered.get(known[0].key) or materials.inferred,
            changing=materials.changing,
            predicates=lacking,
        )
    )


def mean_probability(runs: Sequence[Sighting]) -> float | None:
    """Return the mean probability of satisfaction of ``runs``; None where none is known."""
    known = [run.probability for run in runs if run.probability is not None]
    return sum(known) / len(known) if known else None


def _shown(runs: Sequence[Sighting], materials: Materials) -> tuple[str, ...]:
    """Return the patterns that the run to play shows, or at least half of ``runs``."""
    counts = Counter(pattern for run in runs for pattern in run.patterns)
    often = {pattern for pattern, n in counts.items() if 2 * n >= len(runs)}
    return tuple(sorted((often | runs[0].patterns) & materials.predicates.keys()))


def _is_satisfied(run: Sighting) -> bool:
    return run.probability is not None and run.probability > SATISFIED


def _share_without(
    pattern: str, satisfied: Sequence[Sighting], *, usual: float, weight: float
) -> float:
    """Return the share of ``satisfied`` without ``pattern``, ``weight`` runs of the usual share added."""
    without = sum(pattern not in run.patterns for run in satisfied)
    return (without + weight * usual) / (len(satisfied) + weight)


def _trace_ids(newest_first: Sequence[Sighting], materials: Materials) -> tuple[str, ...]:
    known = [materials.recordings.get(run.key) for run in newest_first]
    return tuple(dict.fromkeys(t for r in known if r is not None for t in reversed(r.trace_ids)))
