"""The validity gate: does a scenario, played by what runs in production, come out as it did there?

Production is played again before anything is tested. A scenario whose outcome does not come back counts
less, or no more. None of these episodes is ever an arm of a pair: what is chosen by an outcome regresses to
the mean when it is played again, and a baseline so chosen would lose to anything.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from scipy.special import betaln

from spanloop.optimizer.configuration import AgentConfiguration, digest
from spanloop.optimizer.context import Context
from spanloop.optimizer.experiments.parts import ExperimentParts
from spanloop.optimizer.experiments.plan import Slot, number
from spanloop.optimizer.experiments.rounds import Rounds
from spanloop.optimizer.experiments.runs import Planned, Run
from spanloop.optimizer.experiments.storing import read_runs
from spanloop.optimizer.replay.episode import EpisodeRequest
from spanloop.optimizer.scenarios import save_scenarios
from spanloop.optimizer.scenarios.scenario import Scenario, State, Validity

PRIOR = 0.8
"""Probability that a scenario reproduces production, before it is played."""
CONTRADICTED_BELOW = 0.5
DROPPED_BELOW = 0.1
MOST_REPLAYS = 3
"""Of one scenario; one that agrees at the first is not played again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaying:
    """What is played: the production configuration, within these bounds."""

    configuration: AgentConfiguration
    max_steps: int = 30
    timeout_s: float = 300.0

    def planned(self, scenario: Scenario, repeat: int, attempt: int) -> Planned:
        """Return an episode; its id is that of its content, so that it is found again."""
        identity = [scenario.scenario_id, scenario.content.hash, self.configuration.hash]
        return Planned(
            request=EpisodeRequest(
                run_id="run-" + digest(["validity", *identity, repeat, attempt]),
                scenario=scenario,
                configuration=self.configuration,
                seed=number(["validity", *identity, repeat, attempt]),
                max_steps=self.max_steps,
                timeout_s=self.timeout_s,
            ),
            experiment_id="",
            arm="validity",
            repeat=repeat,
            attempt=attempt,
        )


def support(scenario: Scenario, replays: Iterable[Run]) -> float | None:
    """Return the probability that ``scenario`` reproduces production; None where nothing can be compared.

    Production and replays either share one rate of satisfaction or have one each, all rates equally likely
    before: the Bayes factor of the two, on the prior `PRIOR`, is gentle while few episodes are known. A
    replay that production's own configuration does not bring to an end shows that the scenario cannot be
    played, whatever production came to.
    """
    if scenario.production_satisfied is None or not _is_comparable(scenario):
        return None
    settled = [run for run in replays if _is_settled(run)]
    if not settled:
        return None
    scores = [score for run in settled if (score := _score(run)) is not None]
    odds = PRIOR / (1.0 - PRIOR)
    if scores:
        n = len(scenario.trajectories)
        odds *= _same_rate((n * scenario.production_satisfied, n), (math.fsum(scores), len(scores)))
    return odds / (1.0 + odds) * len(scores) / len(settled)


def check_validity(
    context: Context,
    scenarios: Sequence[Scenario],
    replaying: Replaying,
    parts: ExperimentParts,
) -> list[Scenario]:
    """Play and judge production on those of ``scenarios`` that are unchecked; return all as they are now.

    What is found out is stored as it comes, so a call that is broken off is gone on with by the next.

    Raises:
        BudgetExhausted: not all of them are checked.
        Outage: what episodes need is down.
    """
    unchecked = [
        each for each in scenarios if each.validity == "unchecked" and _is_comparable(each)
    ]
    checked: dict[str, Scenario] = {}
    # As many episodes as a round of two arms has: judging a batch has a fixed cost.
    size = max(parts.limiter.limits.in_flight, 2 * parts.scenarios_a_round)
    context.progress.stage("validity", len(unchecked))
    with Rounds(
        context, parts, stored=_played_before(context, unchecked, replaying), may_recover=True
    ) as rounds:
        for begin in range(0, len(unchecked), size):
            batch = unchecked[begin : begin + size]
            try:
                _replay(batch, replaying, rounds, max_attempts=parts.max_attempts)
            finally:
                told = _told(batch, replaying, rounds.runs, max_attempts=parts.max_attempts)
                save_scenarios(context, told)
                checked |= {each.scenario_id: each for each in told}
            context.progress.advance(len(batch))
    return [checked.get(each.scenario_id, each) for each in scenarios]


def with_support(context: Context, scenarios: Sequence[Scenario]) -> list[Scenario]:
    """Return ``scenarios`` with the weight that those keep which production did not reproduce."""
    doubted = [each.scenario_id for each in scenarios if each.validity == "contradicted"]
    if not doubted:
        return list(scenarios)
    replays = _by_scenario(read_runs(context, "", doubted))
    supports = {
        each.scenario_id: support(each, replays.get(each.scenario_id, ()))
        for each in scenarios
        if each.validity == "contradicted"
    }
    return [
        each.model_copy(update={"weight": each.weight * known})
        if (known := supports.get(each.scenario_id)) is not None
        else each
        for each in scenarios
    ]


def _played_before(
    context: Context, scenarios: Sequence[Scenario], replaying: Replaying
) -> list[Run]:
    """Return stored replays of what the scenarios hold today under this configuration."""
    if not scenarios:
        return []
    by_id = {each.scenario_id: each for each in scenarios}
    return [
        run
        for run in read_runs(context, "", list(by_id))
        if run.run_id
        == replaying.planned(by_id[run.scenario_id], run.repeat, run.attempt).request.run_id
    ]


def _replay(
    batch: Sequence[Scenario], replaying: Replaying, rounds: Rounds, *, max_attempts: int
) -> None:
    by_id = {each.scenario_id: each for each in batch}
    while True:
        own = [run for run in rounds.runs.values() if run.scenario_id in by_id]
        rounds.judge(own, by_id)
        planned = [_next(each, replaying, rounds.runs, max_attempts=max_attempts) for each in batch]
        if not any(planned):
            return
        rounds.play([each for each in planned if each])


def _next(
    scenario: Scenario, replaying: Replaying, runs: Mapping[Slot, Run], *, max_attempts: int
) -> Planned | None:
    """Return the next replay of ``scenario``, None once enough is known, or nothing is to be learned now."""
    for repeat in range(MOST_REPLAYS):
        attempt, run = _last_attempt(scenario, repeat, runs)
        if run is None:
            return replaying.planned(scenario, repeat, 0)
        if run.lost:
            more = attempt + 1 < max_attempts
            return replaying.planned(scenario, repeat, attempt + 1) if more else None
        known = support(scenario, [run])
        if repeat == 0 and known is not None and known >= PRIOR:
            return None
    return None


def _last_attempt(
    scenario: Scenario, repeat: int, runs: Mapping[Slot, Run]
) -> tuple[int, Run | None]:
    attempt, found = 0, None
    while run := runs.get(Slot(scenario.scenario_id, "validity", repeat, attempt)):
        attempt, found = attempt + 1, run
    return attempt - 1, found


def _told(
    batch: Sequence[Scenario],
    replaying: Replaying,
    runs: Mapping[Slot, Run],
    *,
    max_attempts: int,
) -> list[Scenario]:
    """Return those of ``batch`` about which enough is known, as they are from now on."""
    replays = _by_scenario(runs.values())
    told: list[Scenario] = []
    for each in batch:
        own = replays.get(each.scenario_id, ())
        known = support(each, own)
        if known is None or _next(each, replaying, runs, max_attempts=max_attempts):
            continue
        state: State = "dropped" if known < DROPPED_BELOW else "active"
        validity: Validity = "contradicted" if known < CONTRADICTED_BELOW else "reproduced"
        found = {"state": state, "validity": validity, "validity_runs": len(own)}
        told.append(each.model_copy(update=found))
    return told


def _by_scenario(runs: Iterable[Run]) -> Mapping[str, Sequence[Run]]:
    grouped: defaultdict[str, list[Run]] = defaultdict(list)
    for run in runs:
        grouped[run.scenario_id].append(run)
    return grouped


def _is_comparable(scenario: Scenario) -> bool:
    """Whether it is known what production came to."""
    return scenario.production_satisfied is not None and bool(scenario.trajectories)


def _is_settled(run: Run) -> bool:
    """Whether it tells anything: it failed by itself, or somebody could judge it."""
    return not run.lost and (run.result.state != "finished" or _score(run) is not None)


def _score(run: Run) -> float | None:
    return run.assessed.score if run.assessed else None


def _same_rate(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Return how much likelier (satisfied, of) twice is from one rate than from two, all equally likely."""

    def evidence(satisfied: float, of: float) -> float:
        return float(betaln(satisfied + 1.0, of - satisfied + 1.0))

    both = (first[0] + second[0], first[1] + second[1])
    return math.exp(evidence(*both) - evidence(*first) - evidence(*second))
