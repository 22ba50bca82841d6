"""Simulated live traffic of a canary; imports nothing of the product.

Base rate of satisfaction 0.6, swinging by ``drift`` over 600 trajectories (a day, a season); the canary's is
higher by ``effect``. Outcomes are Bernoulli. A canary gets each trajectory with probability ``share``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Cell:
    """A world."""

    share: float
    effect: float
    drift: float = 0.0


CELLS = [
    *(
        Cell(share, effect)
        for share in (0.1, 0.5)
        for effect in (0.0, -0.05, -0.1, -0.2, -0.3, 0.05, 0.1)
    ),
    Cell(0.1, 0.0, drift=0.3),
    Cell(0.1, -0.05, drift=0.3),
]


def draw(
    rng: np.random.Generator, cell: Cell, n: int
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return who got the canary, and outcomes; both (n,)."""
    canary = rng.random(n) < cell.share
    rate = 0.6 + cell.drift * np.sin(2 * np.pi * np.arange(n) / 600) + cell.effect * canary
    return canary, (rng.random(n) < np.clip(rate, 0, 1)).astype(np.float64)
