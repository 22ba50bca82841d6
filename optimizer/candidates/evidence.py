"""Train evidence as a model or a command is given it: quoted data, redacted and capped.

Whatever stands in a trace may have been written to steer its reader. So instructions stand in the system
prompt alone; evidence is lines of JSON (no text can end its line) between marks with a number that the text
cannot know; criteria and assessors are not mentioned; and the reader has no tools. A model may obey the data
all the same: `spanloop.optimizer.candidates.scan` is what holds.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from spanloop.optimizer.candidates.candidate import PatternBrief
from spanloop.optimizer.candidates.texts import visible
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.scenarios.scenario import Scenario
from spanloop.processor.redaction import redact

TEXT_CHARS = 600
"""Characters of one text of a trace."""
COMPONENT_CHARS = 20_000
"""Characters of one component of the configuration: more than a prompt needs, less than a model's window."""
EVIDENCE_CHARS = 40_000
"""Characters of all scenarios together."""
CALLS = 12
"""Calls of one scenario."""

Line = Mapping[str, Any]


def evidence_lines(
    brief: PatternBrief, configuration: AgentConfiguration
) -> tuple[list[Line], list[Line]]:
    """Return what is told of the configuration and the pattern, and what of scenarios.

    Failing and satisfied scenarios take turns until `EVIDENCE_CHARS` are full, so that both are told.
    """
    head: list[Line] = [
        {"component": name, "text": redact(text)[:COMPONENT_CHARS]}
        for name, text in configuration.components.items()
    ]
    head.append({"tools": dict(configuration.tools), "parameters": dict(configuration.parameters)})
    head.append(
        {
            "failure": _cut(brief.title),
            "category": brief.category,
            "explanation": _cut(brief.explanation),
            "holds_in_every_failing_run": _cut(brief.predicate),
        }
    )
    head += [
        {"already_tried": [edit.model_dump(exclude_defaults=True) for edit in edits]}
        for edits in brief.tried[-10:]
    ]
    told: list[Line] = []
    room = EVIDENCE_CHARS
    for scenario, failing in _in_turn(brief.examples, brief.counterexamples):
        line = _scenario(scenario, failing=failing)
        room -= len(json.dumps(line, ensure_ascii=False))
        if room < 0:
            break
        told.append(line)
    return head, told


def quote(lines: Iterable[Line], *, key: str) -> tuple[str, str]:
    """Return the mark and ``lines`` as JSON between marks; the mark depends on all that is quoted."""
    encoded = [json.dumps(line, ensure_ascii=False) for line in lines]
    mark = hashlib.sha256("\n".join([key, *encoded]).encode()).hexdigest()[:24]
    return mark, "\n".join([f"<<<{mark}", *encoded, f"{mark}>>>"])


def _in_turn(
    examples: Sequence[Scenario], counterexamples: Sequence[Scenario]
) -> Iterator[tuple[Scenario, bool]]:
    for at in range(max(len(examples), len(counterexamples))):
        if at < len(examples):
            yield examples[at], True
        if at < len(counterexamples):
            yield counterexamples[at], False


def _scenario(scenario: Scenario, *, failing: bool) -> Line:
    """Return a scenario without its criteria: what is asked for is the fix, not the examination."""
    content = scenario.content
    return {
        "run": "failing" if failing else "satisfied",
        "user": [_cut(content.opening), *(_cut(turn.text) for turn in content.turns[:6])],
        "calls": [
            {
                "tool": _cut(call.tool),
                "arguments": _cut(call.arguments),
                "result": None if call.result is None else _cut(call.result),
                "status": call.status,
            }
            for call in content.tape[:CALLS]
        ],
        "calls_left_out": max(len(content.tape) - CALLS, 0),
    }


def _cut(text: str) -> str:
    plain = visible(redact(text))
    return plain if len(plain) <= TEXT_CHARS else f"{plain[: TEXT_CHARS - 1]}…"
