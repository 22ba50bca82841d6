"""Run the benchmark of the loop: ``python -m benchmarks.loop [--json] [--quick] [--only speed|kills]``.

Full runs take half an hour on two idle cores; ``--quick`` is the same code on less.
"""

import argparse
import json
import logging
import os
import platform
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.loop.kills import kill_benchmark
from benchmarks.loop.speed import measure
from benchmarks.loop.stage import stage


def speed(*, quick: bool) -> Mapping[str, Any]:
    """Measure cost, speed at 200 episodes at a time, and memory."""
    n, many = (60, 60) if quick else (400, 2_000)
    with tempfile.TemporaryDirectory() as root, stage(Path(root) / "data") as on:
        return {
            "overhead": measure(
                on, name="overhead", episodes=n, concurrency=16, delay_s=0.0, at_a_time=20
            ),
            "overhead_judged_by_the_hundred": measure(
                on, name="hundred", episodes=n, concurrency=16, delay_s=0.0, at_a_time=100
            ),
            "overhead_without_a_client": measure(
                on, name="within", episodes=n, concurrency=16, delay_s=-1.0, at_a_time=100
            ),
            "at_once": measure(
                on, name="at_once", episodes=many, concurrency=200, delay_s=1.0, at_a_time=200
            ),
        }


def kills(*, quick: bool) -> Mapping[str, Any]:
    """Kill a cycle, and compare it with one that was left alone."""
    with tempfile.TemporaryDirectory() as root:
        return kill_benchmark(Path(root), kills=2 if quick else 10, seed=1, delay_s=0.2)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quick", action="store_true", help="the same code on fewer episodes")
    parser.add_argument("--only", choices=("speed", "kills"), help="one half")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    halves = {"speed": speed, "kills": kills}
    report: dict[str, Any] = {
        "machine": {
            "cores": os.cpu_count(),
            "load": os.getloadavg()[0],
            "python": platform.python_version(),
        },
        **{
            name: half(quick=arguments.quick)
            for name, half in halves.items()
            if arguments.only in (None, name)
        },
    }
    if arguments.json:
        print(json.dumps(report, indent=2))
        return
    for name, row in report["speed"].items():
        print(name, *(f"{key}={value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
