"""Categories and phrases of what terms speak of: symptoms from their catalogue, the rest by kind of term."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class SymptomKind(NamedTuple):
    """One entry of the symptom catalogue, as patterns need it."""

    phrase: str
    category: str
    mast: Sequence[str]
    trail: Sequence[str]


CATEGORY_OF_KIND: Mapping[str, str] = {
    "tool_error": "tool_failure_handling",
    "tool": "tool_selection",
    "absent": "tool_selection",
    "then": "tool_selection",
    "last": "termination",
    "count": "termination",
    "stratum": "context_gap",
}
"""Category of a pattern that no symptom and no feature tells more about."""


def symptom_kind(symptom: str) -> SymptomKind:
    """Return what is known of ``symptom``; one that the catalogue lacks is named by its own words."""
    return SymptomKind(f"shows {symptom.replace('_', ' ')}", "environment", (), ())
