"""The learning curve of the loop itself: what a win costs, cycle by cycle, and whether wins last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from spanloop.optimizer.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """One cycle.

    Attributes:
        cycle_id: '' = experiments run by hand.
        experiments: at the gate.
        tokens: of all its experiments, confirmations and lost ones included.
        cost_usd: likewise; None where a price is unknown.
        wins: shipped by the gate.
        survived: wins that fresh traffic confirmed.
        refuted: wins that it did not confirm; the rest is not judged yet.
    """

    cycle_id: str
    began: datetime
    experiments: int
    tokens: int
    cost_usd: float | None
    wins: int
    survived: int
    refuted: int

    @property
    def experiments_per_win(self) -> float | None:
        """None without a win."""
        return self.experiments / self.wins if self.wins else None

    @property
    def tokens_per_win(self) -> float | None:
        """None without a win."""
        return self.tokens / self.wins if self.wins else None

    @property
    def survival(self) -> float | None:
        """Share of the wins that fresh traffic judged and confirmed; None if it judged none."""
        judged = self.survived + self.refuted
        return self.survived / judged if judged else None


def learning_curve(context: Context, *, agent: str = "") -> Sequence[CurvePoint]:
    """Return every cycle that experimented, oldest first; of one agent, or of all."""
    return [
        CurvePoint(
            cycle_id=cycle,
            began=began.replace(tzinfo=UTC) if began.tzinfo is None else began.astimezone(UTC),
            experiments=int(experiments),
            tokens=int(tokens),
            cost_usd=cost,
            wins=int(wins),
            survived=int(survived),
            refuted=int(refuted),
        )
        for cycle, began, experiments, tokens, cost, wins, survived, refuted in context.rows(
            "strategies/select_curve", {"agent": agent}
        )
    ]
