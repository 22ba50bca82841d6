"""Who chooses what to try: nobody, the library of one agent or of all, a scrambled one, an oracle.

``own``, ``library``, ``scrambled`` and ``shuffled`` are one path through the product's library. They differ
in whose trials it holds, and in whether its words are taken to be about what they are about. ``shuffled`` is
there because scrambled interventions still tell which weaknesses can be fixed, which is worth knowing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.learning.generator import AGENTS, CATEGORIES, INTERVENTIONS, World
from spanloop.optimizer.candidates.candidate import INTERVENTIONS as NAMES
from spanloop.optimizer.strategies import Choice, Library, Situation, Trial, Validity

RETRY_EDGE = 1.2
"""What came out undecided is tried again if it looks so much better than what was never tried."""

PolicyName = Literal["none", "own", "library", "scrambled", "shuffled", "oracle"]
Scrambling = Literal["nothing", "interventions", "edits"]

SCRAMBLINGS: Mapping[PolicyName, Scrambling] = {"scrambled": "interventions", "shuffled": "edits"}


class Entry(NamedTuple):
    """An intervention on a weakness of an agent."""

    agent: int
    category: int
    intervention: int


@dataclass(slots=True)
class Memory:
    """What an agent's owner knows of edits, whoever chooses.

    Attributes:
        open: (agents, categories): weaknesses that show now.
        in_place: edits that are shipped and serve.
        trials: the last one of each edit.
    """

    open: NDArray[np.bool_]
    in_place: set[Entry] = field(default_factory=set)
    trials: dict[Entry, Trial] = field(default_factory=dict)

    def candidates(self, agent: int) -> list[Entry]:
        """Return the edits that could be tried on the open weaknesses of ``agent``."""
        return [
            entry
            for category in np.flatnonzero(self.open[agent])
            for intervention in range(INTERVENTIONS)
            if (entry := Entry(agent, int(category), intervention)) not in self.in_place
        ]


class Policy(Protocol):
    """Chooses experiments."""

    def order(self, memory: Memory, agent: int, cycle: int) -> Sequence[Entry]:
        """Return what to try on ``agent``, the first first; what is not named is not worth trying."""
        ...

    def learn(self, trials: Sequence[Trial]) -> None:
        """Take note of the cycle's trials."""
        ...


@dataclass(slots=True)
class Nobody:
    """Uniform without replacement; what did not ship on a weakness is not tried on it again."""

    rng: np.random.Generator

    def order(self, memory: Memory, agent: int, cycle: int) -> Sequence[Entry]:
        """Shuffle what is left."""
        left = [
            entry
            for entry in memory.candidates(agent)
            if entry not in memory.trials or memory.trials[entry].verdict == "ship"
        ]
        return [left[i] for i in self.rng.permutation(len(left))]

    def learn(self, trials: Sequence[Trial]) -> None:
        """Learn nothing."""


@dataclass(slots=True)
class Oracle:
    """Knows all effects: the best of those that would survive, and nothing else."""

    world: World

    def order(self, memory: Memory, agent: int, cycle: int) -> Sequence[Entry]:
        """Order by true effect over all traffic."""
        wins = [e for e in memory.candidates(agent) if self.world.is_win(*e, cycle)]
        return sorted(
            wins, key=lambda e: -self.world.overall(e.agent, e.category, e.intervention, cycle)
        )

    def learn(self, trials: Sequence[Trial]) -> None:
        """Know it already."""


@dataclass(slots=True)
class Librarian:
    """Asks the product's library.

    Attributes:
        libraries: of each agent; one and the same where trials are shared.
        scrambling: at every look-up, what the library says of one intervention (or of one edit, that is a
            weakness and an intervention) is taken to be about another.
    """

    world: World
    rng: np.random.Generator
    libraries: Sequence[Library]
    scrambling: Scrambling

    def order(self, memory: Memory, agent: int, cycle: int) -> Sequence[Entry]:
        """Order by the library's draw, without what it finds not worthwhile and what was refuted.

        What did not ship is tried again only if its own trials look better than never having tried it, or the
        model has changed since.
        """
        validity = validity_of(self.world, agent, cycle)
        situations = [
            Situation(
                agent=agent_name(agent),
                pattern_id=pattern_name(category),
                category=category_name(self.world.seen_as[agent, category]),
                prevalence=float(self.world.prevalence[agent, category]),
                validity=validity,
                same_edits=True,
            )
            for category in range(CATEGORIES)
            if memory.open[agent, category]
        ]
        ranked = self.libraries[agent].rank(situations, NAMES, self.rng)
        left = set(memory.candidates(agent))
        return [
            entry
            for entry, choice in zip(self._meant(agent, ranked), ranked, strict=True)
            if entry in left
            and choice.worthwhile
            and _may_try(memory.trials.get(entry), validity, choice)
        ]

    def _meant(self, agent: int, ranked: Sequence[Choice]) -> list[Entry]:
        """Return the edits that the library's words are taken to be about."""
        said = [Entry(agent, _pattern(c.pattern_id), NAMES.index(c.intervention)) for c in ranked]
        if self.scrambling == "interventions":
            other = self.rng.permutation(INTERVENTIONS)
            return [entry._replace(intervention=int(other[entry.intervention])) for entry in said]
        if self.scrambling == "edits":
            return [said[i] for i in self.rng.permutation(len(said))]
        return said

    def learn(self, trials: Sequence[Trial]) -> None:
        """Record each trial in the library of its agent."""
        for trial in trials:
            self.libraries[int(trial.agent)].record([trial])


def make_policy(name: PolicyName, world: World, rng: np.random.Generator) -> Policy:
    """Return the policy called ``name``."""
    if name == "none":
        return Nobody(rng)
    if name == "oracle":
        return Oracle(world)
    shared = Library()
    libraries = [Library() if name == "own" else shared for _ in range(AGENTS)]
    return Librarian(world, rng, libraries, SCRAMBLINGS.get(name, "nothing"))


def agent_name(agent: int) -> str:
    """Return what trials call an agent."""
    return str(agent)


def pattern_name(category: int) -> str:
    """Return what trials call the weakness of a true category."""
    return f"pattern {category}"


def category_name(seen_as: int) -> str:
    """Return what a category is called."""
    return f"category {seen_as}"


def validity_of(world: World, agent: int, cycle: int) -> Validity:
    """Return what an agent runs on: the model is all that changes, and all that is told."""
    return Validity(model_hash="new" if world.drifted(agent, cycle) else "old")


def _may_try(last: Trial | None, validity: Validity, choice: Choice) -> bool:
    """Whether the rejected-edit memory lets ``choice`` pass.

    What did not ship is tried again only on the ground of its own trials, if they did not refute it under
    this model and make it look better than an edit that was never tried.
    """
    if last is None or last.verdict == "ship":
        return True
    refuted = last.verdict == "reject" and last.validity == validity
    return not refuted and last.trial_id in choice.own_trials and choice.edge > RETRY_EDGE


def _pattern(name: str) -> int:
    return int(name.removeprefix("pattern "))
