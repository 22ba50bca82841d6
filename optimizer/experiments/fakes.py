"""Assessors whose verdicts are decided beforehand: for tests and simulations without a store.

They are honest about what they are: nothing here reads a run. An outcome is whatever the test says it was.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from spanloop.optimizer.experiments.assessing import Assessed
from spanloop.optimizer.scenarios.scenario import Scenario

Outcome = Callable[[str, Scenario], float | None]
"""Run id and scenario → what came of the run, 0 to 1; None = nobody can tell."""


@dataclass(slots=True, kw_only=True)
class ScriptedAssessor:
    """Sees ``truth`` through a judge of known kindness, and tells gold as it is.

    Attributes:
        truth: what came of each run.
        kindness: added to the score of runs for which ``swayed`` holds; negative = harsher. Scores stay
            within 0 and 1.
        swayed: which runs the judge is kind to: all unless told. A judge that a candidate charms is one that
            is kind to the runs of one arm; only the test knows which those are.
        noise: share of scores, drawn by a hash of the run, that are turned round (1 less the score).
        second: of the second assessor; None = there is none.
        gold_known: whether gold outcomes can be told at all.
        asked: run ids of each call, in order.
    """

    truth: Outcome
    kindness: float = 0.0
    swayed: Callable[[str], bool] = lambda run_id: True
    noise: float = 0.0
    second: Outcome | None = None
    gold_known: bool = True
    version: str = "scripted"
    asked: list[list[str]] = field(default_factory=list[list[str]])

    def assess(
        self, runs: Mapping[str, Scenario], *, gold: Collection[str]
    ) -> Mapping[str, Assessed]:
        """Return the scripted verdicts."""
        self.asked.append(list(runs))
        return {
            run_id: self._assessed(run_id, scenario, is_gold=run_id in gold)
            for run_id, scenario in runs.items()
        }

    def _assessed(self, run_id: str, scenario: Scenario, *, is_gold: bool) -> Assessed:
        truth = self.truth(run_id, scenario)
        return Assessed(
            score=None if truth is None else self._seen(run_id, truth),
            trajectory_id="" if truth is None else f"trajectory of {run_id}",
            trace_ids=() if truth is None else (hashlib.sha256(run_id.encode()).hexdigest()[:32],),
            second=self.second(run_id, scenario) if self.second else None,
            gold=truth if is_gold and self.gold_known else None,
            version=self.version,
            reason="scripted" if truth is None else "",
        )

    def _seen(self, run_id: str, truth: float) -> float:
        drawn = int(hashlib.sha256(f"noise {run_id}".encode()).hexdigest()[:8], 16) / 2**32
        score = 1.0 - truth if drawn < self.noise else truth
        kindness = self.kindness if self.swayed(run_id) else 0.0
        return min(max(score + kindness, 0.0), 1.0)


def fixed_score(score: float | None) -> ScriptedAssessor:
    """Return an assessor that says the same of every run."""
    return ScriptedAssessor(truth=lambda run_id, scenario: score, version="fixed")
