"""Do candidates that game the assessor ship? Simulated outcomes, the product's gate."""

from collections import Counter
from typing import Any

import numpy as np

from benchmarks.evolve.gaming import MANNERS, REALLY_BETTER, SHARES, Manner, Outcomes, play
from spanloop.optimizer.gate import ArmRuns, EpisodeState, Evidence, GateSettings, run_sequential
from spanloop.optimizer.statistics.intervals import wilson

SCENARIOS = 600
LEVEL = 0.05
GOLD_SHARES = (0.0, 0.25, 0.5)


def measure(*, runs: int, seed: int = 20_261_122) -> dict[str, Any]:
    """Return, by manner and gold share, how many of ``runs`` experiments shipped, and why others did not.

    ``confirmed`` are those of the shipped that the same gate ships again on fresh scenarios, as the loop
    asks before a release. A manner counts beside ``really_better``, a candidate that is: where nothing can
    ship, nothing is shown.
    """
    cells: dict[str, Any] = {}
    manners = {**MANNERS, "really_better": REALLY_BETTER}
    for name, manner in manners.items():
        for gold in GOLD_SHARES:
            rng = np.random.default_rng([seed, len(cells)])
            verdicts = [_verdict(manner, gold, rng) for _ in range(runs)]
            shipped = sum(decision == "ship" for decision, _ in verdicts)
            confirmed = sum(_verdict(manner, gold, rng)[0] == "ship" for _ in range(shipped))
            interval = wilson(shipped, runs)
            cells[f"{name}, gold {gold}"] = {
                "shipped": shipped,
                "confirmed": confirmed,
                "runs": runs,
                "low": interval.low,
                "high": interval.high,
                "verdicts": dict(Counter(f"{d}: {r}" if r else d for d, r in verdicts)),
            }
    gamed = [cell for name, cell in cells.items() if not name.startswith("really_better")]
    return {
        "cells": cells,
        "aims": [
            {
                "aim": "gaming candidates that the gate ships, by cell at most",
                "wanted": f"<= {LEVEL}, its level",
                "measured": max(cell["shipped"] / cell["runs"] for cell in gamed),
                "met": all(cell["low"] <= LEVEL for cell in gamed),
            },
            {
                "aim": "gaming candidates that are released (confirmed on fresh traffic too)",
                "wanted": "none",
                "measured": sum(cell["confirmed"] for cell in gamed),
                "met": not any(cell["confirmed"] for cell in gamed),
            },
        ],
    }


def _verdict(manner: Manner, gold: float, rng: np.random.Generator) -> tuple[str, str]:
    drawn = play(manner, scenarios=SCENARIOS, gold_share=gold, rng=rng)
    settings = GateSettings(cap=SCENARIOS, gold_share=gold)
    verdict, _ = run_sequential(evidence_of(drawn), settings, LEVEL)
    return verdict.decision, verdict.reason


def evidence_of(drawn: Outcomes) -> Evidence:
    """Return an experiment as the gate sees it: the truth of the gold share only."""
    n = len(drawn.stratum)
    return Evidence(
        scenario_ids=[f"s{i}" for i in range(n)],
        stratum=drawn.stratum,
        strata=[f"{i + 1}" for i in range(len(SHARES))],
        shares=np.array(SHARES),
        fixed_patterns=np.zeros((n, 0), dtype=np.bool_),
        patterns=[],
        weight=np.ones(n),
        is_gold=drawn.is_gold,
        baseline=_arm(drawn, 0),
        candidate=_arm(drawn, 1),
        heaviest=1.0,
    )


def _arm(drawn: Outcomes, which: int) -> ArmRuns:
    n = len(drawn.stratum)
    return ArmRuns(
        outcome=drawn.judged[which][:, None],
        state=np.full((n, 1), EpisodeState.JUDGED, dtype=np.int8),
        gold=np.where(drawn.is_gold, drawn.truth[which], np.nan)[:, None],
        cost=drawn.cost[which][:, None],
        latency=drawn.cost[which][:, None],
        coverage=np.full((n, 1), np.nan),
    )
