"""Gold outcomes from observable criteria: what code can see in a run, whatever a judge or a user would say.

Pure functions on the steps of one run. What such an outcome means, and what it does not: docs/assessing.md.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from spanloop.optimizer.patterns.predicates import Facts, from_json, holds
from spanloop.optimizer.replay.arguments import canonical, normal, parsed
from spanloop.optimizer.scenarios.scenario import Criterion, Scenario

TELLING = frozenset(("calls", "says", "lacks_pattern"))
"""Kinds that tell success from mere survival: without one of them there is no gold outcome."""

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?:\D|$))")
_CENTS = re.compile(r"(?<=\d)\.0+(?!\d)")


class SeenStep(NamedTuple):
    """What criteria ask of a step; None where nothing was carried."""

    kind: str
    name: str
    status: str
    text: str | None = None
    arguments: str | None = None


class SeenRun(NamedTuple):
    """One run: its steps in order, and what predicates of patterns ask."""

    steps: Sequence[SeenStep]
    facts: Facts


def is_auditable(scenario: Scenario) -> bool:
    """Return whether criteria in code can tell how a run of ``scenario`` came out."""
    return any(each.kind in TELLING for each in scenario.content.criteria)


def gold_outcome(criteria: Iterable[Criterion], run: SeenRun) -> float | None:
    """Return how well ``run`` meets ``criteria``, 0 to 1; None where they tell nothing.

    1 where all are met. Each unmet one multiplies by the share of satisfied recordings that did not meet it
    either (1 less its support): missing what all of them did costs all, missing what some did costs some.
    """
    checked = [(each, met) for each in criteria if (met := is_met(each, run)) is not None]
    if not any(each.kind in TELLING for each, _ in checked):
        return None
    outcome = 1.0
    for each, met in checked:
        if not met:
            outcome *= 1.0 - min(max(each.support, 0.0), 1.0)
    return outcome


def is_met(criterion: Criterion, run: SeenRun) -> bool | None:
    """Return whether ``run`` meets ``criterion``; None where it cannot be checked."""
    match criterion.kind:
        case "calls":
            wanted = parsed(criterion.value or "{}")
            return any(has_arguments(step.arguments, wanted) for step in _done(run, criterion.name))
        case "avoids":
            return not _done(run, criterion.name)
        case "says":
            return any(
                holds_value(step.text, criterion.value)
                for step in run.steps
                if step.kind == "assistant" and step.text
            )
        case "lacks_pattern":
            try:
                predicate = from_json(criterion.value)
            except (ValueError, KeyError, TypeError):  # of a format that this version does not know
                return None
            return not holds(predicate, run.facts)
        case "ends":
            return _ends(run.steps)


def has_arguments(carried: str | None, wanted: Any) -> bool:
    """Return whether a call's arguments (JSON text) hold at least ``wanted``, in normalised form.

    >>> has_arguments('{"id": "A1", "n": 2.0, "note": "x"}', {"ID": " a1 ", "n": "2"})
    True
    >>> has_arguments('{"id": "A2"}', {"id": "A1"})
    False
    """
    return _covers(normal(parsed(carried or "{}")), normal(wanted))


def holds_value(text: str, value: str) -> bool:
    """Return whether ``text`` names ``value`` as a whole: case, spaces and how numbers are written aside.

    >>> holds_value("That makes $1,250.00 in all.", "1250"), holds_value("It is 15.", "5")
    (True, False)
    """
    wanted = _flat(value)
    return bool(wanted) and bool(
        re.search(rf"(?<![\w.]){re.escape(wanted)}(?!\w|[.,]\d)", _flat(text))
    )


def _done(run: SeenRun, tool: str) -> Sequence[SeenStep]:
    """The calls of ``tool`` that went through: a refused one changed nothing."""
    return [
        step
        for step in run.steps
        if step.kind == "tool" and step.name == tool and step.status != "error"
    ]


def _covers(has: Any, wanted: Any) -> bool:
    match wanted:
        case dict():
            return isinstance(has, dict) and all(
                name in has and _covers(has[name], member)  # pyright: ignore[reportUnknownArgumentType]
                for name, member in wanted.items()  # pyright: ignore[reportUnknownVariableType]
            )
        case list():
            if not isinstance(has, list):
                return False
            return sorted(map(canonical, has)) == sorted(map(canonical, wanted))  # pyright: ignore[reportUnknownArgumentType]
        case _:
            return bool(has == wanted)


def _flat(text: str) -> str:
    flat = " ".join(text.casefold().replace("\u2019", "'").split())
    return _CENTS.sub("", _THOUSANDS.sub("", flat)).lstrip("$\u20ac\u00a3\u00a5#")


def _ends(steps: Sequence[SeenStep]) -> bool:
    """Whether the agent had the last word, the user's farewell left aside."""
    said = [
        step.kind
        for step in steps
        if step.kind in ("assistant", "user", "tool", "failure", "handoff")
    ]
    while said and said[-1] == "user":
        said.pop()
    return bool(said) and said[-1] == "assistant"
