"""What an episode must show to count as a success: what (almost) all satisfied recordings have in common."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from spanloop.optimizer.satisfaction.peers import canonical
from spanloop.optimizer.scenarios.facts import values_in
from spanloop.optimizer.scenarios.recording import RecordedStep, Recording
from spanloop.optimizer.scenarios.scenario import Criterion

AGREED = 0.8
"""Share of the satisfied recordings that meet a criterion, from which on it is one."""

MAX_CRITERIA = 24
_AMOUNT = re.compile(r"\d")


def derive_criteria(
    satisfied: Sequence[Recording],
    others: Sequence[Recording],
    *,
    changing: frozenset[str],
    predicates: Mapping[str, float],
) -> tuple[Criterion, ...]:
    """Return the criteria of a scenario, those that most of ``satisfied`` meet.

    ``support`` is the share of ``satisfied`` that meets a criterion, with half a recording added that does
    and half a one that does not: one recording supports nothing by more than 0.75.

    Args:
        satisfied: recordings of the same request whose user was satisfied.
        others: recordings of the same request whose user was not, or nobody knows.
        changing: tools that change something.
        predicates: of the patterns that the scenario is aimed at (JSON) → share of ``satisfied`` that
            do not show them.
    """
    found = [
        *_calls(satisfied, changing),
        *_avoided(satisfied, others, changing),
        *_said(satisfied),
        *(
            Criterion(kind="lacks_pattern", value=predicate, support=share)
            for predicate, share in predicates.items()
        ),
    ]
    ended = sum(_ends(recording) for recording in satisfied)
    found.append(Criterion(kind="ends", support=_support(ended, len(satisfied))))
    return tuple(found[:MAX_CRITERIA])


def _support(met: int, n: int) -> float:
    return (met + 0.5) / (n + 1)


def _calls(satisfied: Sequence[Recording], changing: frozenset[str]) -> list[Criterion]:
    """Return changes that they make, each with the arguments on which they agree."""
    n = len(satisfied)
    makers: Counter[str] = Counter()
    arguments: dict[str, Counter[str]] = {}
    for recording in satisfied:
        changes = _changes(recording, changing)
        makers.update({step.name for step in changes})
        told = {(step.name, pair) for step in changes for pair in _pairs(step)}
        for name, pair in told:
            arguments.setdefault(name, Counter())[pair] += 1
    criteria: list[Criterion] = []
    for name, count in sorted(makers.items()):
        if count < AGREED * n:
            continue
        agreed = [
            p for p, held in arguments.get(name, Counter[str]()).items() if held >= AGREED * count
        ]
        value: dict[str, Any] = {}
        several: set[str] = set()
        for pair in sorted(agreed):
            key, argument = json.loads(pair)
            several.update({key} if key in value else ())
            value[key] = argument
        for key in (
            several
        ):  # called more than once, with different values: none of them alone is asked for
            del value[key]
        criteria.append(
            Criterion(
                kind="calls",
                name=name,
                value=json.dumps(value, ensure_ascii=False, sort_keys=True),
                support=_support(count, n),
            )
        )
    return criteria


def _changes(recording: Recording, changing: frozenset[str]) -> list[RecordedStep]:
    calls = recording.of_kind("tool")
    return [step for step in calls if step.name in changing and step.status != "error"]


def _pairs(step: RecordedStep) -> set[str]:
    arguments = canonical(step.arguments or "")
    if not isinstance(arguments, dict):
        return set()
    return {json.dumps([key, value], sort_keys=True) for key, value in arguments.items()}  # pyright: ignore[reportUnknownVariableType]


def _avoided(
    satisfied: Sequence[Recording], others: Sequence[Recording], changing: frozenset[str]
) -> list[Criterion]:
    """Return changes that others make and none of two or more satisfied ones."""
    if len(satisfied) < 2:
        return []
    made = {step.name for recording in satisfied for step in _changes(recording, changing)}
    wrong = {step.name for recording in others for step in _changes(recording, changing)} - made
    return [
        Criterion(kind="avoids", name=name, support=_support(len(satisfied), len(satisfied)))
        for name in sorted(wrong)
    ]


def _said(satisfied: Sequence[Recording]) -> list[Criterion]:
    """Return values from tools that two or more satisfied ones tell, and that no user had told."""
    if len(satisfied) < 2:
        return []
    told: Counter[str] = Counter()
    for recording in satisfied:
        asked = "\n".join(step.text or "" for step in recording.of_kind("user"))
        heard = "\n".join(step.result or "" for step in recording.of_kind("tool"))
        answers = "\n".join(step.text or "" for step in recording.of_kind("assistant"))
        told.update(
            {
                value
                for value in values_in(answers)
                if len(value) >= 2
                and _AMOUNT.search(value)
                and value in heard
                and value not in asked
            }
        )
    n = len(satisfied)
    return [
        Criterion(kind="says", value=value, support=_support(count, n))
        for value, count in sorted(told.items())
        if count == n
    ][:5]


def _ends(recording: Recording) -> bool:
    """Whether the agent answered last, the user's farewell left aside."""
    spoken = [
        step for step in recording.steps if step.kind in ("assistant", "user", "tool", "failure")
    ]
    while spoken and spoken[-1].kind == "user":
        spoken.pop()
    return bool(spoken) and spoken[-1].kind == "assistant"
