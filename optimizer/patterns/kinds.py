"""Categories, codes and sentences of what terms speak of: symptoms from their catalogue, the rest by kind."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from spanloop.optimizer.symptoms.catalogue import CATALOGUE


class SymptomKind(NamedTuple):
    """One entry of the symptom catalogue, as patterns need it.

    Attributes:
        summary: a sentence, without its full stop.
        category: of the closed set.
        mast: codes of MAST.
        trail: error types of TRAIL.
    """

    summary: str
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
    known = CATALOGUE.get(symptom)
    if known is None:
        return SymptomKind(f"Shows {symptom.replace('_', ' ')}", "environment", (), ())
    return SymptomKind(
        known.summary.rstrip("."),
        known.category,
        [known.mast] if known.mast else [],
        [known.trail] if known.trail else [],
    )
