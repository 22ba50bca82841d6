"""Episodes of an experiment as they are stored, and which of them are still missing. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from spanloop.optimizer.experiments.assessing import Assessed
from spanloop.optimizer.experiments.plan import ARMS, ExperimentPlan, Slot, StoredArm
from spanloop.optimizer.replay.episode import EpisodeRequest, EpisodeResult
from spanloop.optimizer.scenarios.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A row of ``experiment_runs``.

    Attributes:
        experiment_id: '' = a validity replay, never an arm of a pair.
        assessed: None = not judged yet, or not to be judged: it failed.
        started_ms: Unix milliseconds at which its round began.
        finished_ms: Unix milliseconds at which its round ended.
        version: of the row.
    """

    experiment_id: str
    project: str
    scenario_id: str
    scenario_version: int
    arm: StoredArm
    repeat: int
    attempt: int
    configuration_hash: str
    result: EpisodeResult
    is_gold: bool
    assessed: Assessed | None = None
    started_ms: int
    finished_ms: int
    version: int = 0

    @property
    def run_id(self) -> str:
        """Also the conversation id of its spans."""
        return self.result.run_id

    @property
    def lost(self) -> bool:
        """Whether neither arm is to blame for how it ended."""
        return self.result.state == "infrastructure"

    @property
    def to_judge(self) -> bool:
        """Whether it came to an end and nobody has judged it."""
        return self.result.state == "finished" and self.assessed is None

    @property
    def tokens(self) -> int | None:
        """In and out together, None where unknown."""
        return tokens_of(self.result)


Runs = Mapping[Slot, Run]


def tokens_of(result: EpisodeResult) -> int | None:
    """Return tokens in and out together, None where unknown."""
    read, written = result.input_tokens, result.output_tokens
    return None if read is None or written is None else read + written


def slot_of(run: Run) -> Slot:
    """Return the place of an episode."""
    return Slot(run.scenario_id, run.arm, run.repeat, run.attempt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """An episode to be played, and where it belongs."""

    request: EpisodeRequest
    experiment_id: str
    arm: StoredArm
    repeat: int
    attempt: int
    is_gold: bool = False

    def ended(self, result: EpisodeResult, *, started_ms: int, now_ms: int) -> Run:
        """Return it as it is stored before anybody has judged it."""
        scenario = self.request.scenario
        return Run(
            experiment_id=self.experiment_id,
            project=scenario.project,
            scenario_id=scenario.scenario_id,
            scenario_version=scenario.version,
            arm=self.arm,
            repeat=self.repeat,
            attempt=self.attempt,
            configuration_hash=self.request.configuration.hash,
            result=result,
            is_gold=self.is_gold,
            started_ms=started_ms,
            finished_ms=now_ms,
            version=now_ms,
        )


def missing(
    plan: ExperimentPlan, scenarios: Iterable[Scenario], runs: Runs, *, max_attempts: int
) -> list[Slot]:
    """Return the slots to be played next for ``scenarios`` to be closed; none = they are.

    A pair whose baseline episode got lost is played again, in both arms. One that the candidate alone lost is
    not: it stays lost, and counts against it. Were it played again, a candidate whose episodes get lost
    where they would have failed would gain by each retry, and look better without being so.
    """
    return [
        slot
        for scenario in scenarios
        for repeat in range(plan.design.repeats)
        for slot in _missing_of_pair(scenario.scenario_id, repeat, runs, max_attempts)
    ]


def last_attempt(
    scenario_id: str, repeat: int, runs: Runs, *, max_attempts: int
) -> tuple[Run, Run]:
    """Return the last attempt at a pair that both arms have ended: baseline, candidate.

    Raises:
        LookupError: there is none.
    """
    for attempt in reversed(range(max_attempts)):
        pair = [runs.get(Slot(scenario_id, arm, repeat, attempt)) for arm in ARMS]
        baseline, candidate = pair
        if baseline and candidate:
            return baseline, candidate
    raise LookupError(f"repeat {repeat} of {scenario_id} was not played")


def _missing_of_pair(
    scenario_id: str, repeat: int, runs: Runs, max_attempts: int
) -> Sequence[Slot]:
    for attempt in range(max_attempts):
        slots = [Slot(scenario_id, arm, repeat, attempt) for arm in ARMS]
        unplayed = [slot for slot in slots if slot not in runs]
        if unplayed:
            return unplayed
        baseline, _ = (runs[slot] for slot in slots)
        if not baseline.lost:
            break
    return ()


def plan_episode(plan: ExperimentPlan, scenario: Scenario, slot: Slot) -> Planned:
    """Return what is to be played in ``slot``."""
    subject = plan.subject
    return Planned(
        request=EpisodeRequest(
            run_id=plan.run_id(slot),
            scenario=scenario,
            configuration=subject.baseline if slot.arm == "baseline" else subject.candidate,
            seed=plan.seed_of(slot),
            max_steps=plan.design.max_steps,
            timeout_s=plan.design.timeout_s,
        ),
        experiment_id=plan.experiment_id,
        arm=slot.arm,
        repeat=slot.repeat,
        attempt=slot.attempt,
        is_gold=scenario.scenario_id in plan.gold,
    )
