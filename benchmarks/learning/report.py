"""Figures and aims of `benchmarks.learning`, with paired bootstrap intervals over repeats."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.learning.generator import CYCLES, Floats
from benchmarks.learning.simulation import COUNTS, POLICIES

WINDOWS: Mapping[str, tuple[int, int]] = {
    "cycles 1-5": (1, 5),
    "cycles 11-12": (11, 12),
    "cycles 11-20": (11, 20),
    "cycles 1-20": (1, 20),
}
LATE, DRIFT, ALL = "cycles 11-20", "cycles 11-12", "cycles 1-20"
GAPS_WANTED: Mapping[float, float] = {0.6: 0.50, 0.9: 0.60}
RESAMPLES = 4_000
LEVEL = 0.95

TOKENS, EXPERIMENTS, SHIPS, WINS, HARMS = range(len(COUNTS))


class Cell:
    """The counts of one cell, summed over windows and resampled by repeat."""

    def __init__(self, tau: float, counts: Floats, policies: Sequence[str]) -> None:
        """Resample ``counts`` (policies, repeats, cycles, counts)."""
        self.tau = tau
        self.policies = list(policies)
        self.counts = counts
        repeats = counts.shape[1]
        rng = np.random.default_rng(20261122)
        picks = rng.integers(0, repeats, (RESAMPLES, repeats))
        times = np.stack([np.bincount(pick, minlength=repeats) for pick in picks]).astype(float)
        self._times = np.vstack([np.ones(repeats), times])

    def sums(self, window: str, policy: str) -> Floats:
        """Return sums of a window: (1 + resamples, counts); the first is the data itself."""
        first, last = WINDOWS[window]
        of = self.counts[self.policies.index(policy), :, first - 1 : last].sum(axis=1)
        return np.asarray(self._times @ of)

    def tokens_per_win(self, window: str, policy: str) -> Floats:
        """Return tokens per surviving win: (1 + resamples,)."""
        return _ratio(self.sums(window, policy), TOKENS, WINS)

    def harm_per_ship(self, window: str, policy: str) -> Floats:
        """Return the share of ships that do harm: (1 + resamples,)."""
        return _ratio(self.sums(window, policy), HARMS, SHIPS)

    def figures(self, window: str, policy: str) -> dict[str, Any]:
        """Return what is printed of a policy in a window."""
        sums = self.sums(window, policy)
        repeats = self.counts.shape[1]
        return {
            "tokens_per_win": interval(_ratio(sums, TOKENS, WINS)),
            "experiments_per_win": interval(_ratio(sums, EXPERIMENTS, WINS)),
            "survival": interval(_ratio(sums, WINS, SHIPS)),
            "harm_per_ship": interval(_ratio(sums, HARMS, SHIPS)),
            "experiments": sums[0, EXPERIMENTS] / repeats,
            "wins": sums[0, WINS] / repeats,
        }

    def by_cycle(self, policy: str) -> list[dict[str, float | None]]:
        """Return tokens and experiments per surviving win, survival and harm, cycle by cycle."""
        totals = self.counts[self.policies.index(policy)].sum(axis=0)
        return [
            {
                "cycle": cycle + 1,
                "tokens_per_win": _divided(totals[cycle], TOKENS, WINS),
                "experiments_per_win": _divided(totals[cycle], EXPERIMENTS, WINS),
                "survival": _divided(totals[cycle], WINS, SHIPS),
                "harm_per_ship": _divided(totals[cycle], HARMS, SHIPS),
            }
            for cycle in range(CYCLES)
        ]

    def over_none(self, window: str, policy: str) -> dict[str, Any]:
        """Return tokens per win as a multiple of none's."""
        none = self.tokens_per_win(window, "none")
        return interval(self.tokens_per_win(window, policy) / none)

    def gap_closed(self, window: str, policy: str) -> dict[str, Any]:
        """Return (none - policy) / (none - oracle) in tokens per win."""
        none, oracle = (self.tokens_per_win(window, name) for name in ("none", "oracle"))
        return interval((none - self.tokens_per_win(window, policy)) / (none - oracle))

    def aims(self) -> list[dict[str, Any]]:
        """Return the aims that this cell has."""
        aims: list[dict[str, Any]] = []
        if self.tau in GAPS_WANTED:
            wanted = GAPS_WANTED[self.tau]
            gap = self.gap_closed(LATE, "library")
            aims.append(
                _aim("gap closed, cycles 11-20", f">= {wanted}", gap, gap["value"] >= wanted)
            )
        if self.tau == 0:
            late = self.over_none(LATE, "library")
            aims.append(
                _aim(
                    "nothing to transfer: tokens per win over none's, cycles 11-20",
                    "<= 1.10",
                    late,
                    late["value"] <= 1.10,
                )
            )
        for name in [name for name in ("scrambled", "shuffled") if name in self.policies]:
            over = self.over_none(LATE, name)
            close = abs(over["value"] - 1) <= 0.05
            aims.append(_aim(f"{name} over none, cycles 11-20", "0.95 to 1.05", over, close))
        harm = interval(self.harm_per_ship(ALL, "library") - self.harm_per_ship(ALL, "none"))
        aims.append(
            _aim(
                "harm per ship, library - none, upper bound", "<= 0.01", harm, harm["high"] <= 0.01
            )
        )
        drift = self.over_none(DRIFT, "library")
        aims.append(
            _aim("after drift, cycles 11-12, over none", "<= 1.15", drift, drift["value"] <= 1.15)
        )
        return aims


def report(cells: Mapping[float, Floats], policies: Sequence[str] = POLICIES) -> dict[str, Any]:
    """Return everything that is printed, by cell."""
    return {f"tau {tau:g}": _cell(Cell(tau, counts, policies)) for tau, counts in cells.items()}


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "aims": cell.aims(),
        "windows": {
            window: {
                policy: {
                    **cell.figures(window, policy),
                    "over_none": cell.over_none(window, policy),
                    "gap_closed": cell.gap_closed(window, policy),
                }
                for policy in cell.policies
            }
            for window in WINDOWS
        },
        "by_cycle": {policy: cell.by_cycle(policy) for policy in cell.policies},
    }


def interval(values: Floats) -> dict[str, Any]:
    """Return the data's value with a percentile interval from the resamples."""
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(values[1:], [tail, 1 - tail])
    return {"value": float(values[0]), "low": float(low), "high": float(high)}


def _ratio(sums: NDArray[np.float64], over: int, under: int) -> Floats:
    """Return a ratio of sums; without anything to divide by, as if there were one."""
    return np.asarray(sums[:, over] / np.maximum(sums[:, under], 1))


def _divided(sums: NDArray[np.float64], over: int, under: int) -> float | None:
    return float(sums[over] / sums[under]) if sums[under] else None


def _aim(aim: str, wanted: str, measured: Mapping[str, Any], met: bool) -> dict[str, Any]:
    return {"aim": aim, "wanted": wanted, "measured": dict(measured), "met": bool(met)}
