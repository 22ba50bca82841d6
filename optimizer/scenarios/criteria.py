"""What an episode must show to count as a success: what (almost) all satisfied recordings have in common."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from spanloop.optimizer.patterns.predicates import from_json
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
    played: Recording,
    changing: frozenset[str],
    predicates: Mapping[str, float],
) -> tuple[Criterion, ...]:
    """Return the criteria of a scenario, those that most of ``satisfied`` meet.

    Recordings of the same story may be about other orders and other people. What they tell of values counts
    only where it is about the same case as ``played``, or where all agree whatever the case.

    ``support`` is the share of ``satisfied`` that meets a criterion, with half a recording added that does
    and half a one that does not: one recording supports nothing by more than 0.75.

    Args:
        satisfied: recordings of the same request whose user was satisfied.
        others: recordings of the same request whose user was not, or nobody knows.
        played: the recording that the scenario plays.
        changing: tools that change something.
        predicates: of the patterns that the scenario is aimed at (JSON) → share of ``satisfied`` that
            do not show them.
    """
    case = {
        value.lower() for step in played.of_kind("user") for value in values_in(step.text or "")
    }
    same = [recording for recording in satisfied if _opened_with(recording) <= case]
    found = [
        *_calls(satisfied, same, changing),
        *_avoided(satisfied, others, changing),
        *_said(same),
        *(
            Criterion(kind="lacks_pattern", value=predicate, support=share)
            for predicate, share in predicates.items()
            if _can_be_lacked(predicate)
        ),
    ]
    ended = sum(_ends(recording) for recording in satisfied)
    found.append(Criterion(kind="ends", support=_support(ended, len(satisfied))))
    return tuple(found[:MAX_CRITERIA])


def _can_be_lacked(predicate: str) -> bool:
    """Whether a run of the same request can be without it: what a request is about, every run of it shows."""
    try:
        terms = from_json(predicate).terms
    except (ValueError, KeyError, TypeError):
        return True  # of another format: who checks the criterion says that it cannot
    return any(term.kind != "stratum" for term in terms)


def _support(met: int, n: int) -> float:
    return (met + 0.5) / (n + 1)


def _opened_with(recording: Recording) -> set[str]:
    """Return the values that its user told in the opening."""
    opening = next((step.text or "" for step in recording.of_kind("user")), "")
    return {value.lower() for value in values_in(opening)}


def _calls(
    satisfied: Sequence[Recording], same: Sequence[Recording], changing: frozenset[str]
) -> list[Criterion]:
    """Return changes that they make, each with the arguments on which they agree."""
    if len(satisfied) < 2 and not same:
        return []
    makers = Counter(
        name for recording in satisfied for name in {s.name for s in _changes(recording, changing)}
    )
    criteria: list[Criterion] = []
    for name, count in sorted(makers.items()):
        if count >= AGREED * len(satisfied):
            agreed = _agreed(same, name, changing, untold=False)
            constant = _agreed(satisfied, name, changing, untold=True) if count > 1 else {}
            value = json.dumps({**constant, **agreed}, ensure_ascii=False, sort_keys=True)
            support = _support(count, len(satisfied))
            criteria.append(Criterion(kind="calls", name=name, value=value, support=support))
    return criteria


def _agreed(
    recordings: Sequence[Recording], name: str, changing: frozenset[str], *, untold: bool
) -> dict[str, Any]:
    """Return the arguments of ``name`` on which its callers agree; without those that their users told.

    Where a caller changes several things by it, the values of that argument differ, and none is asked for.
    """
    callers = 0
    held: Counter[str] = Counter()
    for recording in recordings:
        calls = [step for step in _changes(recording, changing) if step.name == name]
        callers += bool(calls)
        told = "\n".join(step.text or "" for step in recording.of_kind("user")).lower()
        pairs = {pair for step in calls for pair in _pairs(step)}
        held.update(p for p in pairs if not (untold and str(json.loads(p)[1]) in told))
    agreed: dict[str, list[Any]] = {}
    for pair in sorted(pair for pair, count in held.items() if count >= AGREED * callers):
        key, value = json.loads(pair)
        agreed.setdefault(key, []).append(value)
    return {key: values[0] for key, values in agreed.items() if len(values) == 1}


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
