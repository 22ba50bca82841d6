"""``python -m benchmarks.gate.small_strata --json``: does a small stratum hold what it should, and only that?

Sixty scenarios, as many as a modest agent has locked: six strata that gain, and one with 6 % of traffic and
a few scenarios, which stays as it was or is harmed. Figures are shares of runs that ship, guardrails on.
"""

import argparse
import json
import zlib
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from spanloop.optimizer.gate import ArmRuns, Evidence, GateSettings, run_sequential

SCENARIOS, STRATA, SHARE = 60, 6, 0.06
LEVEL, BASELINE, ASSESSOR_ERROR = 0.05, 0.45, 0.1


class Few(NamedTuple):
    """What baseline and candidate come to in the small stratum, probabilities of satisfaction."""

    baseline: float
    candidate: float


CASES: Mapping[str, Few] = {
    "fails before and after": Few(0.0, 0.0),
    "satisfied before and after": Few(1.0, 1.0),
    "harmed by 20 points": Few(0.6, 0.4),
    "harmed by 50 points": Few(0.75, 0.25),
    "harmed by 100 points": Few(1.0, 0.0),
}


def evidence(
    few: Few, n: int, gain: float, gold_share: float, rng: np.random.Generator
) -> Evidence:
    """Draw one experiment whose small stratum has ``n`` scenarios."""
    order = rng.permutation(SCENARIOS)
    small = order < n
    stratum = np.where(small, STRATA, order % STRATA)
    shares = np.array([*[(1 - SHARE) / STRATA] * STRATA, SHARE])
    weight = shares[stratum] / np.bincount(stratum)[stratum]
    rates = ((BASELINE, few.baseline), (BASELINE + gain, few.candidate))
    arms = [
        (rng.random(SCENARIOS) < np.where(small, inside, outside)).astype(float)
        for outside, inside in rates
    ]
    return Evidence(
        scenario_ids=tuple(f"s{at}" for at in range(SCENARIOS)),
        stratum=stratum,
        strata=tuple(f"i{at}" for at in range(STRATA + 1)),
        shares=shares,
        fixed_patterns=np.zeros((SCENARIOS, 0), bool),
        patterns=(),
        weight=weight,
        is_gold=rng.random(SCENARIOS) < gold_share,
        baseline=_arm(arms[0], rng),
        candidate=_arm(arms[1], rng),
        heaviest=float(weight.max()),
        planned=np.bincount(stratum),
    )


def _arm(gold: np.ndarray, rng: np.random.Generator) -> ArmRuns:
    judged = np.where(rng.random(SCENARIOS) < ASSESSOR_ERROR, 1.0 - gold, gold)
    ones = np.ones((SCENARIOS, 1))
    return ArmRuns(
        outcome=judged[:, np.newaxis],
        state=np.zeros((SCENARIOS, 1), np.int8),
        gold=gold[:, np.newaxis],
        cost=ones,
        latency=ones,
        coverage=ones,
    )


def ships(case: str, n: int, *, gain: float, gold_share: float, runs: int) -> float:
    """Return the share of ``runs`` that ship."""
    settings = GateSettings(cap=SCENARIOS, gold_share=gold_share)
    shipped = 0
    for run in range(runs):
        rng = np.random.default_rng([zlib.crc32(case.encode()), n, run])
        drawn = evidence(CASES[case], n, gain, gold_share, rng)
        shipped += run_sequential(drawn, settings, LEVEL)[0].decision == "ship"
    return shipped / runs


def main() -> None:
    """Print the share of runs that ship, by case and size of the small stratum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500, help="of each figure")
    parser.add_argument("--gain", type=float, default=0.35, help="in all other strata")
    parser.add_argument("--gold-share", type=float, default=1.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    told = {
        case: {
            n: ships(case, n, gain=options.gain, gold_share=options.gold_share, runs=options.runs)
            for n in (2, 4, 8)
        }
        for case in CASES
    }
    if options.json:
        print(json.dumps(told, indent=2))
        return
    for case, by_size in told.items():
        print(
            case.ljust(28),
            *(f"{n} scenarios: {share:.2f}" for n, share in by_size.items()),
            sep="  ",
        )


if __name__ == "__main__":
    main()
