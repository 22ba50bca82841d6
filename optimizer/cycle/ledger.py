"""One ledger of tokens and money for the whole loop: leased before a spend, settled after it.

A lease is a row before anything is spent, so a process that dies leaves at most its open leases behind; the
next one counts them as spent in full.
"""

import contextlib
import uuid
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from spanloop.optimizer.context import Context, unix_text
from spanloop.optimizer.models import BudgetExhausted, Lease

Role = Literal["generator", "judge", "second_judge", "user", "agent"]

COLUMNS = (
    "LeaseId",
    "CycleId",
    "Stage",
    "Project",
    "AgentName",
    "Purpose",
    "Role",
    "State",
    "MaxTokens",
    "MaxUsd",
    "Tokens",
    "CostUsd",
    "TakenAt",
    "SettledAt",
    "Version",
)
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """What may be spent; None = no cap.

    Attributes:
        tokens: of one cycle.
        usd: of one cycle.
        tokens_a_day: over all cycles of the last 24 hours.
        usd_a_day: likewise.
    """

    tokens: int
    usd: float | None = None
    tokens_a_day: int | None = None
    usd_a_day: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What a lease is for: columns of ``budget_ledger``."""

    stage: str
    role: Role
    agent: str = ""
    project: str = ""
    purpose: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Tokens and known US dollars; open leases count in full."""

    tokens: int
    usd: float


class BudgetLedger:
    """Grants leases of one cycle; ``clock_ms`` tells Unix milliseconds."""

    def __init__(
        self, context: Context, cycle_id: str, *, caps: Caps, clock_ms: Callable[[], int]
    ) -> None:
        self._context = context
        self._cycle_id = cycle_id
        self._caps = caps
        self._clock_ms = clock_ms

    def forfeit_open(self) -> int:
        """Count leases of processes that died as spent in full; return how many there were.

        Only for who knows that no other process spends: whoever holds the turn to run the loop.
        """
        rows = self._context.rows("cycle/select_open_leases")
        now_ms = self._clock_ms()
        closed = [
            [*row[:7], "forfeited", row[7], row[8], row[7], row[8], row[9], _time(now_ms), version]
            for row in rows
            if (version := max(now_ms, int(row[10]) + 1))
        ]
        if closed:
            self._insert(closed)
        return len(closed)

    def spent(self) -> Spent:
        """What this cycle has spent or leased."""
        return self._sum(cycle_id=self._cycle_id, since_ms=0)

    def left(self) -> tuple[int, float | None]:
        """Tokens and US dollars (None = no cap) that may still be leased."""
        caps, cycle = self._caps, self.spent()
        tokens = [caps.tokens - cycle.tokens]
        usd = [] if caps.usd is None else [caps.usd - cycle.usd]
        if caps.tokens_a_day is not None or caps.usd_a_day is not None:
            day = self._sum(cycle_id="", since_ms=self._clock_ms() - DAY_MS)
            tokens += [] if caps.tokens_a_day is None else [caps.tokens_a_day - day.tokens]
            usd += [] if caps.usd_a_day is None else [caps.usd_a_day - day.usd]
        return max(min(tokens), 0), max(min(usd), 0.0) if usd else None

    @contextlib.contextmanager
    def lease(self, purpose: Purpose, *, tokens: int) -> Generator[Lease, None, None]:
        """Lease at most ``tokens``, less if less is left, and all the money that is left.

        Raises:
            BudgetExhausted: nothing is left; nothing was spent.
        """
        left, usd = self.left()
        if left <= 0 or (usd is not None and usd <= 0):
            raise BudgetExhausted(
                f"the budget of cycle {self._cycle_id[:8]} is spent (optimizer.budget)"
            )
        taken_ms = self._clock_ms()
        lease = Lease(max_tokens=min(tokens, left), max_usd=usd)
        lease_id = uuid.uuid4().hex
        self._write(lease_id, purpose, lease, state="open", taken_ms=taken_ms)
        try:
            yield lease
        finally:
            self._write(lease_id, purpose, lease, state="settled", taken_ms=taken_ms)

    def _write(
        self, lease_id: str, purpose: Purpose, lease: Lease, *, state: str, taken_ms: int
    ) -> None:
        settled = state == "settled"
        now_ms = max(self._clock_ms(), taken_ms + 1) if settled else taken_ms
        self._insert(
            [
                [
                    lease_id,
                    self._cycle_id,
                    purpose.stage,
                    purpose.project,
                    purpose.agent,
                    purpose.purpose,
                    purpose.role,
                    state,
                    lease.max_tokens,
                    lease.max_usd,
                    lease.tokens,
                    lease.cost_usd if settled else None,
                    _time(taken_ms),
                    _time(now_ms) if settled else None,
                    now_ms,
                ]
            ]
        )

    def _insert(self, rows: list[list[object]]) -> None:
        self._context.client.insert(
            "budget_ledger",
            rows,
            column_names=COLUMNS,
            database=self._context.renderer.settings.database,
        )

    def _sum(self, *, cycle_id: str, since_ms: int) -> Spent:
        ((tokens, usd),) = self._context.rows(
            "cycle/select_spent", {"cycle": cycle_id, "since": unix_text(max(since_ms, 0))}
        )
        return Spent(tokens=int(tokens), usd=float(usd))


def _time(ms: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
