"""What the optimizer needs of a language model."""

from dataclasses import dataclass, field
from typing import Protocol

from spanloop.processor.errors import RetryableError


class ModelFailure(RetryableError):
    """The model could not be reached, refused, or took too long; ``kind`` is for counting."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind

    @property
    def answered_late(self) -> bool:
        """Whether nobody waited for an answer that may have been made."""
        return self.kind in ("408", "504") or "timeout" in self.kind.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """Which model, where.

    Attributes:
        model: litellm's name, the provider in front: ``openai/gpt-5-mini``.
        api_base: base URL of an OpenAI-compatible server; None for the provider's own.
        api_key: None leaves it to the provider's environment variable.
        timeout_s: seconds for one call.
        max_retries: retries after a 429, a 5xx or a lost connection.
    """

    model: str
    api_base: str | None = None
    api_key: str | None = field(default=None, repr=False)
    timeout_s: float = 60.0
    max_retries: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What is sent: ``system`` holds all instructions, ``user`` holds data."""

    system: str
    user: str
    max_tokens: int = 600
    seed: int = 0

    @property
    def tokens_at_most(self) -> int:
        """An upper bound of what the call costs in tokens: none stands for less than a byte of UTF-8."""
        return len(self.system.encode()) + len(self.user.encode()) + self.max_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer; None where the provider did not say."""

    text: str
    model: str
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None


class Model(Protocol):
    """A language model."""

    @property
    def name(self) -> str:
        """What it is called; stored with what it says."""
        ...

    def complete(self, prompt: Prompt) -> Reply:
        """Answer ``prompt``; raises ModelFailure."""
        ...

    def price_at_most(self, prompt: Prompt) -> float | None:
        """US dollars that ``prompt`` can cost at most; None where the price is unknown."""
        ...
