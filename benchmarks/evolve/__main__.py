"""``python -m benchmarks.evolve [DATA_DIR] [--days 30] [--small] [--cycles STORE] --json``.

Thirty simulated days: how many times a new failure occurs until its pattern and its scenario exist, what
share of stale scenarios is retired within 7 days; candidates that game the assessor; what an improvement
costs by stage. DATA_DIR holds recorded runs with their truth; without it all traffic is made up.
"""

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.evolve.evolution import measure as evolution
from benchmarks.evolve.gaming_gate import measure as gaming
from benchmarks.evolve.spending import cost_by_stage
from benchmarks.evolve.world import RealRun
from benchmarks.truth.faulty_runs import read_requests
from benchmarks.truth.load import recorded_files
from benchmarks.truth.recorded import split_runs
from spanloop.service.access import client
from spanloop.service.config import load
from spanloop.service.stores import make_renderer
from tests.support.analysis import open_analysis_store

SETS = ("tau_bench", "tau2_bench")
DOMAIN = "airline"
"""Of the recorded sets the traffic of one agent is played: the one with most runs."""


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evolve", description=__doc__)
    parser.add_argument("data_dir", type=Path, nargs="?", help="recorded runs")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--runs-a-day", type=int, default=60, help="of each source")
    parser.add_argument("--gaming-runs", type=int, default=500, help="experiments a cell")
    parser.add_argument("--small", action="store_true", help="the same code, in a minute or two")
    parser.add_argument("--cycles", type=Path, help="a data directory in which cycles ran")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.small:
        arguments.days, arguments.runs_a_day, arguments.gaming_runs = 10, 40, 20
    results: dict[str, Any] = {"gaming": gaming(runs=arguments.gaming_runs)}
    print("gaming: done", file=sys.stderr)
    if arguments.cycles:
        settings = load(None, data_dir=arguments.cycles)
        with client(settings) as connected:
            results["spending"] = cost_by_stage(connected, make_renderer(settings))
    elif arguments.days:
        real: Mapping[str, RealRun] = {}
        if arguments.data_dir:
            real = read_real(arguments.data_dir)
        with tempfile.TemporaryDirectory(prefix="spanloop-evolve-") as folder:
            store = open_analysis_store(Path(folder) / "db")
            with contextlib.closing(store.client):
                results["evolution"] = evolution(
                    store,
                    real,
                    days=arguments.days,
                    runs_a_day=arguments.runs_a_day,
                    seed=arguments.seed,
                )
    print(json.dumps(results, default=str, indent=None if arguments.json else 1))


def read_real(directory: Path) -> Mapping[str, RealRun]:
    """Return the recorded runs of one agent below ``directory``, with what came of them."""
    runs: dict[str, RealRun] = {}
    for path in recorded_files(directory):
        truth = path.parent / "ground_truth.jsonl"
        if path.parent.name not in SETS or not truth.exists():
            continue
        rows = [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]
        known = {row["conversation_id"]: row for row in rows if row.get("domain") == DOMAIN}
        for key, requests in split_runs(list(read_requests(path))).items():
            if key in known:
                runs[key] = RealRun(
                    agent=f"{DOMAIN}_support",
                    requests=requests,
                    success=bool(known[key]["success"]),
                )
    return runs


if __name__ == "__main__":
    main()
