"""Judge a random sample of trajectories with a model, within a budget.

Every verdict becomes an assessment: the probability with which its trajectory was drawn is stored, so that
`spanloop.optimizer.satisfaction.rates` can weigh it; a verdict of the same judge on the same trajectory is
never paid for twice; one in ten is asked again with the questions reversed, which measures the noise of the
judge itself.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spanloop.optimizer.context import COMPARABLE_COMPLETENESS, Context
from spanloop.optimizer.judging.criteria import JUDGE_VERSION, Finding, Judgement, instructions
from spanloop.optimizer.judging.transcript import TranscriptStep, write_transcript
from spanloop.optimizer.models import (
    AnswerInvalid,
    BudgetExhausted,
    Lease,
    Model,
    ModelFailure,
    Prompt,
    ask,
)
from spanloop.processor.redaction import redact

RETEST_EVERY = 10
TRANSCRIPTS_A_QUERY = 50
CHARS_A_TEXT = 8_000
GIVE_UP_AFTER = 5
"""Failures in a row after which the rest is left: the model is down, not the trajectory odd."""
GIVE_UP_IN_ALL = 25

COLUMNS = (
    "AssessmentId",
    "Project",
    "TraceId",
    "ConversationId",
    "Source",
    "Name",
    "Score",
    "Label",
    "Satisfied",
    "Explanation",
    "Assessor",
    "AssessorVersion",
    "Selection",
    "SelectionProbability",
    "Carrier",
    "Timestamp",
    "Version",
)


@dataclass(slots=True, kw_only=True)
class JudgeResult:
    """What judging did.

    Attributes:
        judged: trajectories with a stored verdict.
        retested: of them, asked twice.
        changed: of those, with another overall verdict the second time.
        failures: failed calls by kind; their trajectories stay unjudged.
        rows: of `assessments`, as stored.
        skipped: why the rest was left, None if nothing was.
    """

    judged: int = 0
    retested: int = 0
    changed: int = 0
    failures: Counter[str] = field(default_factory=Counter[str])
    rows: list[list[Any]] = field(default_factory=list[list[Any]], repr=False)
    skipped: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    trajectory_id: str
    trace_id: str
    project: str
    conversation_id: str
    system: str | None
    steps: Sequence[TranscriptStep]
    probability: float | None  # of being drawn; None = it was chosen


def judge_sample(context: Context, model: Model, lease: Lease, *, n: int) -> JudgeResult:
    """Judge about ``n`` trajectories, as far as ``lease`` reaches."""
    drawn = context.rows(
        "judging/select_to_judge",
        {
            "n": n,
            "seed": context.seed,
            "now": context.now_ms,
            "judge": judge_id(model),
            "completeness": COMPARABLE_COMPLETENESS,
        },
    )
    result = JudgeResult()
    context.progress.stage("judge", len(drawn))
    in_a_row = 0
    for number, case in enumerate(_cases(context, drawn)):
        try:
            _judge_one_inplace(
                result, context, (model, lease), case, retest=number % RETEST_EVERY == 0
            )
            in_a_row = 0
        except BudgetExhausted as stop:
            result.skipped = str(stop)
            break
        except (ModelFailure, AnswerInvalid) as failure:
            result.failures[getattr(failure, "kind", type(failure).__name__)] += 1
            in_a_row += 1
        if in_a_row >= GIVE_UP_AFTER or result.failures.total() >= GIVE_UP_IN_ALL:
            result.skipped = f"{result.failures.total()} calls failed, {in_a_row} of them in a row"
            break
        context.progress.advance()
    if result.skipped is not None and result.judged:
        share = result.judged / len(drawn)
        _store(context, [_with_probability(row, share) for row in result.rows])
    return result


def _with_probability(row: list[Any], share: float) -> list[Any]:
    """Return a stored row with the probability that was reached: only a share of the draw was judged."""
    at = COLUMNS.index("SelectionProbability")
    return [*row[:at], row[at] * share, *row[at + 1 :]]


def judge_id(model: Model) -> str:
    """Return the name under which verdicts of this model and these questions are one assessor's."""
    return f"{model.name}/{JUDGE_VERSION}"


def judge_trajectories(
    context: Context, systems: Mapping[str, str | None], model: Model, lease: Lease
) -> Mapping[str, float | None]:
    """Return the verdict on each trajectory, None = it could not tell; those it failed on are left out.

    ``systems`` are the instructions that the judge reads, by trajectory, whatever the trajectory itself had.
    What this judge said of a trajectory before stands, and is not paid for twice.

    Raises:
        BudgetExhausted: the rest does not fit into ``lease``; verdicts so far are stored.
        ModelFailure: the model fails again and again.
    """
    keys = {_assessment_id(model, name, "satisfaction"): name for name in systems}
    known = context.rows("judging/select_verdicts", {"ids": list(keys)})
    verdicts = {keys[str(row[0])]: SCORES[str(row[1])] for row in known}
    in_a_row = 0
    for case in _cases(context, [(name, None) for name in systems if name not in verdicts]):
        system = systems[case.trajectory_id]
        prompt = make_prompt(system, case.steps, key=case.trajectory_id)
        try:
            answer = ask(model, prompt, Judgement, lease).answer
        except (ModelFailure, AnswerInvalid):
            in_a_row += 1
            if in_a_row >= GIVE_UP_AFTER:
                raise
            continue
        in_a_row = 0
        _store(context, [*_rows(context, model, case, answer)])  # before the next spend
        verdicts[case.trajectory_id] = SCORES[answer.satisfaction.verdict]
    return verdicts


def _judge_one_inplace(
    result: JudgeResult, context: Context, means: tuple[Model, Lease], case: _Case, *, retest: bool
) -> None:
    model, lease = means
    prompt = make_prompt(case.system, case.steps, key=case.trajectory_id)
    asked = ask(model, prompt, Judgement, lease)
    rows = [*_rows(context, model, case, asked.answer)]
    _store(context, rows)  # before the next spend: what is paid for is kept
    result.rows += rows
    result.judged += 1
    if not retest:
        return
    again = ask(
        model,
        make_prompt(case.system, case.steps, key=case.trajectory_id, reverse=True),
        Judgement,
        lease,
    )
    _store(context, [*_rows(context, model, case, again.answer, prefix="retest:")])
    result.retested += 1
    result.changed += again.answer.satisfaction.verdict != asked.answer.satisfaction.verdict


def make_prompt(
    system: str | None, steps: Sequence[TranscriptStep], *, key: str, reverse: bool = False
) -> Prompt:
    """Return what the judge is sent about one trajectory; ``key`` seeds the marks around the data."""
    material = "".join(f"{s.text}{s.arguments}{s.result}" for s in steps)
    mark = hashlib.sha256(f"{key}{system}{material}".encode()).hexdigest()[:24]
    transcript = write_transcript(system, steps, redact=redact, mark=mark)
    return Prompt(
        system=instructions(mark, reverse=reverse),
        user=transcript.body,
        max_tokens=900,
        seed=int(reverse),
    )


def _cases(context: Context, drawn: Sequence[Sequence[Any]]) -> Iterable[_Case]:
    probabilities = {str(row[0]): row[1] for row in drawn}
    ids = list(probabilities)
    for start in range(0, len(ids), TRANSCRIPTS_A_QUERY):
        rows = context.rows(
            "judging/select_transcripts",
            {"ids": ids[start : start + TRANSCRIPTS_A_QUERY], "chars": CHARS_A_TEXT},
        )
        order = {name: place for place, name in enumerate(ids)}
        for trajectory_id, trace_id, project, conversation_id, system, steps in sorted(
            rows, key=lambda row: order[str(row[0])]
        ):
            yield _Case(
                trajectory_id=str(trajectory_id),
                trace_id=str(trace_id),
                project=str(project),
                conversation_id=str(conversation_id),
                system=system,
                steps=[_step(step) for step in steps],
                probability=probabilities[str(trajectory_id)],
            )


def _step(row: Sequence[Any]) -> TranscriptStep:
    step, kind, agent, name, text, arguments, result, status = row
    return TranscriptStep(
        step=int(step),
        kind=str(kind),
        agent=str(agent),
        name=str(name),
        text=text,
        arguments=arguments,
        result=result,
        status=str(status),
    )


SCORES: dict[str, float | None] = {"yes": 1.0, "no": 0.0, "unknown": None}


def _rows(
    context: Context, model: Model, case: _Case, answer: Judgement, *, prefix: str = ""
) -> Iterable[list[Any]]:
    for name in Judgement.model_fields:
        finding: Finding = getattr(answer, name)
        stored = prefix + name
        yield [
            _assessment_id(model, case.trajectory_id, stored),
            case.project,
            case.trace_id,
            case.conversation_id,
            "judge",
            stored,
            SCORES[finding.verdict],
            finding.verdict,
            SCORES[finding.verdict] if stored == "satisfaction" else None,
            redact(finding.reason) or None,
            model.name,
            judge_id(model),
            "targeted" if case.probability is None else "sampled",
            case.probability,
            "analysis",
            context.now_ms * 1_000_000,
            context.now_ms,
        ]


def _assessment_id(model: Model, trajectory_id: str, name: str) -> str:
    identity = f"{judge_id(model)}\0{trajectory_id}\0{name}"
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


def _store(context: Context, rows: list[list[Any]]) -> None:
    context.client.insert(
        "assessments",
        rows,
        column_names=COLUMNS,
        database=context.renderer.settings.database,
    )
