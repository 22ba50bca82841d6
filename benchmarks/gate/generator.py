"""Simulated experiments whose truth is known. Imports nothing of the product; older than the method it tests.

A scenario: ``z1, z2 ~ N(0, 1)``, ``p = expit(.667 + 2 z1)`` under the baseline (mean .60) and
``q = expit(.667 + 2 z1 + D + 2 z2)`` under the candidate, outcomes Bernoulli and independent given p
and q; D from `SHIFTS` sets the mean of q - p. Five strata and three fixed patterns, independent of z.
Every cell has its own ``default_rng(SEED + number)`` and comes twice: 600 scenarios x 1 repeat and 120 x 5.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Rng = np.random.Generator

SEED = 20261122
BASE, SPREAD = 0.667, 2.0
SHIFTS = {0.0: 0.167, 0.05: 0.606, 0.10: 1.068, 0.15: 1.569, -0.05: -0.257}
"""Mean of q - p: D, to 1e-3 by quadrature."""
OTHER_SHIFTS = {0.14: 1.4733, -0.20: -1.5103, -0.30: -2.4128}
"""For parts of a cell, by the same quadrature."""
STRATUM_SHARES = (0.40, 0.25, 0.15, 0.12, 0.08)
PATTERNS, PATTERN_SHARE = 3, 0.05
COST_SPREAD, RATIO_SPREAD = 0.5, 0.2
DESIGNS = ((600, 1), (120, 5))
STREAM, SIBLINGS = 200, 20
STREAM_SHARES = ((0.10, 0.10), (-0.05, 0.20), (0.0, 0.70))
"""Of the candidates of a stream: true mean effect, share."""
SENSITIVITY, FALSE_POSITIVE = 0.90, 0.10

Kind = Literal[
    "plain", "same", "siblings", "stream", "selected", "lost", "judged", "ordered", "part"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell in one design.

    Attributes:
        number: of the cell; it seeds its random numbers.
        kind: ``same``: q = p; ``part``: one stratum or pattern has another effect than the rest.
        effect: true mean of q - p over all scenarios (over traffic, where ``kind`` is ``selected``).
        shift: D of most scenarios.
        part_shift: D of stratum 3 or of fixed pattern 1, see ``part``.
        lost: probability that a failing episode of the candidate is lost.
        false_positive: of the judge on the candidate.
        gold: share of scenarios with gold.
        cost_ratio: k.
    """

    name: str
    number: int
    scenarios: int
    repeats: int
    kind: Kind
    effect: float
    shift: float
    part: Literal["", "stratum", "pattern"] = ""
    part_shift: float = 0.0
    lost: float = 0.0
    false_positive: float = 0.0
    gold: float = 1.0
    cost_ratio: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """Episodes of one arm.

    Attributes:
        truth: (runs, scenarios, repeats) really satisfied.
        judged: what the assessor says.
        lost: by the infrastructure.
        cost: (runs, scenarios, repeats), any unit; latency likewise.
    """

    truth: Flags
    judged: Flags
    lost: Flags
    cost: Floats
    latency: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Some runs of a cell.

    Attributes:
        stratum: (runs, scenarios) 0 to 4.
        patterns: (runs, scenarios, 3).
        weight: (runs, scenarios) in traffic; mean about 1.
        gold: (runs, scenarios).
        production: (runs, scenarios) satisfied in production.
        replay: (runs, scenarios, repeats) satisfied in the validity replay.
    """

    stratum: NDArray[np.int64]
    patterns: Flags
    weight: Floats
    gold: Flags
    production: Flags
    replay: Flags
    baseline: Arm
    candidate: Arm


def cells() -> tuple[Cell, ...]:
    """Return every cell in both designs, in the order that numbers them. New ones go to the end."""
    listed = [
        _cell("N0", "same", 0.0),
        _cell("N1", "plain", 0.0),
        _cell("N2", "siblings", 0.0),
        _cell("N3", "stream", 0.0),
        _cell("V", "selected", 0.0),
        _cell("F1", "same", 0.0, lost=0.3),
        _cell("F2", "plain", -0.05, lost=0.5),
        *(
            _cell(
                f"J {effect:+.2f} f={f:.2f} g={g:.2f}",
                "judged",
                effect,
                false_positive=f,
                gold=g,
            )
            for effect in (0.0, 0.15)
            for f in (0.15, 0.20, 0.30)
            for g in (0.0, 0.10, 0.25, 0.50)
        ),
        _cell("O", "ordered", 0.0),
        _cell("H1", "plain", -0.05),
        _cell(
            "H2",
            "part",
            0.85 * 0.14 - 0.15 * 0.20,
            shift=OTHER_SHIFTS[0.14],
            part="stratum",
            part_shift=OTHER_SHIFTS[-0.20],
        ),
        _cell("H3", "plain", 0.10, cost_ratio=1.3),
        _cell(
            "H4",
            "part",
            0.95 * 0.10 - 0.05 * 0.30,
            shift=SHIFTS[0.10],
            part="pattern",
            part_shift=OTHER_SHIFTS[-0.30],
        ),
        _cell("P +0.05", "plain", 0.05),
        _cell("P +0.10", "plain", 0.10),
        _cell("P +0.15", "plain", 0.15),
        # Added: V with the mean of q - p set to 0 over the scenarios kept, each weighing the same.
        _cell("V kept", "selected", 0.0, shift=-0.1582),
    ]
    return tuple(
        replace(one, number=2 * index + which, scenarios=scenarios, repeats=repeats)
        for index, one in enumerate(listed)
        for which, (scenarios, repeats) in enumerate(DESIGNS)
    )


def _cell(name: str, kind: Kind, effect: float, **more: float | str) -> Cell:
    effects = {**SHIFTS, **OTHER_SHIFTS}
    given = {"shift": effects[effect], **more} if effect in effects else more
    base = Cell(name=name, number=0, scenarios=0, repeats=0, kind=kind, effect=effect, shift=0.0)
    return replace(base, **given)  # type: ignore[arg-type]


def draws(cell: Cell, runs: int, chunk: int = 500) -> Iterator[Draw]:
    """Yield ``runs`` experiments of ``cell``, at most ``chunk`` at a time; a stream's see `streams`."""
    rng = np.random.default_rng(SEED + cell.number)
    for start in range(0, runs, chunk):
        yield _draw(cell, min(chunk, runs - start), rng)


def siblings(cell: Cell, runs: int, chunk: int = 500) -> Iterator[tuple[Flags, list[Flags]]]:
    """Yield the baseline's outcomes and those of 20 candidates without effect, on the same scenarios.

    Each (runs, scenarios, repeats).
    """
    rng = np.random.default_rng(SEED + cell.number)
    for start in range(0, runs, chunk):
        shape = (min(chunk, runs - start), cell.scenarios)
        z1 = rng.standard_normal(shape)
        baseline = _episodes(rng, expit(BASE + SPREAD * z1), cell.repeats)
        yield (
            baseline,
            [
                _episodes(rng, _q(rng, z1, np.asarray(cell.shift)), cell.repeats)
                for _ in range(SIBLINGS)
            ],
        )


def streams(cell: Cell, runs: int) -> Iterator[tuple[Floats, Flags, Flags]]:
    """Yield 200 times the next candidate of each of ``runs`` streams, each on scenarios of its own.

    Returns:
        True effect (runs,), outcomes of the baseline and of the candidate (runs, scenarios, repeats).
    """
    rng = np.random.default_rng(SEED + cell.number)
    kinds = np.repeat(
        [effect for effect, _ in STREAM_SHARES], [round(STREAM * s) for _, s in STREAM_SHARES]
    )
    effects = rng.permuted(np.broadcast_to(kinds, (runs, STREAM)), axis=1)
    shifts = np.vectorize(SHIFTS.__getitem__)(effects)
    for t in range(STREAM):
        z1 = rng.standard_normal((runs, cell.scenarios))
        baseline = _episodes(rng, expit(BASE + SPREAD * z1), cell.repeats)
        q = _q(rng, z1, shifts[:, t, np.newaxis])
        yield effects[:, t], baseline, _episodes(rng, q, cell.repeats)


def _draw(cell: Cell, runs: int, rng: Rng) -> Draw:
    shape = (runs, cell.scenarios)
    z1, production, replay, weight = _scenarios(cell, shape, rng)
    stratum = rng.choice(len(STRATUM_SHARES), size=shape, p=STRATUM_SHARES)
    patterns = _patterns(rng, shape)
    p = expit(BASE + SPREAD * z1)
    shift = np.full(shape, cell.shift)
    if cell.part:
        affected = stratum == 2 if cell.part == "stratum" else patterns[..., 0]
        shift[affected] = cell.part_shift
    q = p if cell.kind == "same" else _q(rng, z1, shift)
    cost, latency = (_lognormal(rng, (*shape, cell.repeats), COST_SPREAD) for _ in range(2))
    ratios = [_lognormal(rng, (*shape, cell.repeats), RATIO_SPREAD) for _ in range(2)]
    baseline = _arm(rng, p, cell, judge=FALSE_POSITIVE)
    candidate = _arm(rng, q, cell, judge=cell.false_positive)
    if cell.lost:
        lost = rng.random(candidate.truth.shape) < cell.lost
        candidate = replace(candidate, lost=lost & ~candidate.truth)
        baseline = replace(baseline, lost=rng.random(baseline.truth.shape) < 0.05)
    return Draw(
        stratum=stratum,
        patterns=patterns,
        weight=weight,
        gold=rng.random(shape) < cell.gold,
        production=production,
        replay=replay,
        baseline=replace(baseline, cost=cost, latency=latency),
        candidate=replace(
            candidate, cost=cost * cell.cost_ratio * ratios[0], latency=latency * ratios[1]
        ),
    )


def _scenarios(cell: Cell, shape: tuple[int, int], rng: Rng) -> tuple[Floats, Flags, Flags, Floats]:
    """Return z1, the production outcome, the validity replay's outcomes and the weight in traffic.

    Selected scenarios: half stand for a failure pattern and are kept only if production and replay failed,
    the rest if the replay agrees with production. A replay of several repeats has the outcome of most of
    them. The weight restores the shares that satisfied and unsatisfied conversations have in traffic.
    """
    if cell.kind != "selected":
        z1 = rng.standard_normal(shape)
        p = expit(BASE + SPREAD * z1)
        production = rng.random(shape) < p
        return z1, production, _episodes(rng, p, cell.repeats), np.ones(shape)
    of_pattern = _kept(rng, shape[0] * (shape[1] // 2), cell.repeats, pattern=True)
    rest = _kept(rng, shape[0] * (shape[1] - shape[1] // 2), cell.repeats, pattern=False)
    z1, production, replay = (
        np.concatenate(
            [a.reshape(shape[0], -1, *a.shape[1:]), b.reshape(shape[0], -1, *b.shape[1:])], axis=1
        )
        for a, b in zip(of_pattern, rest, strict=True)
    )
    order = np.argsort(rng.random(shape), axis=1)
    z1 = np.take_along_axis(z1, order, axis=1)
    production = np.take_along_axis(production, order, axis=1)
    replay = np.take_along_axis(replay, order[..., np.newaxis], axis=1)
    weight = np.ones(shape)
    if cell.name == "V":
        failed = 1.0 - production.mean()
        weight = np.where(production, 0.60 / (1.0 - failed), 0.40 / failed)
    return z1, production, replay, weight


def _kept(rng: Rng, wanted: int, repeats: int, *, pattern: bool) -> tuple[Floats, Flags, Flags]:
    parts: list[tuple[Floats, Flags, Flags]] = []
    have = 0
    while have < wanted:
        z1 = rng.standard_normal(2 * wanted)
        p = expit(BASE + SPREAD * z1)
        production = rng.random(z1.size) < p
        replay = _episodes(rng, p, repeats)
        majority = replay.mean(axis=-1) > 0.5
        keep = ~production & ~majority if pattern else production == majority
        parts.append((z1[keep], production[keep], replay[keep]))
        have += int(keep.sum())
    z1, production, replay = (
        np.concatenate(column)[:wanted] for column in zip(*parts, strict=True)
    )
    return z1, production, replay


def _patterns(rng: Rng, shape: tuple[int, int]) -> Flags:
    """Each pattern covers exactly its share of a run's scenarios, independently of the others."""
    ranks = np.argsort(np.argsort(rng.random((*shape, PATTERNS)), axis=1), axis=1)
    return ranks < round(PATTERN_SHARE * shape[1])


def _q(rng: Rng, z1: Floats, shift: Floats) -> Floats:
    return expit(BASE + SPREAD * z1 + shift + SPREAD * rng.standard_normal(z1.shape))


def _episodes(rng: Rng, probability: Floats, repeats: int) -> Flags:
    return rng.random((*probability.shape, repeats)) < probability[..., np.newaxis]


def _arm(rng: Rng, probability: Floats, cell: Cell, *, judge: float) -> Arm:
    truth = _episodes(rng, probability, cell.repeats)
    judged = truth
    if cell.kind == "judged":
        judged = rng.random(truth.shape) < np.where(truth, SENSITIVITY, judge)
    none = np.zeros(truth.shape)
    return Arm(
        truth=truth, judged=judged, lost=np.zeros(truth.shape, bool), cost=none, latency=none
    )


def _lognormal(rng: Rng, shape: tuple[int, ...], spread: float) -> Floats:
    return np.exp(spread * rng.standard_normal(shape))
