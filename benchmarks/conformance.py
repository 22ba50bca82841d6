"""Run the OTLP conformance tests against spanloop and the real Collector and print both side by side.

    python -m benchmarks.conformance                                   # spanloop and the Collector
    python -m benchmarks.conformance --other NAME HOST:PORT http://HOST:PORT   # and a receiver of yours

The Collector is the one that `tests/collector/build.py` makes, with its default limits; without it the
column is left out and said so. A clause holds when all of its cases pass.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.collector.build import tools
from tests.support.collector import RunningCollector

ROOT = Path(__file__).parent.parent
LEVELS = {"must": 0, "should": 1, "may": 2}
Outcomes = Mapping[tuple[str, str], list[str]]
"""(level, clause) → the outcome of each case."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite against each receiver; 0 when spanloop passes all of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--other", nargs=3, action="append", default=[], metavar=("NAME", "GRPC", "HTTP")
    )
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    options = parser.parse_args(arguments)
    results: dict[str, Outcomes] = {"spanloop": run([])}
    if tools().exist():
        with RunningCollector.discarding() as collector:
            results["otelcol"] = run(addresses(collector.grpc_address, collector.http_url))
    else:
        print("otelcol is not built here: python tests/collector/build.py", file=sys.stderr)
    for name, grpc_address, http_url in options.other:
        results[name] = run(addresses(grpc_address, http_url))
    if options.json:
        print(json.dumps({name: as_json(outcomes) for name, outcomes in results.items()}, indent=1))
    else:
        print_table(results)
    return 0 if all(verdict(o) == "pass" for o in results["spanloop"].values()) else 1


def addresses(grpc_address: str, http_url: str) -> list[str]:
    """Return the suite's options that name a receiver."""
    return ["--otlp-grpc", grpc_address, "--otlp-http", http_url]


def run(options: Sequence[str]) -> Outcomes:
    """Run the suite in a process of its own and return its outcomes by clause."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-n0",  # one process: the report is written by the one that runs the tests
            "tests/conformance",
        ]
        done = subprocess.run(
            [*command, *options, "--otlp-report", str(report)],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        if not report.exists():
            raise SystemExit(f"the suite did not run:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
        cases: dict[str, dict[str, str]] = json.loads(report.read_text())
    outcomes: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for case in cases.values():
        outcomes[case["level"], case["clause"]].append(case["outcome"])
    return outcomes


def verdict(outcomes: Sequence[str]) -> str:
    """Sum up the cases of one clause."""
    if "failed" in outcomes:
        passed = outcomes.count("passed")
        return f"FAIL {passed}/{len(outcomes)}" if passed else "FAIL"
    return "pass" if "passed" in outcomes else "not offered"


def as_json(outcomes: Outcomes) -> list[dict[str, str]]:
    """Return one object per clause."""
    return [
        {"level": level, "clause": clause, "result": verdict(cases)}
        for (level, clause), cases in outcomes.items()
    ]


def print_table(results: Mapping[str, Outcomes]) -> None:
    """Print one line per clause, one column per receiver."""
    clauses = sorted(set().union(*results.values()), key=lambda c: (LEVELS[c[0]], c[1]))
    width = max(len(clause) for _, clause in clauses)
    print(f"{'':6}  {'clause':{width}}  " + "  ".join(f"{name:11}" for name in results))
    for level, clause in clauses:
        verdicts = [verdict(outcomes.get((level, clause), [])) for outcomes in results.values()]
        print(f"{level:6}  {clause:{width}}  " + "  ".join(f"{v:11}" for v in verdicts))
    for name, outcomes in results.items():
        counts = [
            sum(verdict(o) == "pass" for k, o in outcomes.items() if k[0] == lv) for lv in LEVELS
        ]
        totals = [sum(k[0] == lv for k in outcomes) for lv in LEVELS]
        parts = (f"{lv} {c}/{t}" for lv, c, t in zip(LEVELS, counts, totals, strict=True))
        print(f"{name}: {', '.join(parts)}")


if __name__ == "__main__":
    sys.exit(main())
