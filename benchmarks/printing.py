"""How benchmarks that measure aims are printed for people."""

import json
from collections.abc import Mapping
from typing import Any


def print_measures(results: Mapping[str, Mapping[str, Any]]) -> None:
    """Print each measure: its aims first, then its figures."""
    for name, result in results.items():
        print(f"\n{name}")
        for aim in result.get("aims", []):
            met = {True: "met", False: "MISSED", None: "not measured"}[aim["met"]]
            print(f"  {met:<12} {aim['aim']}: wanted {aim['wanted']}, measured {aim['measured']}")
        for key, value in result.items():
            if key != "aims":
                print(f"  {key}: {json.dumps(value, default=str)}")
