"""SQL of the arithmetic: what was counted, what its totals include, what it cost.

OTel's totals include cached and reasoning tokens (section 1.2). Where a dialect leaves them out the numbers
themselves show it: a subset larger than its total, or a grand total that only fits with the subset added.
"""

from collections.abc import Iterable

from spanloop.processor.carriers import carried
from spanloop.processor.keytable import class_id
from spanloop.processor.providers import ALIASES, FRAMEWORKS, WITH_SYSTEM
from spanloop.processor.sqltext import transform

LONG_CONTEXT = 200_000
"""Input tokens above which the long-context prices of the table hold."""

SUBSETS = ("CacheReadTokens", "CacheWriteTokens", "ReasoningTokens")

_EVIDENCE = (
    "InputTokens",
    "UncachedInputTokens",
    "OutputTokens",
    *SUBSETS,
    "TotalTokens",
    "ReportedCost",
    "CostDetails",
    "Provider",
    "ProviderSystem",
    "RequestModel",
    "ResponseModel",
)


def evidence() -> Iterable[str]:
    """Yield what the arithmetic starts from."""
    return (f"{carried(column)} AS raw_{column}" for column in _EVIDENCE)


def tokens() -> Iterable[str]:
    """Yield the first step: what was counted, and by whom."""
    yield "ifNull(raw_CacheReadTokens, 0) + ifNull(raw_CacheWriteTokens, 0) AS cached"
    yield "ifNull(raw_ReasoningTokens, 0) AS thought"
    yield "coalesce(raw_InputTokens, raw_UncachedInputTokens) AS counted"
    yield "coalesce(raw_InputTokens, raw_UncachedInputTokens) + ifNull(raw_OutputTokens, 0) AS grand"
    yield f"{_provider()} AS provider"
    yield f"coalesce(raw_ReportedCost, if(length(raw_CostDetails) > 2, {_SUMMED}, NULL)) AS reported"


_SUMMED = "arraySum(x -> x.2, JSONExtractKeysAndValues(raw_CostDetails, 'Float64'))"


def totals(database: str) -> Iterable[str]:
    """Yield the second step: totals that include their subsets, and the prices of the model."""
    excluded = (
        "multiIf(cached = 0, 0, isNull(raw_InputTokens), 1, cached > counted, 1, "
        "raw_TotalTokens = grand + cached, 1, raw_TotalTokens = grand, 0, "
        "raw_UncachedInputTokens = raw_InputTokens)"
    )
    yield f"counted + if({excluded}, cached, 0) AS input_total"
    left_out = "thought > raw_OutputTokens OR thought > 0 AND raw_TotalTokens = grand + thought"
    yield f"raw_OutputTokens + if({left_out}, thought, 0) AS output_total"
    # Asked for from the most to the least specific name.
    models = "[lower(raw_ResponseModel), lower(raw_RequestModel)]"
    sold = f"arrayMap(m -> concat(provider, '/', m), {models})"
    keys = f"arrayConcat({sold}, arrayMap(m -> concat('/', m), {models}))"
    found = f"arrayMap(k -> joinGet('{database}.model_prices', 'Usd', k), {keys})"
    yield f"arrayFirst(u -> notEmpty(u), {found}) AS usd"


def rates() -> Iterable[str]:
    """Yield the third step: USD per token of input, output, cache read and cache write; empty if unknown."""
    long = f"arrayMap((a, b) -> coalesce(b, a), {_SHORT}, {_LONG})"
    yield f"if(input_total > {LONG_CONTEXT}, {long}, {_SHORT}) AS rate"


_SHORT = "arraySlice(usd, 1, 4)"
_LONG = "arraySlice(usd, 5, 4)"


def cost() -> str:
    """Return the cost computed from tokens; NULL where a price or a count is unknown.

    A cached token whose price is unknown costs what an uncached one costs. Only a model that writes has an
    output price; an embedding has none to ask for.
    """
    written = "output_total * rate[2]"
    output = f"if(cls = {class_id('llm')}, {written}, ifNull({written}, 0))"
    return (
        "(toFloat64(input_total) - cached) * rate[1] "
        "+ ifNull(raw_CacheReadTokens, 0) * coalesce(rate[3], rate[1]) "
        f"+ ifNull(raw_CacheWriteTokens, 0) * coalesce(rate[4], rate[1]) + {output}"
    )


def _provider() -> str:
    name = "lower(raw_Provider)"
    aliases = {**ALIASES, **dict.fromkeys(sorted(FRAMEWORKS), "")}
    # Only where the pair says more than the name; the canonical key never comes with a system.
    pair = transform(f"concat({name}, '+', lower(raw_ProviderSystem))", WITH_SYSTEM, "''")
    return f"if(notEmpty({pair}), {pair}, {transform(name, aliases, name)})"
