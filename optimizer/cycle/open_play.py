"""Plays open scenarios (train, validation) out of every experiment, stored and judged as its episodes.

Nothing played here is ever an arm of a pair, and none of it is evidence: what was played, or who it was
played with, was chosen by how it went before.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from spanloop.optimizer.configuration import AgentConfiguration, digest
from spanloop.optimizer.context import Context
from spanloop.optimizer.cycle.parts import Procedure
from spanloop.optimizer.experiments.parts import ExperimentParts
from spanloop.optimizer.experiments.plan import number
from spanloop.optimizer.experiments.rounds import Rounds
from spanloop.optimizer.experiments.runs import Planned, Run
from spanloop.optimizer.experiments.storing import read_runs
from spanloop.optimizer.replay.episode import EpisodeRequest
from spanloop.optimizer.scenarios.scenario import Scenario, Split

OPEN: Collection[Split] = ("train", "validation")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPlay:
    """Episodes of one purpose.

    Attributes:
        purpose: begins their experiment ids (``search``, ``screen``).
        name: part of every id: what is played again under it, as after kill -9, is found.
    """

    context: Context
    parts: ExperimentParts
    testing: Procedure
    purpose: str
    name: str

    def play(
        self, scenarios: Sequence[Scenario], configuration: AgentConfiguration
    ) -> Mapping[str, Run]:
        """Play each of ``scenarios`` once, unless it was; return runs by scenario id, not judged yet.

        Raises:
            BudgetExhausted: the lease does not suffice; what was played is kept.
            Outage: most of it got lost.
            ValueError: a scenario of a locked split is among them.
        """
        if any(scenario.split not in OPEN for scenario in scenarios):
            raise ValueError("locked scenarios are played in experiments only")
        experiment_id = f"{self.purpose}-{digest([self.name, configuration.hash])}"
        stored = read_runs(self.context, experiment_id)
        known = {run.run_id for run in stored}
        planned = [self._planned(each, configuration, experiment_id) for each in scenarios]
        missing = [each for each in planned if each.request.run_id not in known]
        runs: Collection[Run] = stored
        if missing:  # otherwise no loop, no connections
            with Rounds(self.context, self.parts, stored=stored, may_recover=True) as rounds:
                rounds.play(missing)
                runs = rounds.runs.values()
        # It may have played others, too: for another pattern.
        asked = {each.scenario_id for each in scenarios}
        return {run.scenario_id: run for run in runs if run.scenario_id in asked}

    def judged(
        self,
        runs: Mapping[str, Run],
        scenarios: Mapping[str, Scenario],
        *,
        gold: Collection[str] = (),
    ) -> Mapping[str, Run]:
        """Return ``runs``, by any key, with those judged that ended and were not yet.

        All at once, whichever configuration they had: a batch has a fixed cost.

        Raises:
            BudgetExhausted: a judge would cost more than is left; what was paid for is kept.
        """
        if not any(run.to_judge for run in runs.values()):
            return runs
        with Rounds(self.context, self.parts, stored=(), may_recover=False) as rounds:
            told = {run.run_id: run for run in rounds.judge(runs.values(), scenarios, gold=gold)}
        return {key: told.get(run.run_id, run) for key, run in runs.items()}

    def _planned(
        self, scenario: Scenario, configuration: AgentConfiguration, experiment_id: str
    ) -> Planned:
        identity = [
            self.purpose,
            self.name,
            scenario.scenario_id,
            scenario.content.hash,
            configuration.hash,
        ]
        return Planned(
            request=EpisodeRequest(
                run_id="run-" + digest(identity),
                scenario=scenario,
                configuration=configuration,
                seed=number(identity),
                max_steps=self.testing.max_steps,
                timeout_s=self.testing.timeout_s,
            ),
            experiment_id=experiment_id,
            arm="candidate",
            repeat=0,
            attempt=0,
        )
