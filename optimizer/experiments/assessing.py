"""How the runs of an experiment are judged: one port, blind to what was tried in which run.

An assessor sees run ids and scenarios. Which arm a run belongs to, what the candidate changed and what
earlier runs came to are not part of its interface, so no verdict can depend on them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from spanloop.optimizer.scenarios.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """What an assessor says of one run; None = it cannot tell.

    Attributes:
        score: probability of satisfaction, 0 to 1.
        trajectory_id: where its steps are; '' = none was assembled.
        trace_ids: 32 hex digits each, in order of time.
        second: the same by the second assessor, where there is one.
        gold: outcome by people, else by criteria that code checks; 0 to 1.
        version: of the assessor: scores of one version are comparable, others are not.
        reason: why there is no score (``not arrived``, ``incomplete``, …); '' = there is one.
    """

    score: float | None
    trajectory_id: str
    trace_ids: tuple[str, ...]
    second: float | None
    gold: float | None
    version: str
    reason: str = ""


class Assessor(Protocol):
    """Judges runs whose spans were acknowledged by the receiver."""

    @property
    def version(self) -> str:
        """Everything that a verdict depends on beside the run, as one name."""
        ...

    def assess(
        self, runs: Mapping[str, Scenario], *, gold: Collection[str]
    ) -> Mapping[str, Assessed]:
        """Return what it says of each of ``runs`` (by run id); gold outcomes only of those in ``gold``.

        Raises:
            BudgetExhausted: a judge would cost more than is left; what was paid for is kept.
        """
        ...
