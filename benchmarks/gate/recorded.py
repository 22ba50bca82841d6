"""Real outcomes: A/A on repeated trials of one agent, A/B on variants with shared tasks."""

import itertools
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.gate.experiments import plain_evidence
from benchmarks.gate.measures import LEVEL, share
from spanloop.optimizer.gate import GateSettings, frozen_order, run_batch, run_sequential

Floats = NDArray[np.float64]
ORDERS = 1_000
MIN_SHARED, LARGE = 25, 0.4
AB_ORDERS = 200


def measure(data: Path, *, orders: int = ORDERS) -> dict[str, Any]:
    """Return both comparisons; ``data`` holds the folders ``tau_bench`` and ``tau2_bench``."""
    return {
        "a_a": _same_agent(data / "tau_bench" / "ground_truth.jsonl", orders),
        "a_b": _variants(data / "tau2_bench" / "ground_truth.jsonl"),
    }


def _same_agent(path: Path, orders: int) -> dict[str, Any]:
    """Two trials of every task against the other two: every split, in many orders."""
    trials: dict[Any, dict[int, float]] = defaultdict(dict)
    for row in _rows(path):
        if row["domain"] == "airline":
            trials[row["task_id"]][row["trial"]] = float(row["reward"])
    rewards = np.array([[task[t] for t in sorted(task)] for task in trials.values()])
    n, each = rewards.shape
    rng = np.random.default_rng(20261122)
    order = np.argsort(rng.random((orders, n)), axis=1)
    ships = {}
    for split in itertools.combinations(range(each), each // 2):
        rest = [t for t in range(each) if t not in split]
        evidence = plain_evidence(rewards[order][..., rest], rewards[order][..., list(split)])
        settings = _settings(n * each // 2)
        ships[str(split)] = int(run_batch(evidence, settings, LEVEL).shipped.sum())
    total = orders * len(ships)
    return {
        "tasks": n,
        "trials": each,
        "orders": orders,
        **share(sum(ships.values()), total),
        "by_split": ships,
    }


def _variants(path: Path) -> dict[str, Any]:
    """Every ordered pair of variants with enough shared tasks, one increment a task."""
    rewards: dict[str, dict[str, float]] = defaultdict(dict)
    for row in _rows(path):
        if row["domain"] == "airline":
            rewards[row["agent"]][row["task_id"]] = float(row["reward"])
    pairs: list[dict[str, Any]] = []
    for a, b in itertools.permutations(sorted(rewards), 2):
        shared = frozen_order(set(rewards[a]) & set(rewards[b]), seed=20261122)
        if len(shared) >= MIN_SHARED:
            arms = [np.array([[rewards[v][task]] for task in shared]) for v in (a, b)]
            pairs.append({"baseline": a, "candidate": b, **_pair(shared, *arms)})
    wrong = [p for p in pairs if p["verdict"] == "ship" and p["difference"] <= 0]
    large = [p for p in pairs if p["difference"] >= LARGE]
    return {
        "pairs": len(pairs),
        "shipped": sum(p["verdict"] == "ship" for p in pairs),
        "against_the_sign": wrong,
        "large": len(large),
        "large_found": sum(p["verdict"] == "ship" for p in large),
        "large_found_in_any_order": min((p["shipped_in_orders"] for p in large), default=None),
        "against_the_sign_in_any_order": max(
            (p["shipped_in_orders"] for p in pairs if p["difference"] <= 0), default=None
        ),
        "by_pair": [p for p in pairs if p["difference"] > 0],
    }


def _pair(tasks: list[str], baseline: Floats, candidate: Floats) -> dict[str, Any]:
    settings = _settings(len(tasks))
    verdict, looks = run_sequential(plain_evidence(baseline, candidate), settings, LEVEL)
    rng = np.random.default_rng(20261122)
    order = np.argsort(rng.random((AB_ORDERS, len(tasks))), axis=1)
    many = run_batch(plain_evidence(baseline[order], candidate[order]), settings, LEVEL)
    return {
        "tasks": len(tasks),
        "difference": round(float((candidate - baseline).mean()), 3),
        "verdict": verdict.decision,
        "e_value": round(looks[-1].e_value, 2),
        "closed": verdict.closed,
        "shipped_in_orders": round(float(many.shipped.mean()), 3),
    }


def _settings(cap: int) -> GateSettings:
    """Rewards are checked by code, so all is gold; there is nothing to guard but them."""
    return GateSettings(cap=cap, gold_share=1.0, guardrails=False)


def _rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
