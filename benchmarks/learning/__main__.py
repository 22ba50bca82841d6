"""``python -m benchmarks.learning --json``: do one agent's experiments make another's cheaper?

The world of `benchmarks.learning.generator`, lived through under every policy; the product's gate decides,
the product's library chooses. Look-ups of the library cost no tokens: there is no model in them. Counted from
the world, not from the gate.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

from benchmarks.learning.generator import Floats
from benchmarks.learning.report import WINDOWS, report
from benchmarks.learning.simulation import simulate

TAUS = (0.0, 0.3, 0.6, 0.9)
REPEATS = 40
SMALL_REPEATS, SMALL_TAUS = 2, (0.9,)
"""What runs in CI: the same code, fewer worlds."""
CHUNK = 5
"""Repeats that one process lives through in step."""


def main() -> None:
    """Run the cells that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning", description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--tau", type=float, action="append", help="repeatable; default: all cells")
    parser.add_argument("--small", action="store_true", help="a few repeats of one cell")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    repeats = SMALL_REPEATS if arguments.small else arguments.repeats
    taus = arguments.tau or (SMALL_TAUS if arguments.small else TAUS)
    began = time.monotonic()
    cells = run(taus, repeats, jobs=arguments.jobs)
    result = {
        "repeats": repeats,
        "experiments": int(sum(counts[..., 1].sum() for counts in cells.values())),
        "seconds": round(time.monotonic() - began, 1),
        "cells": report(cells),
    }
    if arguments.json:
        print(json.dumps(result))
        return
    _print(result)


def run(taus: Sequence[float], repeats: int, *, jobs: int) -> dict[float, Floats]:
    """Return the counts of every cell: (policies, repeats, cycles, counts)."""
    parts = [range(first, min(first + CHUNK, repeats)) for first in range(0, repeats, CHUNK)]
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        waiting = {tau: [pool.submit(simulate, tau, part) for part in parts] for tau in taus}
        cells: dict[float, Floats] = {}
        for tau, futures in waiting.items():
            cells[tau] = np.concatenate([future.result() for future in futures], axis=1)
            print(f"tau {tau:g}: done", file=sys.stderr)
    return cells


def _print(result: Mapping[str, Any]) -> None:
    print(
        f"{result['repeats']} repeats, {result['experiments']} experiments, {result['seconds']} s"
    )
    for name, cell in result["cells"].items():
        print(f"\n{name}")
        for aim in cell["aims"]:
            met = "met" if aim["met"] else "MISSED"
            print(f"  {met:<7} {aim['aim']}: wanted {aim['wanted']}, {_said(aim['measured'])}")
        for window in WINDOWS:
            print(
                f"  {window:<13} Mtokens/win        experiments/win  gap    survival  harm   wins"
            )
            for policy, of in cell["windows"][window].items():
                print(f"    {policy:<10} {_row(of)}")


def _row(of: Mapping[str, Any]) -> str:
    tokens, harm = of["tokens_per_win"], of["harm_per_ship"]
    return (
        f"{tokens['value'] / 1e6:7.1f} [{tokens['low'] / 1e6:5.1f}, {tokens['high'] / 1e6:6.1f}]"
        f" {of['experiments_per_win']['value']:9.1f} {of['gap_closed']['value']:9.2f}"
        f" {of['survival']['value']:8.3f} {harm['value']:8.3f} {of['wins']:6.1f}"
    )


def _said(measured: Mapping[str, float]) -> str:
    return f"measured {measured['value']:.3f} [{measured['low']:.3f}, {measured['high']:.3f}]"


if __name__ == "__main__":
    main()
