"""Predicates as conditions of one statement: fixed text by kind of term, every value bound.

The conditions speak of the columns of ``optimizer/patterns/sql/insert_members.sql``: ``Kinds``,
``Names``, ``Statuses``, ``Tools``, the counts, ``Symptoms`` (tuples of symptom, detail, step, weight),
``Numbers`` and ``Stratum``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spanloop.optimizer.patterns.predicates import Predicate, Term, split_key
from spanloop.optimizer.symptoms.catalogue import SURE

# Text only: what comes from data is a parameter, {0} to {3} become the names of parameters.
_CALLED = "arrayCount((k, n) -> k = 'tool' AND n = {0}, Kinds, Names) >= {1}"
_FAILED = "arrayExists((k, n, s) -> k = 'tool' AND n = {0} AND s = 'error', Kinds, Names, Statuses)"
_ANY_FAILED = "arrayExists((k, s) -> k = 'tool' AND s = 'error', Kinds, Statuses)"
_ABSENT = "(has(Tools, {0}) AND NOT arrayExists((k, n) -> k = 'tool' AND n = {0}, Kinds, Names))"
_THEN = (
    "arrayExists((k, n, l, m) -> k = {0} AND n = {1} AND l = {2} AND m = {3}, arrayPopBack(Kinds), "
    "arrayPopBack(Names), arrayPopFront(Kinds), arrayPopFront(Names))"
)
_LAST = "(length(Kinds) > 0 AND Kinds[-1] = {0} AND Names[-1] = {1})"
_SYMPTOM = "arrayExists(s -> s.1 = {0}, Symptoms)"
_DETAILED = "arrayExists(s -> s.1 = {0} AND s.2 = {1}, Symptoms)"
_FAULT = "arrayExists(s -> s.1 = {0} AND s.4 >= {1}, Symptoms)"
_STRATUM = "(Stratum != '' AND Stratum = {0})"
_COUNTS = {
    "Turns": "Turns",
    "ModelCalls": "ModelCalls",
    "ToolCalls": "ToolCalls",
    "Errors": "Errors",
    "Steps": "length(Kinds)",
}
# Unknown is NaN or no row of features at all; neither may hold.
_KNOWN = "length(Numbers) >= {0} AND NOT isNaN(Numbers[{0}])"

_NO_STEPS = "CAST([], 'Array(UInt32)')"
_STEPS_CALLED = (
    "arrayFilter((i, k, n) -> k = 'tool' AND n = {0}, arrayEnumerate(Kinds), Kinds, Names)"
)
_STEPS_FAILED = (
    "arrayFilter((i, k, n, s) -> k = 'tool' AND n = {0} AND s = 'error', arrayEnumerate(Kinds), "
    "Kinds, Names, Statuses)"
)
_STEPS_ANY_FAILED = (
    "arrayFilter((i, k, s) -> k = 'tool' AND s = 'error', arrayEnumerate(Kinds), Kinds, Statuses)"
)
_STEPS_THEN = (
    "arrayMap(i -> toUInt32(i + 1), arrayFilter((i, k, n, l, m) -> k = {0} AND n = {1} AND l = {2} "
    "AND m = {3}, arrayEnumerate(arrayPopBack(Kinds)), arrayPopBack(Kinds), arrayPopBack(Names), "
    "arrayPopFront(Kinds), arrayPopFront(Names)))"
)
_STEPS_SYMPTOM = "arrayMap(s -> s.3, arrayFilter(s -> s.1 = {0}, Symptoms))"
_STEPS_DETAILED = "arrayMap(s -> s.3, arrayFilter(s -> s.1 = {0} AND s.2 = {1}, Symptoms))"
_STEPS_FAULT = "arrayMap(s -> s.3, arrayFilter(s -> s.1 = {0} AND s.4 >= {1}, Symptoms))"
_STEPS_LAST = "[toUInt32(length(Kinds))]"


@dataclass(frozen=True, slots=True)
class Conditions:
    """Text and values of several predicates.

    Attributes:
        holds: SQL of one Bool per predicate.
        evidence: SQL of the steps (Array(UInt32), from 1) that show it, per predicate.
        parameters: values by parameter name.
    """

    holds: Sequence[str]
    evidence: Sequence[str]
    parameters: Mapping[str, Any]

    @property
    def fragments(self) -> Mapping[str, str]:
        """What the statement's template fills in."""
        return {"holds": ", ".join(self.holds), "evidence": ", ".join(self.evidence)}


@dataclass(slots=True)
class _Binder:
    """Names parameters."""

    values: dict[str, Any] = field(default_factory=dict[str, Any])

    def bind(self, value: Any, kind: str) -> str:
        name = f"term_{len(self.values)}"
        self.values[name] = value
        return f"{{{name}:{kind}}}"


def compile_predicates(
    predicates: Sequence[Predicate], number_index: Mapping[str, int]
) -> Conditions:
    """Return the conditions of ``predicates``.

    Args:
        predicates: to compile.
        number_index: position from 1 in ``trajectory_features.Numbers`` by feature name; a term on
            a feature that is not there holds for nothing.
    """
    binder = _Binder()
    holds: list[str] = []
    evidence: list[str] = []
    for predicate in predicates:
        compiled = [_compile(term, binder, number_index) for term in predicate.terms]
        holds.append("(" + " AND ".join(condition for condition, _ in compiled) + ")")
        evidence.append("arrayConcat(" + ", ".join(steps for _, steps in compiled) + ")")
    return Conditions(holds, evidence, binder.values)


def _compile(term: Term, binder: _Binder, number_index: Mapping[str, int]) -> tuple[str, str]:
    match term.kind:
        case "symptom" if term.other:
            bound = [binder.bind(term.subject, "String"), binder.bind(term.other, "String")]
            return _DETAILED.format(*bound), _STEPS_DETAILED.format(*bound)
        case "symptom":
            bound = [binder.bind(term.subject, "String")]
            return _SYMPTOM.format(*bound), _STEPS_SYMPTOM.format(*bound)
        case "fault":
            bound = [binder.bind(term.subject, "String"), binder.bind(SURE, "Float32")]
            return _FAULT.format(*bound), _STEPS_FAULT.format(*bound)
        case "count":
            return f"{_COUNTS[term.subject]} {_bounded(term, binder)}", _NO_STEPS
        case "number":
            return _number(term, binder, number_index), _NO_STEPS
        case "stratum":
            return _STRATUM.format(binder.bind(term.subject, "String")), _NO_STEPS
        case _:
            return _compile_steps(term, binder)


def _compile_steps(term: Term, binder: _Binder) -> tuple[str, str]:
    match term.kind:
        case "then":
            keys = [*split_key(term.subject), *split_key(term.other)]
            bound = [binder.bind(key, "String") for key in keys]
            return _THEN.format(*bound), _STEPS_THEN.format(*bound)
        case "last":
            bound = [binder.bind(key, "String") for key in split_key(term.subject)]
            return _LAST.format(*bound), _STEPS_LAST
        case "tool_error" if not term.subject:
            return _ANY_FAILED, _STEPS_ANY_FAILED
        case "tool_error":
            bound = [binder.bind(term.subject, "String")]
            return _FAILED.format(*bound), _STEPS_FAILED.format(*bound)
        case "absent":
            return _ABSENT.format(binder.bind(term.subject, "String")), _NO_STEPS
        case _:  # tool
            bound = [binder.bind(term.subject, "String"), binder.bind(int(term.value), "UInt32")]
            return _CALLED.format(*bound), _STEPS_CALLED.format(bound[0])


def _number(term: Term, binder: _Binder, number_index: Mapping[str, int]) -> str:
    index = number_index.get(term.subject)
    if index is None:
        return "false"
    at = binder.bind(index, "UInt32")
    return f"({_KNOWN.format(at)} AND Numbers[{at}] {_bounded(term, binder)})"


def _bounded(term: Term, binder: _Binder) -> str:
    return f"{'>=' if term.bound == '>=' else '<='} {binder.bind(term.value, 'Float64')}"
