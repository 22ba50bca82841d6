"""Run the durability benchmark: ``python -m benchmarks.durability --kills 50 [--json]``."""

import argparse
import json
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.durability import crashes, faults, logs, power
from benchmarks.durability.kills import kill_loop
from benchmarks.durability.stage import Facts, Scale, Scenario

SCENARIOS: Mapping[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (
        crashes.kill_between_sync_and_ack,
        crashes.kill_before_sync,
        crashes.late_retries,
        crashes.kill_between_targets,
        faults.view_throws_half_way,
        faults.memory_runs_out,
        faults.database_unavailable,
        faults.database_server_dies,
        faults.disk_refuses_writes,
        faults.sync_fails,
        faults.disk_full,
        logs.torn_and_corrupted,
        logs.log_wiped,
        logs.log_restored,
        logs.log_copied,
        power.power_cuts,
        power.crash_points,
        power.power_cut_after_merges,
        power.control_without_fsync,
    )
}
PACKAGES = ("spanloop", "chdb", "chdb-core", "clickhouse-connect", "grpcio", "rotel")


def rows(kills: int, seed: int) -> Mapping[str, Scenario]:
    """Return every row of the benchmark by name: the kill loops, then the scenarios."""
    loops: dict[str, Scenario] = {
        "kill_9_under_sdk_load": lambda place, _: kill_loop(place, "sdk", kills, seed=seed),
        "kill_9_under_rotel_load": lambda place, _: kill_loop(place, "rotel", kills, seed=seed),
    }
    return {**(loops if kills else {}), **SCENARIOS}


def run(name: str, scenario: Scenario, scale: Scale, work: Path) -> Facts:
    """Run one row in a directory of its own; a passed one leaves nothing behind."""
    place = work / name
    place.mkdir()
    begun = time.monotonic()
    try:
        facts = scenario(place, scale)
    except Exception as failure:  # noqa: BLE001  # one broken row must not hide the others
        facts = {"passed": False, "reason": f"{type(failure).__name__}: {failure}"}
    if facts["passed"]:
        shutil.rmtree(place)
    else:
        facts["kept"] = str(place)
    return {**facts, "seconds": round(time.monotonic() - begun, 1)}


def describe(name: str, facts: Facts) -> str:
    """Return a line for people."""
    verdict = "skipped" if "skipped" in facts else "passed" if facts["passed"] else "FAILED"
    shown = {
        key: value
        for key, value in facts.items()
        if key not in ("passed", "tables", "missing", "moments")
    }
    if moments := facts.get("moments"):
        shown["moments"] = {moment: found["passed"] for moment, found in moments.items()}
    counts = {table: found["rows"] for table, found in facts.get("tables", {}).items()}
    return f"{verdict:7} {name:28} {shown} rows={counts}"


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.durability", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="kills for each sender; 0: none")
    parser.add_argument("--quick", action="store_true", help="short outages, few power cuts")
    parser.add_argument("--only", action="append", metavar="ROW", help="only this row; repeatable")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, help="a directory on the disk in question")
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args()
    chosen = rows(options.kills, options.seed)
    if unknown := set(options.only or ()) - chosen.keys():
        parser.error(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(chosen)}")
    work = Path(tempfile.mkdtemp(prefix="durability-", dir=options.work))
    results: dict[str, Any] = {}
    for name, scenario in chosen.items():
        if options.only is None or name in options.only:
            scale = Scale(quick=options.quick, seed=options.seed)
            results[name] = run(name, scenario, scale, work)
            print(describe(name, results[name]), file=sys.stderr, flush=True)
    if options.as_json:
        versions = {package: version(package) for package in PACKAGES}
        header = {"versions": versions, "kernel": platform.release(), **vars(options)}
        del header["work"]
        print(json.dumps({**header, "rows": results}, indent=1))
    passed = all(facts["passed"] for facts in results.values())
    if passed:
        shutil.rmtree(work)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
