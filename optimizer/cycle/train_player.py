"""Plays train scenarios for engines that search."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from spanloop.optimizer.candidates.gepa_engine import Played
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.context import Context
from spanloop.optimizer.cycle.open_play import OpenPlay
from spanloop.optimizer.cycle.parts import Procedure
from spanloop.optimizer.cycle.state import Unavailable
from spanloop.optimizer.experiments.parts import ExperimentParts
from spanloop.optimizer.experiments.rounds import Outage
from spanloop.optimizer.experiments.runs import Run
from spanloop.optimizer.models import Lease, ModelFailure
from spanloop.optimizer.scenarios.scenario import Scenario

CHARS_A_STEP = 400


class TrainPlayer:
    """A `spanloop.optimizer.candidates.gepa_engine.Player` on the target and the assessor of experiments."""

    def __init__(
        self,
        context: Context,
        parts: Callable[[Lease], ExperimentParts],
        *,
        search_id: str,
        testing: Callable[[], Procedure],
    ) -> None:
        """Play within a search.

        Args:
            context: of the store.
            parts: makes target and assessor that spend from a lease.
            search_id: part of every run id: a search that is made again after kill -9 finds its episodes.
            testing: tells the bounds of an episode; asked when the first is played, since it raises
                Unavailable where none can be.
        """
        self._context = context
        self._parts = parts
        self._search_id = search_id
        self._testing = testing

    def play(
        self, scenarios: Sequence[Scenario], configuration: AgentConfiguration, *, lease: Lease
    ) -> Sequence[Played]:
        """Play each of ``scenarios`` once with ``configuration``; what was played before is not played again.

        Raises:
            BudgetExhausted: ``lease`` does not suffice; what was played is kept.
            ModelFailure: what episodes need is down, or not configured.
            ValueError: a scenario of another split is among them.
        """
        if any(scenario.split != "train" for scenario in scenarios):
            raise ValueError("a search plays train scenarios only")
        try:
            testing = self._testing()
        except Unavailable as missing:
            raise ModelFailure("unavailable", str(missing)) from None
        play = OpenPlay(
            context=self._context,
            parts=self._parts(lease),
            testing=testing,
            purpose="search",
            name=self._search_id,
        )
        try:
            runs = play.play(scenarios, configuration)
        except Outage as down:
            raise ModelFailure("outage", str(down)) from None
        runs = play.judged(runs, {each.scenario_id: each for each in scenarios})
        told = self._told([run for run in runs.values() if run.assessed is not None])
        return [_played(runs.get(each.scenario_id), told) for each in scenarios]

    def _told(self, runs: Sequence[Run]) -> Mapping[str, str]:
        """Return what happened in ``runs``, by trajectory."""
        ids = [run.assessed.trajectory_id for run in runs if run.assessed is not None]
        rows = self._context.rows("judging/select_transcripts", {"ids": ids, "chars": CHARS_A_STEP})
        return {str(row[0]): "\n".join(_line(step) for step in row[5]) for row in rows}


def _played(run: Run | None, told: Mapping[str, str]) -> Played:
    if run is None or run.assessed is None:
        return Played(score=None, told="" if run is None else f"ended as {run.result.state}")
    return Played(score=run.assessed.score, told=told.get(run.assessed.trajectory_id, ""))


def _line(step: Sequence[Any]) -> str:
    _, kind, _, name, text, arguments, result, status = step
    if kind == "tool":
        return f"tool {name}({arguments or ''}) {status}: {result or ''}"
    return f"{kind}: {text or ''}"
