"""Tokens and money, checked before they are spent."""

from dataclasses import dataclass

from spanloop.processor.errors import PermanentError


class BudgetExhausted(PermanentError):
    """The next call could cost more than what is left; nothing was spent on it."""


@dataclass(slots=True, kw_only=True)
class Lease:
    """A part of the budget, for one stage.

    A call is admitted only if its upper bound fits into what is left; afterwards its real cost is taken.
    With a cap in money, a model of unknown price is refused: unknown is not free.

    Attributes:
        max_tokens: tokens, in and out together.
        max_usd: US dollars; None = no cap in money.
        tokens: spent so far.
        usd: spent so far, as far as prices are known.
        unpriced: calls whose cost is unknown.
    """

    max_tokens: int
    max_usd: float | None = None
    tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0

    def admit(self, tokens_at_most: int, usd_at_most: float | None) -> None:
        """Raise BudgetExhausted unless a call that costs at most this much fits."""
        if self.tokens + tokens_at_most > self.max_tokens:
            raise BudgetExhausted(
                f"the next call may take {tokens_at_most} tokens; {self.max_tokens - self.tokens} are left"
            )
        if self.max_usd is None:
            return
        if usd_at_most is None:
            raise BudgetExhausted(
                "the price of this model is unknown, so a cap in money cannot be kept: cap tokens instead"
            )
        if self.usd + usd_at_most > self.max_usd:
            raise BudgetExhausted(
                f"the next call may cost {usd_at_most:.4f} USD; {self.max_usd - self.usd:.4f} are left"
            )

    def take_inplace(self, tokens: int, usd: float | None) -> None:
        """Record what a call cost."""
        self.tokens += tokens
        if usd is None:
            self.unpriced += 1
        else:
            self.usd += usd

    @property
    def cost_usd(self) -> float | None:
        """What was spent, None where a call's cost is unknown."""
        return None if self.unpriced else self.usd
