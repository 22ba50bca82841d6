"""What the gate says, and the numbers it says it on."""

from dataclasses import dataclass, field
from typing import Literal

Decision = Literal["continue", "ship", "reject", "inconclusive", "unsupported"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number and how it was computed; None where it could not be."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The gate's answer at one look.

    Attributes:
        reason: ``budget``, ``assessor unaudited``, ``off-tape``, ``missing``, ``guardrail: …``; '' = none.
        e_value: against an effect of zero or less, worst-case filled.
        effect: candidate less baseline, probability of satisfaction.
    """

    decision: Decision
    reason: str = ""
    e_value: float
    closed: int
    effect: Number | None
    numbers: tuple[Number, ...] = field(default=())
