"""How much of a trial still holds when what it was measured under has changed, or time has passed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, get_args

import numpy as np

from spanloop.optimizer.strategies.law import Floats
from spanloop.optimizer.strategies.strategy import Validity

Part = Literal["model", "prompt", "tools"]
PARTS: tuple[Part, ...] = get_args(Part)

PRIOR_KEEPS: Mapping[Part, float] = {"model": 0.6, "prompt": 0.9, "tools": 0.6}
"""Share of effects that outlive a change, before any re-test."""
PRIOR_STRENGTH = 4.0
"""The prior counts as so many re-tests."""
HALF_LIFE_DAYS = 180.0
"""Time after which half of all effects are new draws."""

_KEEPS: Floats = np.linspace(0.025, 0.975, 20)


def changed(before: Validity, now: Validity) -> frozenset[Part]:
    """Return what differs; what is not known on both sides counts as the same.

    >>> sorted(changed(Validity(model_hash="a", tools_hash="t"), Validity(model_hash="b")))
    ['model']
    """
    pairs: dict[Part, tuple[str, str]] = {
        "model": (before.model_hash, now.model_hash),
        "prompt": (before.prompt_hash, now.prompt_hash),
        "tools": (before.tools_hash, now.tools_hash),
    }
    return frozenset(part for part, (old, new) in pairs.items() if old and new and old != new)


class Retest(NamedTuple):
    """A trial after a change: how likely it is if the effect outlived the change, and if it is a new draw."""

    part: Part
    same: float
    new: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What share of effects outlives each kind of change and each day."""

    keeps: Mapping[Part, float] = field(default_factory=lambda: dict(PRIOR_KEEPS))
    half_life_days: float = HALF_LIFE_DAYS

    def kept(self, parts: frozenset[Part]) -> float:
        """Return the probability that an effect is still the same after ``parts`` changed."""
        return float(np.prod([self.keeps[part] for part in parts])) if parts else 1.0

    def aged(self, before: datetime, now: datetime) -> float:
        """Return the probability that it is still the same after that time."""
        return float(0.5 ** (max((now - before).total_seconds(), 0) / 86_400 / self.half_life_days))


def faded(likelihood: Floats, kept: float, law: Floats) -> Floats:
    """Return what old trials say of today's effect: as they did with probability ``kept``, else nothing."""
    if kept >= 1:
        return likelihood
    return kept * likelihood + (1 - kept) * (likelihood @ law)


def learn_memory(retests: Sequence[Retest]) -> Memory:
    """Return the memory that ``retests`` speak for, held to the prior."""
    keeps: dict[Part, float] = {}
    for part, prior in PRIOR_KEEPS.items():
        a, b = PRIOR_STRENGTH * prior, PRIOR_STRENGTH * (1 - prior)
        logs = (a - 1) * np.log(_KEEPS) + (b - 1) * np.log1p(-_KEEPS)
        for retest in retests:
            if retest.part == part:
                logs = logs + np.log(_KEEPS * retest.same + (1 - _KEEPS) * retest.new)
        weights = np.exp(logs - logs.max())
        keeps[part] = float(weights @ _KEEPS / weights.sum())
    return Memory(keeps=keeps)
