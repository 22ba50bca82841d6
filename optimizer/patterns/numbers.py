"""What the features of a trajectory mean where they name a pattern."""

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple

from spanloop.optimizer.satisfaction.features import NUMBERS

Scale = Literal["log", "sqrt", "plain"]


class NumberKind(NamedTuple):
    """A feature in words.

    Attributes:
        high: what a trajectory does where the number is high; ``{}`` takes the bound.
        low: where it is low.
        category: of a pattern that it names.
        scale: how it is stored: ln(1 + n), square root of a share, or as it is.
    """

    high: str
    low: str
    category: str
    scale: Scale = "plain"


_KINDS: Mapping[str, NumberKind] = {
    "steps": NumberKind("takes {} steps or more", "takes {} steps or fewer", "termination", "log"),
    "turns": NumberKind(
        "needs {} messages of the user or more",
        "has {} messages of the user or fewer",
        "context_gap",
        "log",
    ),
    "calls": NumberKind(
        "makes {} tool calls or more", "makes {} tool calls or fewer", "loop", "log"
    ),
    "changes": NumberKind(
        "makes {} changes or more", "makes {} changes or fewer", "tool_selection", "log"
    ),
    "reads": NumberKind(
        "looks things up {} times or more", "looks things up {} times or fewer", "loop", "log"
    ),
    "errors": NumberKind(
        "has {} failed steps or more",
        "has {} failed steps or fewer",
        "tool_failure_handling",
        "log",
    ),
    "failed_changes": NumberKind(
        "has {} failed changes or more",
        "has {} failed changes or fewer",
        "tool_failure_handling",
        "log",
    ),
    "repeated_calls": NumberKind(
        "repeats {} calls or more", "repeats {} calls or fewer", "loop", "log"
    ),
    "empty_results": NumberKind(
        "gets {} empty results or more", "gets {} empty results or fewer", "tool_arguments", "log"
    ),
    "handovers": NumberKind(
        "hands over {} times or more", "hands over {} times or fewer", "handoff", "log"
    ),
    "truncated": NumberKind(
        "has {} cut answers or more", "has {} cut answers or fewer", "termination", "log"
    ),
    "unanswered": NumberKind(
        "leaves the user's last message unanswered",
        "answers the user's last message",
        "termination",
    ),
    "last_change": NumberKind(
        "makes its last change late", "makes its last change early", "termination"
    ),
    "seconds": NumberKind("lasts {} s or more", "lasts {} s or less", "termination", "log"),
    "result_chars": NumberKind(
        "reads {} characters of results or more",
        "reads {} characters of results or fewer",
        "context_gap",
        "log",
    ),
    "answer_chars": NumberKind(
        "writes {} characters or more", "writes {} characters or fewer", "termination", "log"
    ),
    "answer_length": NumberKind(
        "gives answers of {} characters or more on average",
        "gives answers of {} characters or fewer on average",
        "instruction_violation",
        "log",
    ),
    "user_length": NumberKind(
        "has messages of the user of {} characters or more on average",
        "has messages of the user of {} characters or fewer on average",
        "context_gap",
        "log",
    ),
    "corrections": NumberKind(
        "is corrected by the user", "is not corrected by the user", "instruction_violation"
    ),
    "frustration": NumberKind(
        "annoys the user", "does not annoy the user", "instruction_violation"
    ),
    "insistence": NumberKind(
        "makes the user insist", "does not make the user insist", "instruction_violation"
    ),
    "wants_person": NumberKind(
        "has the user ask for a person", "has no user ask for a person", "handoff"
    ),
    "consent": NumberKind("has the user agree often", "has the user agree seldom", "verification"),
    "thanked_last": NumberKind("ends with thanks", "ends without thanks", "termination"),
    "inability": NumberKind(
        "says that it cannot do things", "does not say that it cannot do things", "context_gap"
    ),
    "apology": NumberKind("apologises", "does not apologise", "instruction_violation"),
    "uncertain": NumberKind("hedges", "does not hedge", "hallucination"),
    "money": NumberKind("names amounts often", "names amounts seldom", "hallucination"),
    "claimed_done_last": NumberKind(
        "says last that it is done", "does not say last that it is done", "verification"
    ),
    "symptoms": NumberKind("shows many symptoms", "shows few symptoms", "tool_failure_handling"),
    "missed_changes": NumberKind(
        "leaves out changes that other runs of the same kind of request make",
        "makes the changes that other runs of the same kind of request make",
        "tool_selection",
    ),
    "missed_values": NumberKind(
        "does not change what other runs of the same kind of request change, or with other values",
        "changes what other runs of the same kind of request change, with their values",
        "tool_arguments",
    ),
    "unusual_changes": NumberKind(
        "makes changes that other runs of the same kind of request do not make",
        "makes no changes but those that other runs of the same kind of request make",
        "tool_selection",
    ),
    "unlike_peers": NumberKind(
        "calls other tools than other runs of the same kind of request",
        "calls the same tools as other runs of the same kind of request",
        "tool_selection",
    ),
}

_MEANINGS: Mapping[str, str] = {number.name: number.meaning for number in NUMBERS}


def number_kind(name: str) -> NumberKind:
    """Return what the feature ``name`` means; one without words here is called by its meaning."""
    label = _MEANINGS.get(name, name.replace("_", " "))
    return _KINDS.get(
        name,
        NumberKind(f"has much of: {label} ({{}})", f"has little of: {label} ({{}})", "context_gap"),
    )


def number_phrase(name: str, bound: str, value: float) -> str:
    """Return what a trajectory does whose number ``name`` is on the far side of ``value``."""
    kind = number_kind(name)
    plain = {"log": math.expm1(value), "sqrt": value * value, "plain": value}[kind.scale]
    text = kind.high if bound == ">=" else kind.low
    # Counts are whole numbers again once the logarithm is undone.
    shown = f"{plain:.0f}" if kind.scale == "log" and plain >= 10 else f"{plain:.2g}"
    return text.format(shown)
