"""The world of ``benchmarks.learning``: what is broken, what fixes it. Imports nothing of the product.

Written before the library that it tests, and not to be changed to please it. Agents have weaknesses, one of
each category; ten interventions are tried on them. What an intervention does to a weakness is an *entry*: an
effect on scenarios of the weakness and a side effect on all other traffic. Where the definition leaves a
choice, the one taken is:

- A weakness is always seen as the same category; with probability .10 that is a wrong one.
- Effect and side effect of an entry are one draw: who has the common effect has the common side effect.
- With probability .5 an agent's fresh draw is its family's, else its own. Nobody is told who is family.
- Drift redraws half of the entries of a quarter of the agents afresh, away from common and family draws.
- An edit that is tried a second time meets new pairs: the pairs of an entry are one endless stream.
- Pairs of the pattern and of the traffic take turns.

Cells share their random numbers: a repeat is the same world but for how many entries are the common ones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

AGENTS, FAMILIES, CATEGORIES, INTERVENTIONS = 12, 4, 8, 10
CYCLES = 20
DRIFT_CYCLE = 11
"""Models change before this cycle, counted from 1."""
CAP_PAIRS = 300
WORTHWHILE = 0.05
"""A smaller effect does not close a weakness."""
HARMFUL_SIDE = -0.02

TRAFFIC_BETA = (1.4, 0.6)
SEED = 20261123

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Outcomes of an experiment in frozen order; every array is (pairs,); 1 = satisfied."""

    on_pattern: Flags
    baseline: Floats
    candidate: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is true in one repeat of one cell.

    Attributes:
        main: (2, agents, categories, interventions): effect on scenarios of the weakness, before and
            after drift.
        side: likewise, on other traffic.
        prevalence: (agents, categories): share of traffic that shows the weakness when it is open.
        seen_as: (agents, categories): category that the weakness is observed as.
        open_at_start: (agents, categories).
        reopens: (cycles, agents, categories): whether a weakness that is closed then opens again.
        drifts: (agents,): whether its model changes before `DRIFT_CYCLE`.
    """

    repeat: int
    main: Floats
    side: Floats
    prevalence: Floats
    seen_as: NDArray[np.int64]
    open_at_start: Flags
    reopens: Flags
    drifts: Flags

    def drifted(self, agent: int, cycle: int) -> bool:
        """Whether an agent's model is another one than at the start; this is visible."""
        return cycle >= DRIFT_CYCLE and bool(self.drifts[agent])

    def effects(
        self, agent: int, category: int, intervention: int, cycle: int
    ) -> tuple[float, float]:
        """Return effect and side effect of an entry in ``cycle`` (from 1)."""
        at = (int(cycle >= DRIFT_CYCLE), agent, category, intervention)
        return float(self.main[at]), float(self.side[at])

    def overall(self, agent: int, category: int, intervention: int, cycle: int) -> float:
        """Return what an entry does to the share of satisfied users, over all traffic."""
        main, side = self.effects(agent, category, intervention, cycle)
        share = self.prevalence[agent, category]
        return float(
            share * mean_shift(main, (1, 1)) + (1 - share) * mean_shift(side, TRAFFIC_BETA)
        )

    def is_win(self, agent: int, category: int, intervention: int, cycle: int) -> bool:
        """Whether the entry, shipped, is a win that survives."""
        main, _ = self.effects(agent, category, intervention, cycle)
        return main >= WORTHWHILE and self.overall(agent, category, intervention, cycle) > 0

    def is_harm(self, agent: int, category: int, intervention: int, cycle: int) -> bool:
        """Whether the entry, shipped, does harm."""
        _, side = self.effects(agent, category, intervention, cycle)
        return side <= HARMFUL_SIDE or self.overall(agent, category, intervention, cycle) < 0

    def pairs(self, entry: tuple[int, int, int], cycle: int, occasion: int) -> Pairs:
        """Return the pairs that the ``occasion``-th experiment (from 0) on ``entry`` meets in ``cycle``."""
        main, side = self.effects(*entry, cycle)
        return _draw(keyed(self.repeat, 1, *entry, occasion), main, side)


def make_world(repeat: int, tau: float) -> World:
    """Return the world of ``repeat`` where an agent has the common effect with probability ``tau``."""
    rng = keyed(repeat, 0)
    entries = (AGENTS, CATEGORIES, INTERVENTIONS)
    common, family = _entries(rng, entries[1:]), _entries(rng, (FAMILIES, *entries[1:]))
    own, redrawn = _entries(rng, entries), _entries(rng, entries)
    family_of = np.arange(AGENTS) % FAMILIES
    is_common, is_family = rng.random(entries) < tau, rng.random(entries) < 0.5
    drifts = np.isin(np.arange(AGENTS), rng.permutation(AGENTS)[: AGENTS // 4])
    moves = rng.permuted(np.tile(np.arange(80) < 40, (AGENTS, 1)), axis=1).reshape(entries)
    moves &= drifts[:, None, None]
    before = np.where(is_common, common[:, None], np.where(is_family, family[:, family_of], own))
    after = np.where(moves, redrawn, before)
    weaknesses = (AGENTS, CATEGORIES)
    other = (np.arange(CATEGORIES) + rng.integers(1, CATEGORIES, weaknesses)) % CATEGORIES
    return World(
        repeat=repeat,
        main=np.stack([before[0], after[0]]),
        side=np.stack([before[1], after[1]]),
        prevalence=rng.uniform(0.05, 0.25, weaknesses),
        seen_as=np.where(rng.random(weaknesses) < 0.1, other, np.arange(CATEGORIES)),
        open_at_start=rng.random(weaknesses) < 0.5,
        reopens=rng.random((CYCLES, *weaknesses)) < 0.1,
        drifts=drifts,
    )


def keyed(*key: int) -> np.random.Generator:
    """Return the generator of ``key``; different keys have independent streams."""
    low = key[1:] + (0,) * (6 - len(key))
    words = [sum(part << (16 * i) for i, part in enumerate(low[:3])), low[3] << 16 | low[4]]
    return np.random.Generator(np.random.Philox(key=[SEED, key[0]], counter=[0, 0, *words]))


def mean_shift(effect: float, law: tuple[float, float]) -> float:
    """Return the mean of clip(p + effect, 0, 1) - p for p ~ Beta(law)."""
    a, b = law if effect < 0 else law[::-1]
    size = abs(effect)
    within = a / (a + b) * betainc(a + 1, b, size) + size * (1 - betainc(a, b, size))
    return float(np.sign(effect) * within)


def _entries(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Draw effects and side effects: (2, *shape)."""
    kind = rng.random(shape)
    laws = [kind < 0.15, kind < 0.75, kind < 0.90]
    draws = [rng.uniform(0.15, 0.35, shape), np.zeros(shape), rng.uniform(0, 0.05, shape)]
    main = np.select(laws, draws, -rng.uniform(0.05, 0.20, shape))
    side = np.where(rng.random(shape) < 0.8, 0.0, -rng.uniform(0.02, 0.10, shape))
    return np.stack([main, side])


def _draw(rng: np.random.Generator, main: float, side: float) -> Pairs:
    on_pattern = np.arange(CAP_PAIRS) % 2 == 0
    p = np.where(on_pattern, rng.random(CAP_PAIRS), rng.beta(*TRAFFIC_BETA, CAP_PAIRS))
    q = np.clip(p + np.where(on_pattern, main, side), 0, 1)
    baseline, candidate = rng.random((2, CAP_PAIRS)) < np.stack([p, q])
    return Pairs(
        on_pattern=on_pattern, baseline=baseline.astype(float), candidate=candidate.astype(float)
    )
