"""What the features of a trajectory mean where they name a pattern."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class NumberKind(NamedTuple):
    """A feature in words.

    Attributes:
        label: noun phrase of the number.
        category: of a pattern that it names.
        high: verb phrase where it is high; '' = none of its own.
        low: where it is low.
    """

    label: str
    category: str
    high: str = ""
    low: str = ""


_KINDS: Mapping[str, NumberKind] = {}


def number_names() -> Sequence[str]:
    """Return the names of ``trajectory_features.Numbers``, in order."""
    return ()


def number_kind(name: str) -> NumberKind:
    """Return what the feature ``name`` means; one unknown here is called by its name."""
    return _KINDS.get(name, NumberKind(f"a value of {name.replace('_', ' ')}", "context_gap"))
