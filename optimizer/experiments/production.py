"""Judges runs by the code that judges production, with everything it learned frozen at a moment.

Nothing is fitted while an experiment runs: the satisfaction model is the newest one made by that moment, what
tools do and what peers usually do is learned from production that had ended by then, and a run's stratum is
its scenario's. So a run comes out the same whichever runs were judged before it.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

from spanloop.optimizer.assembly import assemble_runs
from spanloop.optimizer.context import COMPARABLE_COMPLETENESS, Context, NoProgress, unix_ms
from spanloop.optimizer.experiments.assessing import Assessed
from spanloop.optimizer.experiments.criteria import SeenRun, SeenStep, gold_outcome
from spanloop.optimizer.judging.judge import judge_id, judge_trajectories
from spanloop.optimizer.models import Lease, Model
from spanloop.optimizer.patterns.predicates import Facts, faults_of, step_key
from spanloop.optimizer.satisfaction.features import (
    FEATURE_VERSION,
    NAMES,
    Told,
    compute_features,
    tool_effects,
)
from spanloop.optimizer.satisfaction.frozen import score_trajectories
from spanloop.optimizer.satisfaction.score import StoredModel, load_model
from spanloop.optimizer.satisfaction.tools import Effect
from spanloop.optimizer.scenarios.scenario import Scenario
from spanloop.optimizer.statements import RunsRenderer
from spanloop.optimizer.symptoms import find_symptoms, learn_peers
from spanloop.processor.errors import PermanentError

CHARS_A_TEXT = 20_000
"""Of a step, that criteria read."""

NOT_ARRIVED = "not arrived"
INCOMPLETE = "incomplete"
UNJUDGED = "the judge failed"
UNDESCRIBED = "nothing to score"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long spans that the receiver acknowledged may take to reach the store.

    Attributes:
        most_s: after which a run counts as not arrived.
        poll_s: between the first two looks; each wait is half as long again as the one before, since a look
            costs as much as a small insert.
        longest_poll_s: of them.
        sleep: waits so many seconds.
    """

    most_s: float = 60.0
    poll_s: float = 0.25
    longest_poll_s: float = 2.0
    sleep: Callable[[float], None] = time.sleep


class Opinion(Protocol):
    """What else may be asked about runs."""

    @property
    def version(self) -> str:
        """What it is called, stored with what it says."""
        ...

    def of(self, context: Context, runs: Mapping[str, Scenario]) -> Mapping[str, float | None]:
        """Return what it says of trajectories, by id.

        None = it cannot tell; those it failed on are left out.

        Raises:
            BudgetExhausted: the rest would cost more than is left.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelJudge:
    """A language model's opinion, under a lease.

    It reads the instructions that production had when the scenario was recorded, whatever the run had: those
    of a candidate tell the arm, and could tell the judge what to say.
    """

    model: Model
    lease: Lease

    @property
    def version(self) -> str:
        """Model and questions."""
        return judge_id(self.model)

    def of(self, context: Context, runs: Mapping[str, Scenario]) -> Mapping[str, float | None]:
        """Ask about every trajectory; verdicts are stored, so none is paid for twice."""
        systems = {name: scenario.content.system or None for name, scenario in runs.items()}
        return judge_trajectories(context, systems, self.model, self.lease)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """What an assessor learned, and when.

    Attributes:
        effects: tool → what a call of it does.
        as_of_ms: Unix milliseconds; nothing later was learned from.
    """

    model: StoredModel
    effects: Mapping[str, Effect]
    as_of_ms: int

    @property
    def version(self) -> str:
        """The same for the same store and moment, after kill -9 too."""
        return f"{self.model.model_id}/features-{FEATURE_VERSION}/{self.as_of_ms}"


def freeze_assessor(context: Context, *, as_of_ms: int) -> Frozen:
    """Return what judging rests on as production had it at ``as_of_ms`` (Unix milliseconds).

    Raises:
        PermanentError: no analysis had scored production by then.
    """
    model = load_model(context, until_ms=as_of_ms)
    if model is None:
        raise PermanentError("no satisfaction model judges runs yet: run `spanloop analyze` first")
    return Frozen(model=model, effects=tool_effects(context, until_ms=as_of_ms), as_of_ms=as_of_ms)


class _Run(NamedTuple):
    """A run as it was assembled."""

    trajectory_id: str
    trace_ids: tuple[str, ...]
    completeness: float
    scenario: Scenario


class ProductionAssessor:
    """The assessor of experiments; see the module. One at a time judges in a store."""

    def __init__(
        self,
        context: Context,
        frozen: Frozen,
        *,
        judge: Opinion | None = None,
        second: Opinion | None = None,
        patience: Patience | None = None,
        clock_ms: Callable[[], int] = unix_ms,
    ) -> None:
        """Judge by ``frozen``.

        Args:
            context: of the store.
            frozen: of `freeze_assessor`.
            judge: its verdict enters the model's score as it does in production.
            second: fills `Assessed.second`, independent of the score; for winners.
            patience: with spans that are on their way.
            clock_ms: Unix milliseconds: versions of what is written.
        """
        renderer = RunsRenderer(settings=context.renderer.settings, extra=context.renderer.extra)
        limits = replace(context.limits, threads=1)  # a batch is small
        self._context = replace(context, renderer=renderer, progress=NoProgress(), limits=limits)
        self._frozen = frozen
        self._judge = judge
        self._second = second
        self._patience = patience or Patience()
        self._clock_ms = clock_ms
        self._first = True  # an earlier version of this code may have left tables of another shape

    @property
    def version(self) -> str:
        """Model, features, moment, and who else is asked."""
        parts = [self._frozen.version]
        parts += [f"judge {self._judge.version}"] if self._judge else []
        parts += [f"second {self._second.version}"] if self._second else []
        return " + ".join(parts)

    def assess(
        self, runs: Mapping[str, Scenario], *, gold: Collection[str]
    ) -> Mapping[str, Assessed]:
        """See `Assessor.assess`."""
        arrived = self._wait(list(runs))
        context = replace(self._context, now_ms=self._clock_ms())
        found = self._assemble(context, {run_id: runs[run_id] for run_id in arrived})
        comparable = {
            run_id: run
            for run_id, run in found.items()
            if run.completeness >= COMPARABLE_COMPLETENESS
        }
        scenarios = {run.trajectory_id: run.scenario for run in comparable.values()}
        verdicts = _opinion(self._judge, context, scenarios)
        judged = list(verdicts if self._judge else scenarios)
        scores = score_trajectories(context, judged, self._frozen.model, verdicts=verdicts)
        second = _opinion(self._second, context, scenarios)
        outcomes = _gold(context, {name: run for name, run in comparable.items() if name in gold})
        return {
            run_id: self._assessed(found.get(run_id), scores, second, outcomes.get(run_id))
            for run_id in runs
        }

    def _wait(self, run_ids: Sequence[str]) -> Sequence[str]:
        """Return those of which all has arrived, or patience ends with what has."""
        waited_s, pause_s = 0.0, self._patience.poll_s
        while True:
            rows = self._context.rows("experiments/select_arrived", {"runs": run_ids})
            whole = [str(row[0]) for row in rows if row[1]]
            if len(whole) == len(run_ids):
                return whole
            if waited_s >= self._patience.most_s:
                return [str(row[0]) for row in rows]
            self._patience.sleep(pause_s)
            waited_s += pause_s
            pause_s = min(1.5 * pause_s, self._patience.longest_poll_s)

    def _assemble(self, context: Context, runs: Mapping[str, Scenario]) -> Mapping[str, _Run]:
        """Make trajectories of the runs, with symptoms and features; return them by run."""
        if not runs:
            return {}
        self._learn(context)
        assemble_runs(context, list(runs), anew=self._first)
        self._first = False
        rows = context.rows("experiments/select_assembled", {"runs": list(runs)})
        found = {
            str(run_id): _Run(str(name), tuple(map(str, traces)), float(complete), runs[run_id])
            for run_id, name, traces, complete in rows
        }
        strata = {run.trajectory_id: run.scenario.stratum for run in found.values()}
        find_symptoms(context, peers_known=True)
        compute_features(context, Told(effects=self._frozen.effects, strata=strata))
        return found

    def _learn(self, context: Context) -> None:
        """Learn what peers do, unless the tables beside this one hold what this assessor learned."""
        context.run("experiments/create_assessor_frozen")
        version = self._frozen.version
        if context.rows("experiments/select_assessor_frozen") == [(version,)]:
            return
        table = context.renderer.table("assessor_frozen")
        context.client.command(f"TRUNCATE TABLE {table}")
        learn_peers(context, until_ms=self._frozen.as_of_ms)
        context.run("experiments/insert_assessor_frozen", {"version": version})

    def _assessed(
        self,
        run: _Run | None,
        scores: Mapping[str, float],
        second: Mapping[str, float | None],
        gold: float | None,
    ) -> Assessed:
        score = scores.get(run.trajectory_id) if run else None
        return Assessed(
            score=score,
            trajectory_id=run.trajectory_id if run else "",
            trace_ids=run.trace_ids if run else (),
            second=second.get(run.trajectory_id) if run else None,
            gold=gold,
            version=self.version,
            reason="" if score is not None else self._why(run),
        )

    def _why(self, run: _Run | None) -> str:
        if run is None:
            return NOT_ARRIVED
        if run.completeness < COMPARABLE_COMPLETENESS:
            return INCOMPLETE
        return UNJUDGED if self._judge else UNDESCRIBED


def _opinion(
    asked: Opinion | None, context: Context, scenarios: Mapping[str, Scenario]
) -> Mapping[str, float | None]:
    return asked.of(context, scenarios) if asked and scenarios else {}


def _gold(context: Context, runs: Mapping[str, _Run]) -> Mapping[str, float]:
    """Return the gold outcomes there are: what people said, else what criteria say."""
    if not runs:
        return {}
    said = _said(context, runs)
    ids = [run.trajectory_id for name, run in runs.items() if name not in said]
    rows = context.rows("experiments/select_seen", {"ids": ids, "chars": CHARS_A_TEXT})
    seen = {str(row[0]): _seen(row) for row in rows}
    checked = {
        name: gold_outcome(run.scenario.content.criteria, seen[run.trajectory_id])
        for name, run in runs.items()
        if run.trajectory_id in seen
    }
    return said | {name: gold for name, gold in checked.items() if gold is not None}


def _said(context: Context, runs: Mapping[str, _Run]) -> dict[str, float]:
    """Return what people said of runs: a mean over those who were asked to look, else over users."""
    run_of = {trace: name for name, run in runs.items() for trace in run.trace_ids}
    rows = context.rows(
        "experiments/select_run_labels",
        {"traces": list(run_of), "conversations": list(runs)},
    )
    heard: dict[str, dict[str, list[float]]] = {}
    for trace, conversation, source, satisfied in rows:
        name = run_of.get(str(trace), str(conversation))
        heard.setdefault(name, {}).setdefault(str(source), []).append(float(satisfied))
    best = {name: by.get("label") or by["feedback"] for name, by in heard.items()}
    return {name: sum(told) / len(told) for name, told in best.items()}


def _seen(row: Sequence[Any]) -> SeenRun:
    name, tools, turns, model_calls, tool_calls, errors, symptoms, numbers, stratum, steps = row
    told = [SeenStep(*step) for step in steps]
    return SeenRun(
        told,
        Facts(
            trajectory_id=str(name),
            steps=[step_key(step.kind, step.name) for step in told],
            failed=[step.status == "error" for step in told],
            offered=frozenset(map(str, tools)),
            counts={
                "Turns": turns,
                "ModelCalls": model_calls,
                "ToolCalls": tool_calls,
                "Errors": errors,
                "Steps": len(told),
            },
            symptoms=frozenset((str(s), str(d)) for s, d, _ in symptoms),
            faults=faults_of((str(s), float(weight)) for s, _, weight in symptoms),
            numbers=dict(zip(NAMES, map(float, numbers), strict=False)),
            stratum=str(stratum),
        ),
    )
