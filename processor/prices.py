"""What models cost: the rows of ``model_prices``, from litellm's bundled map and the user's own file.

The map is read from litellm's files without importing litellm (slow, and it reaches for the network). An
unknown price stays unknown: NULL, never 0.
"""

import json
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, NamedTuple, cast

import yaml

from spanloop.processor.errors import ConfigError
from spanloop.processor.providers import ALIASES

BUNDLED = "litellm/model_prices_and_context_window_backup.json"

FIELDS = (
    "input_cost_per_token",
    "output_cost_per_token",
    "cache_read_input_token_cost",
    "cache_creation_input_token_cost",
)
LONG_CONTEXT_SUFFIX = "_above_200k_tokens"

_PROVIDERS: Mapping[str, str] = {
    **ALIASES,
    "azure": "azure.ai.openai",
    "text-completion-openai": "openai",
    "gemini": "gcp.gemini",
    "vertex_ai": "gcp.vertex_ai",
    "cohere_chat": "cohere",
}
"""litellm's provider → ours; ``vertex_ai-…`` families are folded into ``vertex_ai`` first."""

_GOOGLE = ("gcp.gemini", "gcp.vertex_ai", "gcp.gen_ai")
"""One model is sold under these names, and instrumentations mix them up."""


class PriceRow(NamedTuple):
    """A row of ``model_prices``: USD per token by ``provider/model``; an empty provider is any."""

    key: str
    usd: list[float | None]
    origin: str


def load_prices(override: Path | None = None) -> list[PriceRow]:
    """Return the bundled prices, with those of ``override`` in their place.

    ``override`` is a YAML or JSON file of litellm's shape: model → ``input_cost_per_token``, … , and
    ``litellm_provider`` where a price holds at one provider only.

    Raises:
        ConfigError: The override cannot be read, or a price is not a number.
    """
    rows = {row.key: row for row in _rows(bundled_map(), "litellm")}
    if override is not None:
        rows |= {row.key: row for row in _rows(_read_override(override), "override")}
    return list(rows.values())


def bundled_map() -> Mapping[str, Mapping[str, Any]]:
    """Return litellm's own price map, as it is in the installed wheel."""
    try:
        path = Path(str(distribution("litellm").locate_file(BUNDLED)))
        prices: Mapping[str, Mapping[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    except (PackageNotFoundError, OSError) as failure:
        raise ConfigError(f"litellm's price map is not installed: {failure}") from failure
    return prices


def _read_override(path: Path) -> Mapping[str, Mapping[str, Any]]:
    try:
        parsed: object = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as failure:
        raise ConfigError(f"cannot read prices from {path}: {failure}") from failure
    entries = cast("dict[str, object]", parsed) if isinstance(parsed, dict) else {"": parsed}
    if not all(isinstance(entry, dict) for entry in entries.values()):
        raise ConfigError(f"prices in {path} must be a mapping of model to its prices")
    return cast("Mapping[str, Mapping[str, Any]]", entries)


def _rows(prices: Mapping[str, Mapping[str, Any]], origin: str) -> Iterator[PriceRow]:
    bare: dict[str, PriceRow] = {}
    for model, entry in prices.items():
        usd = _usd(model, entry)
        if usd is None or model == "sample_spec":
            continue
        name = model.lower()
        yield PriceRow(f"/{name}", usd, origin)
        for key in _provider_keys(name, str(entry.get("litellm_provider", ""))):
            bare.setdefault(key, PriceRow(key, usd, origin))
    yield from bare.values()


def _provider_keys(name: str, provider: str) -> list[str]:
    if not provider:
        return []
    ours = _PROVIDERS.get(
        provider.split("-")[0] if provider.startswith("vertex_ai") else provider, provider
    )
    # "vertex_ai/gemini-…" and "azure/gpt-…": spans carry the name without the route.
    models = dict.fromkeys((name, name.split("/", 1)[-1]))
    return [
        f"{sold}/{model}" for sold in (_GOOGLE if ours in _GOOGLE else (ours,)) for model in models
    ]


def _usd(model: str, entry: Mapping[str, Any]) -> list[float | None] | None:
    """Return the eight prices of an entry, None if it has no price per token."""
    fields = [*FIELDS, *(field + LONG_CONTEXT_SUFFIX for field in FIELDS)]
    usd = [_number(model, field, entry.get(field)) for field in fields]
    return usd if usd[0] is not None else None


def _number(model: str, field: str, value: object) -> float | None:
    if value is None:
        return None
    try:
        return float(cast("float | str", value))
    except (TypeError, ValueError) as failure:
        raise ConfigError(f"{field} of {model!r} is not a number: {value!r}") from failure
