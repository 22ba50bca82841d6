"""``python -m benchmarks.gate --json``: does the gate ship what is better, and nothing else?

Simulated cells (``generator.py``) and real rewards, each with today's practice beside it in the same run.
Figures count runs that ship; ``off`` and ``on`` are guardrails; pairs are medians over all runs, with
those that did not ship counted at the cap.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from benchmarks.gate import recorded, report
from benchmarks.gate.generator import Cell
from benchmarks.gate.measures import measure, names, size_practice

RUNS, SMALL_RUNS, SIZING_RUNS = 5_000, 100, 2_000


def main() -> None:
    """Run the cells that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gate", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help="of each cell")
    parser.add_argument("--cells", nargs="*", help="names or their beginnings; all if not given")
    parser.add_argument("--small", action="store_true", help=f"{SMALL_RUNS} runs: minutes")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="real rewards")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="a file: cells in it are not run again")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    runs = SMALL_RUNS if arguments.small else arguments.runs
    results = run(
        names(arguments.cells),
        runs,
        data=arguments.data,
        processes=arguments.processes,
        kept=arguments.keep,
    )
    print(json.dumps(results)) if arguments.json else _print(results)


def run(
    chosen: Sequence[Cell],
    runs: int,
    *,
    data: Path | None,
    processes: int,
    kept: Path | None = None,
) -> dict[str, Any]:
    """Return figures of every chosen cell, of the real outcomes and of the aims."""
    began = time.monotonic()
    told = size_practice(min(SIZING_RUNS, max(runs, 200)))
    done = _kept(kept, runs)
    missing = [cell for cell in chosen if _key(cell) not in done]
    with ProcessPoolExecutor(max_workers=processes) as pool:
        for future in as_completed([pool.submit(measure, cell, runs, told) for cell in missing]):
            figures = future.result()
            done[figures["cell"], figures["design"]] = figures
            print(f"{figures['cell']} {figures['design']}: {figures['cpu_s']} s", file=sys.stderr)
            if kept is not None:
                with kept.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps(figures) + "\n")
    measured = [done[_key(cell)] for cell in chosen]
    real = recorded.measure(data) if data is not None and data.is_dir() else None
    return {
        "aims": report.aims(measured, real),
        "cells": measured,
        "real": real,
        "practice": {
            f"{effect:+.2f} x {repeats}": {
                "c_scenarios": one.n,
                "c_pairs": one.n * repeats,
                "found": one.found,
                "variance": round(one.variance, 4),
            }
            for (effect, repeats), one in told.items()
        },
        "seconds": round(time.monotonic() - began, 1),
    }


def _key(cell: Cell) -> tuple[str, str]:
    return cell.name, f"{cell.scenarios} x {cell.repeats}"


def _kept(path: Path | None, runs: int) -> dict[tuple[str, str], dict[str, Any]]:
    if path is None or not path.exists():
        return {}
    with path.open(encoding="utf-8") as lines:
        cells = [json.loads(line) for line in lines]
    return {(c["cell"], c["design"]): c for c in cells if c["runs"] == runs}


def _print(results: dict[str, Any]) -> None:
    for aim in results["aims"]:
        met = {True: "met", False: "MISSED", None: "not measured"}[aim["met"]]
        print(f"{met:<13}{aim['aim']}: wanted {aim['wanted']}, measured {aim['measured']}")
    print()
    print(report.table(results["cells"]))
    print(f"\npractice: {json.dumps(results['practice'])}")
    if results["real"] is None:
        print("real outcomes: not measured, no data")
    else:
        print(f"real: {json.dumps(results['real'])}")
    print(f"{results['seconds']} s")


if __name__ == "__main__":
    main()
