"""What the gate sees: paired outcomes by scenario, in an order frozen before any of them was known."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class EpisodeState(IntEnum):
    """How a run ended, as far as the gate cares."""

    JUDGED = 0
    """It has an outcome."""
    OWN_FAULT = 1
    """Time-out, crash, step cap, tape miss: its arm's own doing."""
    LOST = 2
    """Infrastructure, after every retry in both arms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRuns:
    """The runs of one arm; every array is (scenarios, repeats); NaN = missing.

    Attributes:
        outcome: judged satisfaction, 0 to 1.
        state: values of `EpisodeState`.
        gold: outcome by people or by criteria checked in code.
        cost: US dollars, or any unit that both arms share.
        latency: milliseconds.
        coverage: share of tool calls answered from the tape.
    """

    outcome: Floats
    state: NDArray[np.int8]
    gold: Floats
    cost: Floats
    latency: Floats
    coverage: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All closed scenarios of an experiment, in frozen order.

    Attributes:
        stratum: index into ``strata``, by scenario.
        shares: of traffic, by stratum; sum to 1.
        fixed_patterns: (scenarios, patterns): whether the scenario covers a pattern fixed earlier.
        weight: of each scenario in traffic; any unit.
        is_gold: whether the scenario was drawn for the gold share, before any outcome.
        off_tape_possible: the target answers from a tape, so coverage counts.
        heaviest: largest weight of the frozen plan; None = of what is closed, right only if all weigh alike.
        planned: scenarios of the frozen plan that weigh anything, by stratum; None = as many as its share of
            the cap.
    """

    scenario_ids: Sequence[str]
    stratum: NDArray[np.int64]
    strata: Sequence[str]
    shares: Floats
    fixed_patterns: Flags
    patterns: Sequence[str]
    weight: Floats
    is_gold: Flags
    baseline: ArmRuns
    candidate: ArmRuns
    off_tape_possible: bool = False
    heaviest: float | None = None
    planned: NDArray[np.int64] | None = None
