"""What new scenarios are made of: decided by pure functions."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np

from spanloop.optimizer.scenarios.choosing import Need, choose_anchors
from spanloop.optimizer.scenarios.comparing import Comparison
from spanloop.optimizer.scenarios.scenario import Split, State
from spanloop.optimizer.scenarios.settings import ScenarioSettings
from spanloop.optimizer.scenarios.similarity import SAME, Bools
from spanloop.optimizer.scenarios.standing import Standing


class Planned(NamedTuple):
    """A scenario to make.

    Attributes:
        rows: runs that it is made of: the one to play, then the others, newest first.
        cluster_key: of the story that they tell.
        split: on which that stands.
    """

    rows: Sequence[int]
    cluster_key: str
    split: Split


def plan_new(
    comparison: Comparison, standing: Standing, *, budget: int, settings: ScenarioSettings
) -> list[Planned]:
    """Return the scenarios to make.

    Args:
        comparison: of the runs with all scenarios of their agent.
        standing: of its stories.
        budget: scenarios at most.
        settings: what a pattern should have.
    """
    active = [s for s in comparison.scenarios if s.state == "active"]
    covered, over = _covered(comparison, "active"), _covered(comparison, "retired")
    # What retired is not made again of the runs it was made for; its failures, seen anew, are.
    failing = np.array([bool(run.patterns) for run in comparison.runs])
    need = Need(
        budget=budget,
        a_pattern=settings.a_pattern,
        have=Counter(pattern for scenario in active for pattern in scenario.pattern_ids),
        usable=_unused(comparison) & standing.usable & (covered | ~over | failing),
        covered=covered | over,
    )
    own = comparison.covers[:, : comparison.n]
    anchors = choose_anchors(comparison.runs, own, comparison.alike(), need)
    return [
        Planned(
            [anchor, *companions(comparison, standing, anchor, most=settings.recordings - 1)],
            *standing.sides[comparison.stories[anchor]],
        )
        for anchor in anchors
    ]


def _covered(comparison: Comparison, state: State) -> Bools:
    """Return whether any scenario in ``state`` covers each run."""
    columns = [
        column
        for column, scenario in enumerate(comparison.scenarios, start=comparison.n)
        if scenario.state == state
    ]
    return np.asarray(comparison.covers[:, columns].any(axis=1), dtype=np.bool_)


def _unused(comparison: Comparison) -> Bools:
    """Return whether no scenario is made of each run, nor of its like."""
    used = {trajectory for s in comparison.scenarios for trajectory in s.trajectories}
    unused = np.array([run.key not in used for run in comparison.runs])
    for a, b, cosine in comparison.near:
        if cosine >= SAME and a < comparison.n <= b:
            tools = {call.tool for call in comparison.scenarios[b - comparison.n].content.tape}
            if comparison.runs[a].tools <= tools:
                unused[a] = False
    return unused


def companions(comparison: Comparison, standing: Standing, anchor: int, *, most: int) -> list[int]:
    """Return rows of the runs whose recordings go with row ``anchor`` (a run or a scenario), newest first.

    They tell the same story; those that name the same things come first, if there are too many.
    """
    story = comparison.stories[anchor]
    alike = {b if a == anchor else a: c for a, b, c in comparison.near if anchor in (a, b)}
    own = comparison.marks[anchor]
    scored: list[tuple[int, float, datetime, int]] = []
    for row, run in enumerate(comparison.runs):
        if row == anchor or comparison.stories[row] != story or not standing.usable[row]:
            continue
        shared = len(own & comparison.marks[row])
        if shared or row in alike:
            scored.append((shared, alike.get(row, 0.0), run.start, row))
    best = sorted(scored, reverse=True)[:most]
    return [row for _, _, _, row in sorted(best, key=lambda s: (s[2], s[3]), reverse=True)]
