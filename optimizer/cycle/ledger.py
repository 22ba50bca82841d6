"""One ledger of tokens and money for the whole loop: leased before a spend, settled after it.

What may be spent is a row before it is spent. So a process that dies leaves behind what its open leases had
been granted, no more, and the next one counts that as spent.
"""

import contextlib
import threading
import uuid
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Literal

from spanloop.optimizer.context import Context, time_of, unix_text
from spanloop.optimizer.models import BudgetExhausted, Lease
from spanloop.optimizer.models.budget import Reservation

Role = Literal["generator", "judge", "second_judge", "user", "agent"]

COLUMNS: tuple[str, ...] = (
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What may still be spent; None = no cap in money."""

    tokens: int
    usd: float | None


@dataclass(slots=True, kw_only=True)
class LedgerLease(Lease):
    """A lease whose row in the ledger grows before what is spent does, a tranche at a time.

    Attributes:
        tranche: tokens granted at once.
        granted_tokens: that the row says may be spent.
        granted_usd: likewise.
        write_grant: stores a larger grant.
    """

    tranche: int
    write_grant: Callable[["LedgerLease"], None]
    granted_tokens: int = 0
    granted_usd: float = 0.0
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def reserve(self, tokens_at_most: int, usd_at_most: float | None) -> Reservation:
        """Set aside what one call can cost at most; see `Lease.reserve`."""
        with self._turn:
            # `Lease.reserve` by its name: a dataclass with slots is a new class, which super() does not know.
            reservation = Lease.reserve(self, tokens_at_most, usd_at_most)
            tokens, usd = self.tokens + self.reserved_tokens, self.usd + self.reserved_usd
            if tokens > self.granted_tokens or usd > self.granted_usd:
                self.granted_tokens = min(self.max_tokens, max(tokens, self.tokens + self.tranche))
                self.granted_usd = max(self.granted_usd, 2 * usd)
                if self.max_usd is not None:
                    self.granted_usd = min(self.granted_usd, self.max_usd)
                self.write_grant(self)
            return reservation


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
        """Count the grants of processes that died as spent; return how many leases that were.

        Only for who knows that no other process spends: whoever holds the turn to run the loop.
        """
        rows = self._context.rows("cycle/select_open_leases")
        now_ms = self._clock_ms()
        self._insert(
            [
                [
                    *row[:7],
                    "forfeited",
                    row[7],
                    row[8],
                    row[7],
                    row[8],
                    row[9],
                    time_of(now_ms),
                    version,
                ]
                for row in rows
                if (version := max(now_ms, int(row[10]) + 1))
            ]
        )
        return len(rows)

    def spent(self) -> Spent:
        """What this cycle has spent, or granted to leases that are open."""
        return self._sum(cycle_id=self._cycle_id, since_ms=0)

    def left(self) -> Left:
        """What may still be leased."""
        caps, cycle = self._caps, self.spent()
        tokens = [caps.tokens - cycle.tokens]
        usd = [] if caps.usd is None else [caps.usd - cycle.usd]
        if caps.tokens_a_day is not None or caps.usd_a_day is not None:
            day = self._sum(cycle_id="", since_ms=self._clock_ms() - DAY_MS)
            tokens += [] if caps.tokens_a_day is None else [caps.tokens_a_day - day.tokens]
            usd += [] if caps.usd_a_day is None else [caps.usd_a_day - day.usd]
        return Left(tokens=max(min(tokens), 0), usd=max(min(usd), 0.0) if usd else None)

    @contextlib.contextmanager
    def lease(
        self, purpose: Purpose, *, tranche: int, most: int | None = None
    ) -> Generator[LedgerLease, None, None]:
        """Lease ``most`` tokens (None = all that is left), granted ``tranche`` by ``tranche``.

        One lease at a time: each may take all that is left.

        Raises:
            BudgetExhausted: nothing is left; nothing was spent.
        """
        left = self.left()
        if left.tokens <= 0 or (left.usd is not None and left.usd <= 0):
            raise BudgetExhausted(
                f"the budget of cycle {self._cycle_id[:8]} is spent (optimizer.budget)"
            )
        row = _Row(lease_id=uuid.uuid4().hex, purpose=purpose, taken_ms=self._clock_ms())
        lease = LedgerLease(
            max_tokens=left.tokens if most is None else min(most, left.tokens),
            max_usd=left.usd,
            tranche=tranche,
            write_grant=lambda lease: self._write(row, lease, "open"),
        )
        try:
            yield lease
        finally:
            self._write(row, lease, "settled")

    def _write(self, row: "_Row", lease: LedgerLease, state: str) -> None:
        settled = state == "settled"
        row.version = max(self._clock_ms(), row.version + 1)
        purpose = row.purpose
        self._insert(
            [
                [
                    row.lease_id,
                    self._cycle_id,
                    purpose.stage,
                    purpose.project,
                    purpose.agent,
                    purpose.purpose,
                    purpose.role,
                    state,
                    lease.granted_tokens,
                    None if lease.max_usd is None else lease.granted_usd,
                    lease.tokens,
                    lease.cost_usd,
                    time_of(row.taken_ms),
                    time_of(row.version) if settled else None,
                    row.version,
                ]
            ]
        )

    def _insert(self, rows: list[list[object]]) -> None:
        self._context.insert(
            "budget_ledger", [dict(zip(COLUMNS, row, strict=True)) for row in rows]
        )

    def _sum(self, *, cycle_id: str, since_ms: int) -> Spent:
        ((tokens, usd),) = self._context.rows(
            "cycle/select_spent", {"cycle": cycle_id, "since": unix_text(max(since_ms, 0))}
        )
        return Spent(tokens=int(tokens), usd=float(usd))


@dataclass(slots=True, kw_only=True)
class _Row:
    """A lease as the ledger knows it."""

    lease_id: str
    purpose: Purpose
    taken_ms: int
    version: int = 0
