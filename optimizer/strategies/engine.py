"""Candidates from the library: entries that are worth a try on a pattern, filled in for this agent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spanloop.optimizer.candidates.candidate import INTERVENTIONS, Edit, PatternBrief, Proposal
from spanloop.optimizer.candidates.proposing import LIBRARY
from spanloop.optimizer.candidates.slots import fill_template
from spanloop.optimizer.configuration import AgentConfiguration, digest
from spanloop.optimizer.models import Lease
from spanloop.optimizer.strategies.choosing import UNKNOWN, Choice, Situation
from spanloop.optimizer.strategies.library import Library
from spanloop.optimizer.strategies.strategy import Strategy, Validity

PREVALENCE = 0.1
"""Of a pattern whose share of traffic is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryEngine:
    """Proposes entries of the library; spends nothing.

    Attributes:
        prevalences: share of the agent's traffic by pattern id.
        seed: of the draw; the same seed proposes the same.
    """

    library: Library
    agent: str
    validity: Validity = UNKNOWN
    prevalences: Mapping[str, float]
    seed: int = 1

    @property
    def name(self) -> str:
        """``library``."""
        return LIBRARY

    def propose(
        self, brief: PatternBrief, configuration: AgentConfiguration, *, lease: Lease, n: int
    ) -> Sequence[Proposal]:
        """Return at most ``n`` proposals from entries with a template that can be filled here."""
        del lease  # nothing is spent
        proposals: list[Proposal] = []
        for choice in self._choices(brief):
            for strategy in self.library.entries_for(brief.category, choice.intervention):
                edits = fill_template(strategy.edit_template, brief, configuration)
                if edits:
                    proposals.append(_proposal(strategy, choice, edits))
        return proposals[:n]

    def _choices(self, brief: PatternBrief) -> Sequence[Choice]:
        situation = Situation(
            agent=self.agent,
            pattern_id=brief.pattern_id,
            category=brief.category,
            prevalence=self.prevalences.get(brief.pattern_id, PREVALENCE),
            validity=self.validity,
            same_edits=True,
        )
        rng = np.random.default_rng([self.seed, int(digest(brief.pattern_id)[:8], 16)])
        ranked = self.library.rank([situation], INTERVENTIONS, rng)
        return [choice for choice in ranked if choice.worthwhile]


def _proposal(strategy: Strategy, choice: Choice, edits: tuple[Edit, ...]) -> Proposal:
    return Proposal(
        engine=LIBRARY,
        intervention=strategy.intervention,
        edits=edits,
        rationale=f"{strategy.principle} Expected effect {choice.effect:+.2f} ({choice.basis}).",
        strategy_id=strategy.strategy_id,
    )
