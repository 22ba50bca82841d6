"""A trajectory as a judge reads it: data, quoted, redacted and capped.

Whatever stands in a trace was written by somebody who may want a good verdict, so it is never put where
instructions stand: each step is one line of JSON (no text can end its line), between marks that hold a
number which the text cannot know, and the instructions say that nothing between the marks is one.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MAX_TRANSCRIPT_CHARS = 60_000
MAX_STEP_CHARS = 4_000
OMITTED = "… {n} characters omitted …"


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptStep:
    """One step; None where nothing was carried."""

    step: int
    kind: str
    agent: str
    name: str
    text: str | None
    arguments: str | None
    result: str | None
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What a judge is given.

    Attributes:
        body: lines of JSON between the marks.
        omitted_steps: steps in the middle that did not fit.
    """

    body: str
    omitted_steps: int


def write_transcript(
    system: str | None, steps: Sequence[TranscriptStep], *, redact: Callable[[str], str], mark: str
) -> Transcript:
    """Return the transcript of ``steps``, at most about `MAX_TRANSCRIPT_CHARS` long.

    Where it is longer, steps in the middle are left out: how a conversation begins and how it ends tell most.
    """
    head = _line({"instructions_of_the_agent": _cut(redact(system))}) if system else ""
    lines = [_line(_content(step, redact)) for step in steps]
    first, last = _fitting(lines, MAX_TRANSCRIPT_CHARS - len(head))
    omitted = len(lines) - first - last
    gap = [_line({"omitted_steps": omitted})] if omitted else []
    shown = [*([head] if head else []), *lines[:first], *gap, *lines[len(lines) - last :]]
    return Transcript(body="\n".join([f"<<<{mark}", *shown, f"{mark}>>>"]), omitted_steps=omitted)


def _content(step: TranscriptStep, redact: Callable[[str], str]) -> dict[str, object]:
    parts = {
        "step": step.step,
        "kind": step.kind,
        "agent": step.agent or None,
        "name": step.name or None,
        "text": step.text,
        "arguments": step.arguments,
        "result": step.result,
        "status": step.status or None,
    }
    return {
        key: _cut(redact(value)) if isinstance(value, str) else value
        for key, value in parts.items()
        if value is not None
    }


def _line(content: dict[str, object]) -> str:
    return json.dumps(content, ensure_ascii=False)


def _cut(text: str) -> str:
    """Keep beginning and end of a long text, and say that something is gone."""
    if len(text) <= MAX_STEP_CHARS:
        return text
    kept = MAX_STEP_CHARS // 2
    return text[:kept] + OMITTED.format(n=len(text) - 2 * kept) + text[-kept:]


def _fitting(lines: Sequence[str], room: int) -> tuple[int, int]:
    """Return how many lines from the front and from the back fit into ``room`` characters, taken in turn."""
    first = last = 0
    while first + last < len(lines):
        from_front = first <= last
        line = lines[first] if from_front else lines[len(lines) - 1 - last]
        room -= len(line) + 1
        if room < 0:
            break
        first, last = (first + 1, last) if from_front else (first, last + 1)
    return first, last
