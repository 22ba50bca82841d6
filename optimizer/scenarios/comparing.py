"""Runs of an agent beside its scenarios: which cover which, which tell one story, which hang together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spanloop.optimizer.scenarios.clusters import marks_of, neighbours_of, same_cases, stories
from spanloop.optimizer.scenarios.scenario import Scenario
from spanloop.optimizer.scenarios.sighting import (
    MAX_MESSAGE_CHARS,
    MAX_MESSAGES,
    Sighting,
    identifiers,
)
from spanloop.optimizer.scenarios.similarity import (
    NEAR,
    NEAR_OPENING,
    REQUEST_SIMILAR,
    SAME,
    TELLING,
    TOOLS_KNOWN,
    Bools,
    Floats,
    near_duplicates,
    phrase_vectors,
    telling_words,
    tool_weights,
    tools_known,
    word_vectors,
)

Pair = tuple[int, int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Rows are runs, then scenarios.

    Attributes:
        runs: compared.
        scenarios: compared, whatever their state.
        stories: (runs + scenarios,) the story that each tells, as the number of the row that began it.
        neighbours: row → near-duplicates of it, by all that is said or by the opening.
        covers: (runs, runs + scenarios) whether a scenario made of the column covers the run of the row.
        closeness: (runs, runs + scenarios) cosine of words.
        marks: (runs + scenarios,) users and names of things: each is used on one side only.
        near: near-duplicates (i, j, cosine), i < j, the most alike first.
    """

    runs: Sequence[Sighting]
    scenarios: Sequence[Scenario]
    stories: Sequence[int]
    neighbours: Mapping[int, Mapping[int, float]]
    covers: Bools
    closeness: Floats
    marks: Sequence[frozenset[str]]
    near: Sequence[Pair]

    @property
    def n(self) -> int:
        """Runs."""
        return len(self.runs)

    def alike(self) -> Bools:
        """Return (runs, runs) whether two runs would make one scenario."""
        alike = np.eye(self.n, dtype=np.bool_)
        for a, b, cosine in self.near:
            if cosine < SAME:
                break
            if b < self.n and self.runs[a].tools == self.runs[b].tools:
                alike[a, b] = alike[b, a] = True
        return alike


def compare(runs: Sequence[Sighting], scenarios: Sequence[Scenario]) -> Comparison:
    """Compare ``runs`` with each other and with ``scenarios``, all of one agent."""
    n = len(runs)
    everything = [*runs, *map(scenario_sighting, scenarios)]
    requests = [sighting.request for sighting in everything]
    near = near_duplicates(phrase_vectors(requests), NEAR)
    openings = [sighting.told[0] if sighting.told else "" for sighting in everything]
    begun = [
        (a, b, cosine)
        for a, b, cosine in near_duplicates(phrase_vectors(openings), NEAR_OPENING)
        if min(telling_words(openings[a]), telling_words(openings[b])) >= TELLING
    ]
    marks = marks_of(everything, [identifiers(request) for request in requests])
    known = tools_known(runs, [s.tools for s in everything], tool_weights(runs))
    words = word_vectors(requests)
    closeness = np.asarray((words[:n] @ words.T).toarray(), dtype=np.float64)
    covers = (closeness >= REQUEST_SIMILAR) & (known >= TOOLS_KNOWN)
    made_of = list(_provenance(runs, scenarios))
    for run, scenario, _ in made_of:
        covers[run, scenario] = True
    covers[np.arange(n), np.arange(n)] = True
    neighbours = neighbours_of([*made_of, *near, *begun])
    cases = same_cases(marks, lambda a, b: float(closeness[a, b]) if a < n else 0.0)
    return Comparison(
        runs=runs,
        scenarios=scenarios,
        stories=_stories(runs, scenarios, neighbours_of([*made_of, *near, *begun, *cases])),
        neighbours=neighbours,
        covers=covers,
        closeness=closeness,
        marks=marks,
        near=near,
    )


def _stories(
    runs: Sequence[Sighting],
    scenarios: Sequence[Scenario],
    neighbours: Mapping[int, Mapping[int, float]],
) -> list[int]:
    """Return the story of each row: scenarios begin stories first, then runs, the oldest first."""
    n = len(runs)
    order = [
        *range(n, n + len(scenarios)),
        *sorted(range(n), key=lambda i: (runs[i].start, runs[i].key)),
    ]

    def may_join(row: int, other: int) -> bool:
        both = row >= n and other >= n
        return not both or scenarios[row - n].split == scenarios[other - n].split

    return stories(neighbours, order, may_join)


def _provenance(runs: Sequence[Sighting], scenarios: Sequence[Scenario]) -> Iterable[Pair]:
    """Yield (run, scenario, 1.0) for what each scenario is made of."""
    rows = {run.key: row for row, run in enumerate(runs)}
    for position, scenario in enumerate(scenarios, start=len(runs)):
        for trajectory in scenario.trajectories:
            if trajectory in rows:
                yield rows[trajectory], position, 1.0


def scenario_sighting(scenario: Scenario) -> Sighting:
    """Return ``scenario`` as it is compared with runs."""
    content = scenario.content
    told = [content.opening, *(turn.text for turn in content.turns)]
    return Sighting(
        key=scenario.scenario_id,
        start=scenario.last_seen,
        told=[text[:MAX_MESSAGE_CHARS] for text in told[:MAX_MESSAGES]],
        tools=frozenset(call.tool for call in content.tape),
        stratum=scenario.stratum,
        patterns=frozenset(scenario.pattern_ids),
    )
