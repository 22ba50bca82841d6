"""A run of production in full, as scenarios are made of it: redacted and capped before anything sees it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spanloop.optimizer.scenarios.scenario import TapeCall
from spanloop.processor.redaction import redact

MAX_TEXT_CHARS = 8_000
"""Of a message."""

MAX_RESULT_CHARS = 24_000
"""Of what a tool answered: longer than a message, since a cut answer is no answer."""

MAX_SYSTEM_CHARS = 100_000
MAX_CALLS = 200
"""Of one recording that go on a tape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedStep:
    """One step, redacted; None where nothing was carried."""

    step: int
    kind: str
    name: str
    text: str | None
    arguments: str | None
    result: str | None
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One run.

    Attributes:
        trace_ids: in order of time.
        system: instructions of the agent, redacted.
        findings: symptom → the step that shows it first.
    """

    trajectory_id: str
    trace_ids: Sequence[str]
    system: str
    steps: Sequence[RecordedStep]
    findings: Mapping[str, int]

    @property
    def last(self) -> RecordedStep | None:
        """The step that it ends with."""
        return self.steps[-1] if self.steps else None

    def of_kind(self, kind: str) -> list[RecordedStep]:
        """Return its steps of ``kind``, in order."""
        return [step for step in self.steps if step.kind == kind]


def read_recording(row: Sequence[Any], redacted: Callable[[str], str] = redact) -> Recording:
    """Return the recording of a row of ``select_recordings.sql``, its texts as ``redacted`` returns them."""
    trajectory_id, trace_ids, system, steps, findings = row
    return Recording(
        trajectory_id=str(trajectory_id),
        trace_ids=[str(trace) for trace in trace_ids],
        system=_clean(system, MAX_SYSTEM_CHARS, redacted) or "",
        steps=[
            RecordedStep(
                step=int(number),
                kind=str(kind),
                name=redacted(str(name)),
                text=_clean(text, MAX_TEXT_CHARS, redacted),
                arguments=_clean(arguments, MAX_RESULT_CHARS, redacted),
                result=_clean(result, MAX_RESULT_CHARS, redacted),
                status=str(status),
            )
            for number, kind, name, text, arguments, result, status in steps
        ],
        findings={str(symptom): int(step) for symptom, step in reversed(findings)},
    )


def tape_of(
    recording: Recording, changing: frozenset[str], reactions: Collection[int] = ()
) -> tuple[TapeCall, ...]:
    """Return the tool calls of ``recording`` in order.

    Args:
        recording: of one run.
        changing: tools that change something.
        reactions: steps at which the user answers a failure of the agent.
    """
    users = [step.step for step in recording.of_kind("user")]
    calls = [step for step in recording.of_kind("tool") if step.name][:MAX_CALLS]
    return tuple(
        TapeCall(
            trajectory=recording.trajectory_id,
            position=position,
            tool=step.name,
            arguments=step.arguments or "{}",
            result=step.result,
            status="ok" if step.status == "ok" else "error" if step.status == "error" else "",
            writes=step.name in changing and step.status != "error",
            after_reaction=max((at for at in users if at < step.step), default=-1) in reactions,
        )
        for position, step in enumerate(calls)
    )


def _clean(text: str | None, most: int, redacted: Callable[[str], str]) -> str | None:
    """Return ``text`` redacted, then cut: what stands on the border is redacted whole."""
    return None if text is None else redacted(text[: 2 * most])[:most]
