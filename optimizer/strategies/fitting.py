"""What all trials together say: laws of effects, trust, what outlives a change, what a test costs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from spanloop.optimizer.strategies.forgetting import Memory, Retest, changed, faded, learn_memory
from spanloop.optimizer.strategies.hierarchy import Block, learn_trust, messages, normalised
from spanloop.optimizer.strategies.law import MAIN, SIDE, Floats, fit_law, likelihood
from spanloop.optimizer.strategies.strategy import Trial, Validity

PRIOR_TOKENS = 4e6
TOKENS_STRENGTH = 2.0
"""`PRIOR_TOKENS` counts as so many trials."""


UNMEASURED_HARM = 0.3
"""Likelihood of a harm that was noticed and not measured, if there is none, to that if there is."""


class Unit(NamedTuple):
    """A pattern of an agent."""

    agent: str
    pattern_id: str


class Entry(NamedTuple):
    """What a trial is of."""

    category: str
    intervention: str
    unit: Unit

    @classmethod
    def of(cls, trial: Trial) -> "Entry":
        """Return the entry of ``trial``."""
        return cls(trial.category, trial.intervention, Unit(trial.agent, trial.pattern_id))


class Measured(NamedTuple):
    """Likelihoods of what a trial measured, and the trial."""

    trial: Trial
    main: Floats
    side: Floats


def measured(trial: Trial) -> Measured:
    """Return ``trial`` with the likelihoods of its effect and its side effect."""
    main = (trial.effect, trial.effect_low, trial.effect_high)
    side = (trial.side_effect, trial.side_effect_low, trial.side_effect_high)
    sideways = likelihood(SIDE, side, trial.n)
    if trial.harm and trial.side_effect is None:
        sideways = np.where(SIDE.effects < 0, 1.0, UNMEASURED_HARM)
    return Measured(trial, likelihood(MAIN, main, trial.n), sideways)


class Held(NamedTuple):
    """What the trials of an entry say of it as it last was."""

    main: Floats
    side: Floats
    validity: Validity
    trials: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Evidence of one category on effects, or on side effects.

    Attributes:
        law: (effects,).
        likelihoods: (units, interventions, effects).
        told: what each unit says of the common effect, in logs, likewise.
        common: what all say with the law: (interventions, effects).
    """

    law: Floats
    likelihoods: Floats
    told: Floats
    common: Floats

    @classmethod
    def of(cls, likelihoods: Floats, law: Floats, trust: Floats) -> "Layer":
        """Add up what units say."""
        told = messages(likelihoods, law, trust)
        return cls(
            law=law, likelihoods=likelihoods, told=told, common=np.log(law) + told.sum(axis=0)
        )

    def expected(self, columns: Sequence[int], unit: int | None, trust: float) -> Floats:
        """Return what others lead to expect of a unit: (columns, effects)."""
        logs = self.common[columns]
        if unit is not None:
            logs = logs - self.told[unit, columns]
        return trust * normalised(logs) + (1 - trust) * self.law


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """All evidence on one category.

    Attributes:
        held: by numbers of unit and intervention.
        units_by: how many units tried each intervention.
    """

    units: Mapping[Unit, int]
    interventions: Mapping[str, int]
    held: Mapping[tuple[int, int], Held]
    units_by: Sequence[int]
    trust: Floats
    main: Layer
    side: Layer


class Beliefs(NamedTuple):
    """Posterior of effect and side effect: (interventions, effects); and whether there are trials of it.

    ``own`` = ids of this unit's, under whatever validity; ``others`` = whether any other unit has some.
    """

    main: Floats
    side: Floats
    own: list[tuple[str, ...]]
    others: list[bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The prior of the next cycle.

    Attributes:
        law: of effects.
        side_law: of side effects.
        new_trust: in common effects, of a pattern without trials.
        tokens: expected cost of an experiment, by effect.
    """

    law: Floats
    side_law: Floats
    memory: Memory
    tokens: Floats
    new_trust: float
    pools: Mapping[str, Pool]

    def beliefs(
        self,
        pattern: tuple[str, Unit],
        interventions: Sequence[str],
        *,
        validity: Validity,
        kept: float = 1.0,
    ) -> Beliefs:
        """Return what is believed of ``interventions`` on a pattern.

        Args:
            pattern: its category, and the unit.
            interventions: that are asked about.
            validity: what the agent runs on now.
            kept: probability that the unit's own trials hold for what would be tried, but for what changed.
        """
        category, unit = pattern
        n = len(interventions)
        main, side = np.empty((n, len(self.law))), np.empty((n, len(self.side_law)))
        main[:], side[:] = self.law, self.side_law
        own: list[tuple[str, ...]] = [()] * n
        others = [False] * n
        pool = self.pools.get(category)
        rows = [j for j, i in enumerate(interventions) if pool and i in pool.interventions]
        if pool is None or not rows:
            return Beliefs(main, side, own, others)
        columns = [pool.interventions[interventions[j]] for j in rows]
        at = pool.units.get(unit)
        trust = self.new_trust if at is None else float(pool.trust[at])
        main[rows] = pool.main.expected(columns, at, trust)
        side[rows] = pool.side.expected(columns, at, trust)
        for row, column in zip(rows, columns, strict=True):
            held = None if at is None else pool.held.get((at, column))
            others[row] = pool.units_by[column] > int(held is not None)
            if held is not None:
                own[row] = held.trials
                holds = kept * self.memory.kept(changed(held.validity, validity))
                main[row] *= faded(held.main, holds, self.law)
                side[row] *= faded(held.side, holds, self.side_law)
        main /= main.sum(axis=1, keepdims=True)
        side /= side.sum(axis=1, keepdims=True)
        return Beliefs(main, side, own, others)


def fit_trials(entries: Mapping[Entry, Sequence[Measured]], now: datetime) -> Fit:
    """Fit everything to ``entries``, each in the order of time, as of ``now``."""
    every = [one for told in entries.values() for one in told]
    law = fit_law(MAIN, [one.main for one in every])
    side_law = fit_law(SIDE, [one.side for one in every])
    memory = learn_memory([r for told in entries.values() for r in _retests(told, law)])
    held = {entry: _hold(told, memory, (law, side_law), now) for entry, told in entries.items()}
    by_category: dict[str, list[Entry]] = defaultdict(list)
    for entry in held:
        by_category[entry.category].append(entry)
    tables = {category: _table(own, held) for category, own in sorted(by_category.items())}
    trusts, new_trust = learn_trust([table.block for table in tables.values()], law)
    pools = {
        category: Pool(
            units=table.units,
            interventions=table.interventions,
            held=table.held,
            units_by=table.block.tried.sum(axis=0).tolist(),
            trust=trust,
            main=Layer.of(table.block.likelihoods, law, trust),
            side=Layer.of(table.side, side_law, trust),
        )
        for (category, table), trust in zip(tables.items(), trusts, strict=True)
    }
    return Fit(
        law=law,
        side_law=side_law,
        memory=memory,
        tokens=_tokens(every, law),
        new_trust=new_trust,
        pools=pools,
    )


def _retests(told: Sequence[Measured], law: Floats) -> list[Retest]:
    """Return what was tried again after a change."""
    found: list[Retest] = []
    before = told[0].main
    for last, one in pairwise(told):
        parts = changed(last.trial.validity, one.trial.validity)
        new = float(one.main @ law)
        same = float((before * one.main) @ law / (before @ law))
        found += [Retest(part, same=same, new=new) for part in sorted(parts)]
        before = one.main if parts else before * one.main
    return found


def _hold(
    told: Sequence[Measured], memory: Memory, laws: tuple[Floats, Floats], now: datetime
) -> Held:
    law, side_law = laws
    _, main, side = told[0]
    last = told[0].trial
    for trial, new_main, new_side in told[1:]:
        kept = memory.kept(changed(last.validity, trial.validity))
        kept *= memory.aged(last.recorded_at, trial.recorded_at)
        main = faded(main, kept, law) * new_main
        side = faded(side, kept, side_law) * new_side
        last = trial
    aged = memory.aged(last.recorded_at, now)
    main, side = faded(main, aged, law), faded(side, aged, side_law)
    ids = tuple(one.trial.trial_id for one in told)
    return Held(main / main.max(), side / side.max(), last.validity, ids)


class _Table(NamedTuple):
    units: Mapping[Unit, int]
    interventions: Mapping[str, int]
    held: Mapping[tuple[int, int], Held]
    block: Block
    side: Floats


def _table(entries: Sequence[Entry], held: Mapping[Entry, Held]) -> _Table:
    units = {unit: i for i, unit in enumerate(sorted({entry.unit for entry in entries}))}
    names = {name: i for i, name in enumerate(sorted({entry.intervention for entry in entries}))}
    shape = (len(units), len(names))
    main, side = np.ones((*shape, len(MAIN.effects))), np.ones((*shape, len(SIDE.effects)))
    tried = np.zeros(shape, dtype=bool)
    at: dict[tuple[int, int], Held] = {}
    for entry in entries:
        cell = units[entry.unit], names[entry.intervention]
        at[cell] = held[entry]
        main[cell], side[cell], tried[cell] = held[entry].main, held[entry].side, True
    return _Table(units, names, at, Block(likelihoods=main, tried=tried), side)


def _tokens(every: Sequence[Measured], law: Floats) -> Floats:
    """Return the mean cost of trials by effect: each counts as far as it may have had that effect."""
    shares = np.array([one.main * law / (one.main @ law) for one in every]).reshape(-1, len(law))
    spent = np.array([float(one.trial.tokens) for one in every])
    total = TOKENS_STRENGTH * PRIOR_TOKENS + spent @ shares
    return np.asarray(total / (TOKENS_STRENGTH + shares.sum(axis=0)))
