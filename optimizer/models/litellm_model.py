"""A `Model` on litellm, which is imported when the first one is made: its import takes seconds.

It reads its bundled price table instead of fetching one, and no ``.env`` file.
"""

import importlib
import os
from typing import Any

from spanloop.optimizer.models.port import ModelFailure, ModelSettings, Prompt, Reply


class LiteLlmModel:
    """Any provider that litellm reaches."""

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._litellm = import_litellm()
        self._error: type[Exception] = importlib.import_module("openai").OpenAIError

    @property
    def name(self) -> str:
        """Its name as litellm knows it."""
        return self._settings.model

    def complete(self, prompt: Prompt) -> Reply:
        """Answer ``prompt``.

        Raises:
            ModelFailure: the provider's error, without its text, which may quote the prompt.
        """
        settings = self._settings
        optional = {"api_base": settings.api_base, "api_key": settings.api_key}
        try:
            response = self._litellm.completion(
                model=settings.model,
                messages=[
                    {"role": "system", "content": prompt.system},
                    {"role": "user", "content": prompt.user},
                ],
                temperature=0.0,
                seed=prompt.seed,
                max_tokens=prompt.max_tokens,
                timeout=settings.timeout_s,
                max_retries=settings.max_retries,
                drop_params=True,
                **{name: value for name, value in optional.items() if value is not None},
            )
        except self._error as error:  # the root of every error litellm raises for a call
            kind = str(getattr(error, "status_code", None) or type(error).__name__)
            raise ModelFailure(kind, f"{settings.model} failed: {kind}") from None
        return self._read(response)

    def _read(self, response: Any) -> Reply:
        body: dict[str, Any] = response.model_dump()
        usage: dict[str, Any] = body.get("usage") or {}
        tokens_in, tokens_out = usage.get("prompt_tokens"), usage.get("completion_tokens")
        if not body.get("choices"):
            raise ModelFailure("empty", f"{self.name} answered without a choice")
        return Reply(
            text=body["choices"][0]["message"].get("content") or "",
            model=str(body.get("model") or self.name),
            input_tokens=tokens_in,
            output_tokens=tokens_out,
            cost_usd=self._price(tokens_in, tokens_out),
        )

    def price_at_most(self, prompt: Prompt) -> float | None:
        """US dollars, by litellm's bundled price table."""
        return self._price(prompt.tokens_at_most - prompt.max_tokens, prompt.max_tokens)

    def _price(self, tokens_in: int | None, tokens_out: int | None) -> float | None:
        return price(self._litellm, self.name, tokens_in, tokens_out)


def price(litellm: Any, model: str, tokens_in: int | None, tokens_out: int | None) -> float | None:
    """Return US dollars by litellm's price table, None where it has no price for ``model``."""
    table: dict[str, dict[str, Any]] = litellm.model_cost
    entry = table.get(model) or table.get(model.partition("/")[2]) or {}
    per_in, per_out = entry.get("input_cost_per_token"), entry.get("output_cost_per_token")
    if None in (per_in, per_out, tokens_in, tokens_out):
        return None
    return float(per_in or 0) * (tokens_in or 0) + float(per_out or 0) * (tokens_out or 0)


def import_litellm() -> Any:
    """Import litellm: no network, no ``.env`` file, no advice on stdout."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else it fetches a price table
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")  # else it reads a .env file it finds
    litellm: Any = importlib.import_module("litellm")
    litellm.suppress_debug_info = True  # else it prints advice to stdout at every error
    return litellm
