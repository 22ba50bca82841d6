"""``python -m benchmarks.releases --json``: polling agents, and how the live check decides."""

import argparse
import json
from typing import Any

from benchmarks.releases import deciding, polling


def main() -> None:
    """Run both, or the one asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.releases", description=__doc__)
    parser.add_argument("part", nargs="?", choices=["polling", "deciding"])
    parser.add_argument("--runs", type=int, default=500, help="of each simulated cell")
    parser.add_argument("--seconds", type=float, default=5.0, help="of load, each case")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found: dict[str, Any] = {}
    if asked.part != "deciding":
        found["polling"] = polling.measure(asked.seconds, asked.connections)
    if asked.part != "polling":
        found["deciding"] = deciding.measure(asked.runs)
    print(json.dumps(found, indent=None if asked.json else 2))


if __name__ == "__main__":
    main()
