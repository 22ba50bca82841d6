"""What makes a trajectory a member of a pattern: a conjunction of terms that any trajectory can be asked.

A predicate is stored as JSON and evaluated twice with the same meaning: here, on the sample that
mining reads, and by the engine on every trajectory (`spanloop.optimizer.patterns.predicate_sql`).
A test holds the two together. A term that asks for something unknown does not hold.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from spanloop.optimizer.symptoms.catalogue import SURE

TermKind = Literal[
    "symptom", "fault", "tool", "tool_error", "absent", "then", "last", "count", "number", "stratum"
]
Bound = Literal[">=", "<="]

COUNTS = ("Turns", "ModelCalls", "ToolCalls", "Errors", "Steps")
"""Counts of `trajectories` that a term may bound; Steps is the length of its step arrays."""

FORMAT = 1
"""Version of the JSON form."""


@dataclass(frozen=True, slots=True, order=True)
class Term:
    """One question to a trajectory.

    Attributes:
        kind: symptom: ``subject`` was found (with detail ``other``, '' = any); fault: the symptom
            ``subject`` was found, and is sure to be a fault there; tool: ``subject`` was called
            ``value`` times or more; tool_error: a call of it failed ('' = of any tool);
            absent: it was offered and never called; then: step ``subject`` directly before step
            ``other``; last: the last step is ``subject``; count, number: the count or the feature
            ``subject`` is at least or at most ``value``; stratum: it was about ``subject``.
        subject: what is asked for; steps are written as `step_key` does.
        other: see ``kind``.
        bound: direction of ``value``.
        value: in the unit of the subject.
    """

    kind: TermKind
    subject: str
    other: str = ""
    bound: Bound = ">="
    value: float = 1.0

    @property
    def of_symptom(self) -> bool:
        """Whether it asks for a symptom, a hint or a sure one."""
        return self.kind in ("symptom", "fault")

    @property
    def about(self) -> tuple[str, str, str]:
        """What is asked, whatever the threshold; terms of one kind of question share it."""
        return (self.kind, self.subject, self.other)

    def implies(self, other: "Term") -> bool:
        """Whether it can be told from the terms alone that ``other`` holds wherever this one does."""
        if other.kind == "symptom" and self.of_symptom and self.subject == other.subject:
            return other.other == "" or (self.kind == "symptom" and self.other == other.other)
        if self.kind == other.kind == "tool_error" and other.subject == "":  # of any tool
            return True
        if self.about != other.about or self.bound != other.bound:
            return False
        return self.value >= other.value if self.bound == ">=" else self.value <= other.value


@dataclass(frozen=True, slots=True, order=True)
class Predicate:
    """All of ``terms`` hold; kept sorted, so that equal predicates are equal."""

    terms: tuple[Term, ...]

    @classmethod
    def of(cls, *terms: Term) -> "Predicate":
        """Return the conjunction of ``terms``."""
        return cls(tuple(sorted(set(terms))))

    def implies(self, other: "Predicate") -> bool:
        """Whether this is a special case of ``other``, as far as the terms alone tell."""
        implied = (any(mine.implies(term) for mine in self.terms) for term in other.terms)
        return bool(other.terms) and all(implied)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a term can ask of one trajectory.

    Attributes:
        trajectory_id: which.
        steps: `step_key` of every step, in order.
        failed: whether the step's status is error; as long as ``steps``.
        offered: tools that the model was offered.
        counts: by name, those of `COUNTS`.
        symptoms: (symptom, detail) found.
        faults: symptoms that were found so surely that they are taken for faults.
        numbers: features by name; NaN is unknown.
        stratum: what it was about; '' = unknown.
    """

    trajectory_id: str
    steps: Sequence[str] = ()
    failed: Sequence[bool] = ()
    offered: frozenset[str] = frozenset()
    counts: Mapping[str, float]
    symptoms: frozenset[tuple[str, str]] = frozenset()
    faults: frozenset[str] = frozenset()
    numbers: Mapping[str, float]
    stratum: str = ""


def step_key(kind: str, name: str) -> str:
    """Return how a step is written in terms: ``tool:search`` or, without a name, ``assistant``."""
    return f"{kind}:{name}" if name else kind


def split_key(key: str) -> tuple[str, str]:
    """Return (kind, name) of a `step_key`."""
    kind, _, name = key.partition(":")
    return kind, name


def faults_of(found: Iterable[tuple[str, float]]) -> frozenset[str]:
    """Return the symptoms of (symptom, weight) pairs that are taken for faults."""
    return frozenset(symptom for symptom, weight in found if weight >= SURE)


def holds(predicate: Predicate, facts: Facts) -> bool:
    """Whether ``facts`` satisfy every term."""
    return all(term_holds(term, facts) for term in predicate.terms)


def term_holds(term: Term, facts: Facts) -> bool:
    """Whether ``facts`` satisfy ``term``."""
    match term.kind:
        case "symptom":
            return _symptom(term, facts)
        case "fault":
            return term.subject in facts.faults
        case "count":
            return _within(facts.counts.get(term.subject, math.nan), term)
        case "number":
            return _within(facts.numbers.get(term.subject, math.nan), term)
        case "stratum":
            return facts.stratum == term.subject != ""
        case _:
            return _steps(term, facts)


def _symptom(term: Term, facts: Facts) -> bool:
    if term.other:
        return (term.subject, term.other) in facts.symptoms
    return any(symptom == term.subject for symptom, _ in facts.symptoms)


def _steps(term: Term, facts: Facts) -> bool:
    called = f"tool:{term.subject}"
    match term.kind:
        case "tool":
            return facts.steps.count(called) >= term.value
        case "absent":
            return term.subject in facts.offered and called not in facts.steps
        case "tool_error":
            return any(
                failed and (step == called if term.subject else step.startswith("tool:"))
                for step, failed in zip(facts.steps, facts.failed, strict=True)
            )
        case "then":
            pairs = zip(facts.steps, facts.steps[1:], strict=False)
            return (term.subject, term.other) in pairs
        case _:  # last
            return bool(facts.steps) and facts.steps[-1] == term.subject


def _within(value: float, term: Term) -> bool:
    # A comparison with NaN is false: unknown does not hold.
    return value >= term.value if term.bound == ">=" else value <= term.value


def to_json(predicate: Predicate) -> str:
    """Return ``predicate`` as it is stored."""
    terms = [
        {
            name: value
            for name, value in (
                ("kind", term.kind),
                ("subject", term.subject),
                ("other", term.other),
                ("bound", term.bound),
                ("value", term.value),
            )
            if value != _DEFAULTS.get(name)
        }
        for term in predicate.terms
    ]
    return json.dumps({"format": FORMAT, "all": terms}, ensure_ascii=False, sort_keys=True)


def from_json(text: str) -> Predicate:
    """Return the predicate stored as ``text``.

    Raises:
        ValueError: if it is not of this format.
    """
    stored = json.loads(text)
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:  # pyright: ignore[reportUnknownMemberType]
        raise ValueError("The stored predicate is of another format.")
    return Predicate.of(*(_term(entry) for entry in stored["all"]))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


_DEFAULTS: Mapping[str, Any] = {"other": "", "bound": ">=", "value": 1.0}


def _term(entry: Mapping[str, Any]) -> Term:
    kind, bound = entry["kind"], entry.get("bound", ">=")
    if kind not in get_args(TermKind) or bound not in get_args(Bound):
        raise ValueError(f"No term is of kind {kind!r} with bound {bound!r}.")
    if kind == "count" and entry["subject"] not in COUNTS:
        raise ValueError(f"{entry['subject']!r} is no count of a trajectory.")
    return Term(
        kind=kind,
        subject=str(entry["subject"]),
        other=str(entry.get("other", "")),
        bound=bound,
        value=float(entry.get("value", 1.0)),
    )
