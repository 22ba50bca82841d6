"""The live check on simulated traffic, and beside it a two-proportion z-test looked at every 50."""

import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from benchmarks.releases.traffic import CELLS, Cell, draw
from spanloop.optimizer.releases.comparing import Comparison, Traffic, compare
from spanloop.optimizer.releases.live import LiveSettings

CAP, LOOK = 2_000, 50
SETTINGS = LiveSettings()
LOOKS = range(LOOK, CAP + 1, LOOK)


def measure(runs: int) -> list[dict[str, Any]]:
    """Return the figures of every cell."""
    return [_measure(cell, runs, number) for number, cell in enumerate(CELLS)]


def _measure(cell: Cell, runs: int, number: int) -> dict[str, Any]:
    rng = np.random.default_rng(20261125 + number)
    began = time.process_time()
    back, promoted, peeked, held, mismatches = [], [], [], 0, 0
    for _ in range(runs):
        canary, outcome = draw(rng, cell, CAP)
        at = _compared_at(canary, outcome, cell.share)
        whole = at(CAP)
        back.append(_first(at, "e_worse", SETTINGS.worse_level))
        promoted.append(_first(at, "e_not_worse", SETTINGS.promote_level))
        peeked.append(_peeked(canary, outcome))
        held += (
            whole.low is not None
            and whole.high is not None
            and whole.low <= cell.effect <= whole.high
        )
        mismatches += whole.e_mismatch >= 1_000
    return {
        "share": cell.share,
        "effect": cell.effect,
        "drift": cell.drift,
        "runs": runs,
        **_share_and_median("rolled_back", back),
        **_share_and_median("not_worse", promoted),
        "interval_holds": held / runs,
        "mismatch_claimed": mismatches / runs,
        "z_test_peeked_rolls_back": float(np.mean(peeked)),
        "cpu_s": round(time.process_time() - began, 1),
    }


def _compared_at(
    canary: NDArray[np.bool_], outcome: NDArray[np.float64], share: float
) -> Callable[[int], Comparison]:
    seen: dict[int, Comparison] = {}

    def at(n: int) -> Comparison:
        if n not in seen:
            traffic = Traffic(canary=canary[:n], share=np.full(n, share), outcome=outcome[:n])
            seen[n] = compare(
                traffic,
                margin=SETTINGS.margin,
                level=SETTINGS.worse_level,
                horizon=SETTINGS.horizon,
            )
        return seen[n]

    return at


def _first(at: Callable[[int], Comparison], evidence: str, level: float) -> int | None:
    """Return the first look that decides; evidence never falls, so halving finds it."""

    def decided(n: int) -> bool:
        return bool(getattr(at(n), evidence) >= 1 / level)

    place = bisect_left(LOOKS, True, key=decided)
    return LOOKS[place] if place < len(LOOKS) else None


def _share_and_median(name: str, firsts: Sequence[int | None]) -> dict[str, Any]:
    decided = [n for n in firsts if n is not None]
    median = float(np.median([CAP if n is None else n for n in firsts]))
    return {name: len(decided) / len(firsts), f"{name}_after_median": median}


def _peeked(canary: NDArray[np.bool_], outcome: NDArray[np.float64]) -> bool:
    """Return whether a one-sided test at 0.05 ever says "worse"."""
    for n in LOOKS:
        a, b = outcome[:n][canary[:n]], outcome[:n][~canary[:n]]
        if not a.size or not b.size:
            continue
        pooled = outcome[:n].mean()
        error = np.sqrt(pooled * (1 - pooled) * (1 / a.size + 1 / b.size))
        if error > 0 and norm.cdf((a.mean() - b.mean()) / error) < 0.05:
            return True
    return False
