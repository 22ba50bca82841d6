"""Runs the product's gate, and today's practice beside it, through a cell."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.gate import practice
from benchmarks.gate.experiments import evidence_of, plain_evidence, settings_of
from benchmarks.gate.generator import (
    SIBLINGS,
    STREAM,
    Cell,
    Draw,
    Floats,
    cells,
    draws,
    siblings,
    streams,
)
from spanloop.optimizer.gate import (
    OUTCOMES,
    ArmRuns,
    BatchOutcome,
    Evidence,
    GateSettings,
    OnlineLevels,
    e_bh,
    frozen_order,
    level_on_one_set,
    run_batch,
)
from spanloop.optimizer.statistics.intervals import wilson

LEVEL = 0.05
CHUNK = 250
STREAMS_AT_ONCE = 250
NULL_EFFECT = 0.15
"""Effect that practice (c) is sized for, and (d) tests, in a cell that has none of its own."""


class Practice(NamedTuple):
    """What (c) and (d) are told: scenarios of (c) and how found, effect and variance of a scenario."""

    n: int
    found: str
    effect: float
    variance: float


@dataclass(slots=True)
class Tally:
    """Counts over the runs of a cell."""

    runs: int
    cap: int
    shipped: int
    reasons: Counter[str]
    ended: list[NDArray[np.int64]]

    @classmethod
    def empty(cls, cell: Cell) -> "Tally":
        """Return the tally before any run."""
        return cls(0, cell.scenarios * cell.repeats, 0, Counter(), [])

    def add(self, outcome: BatchOutcome, repeats: int) -> None:
        """Count the runs of ``outcome``."""
        self.runs += outcome.code.size
        self.shipped += int(outcome.shipped.sum())
        for code, count in zip(*np.unique(outcome.code, return_counts=True), strict=True):
            self.reasons[": ".join(filter(None, OUTCOMES[int(code)]))] += int(count)
        self.ended.append(np.where(outcome.shipped, outcome.closed * repeats, self.cap))

    def figures(self) -> dict[str, Any]:
        """Return shares, with Wilson's interval, and the median of pairs, unshipped counted at the cap."""
        verdicts = {name: round(n / self.runs, 4) for name, n in sorted(self.reasons.items())}
        pairs = float(np.median(np.concatenate(self.ended)))
        return {**share(self.shipped, self.runs), "median_pairs": pairs, "verdicts": verdicts}


def share(count: int, runs: int) -> dict[str, Any]:
    """Return a share of runs with Wilson's 95 % interval."""
    interval = wilson(count, runs)
    assert interval.low is not None
    assert interval.high is not None
    return {
        "ships": round(count / runs, 4),
        "low": round(interval.low, 4),
        "high": round(interval.high, 4),
    }


def size_practice(runs: int) -> dict[tuple[float, int], Practice]:
    """Return what (c) and (d) are told, by effect and repeats, from the power cells."""
    sized: dict[tuple[float, int], Practice] = {}
    for cell in cells():
        if cell.name.startswith("P "):
            means = np.concatenate(
                [practice.scenario_means(_pairs(draw)) for draw in draws(cell, runs, CHUNK)]
            )
            n, found = practice.fixed_n(means)
            sized[cell.effect, cell.repeats] = Practice(n, found, cell.effect, float(means.var()))
    return sized


def measure(cell: Cell, runs: int, told: Mapping[tuple[float, int], Practice]) -> dict[str, Any]:
    """Return the figures of ``cell`` over ``runs`` runs."""
    began = time.process_time()
    if cell.kind == "siblings":
        figures = _one_locked_set(cell, runs)
    elif cell.kind == "stream":
        figures = _stream(cell, runs)
    else:
        figures = _experiments(cell, runs, _told(cell, told))
    return {
        "cell": cell.name,
        "design": f"{cell.scenarios} x {cell.repeats}",
        "truth": round(cell.effect, 4),
        "runs": runs,
        **figures,
        "cpu_s": round(time.process_time() - began, 1),
    }


def _told(cell: Cell, told: Mapping[tuple[float, int], Practice]) -> Practice:
    effects = sorted({effect for effect, _ in told})
    own = cell.effect if cell.effect > 0 else NULL_EFFECT
    return told[min(effects, key=lambda effect: abs(effect - own)), cell.repeats]


def _experiments(cell: Cell, runs: int, told: Practice) -> dict[str, Any]:
    every = 1 if cell.kind == "ordered" else 10
    settings = {on: settings_of(cell, guardrails=on, look_every=every) for on in (False, True)}
    tallies = {"guardrails_off": Tally.empty(cell), "guardrails_on": Tally.empty(cell)}
    beside: Counter[str] = Counter()
    ends: list[NDArray[np.int64]] = []
    for draw in draws(cell, runs, CHUNK):
        evidence = evidence_of(draw)
        if cell.kind == "ordered":
            beside["order obeyed"] += _count(_obeyed(draw, evidence), settings[False])
            evidence = _in_order(evidence, _frozen(evidence, seed=cell.number))
        tallies["guardrails_off"].add(run_batch(evidence, settings[False], LEVEL), cell.repeats)
        tallies["guardrails_on"].add(run_batch(evidence, settings[True], LEVEL), cell.repeats)
        if cell.kind == "selected":
            for name, other in _selected(draw).items():
                beside[name] += _count(other, settings[False])
        _practise(draw, told, beside, ends)
    figures: dict[str, Any] = {name: tally.figures() for name, tally in tallies.items()}
    figures["practice"] = {name: share(count, runs) for name, count in beside.items()}
    figures["practice"]["c"] |= {"pairs": told.n * cell.repeats, "sized_for": told.effect}
    figures["practice"]["d"]["median_pairs"] = float(np.median(np.concatenate(ends))) * cell.repeats
    if cell.name.startswith("P "):
        for name in tallies:
            ratio = figures[name]["median_pairs"] / (told.n * cell.repeats)
            figures[name]["median_over_c"] = round(ratio, 3)
        figures["practice"]["c"]["found"] = told.found
    return figures


def _selected(draw: Draw) -> dict[str, Evidence]:
    """The same with the validity replay as the baseline's arm, and without weights of traffic.

    Without them the scenarios kept are no sample of traffic: over them V has a true effect of +.04.
    """
    alike = replace(draw, weight=np.ones(draw.weight.shape))
    return {
        "replay reused as baseline": evidence_of(draw, baseline=draw.replay),
        "replay reused as baseline, unweighted": evidence_of(alike, baseline=draw.replay),
        "unweighted": evidence_of(alike),
    }


def _count(evidence: Evidence, settings: GateSettings) -> int:
    return int(run_batch(evidence, settings, LEVEL).shipped.sum())


def _practise(
    draw: Draw, told: Practice, beside: Counter[str], ends: list[NDArray[np.int64]]
) -> None:
    pairs = _pairs(draw)
    means = practice.scenario_means(pairs)
    beside["a"] += int(practice.mean_went_up(pairs).sum())
    beside["b"] += int(practice.peeked_mcnemar(pairs).sum())
    beside["c"] += int(practice.sign_flip(means, min(told.n, means.shape[1])).sum())
    shipped, at = practice.wald(means, told.effect, told.variance)
    beside["d"] += int(shipped.sum())
    ends.append(at)


def _pairs(draw: Draw) -> Floats:
    a, b = draw.baseline, draw.candidate
    difference = b.judged.astype(np.float64) - a.judged
    return np.where(a.lost | b.lost, np.nan, difference)


def _one_locked_set(cell: Cell, runs: int) -> dict[str, Any]:
    settings = settings_of(cell, guardrails=False)
    level = level_on_one_set(LEVEL, SIBLINGS)
    counts: Counter[str] = Counter()
    for baseline, candidates in siblings(cell, runs, CHUNK):
        parts = [plain_evidence(baseline, candidate) for candidate in candidates]
        shared = [run_batch(part, settings, level) for part in parts]
        alone = [run_batch(part, settings, LEVEL) for part in parts]
        counts["shared"] += int(np.any([one.shipped for one in shared], axis=0).sum())
        counts["alone"] += int(np.any([one.shipped for one in alone], axis=0).sum())
        e_values = np.exp(np.minimum([one.log_e for one in shared], 700.0))
        counts["e_bh"] += sum(bool(e_bh(column, alpha=LEVEL).any()) for column in e_values.T)
        peeked = [practice.peeked_mcnemar(c.astype(np.float64) - baseline) for c in candidates]
        counts["b"] += int(np.any(peeked, axis=0).sum())
    return {
        "guardrails_off": share(counts["shared"], runs),
        "e_bh": share(counts["e_bh"], runs),
        "practice": {
            "each at the undivided level": share(counts["alone"], runs),
            "b": share(counts["b"], runs),
        },
    }


def _stream(cell: Cell, runs: int) -> dict[str, Any]:
    settings = settings_of(cell, guardrails=False)
    ships, false, found, peeked, peeked_false = (np.zeros(runs, np.int64) for _ in range(5))
    for start in range(0, runs, STREAMS_AT_ONCE):
        some = slice(start, min(start + STREAMS_AT_ONCE, runs))
        states = [OnlineLevels()] * (some.stop - some.start)
        part = replace(cell, number=cell.number + 1000 * (start // STREAMS_AT_ONCE))
        for effect, baseline, candidate in streams(part, len(states)):
            level = np.array([state.next_level() for state in states])
            outcome = run_batch(plain_evidence(baseline, candidate), settings, level)
            states = [
                state.after(OUTCOMES[code][0], e)
                for state, code, e in zip(
                    states, outcome.code, np.exp(np.minimum(outcome.log_e, 700)), strict=True
                )
            ]
            ships[some] += outcome.shipped
            false[some] += outcome.shipped & (effect <= 0)
            found[some] += outcome.shipped & (effect > 0)
            naive = practice.peeked_mcnemar(candidate.astype(np.float64) - baseline)
            peeked[some] += naive
            peeked_false[some] += naive & (effect <= 0)
    good = round(0.10 * STREAM)
    return {
        "guardrails_off": _false_share(ships, false),
        "found_of_good": round(float(found.mean()) / good, 4),
        "ships_a_stream": round(float(ships.mean()), 2),
        "practice": {"b": _false_share(peeked, peeked_false)},
    }


def _false_share(ships: NDArray[np.int64], false: NDArray[np.int64]) -> dict[str, Any]:
    """Return the expected false share, with a 95 % interval over streams, and the share of all ships."""
    each = false / np.maximum(ships, 1)
    half = 1.96 * float(each.std()) / np.sqrt(each.size)
    mean = float(each.mean())
    return {
        "false_share": round(mean, 4),
        "low": round(mean - half, 4),
        "high": round(mean + half, 4),
        "of_all_ships": share(int(false.sum()), max(int(ships.sum()), 1)),
    }


def _frozen(evidence: Evidence, *, seed: int) -> NDArray[np.int64]:
    """Return the order that the product freezes, whatever was asked for."""
    place = {identity: index for index, identity in enumerate(evidence.scenario_ids)}
    asked = [*reversed(evidence.scenario_ids), *evidence.scenario_ids]
    return np.array([place[identity] for identity in frozen_order(asked, seed=seed)])


def _obeyed(draw: Draw, evidence: Evidence) -> Evidence:
    """The adversary's order: what failed in production first."""
    return _in_order(evidence, np.argsort(draw.production, axis=1, kind="stable"))


def _in_order(evidence: Evidence, order: NDArray[np.int64]) -> Evidence:
    rows = np.broadcast_to(order, evidence.weight.shape)

    def taken(values: NDArray[Any]) -> NDArray[Any]:
        index = rows.reshape(*rows.shape, *[1] * (values.ndim - rows.ndim))
        return np.take_along_axis(values, index, axis=1)

    def arm(runs: ArmRuns) -> ArmRuns:
        return ArmRuns(
            outcome=taken(runs.outcome),
            state=taken(runs.state),
            gold=taken(runs.gold),
            cost=taken(runs.cost),
            latency=taken(runs.latency),
            coverage=taken(runs.coverage),
        )

    return replace(
        evidence,
        stratum=taken(evidence.stratum),
        fixed_patterns=taken(evidence.fixed_patterns),
        weight=taken(evidence.weight),
        is_gold=taken(evidence.is_gold),
        baseline=arm(evidence.baseline),
        candidate=arm(evidence.candidate),
    )


def names(chosen: Sequence[str] | None) -> list[Cell]:
    """Return the cells whose name begins with one of ``chosen``, dearest first; None for all."""
    dear = {"stream": 0, "siblings": 1}
    wanted = [c for c in cells() if not chosen or any(c.name.startswith(n) for n in chosen)]
    return sorted(wanted, key=lambda c: (c.repeats, dear.get(c.kind, 2), c.number))
