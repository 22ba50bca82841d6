"""``python -m benchmarks.replay [DATA_DIR] [--small] --json``: may a world of tapes be believed?

DATA_DIR holds ``tau_bench`` and ``tau2_bench``; without it, ``$SPANLOOP_DATA`` or ``shared/data`` beside the
checkout. Spans enter through the real receiver and are assembled by the product. ``--small``: tau_bench only.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.printing import print_measures
from benchmarks.replay import cross_trial, derivation, representation, self_replay, unsupported
from benchmarks.replay.runs import Run, read_runs
from benchmarks.truth.load import opened, receive

SETS = ("tau_bench", "tau2_bench")


def main() -> None:
    """Run every measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__)
    parser.add_argument("data_dir", type=Path, nargs="?", default=_default())
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    sets = SETS[:1] if arguments.small else SETS
    with tempfile.TemporaryDirectory(prefix="spanloop-replay-") as folder:
        work = Path(folder)
        chosen = _chosen(arguments.data_dir, sets, work / "chosen")
        receive(chosen, work, "replay")
        with opened(work, {"replay": chosen}) as data:
            runs = read_runs(data["replay"], sets)
            measures: Mapping[str, Callable[[], dict[str, Any]]] = {
                "self_replay": lambda: self_replay.measure(runs),
                "cross_trial": lambda: cross_trial.measure(runs, seed=arguments.seed),
                "unsupported": lambda: unsupported.measure(runs),
                "derivation": lambda: derivation.measure(data["replay"], seed=arguments.seed),
                "representation": lambda: representation.measure(
                    data["replay"], draws=10 if arguments.small else 60
                ),
            }
            results = {name: _run(name, measure) for name, measure in measures.items()}
    results["data"] = {"sets": list(sets), **_counted(runs)}
    if arguments.json:
        print(json.dumps(results, default=str))
        return
    print_measures(results)


def _default() -> Path:
    given = os.environ.get("SPANLOOP_DATA")
    return Path(given) if given else Path(__file__).parents[3] / "shared" / "data"


def _chosen(directory: Path, sets: Sequence[str], chosen: Path) -> Path:
    """Make a directory that holds the wanted sets only."""
    for name in sets:
        (chosen / name).mkdir(parents=True)
        for file in (directory / name).iterdir():
            (chosen / name / file.name).symlink_to(file.resolve())
    return chosen


def _run(name: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    result = measure()
    seconds = round(time.monotonic() - began_s, 1)
    print(f"{name}: {seconds} s", file=sys.stderr)
    return {
        **result,
        "seconds": seconds,
        "cpu_seconds": round(time.process_time() - began_cpu_s, 1),
    }


def _counted(runs: Sequence[Run]) -> dict[str, int]:
    return {
        "runs": len(runs),
        "tasks": len({run.task for run in runs}),
        "calls": sum(len(run.calls) for run in runs),
    }


if __name__ == "__main__":
    main()
