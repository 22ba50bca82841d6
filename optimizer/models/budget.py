"""Tokens and money, checked before they are spent."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

from spanloop.processor.errors import PermanentError


class BudgetExhausted(PermanentError):
    """The next call could cost more than what is left; nothing was spent on it."""


class BudgetReserved(BudgetExhausted):
    """What is left would do, but calls in flight may still need it: fits, or not, once they are settled."""


@dataclass(slots=True, kw_only=True)
class Lease:
    """A part of the budget, for one stage; shared by threads.

    A call is admitted only if its upper bound fits into what neither calls in the past nor calls in flight
    take; afterwards its real cost is taken. With a cap in money, a model of unknown price is refused:
    unknown is not free.

    Attributes:
        max_tokens: tokens, in and out together.
        max_usd: US dollars; None = no cap in money.
        tokens: spent so far.
        usd: spent so far, as far as prices are known.
        unpriced: calls whose cost is unknown.
        reserved_tokens: upper bound of what calls in flight take.
        reserved_usd: the same in money.
    """

    max_tokens: int
    max_usd: float | None = None
    tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0
    reserved_tokens: int = 0
    reserved_usd: float = 0.0
    # Guards every counter: spent + reserved never passes a cap, whichever threads ask at once.
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def reserve(self, tokens_at_most: int, usd_at_most: float | None) -> "Reservation":
        """Set aside what one call can cost at most.

        Raises:
            BudgetReserved: it fits only if calls in flight turn out cheaper than they may be.
            BudgetExhausted: it does not fit.
        """
        with self._lock:
            self._admit(tokens_at_most, usd_at_most)
            self.reserved_tokens += tokens_at_most
            self.reserved_usd += usd_at_most or 0.0
        return Reservation(self._settle, tokens_at_most, usd_at_most)

    def _admit(self, tokens: int, usd: float | None) -> None:
        left = self.max_tokens - self.tokens
        if tokens > left:
            raise BudgetExhausted(f"the next call may take {tokens} tokens; {left} are left")
        if tokens > left - self.reserved_tokens:
            raise BudgetReserved(
                f"the next call may take {tokens} tokens; calls in flight hold {self.reserved_tokens}"
            )
        if self.max_usd is None:
            return
        if usd is None:
            raise BudgetExhausted(
                "the price of this model is unknown, so a cap in money cannot be kept: cap tokens instead"
            )
        left_usd = self.max_usd - self.usd
        if usd > left_usd:
            raise BudgetExhausted(f"the next call may cost {usd:.4f} USD; {left_usd:.4f} are left")
        if usd > left_usd - self.reserved_usd:
            raise BudgetReserved(
                f"the next call may cost {usd:.4f} USD; calls in flight hold {self.reserved_usd:.4f}"
            )

    def _settle(
        self, reservation: "Reservation", *, tokens: int, usd: float | None, called: bool
    ) -> None:
        with self._lock:
            self.reserved_tokens -= reservation.tokens_at_most
            self.reserved_usd -= reservation.usd_at_most or 0.0
            self.tokens += tokens
            if usd is not None:
                self.usd += usd
            elif called:
                self.unpriced += 1

    @property
    def cost_usd(self) -> float | None:
        """What was spent, None where a call's cost is unknown."""
        return None if self.unpriced else self.usd


class Reservation:
    """What a lease holds for one call in flight; closed once, by `settle` or `cancel`.

    A context manager: left open, it is taken in full, since nobody knows that the call was not charged.
    """

    def __init__(
        self, close: Callable[..., None], tokens_at_most: int, usd_at_most: float | None
    ) -> None:
        self._return = close
        self._open = True
        self.tokens_at_most = tokens_at_most
        self.usd_at_most = usd_at_most

    def settle(self, tokens: int, usd: float | None) -> None:
        """Take what the call did cost; None = its price is unknown."""
        self._close(tokens=tokens, usd=usd, called=True)

    def cancel(self) -> None:
        """Give all of it back: nothing was charged."""
        self._close(tokens=0, usd=None, called=False)

    def _close(self, *, tokens: int, usd: float | None, called: bool) -> None:
        if not self._open:
            raise RuntimeError("a reservation is closed once")
        self._open = False
        self._return(self, tokens=tokens, usd=usd, called=called)

    def __enter__(self) -> "Reservation":
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take it in full unless it is closed."""
        if self._open:
            self.settle(self.tokens_at_most, self.usd_at_most)
