"""What a pattern is called and how it is explained: sentences built from its terms, or a model's.

A model may write the name and the explanation; which trajectories belong to the pattern was decided before
it is asked and does not change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from spanloop.optimizer.patterns.kinds import CATEGORY_OF_KIND, symptom_kind
from spanloop.optimizer.patterns.mining import Finding
from spanloop.optimizer.patterns.numbers import number_kind, number_phrase
from spanloop.optimizer.patterns.predicates import Predicate, Term, split_key

TEMPLATE = "template"
_MAX_TITLE = 160
_MAX_NAME = 60
"""Characters of a title, and of a name that comes from traces."""


class Naming(NamedTuple):
    """Title (a phrase), explanation (sentences), and who wrote them (`TEMPLATE` or a model)."""

    title: str
    explanation: str
    named_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NamingRequest:
    """What a model is told of a pattern.

    Attributes:
        draft: the template's naming.
        category: of the closed set.
        terms: each term as a phrase.
        examples: evidence steps of a few members as text, capped; hostile, to be quoted as data.
    """

    draft: Naming
    category: str
    terms: Sequence[str]
    examples: Sequence[str]


class Namer(Protocol):
    """Something that writes names, at a cost."""

    def describe(self, request: NamingRequest) -> Naming | None:
        """Return a better naming; None if it has none or may not spend."""
        ...


class Codes(NamedTuple):
    """Category and codes of published taxonomies."""

    category: str
    mast: Sequence[str]
    trail: Sequence[str]


def classify(predicate: Predicate) -> Codes:
    """Return the category of the term that says most about what went wrong."""
    ranked = sorted(predicate.terms, key=lambda term: (_SAYS.get(term.kind, 9), term))
    for term in ranked:
        if term.of_symptom:
            kind = symptom_kind(term.subject)
            return Codes(kind.category, kind.mast, kind.trail)
        if term.kind == "number":
            return Codes(number_kind(term.subject).category, (), ())
    return Codes(CATEGORY_OF_KIND[ranked[0].kind], (), ())


_SAYS: Mapping[str, int] = {
    "symptom": 0,
    "fault": 0,
    "tool_error": 1,
    "number": 2,
    "absent": 3,
    "last": 4,
    "then": 5,
    "tool": 6,
    "count": 7,
    "stratum": 8,
}


def phrase(term: Term) -> str:
    """Return what a trajectory does of which ``term`` is true: a verb phrase, of symptoms a sentence."""
    match term.kind:
        case "symptom" | "fault":
            return _symptom(term)
        case "number":
            return number_phrase(term.subject, term.bound, term.value)
        case "count":
            few = "at least" if term.bound == ">=" else "at most"
            return f"has {few} {term.value:g} {_COUNTED[term.subject]}"
        case "stratum":
            return f"is about {_quoted(term.subject)}"
        case _:
            return _steps(term)


_COUNTED = {
    "Turns": "messages of the user",
    "ModelCalls": "model calls",
    "ToolCalls": "tool calls",
    "Errors": "failed steps",
    "Steps": "steps",
}
_STEP_WORDS = {"user": "a message of the user", "assistant": "a message of the agent"}


def _symptom(term: Term) -> str:
    said = symptom_kind(term.subject).summary
    if term.kind == "fault":
        return f"{said}, where that is sure to be a fault"
    return f"{said} ({_quoted(term.other)})" if term.other else said


def _steps(term: Term) -> str:
    match term.kind:
        case "tool" if term.value >= 2:
            return f"calls {_quoted(term.subject)} {term.value:g} times or more"
        case "tool":
            return f"calls {_quoted(term.subject)}"
        case "tool_error" if not term.subject:
            return "has a tool call that fails"
        case "tool_error":
            return f"has a call of {_quoted(term.subject)} that fails"
        case "absent":
            return f"never calls {_quoted(term.subject)} although it could"
        case "then":
            return f"has {_step(term.other)} right after {_step(term.subject)}"
        case _:  # last
            return f"ends with {_step(term.subject)}"


def _step(key: str) -> str:
    kind, name = split_key(key)
    if kind == "tool":
        return f"a call of {_quoted(name)}"
    words = _STEP_WORDS.get(kind, f"a step of kind {kind}")
    return f"{words} ({_quoted(name)})" if name else words


def _quoted(name: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in name)
    return f"`{printable[:_MAX_NAME]}`"


def name_pattern(finding: Finding, *, members: int, trajectories: int) -> Naming:
    """Return the template's title and explanation.

    Args:
        finding: predicate and contrast.
        members: trajectories that show it.
        trajectories: comparable ones.
    """
    title = title_of(finding.predicate)
    if finding.always_fails:
        title = f"Fails whoever answers: {title[:1].lower()}{title[1:]}"
    share = members / trajectories if trajectories else 0.0
    told = f"{title}. Seen in {members} of {trajectories} trajectories ({share:.0%}). "
    return Naming(title, told + _effect(finding), TEMPLATE)


def title_of(predicate: Predicate) -> str:
    """Return the template's title: what is seen first, then in what runs."""
    first, *rest = _in_reading_order(predicate)
    title = phrase(first)
    for term in rest:
        told = phrase(term)
        title += f"; {told[:1].lower()}{told[1:]}" if term.of_symptom else f", in a run that {told}"
    return (title[:1].upper() + title[1:])[:_MAX_TITLE]


def _in_reading_order(predicate: Predicate) -> Sequence[Term]:
    return sorted(predicate.terms, key=lambda term: (_SAYS.get(term.kind, 9), term))


def _effect(finding: Finding) -> str:
    if finding.always_fails:
        return (
            "Every judged run of this kind failed: the ability or the context to do it is missing. "
            "With nothing to compare within, it has no lift."
        )
    if finding.basis == "outcome association":
        return (
            "Outcomes cannot tell it from what was asked: too few requests were run both with and "
            "without it. It only goes with dissatisfaction, as a hard request may."
        )
    if finding.basis == "score association":
        return (
            "No outcome says yet whether it matters: it only goes with a low satisfaction score, "
            "which may rest on the same behaviour."
        )
    if finding.lift is None or finding.low is None or finding.high is None:
        return "Too few comparable runs with and without it to say what it changes."
    # The marginal figure is given because it is what a dashboard would show.
    naive = f" (naively {finding.marginal:+.0%})" if finding.marginal is not None else ""
    compared = "request" if finding.adjusted is not None else "kind of request"
    interval = "95 % interval" if finding.claimed else "interval, widened for having been chosen,"
    effect = (
        f"Among runs of the same {compared} and agent it goes with a change of {finding.lift:+.0%} in "
        f"dissatisfaction, {interval} {finding.low:+.0%} to {finding.high:+.0%}{naive}. "
    )
    if finding.adjusted is None:
        return effect + "Requests hardly repeat, so part of it may be difficulty: no claim."
    if finding.claimed:
        return effect + "It stands against all that was looked at."
    return effect + "It does not stand alone against all that was looked at: a candidate."
