"""``python -m benchmarks.truth DATA_DIR [--train DATA_DIR2] --json``: is what spanloop finds true?

DATA_DIR holds folders with ``*.otlp.gz`` and ``ground_truth.jsonl``. Spans enter through the real receiver;
only the measures read ground truth. Every figure stands beside its baselines, from the same run.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.printing import print_measures
from benchmarks.truth.cost import measure as cost
from benchmarks.truth.load import TruthData, opened, receive

Measure = Callable[..., dict[str, Any]]
MEASURES: Sequence[str] = (
    "cost",
    "outcome_auc",
    "rate_coverage",
    "pattern_lift",
    "localisation",
    "injected_faults",
)


def main() -> None:
    """Run the measures that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.truth", description=__doc__)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--train", type=Path, help="fit models here, score on DATA_DIR")
    parser.add_argument("--only", action="append", choices=MEASURES, help="repeatable")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    wanted = arguments.only or MEASURES
    directories = {"truth": arguments.data_dir}
    if arguments.train:
        directories["train"] = arguments.train
    with tempfile.TemporaryDirectory(prefix="spanloop-truth-") as folder:
        work = Path(folder)
        for database, directory in directories.items():
            receive(directory, work, database)
        with opened(work, directories) as data:
            results = {
                name: _run(name, data["truth"], data.get("train"), arguments.seed)
                for name in wanted
            }
    if arguments.json:
        print(json.dumps(results, default=str))
        return
    print_measures(results)


def _run(name: str, data: TruthData, train: TruthData | None, seed: int) -> dict[str, Any]:
    measure: Measure = cost if name == "cost" else import_module(f"benchmarks.truth.{name}").measure
    began = time.monotonic()
    result = measure(data, train, seed=seed)
    seconds = round(time.monotonic() - began, 1)
    print(f"{name}: {seconds} s", file=sys.stderr)
    return {**result, "seconds": seconds}


if __name__ == "__main__":
    main()
