from __future__ import annotations

import sys
from pathlib import Path

import pytest

from spanloop.processor.errors import ConfigError
from spanloop.processor.prices import load_prices


def test_bundled_prices_are_read_without_importing_litellm() -> None:
    before = "litellm" in sys.modules
    prices = {row.key: row for row in load_prices()}
    assert ("litellm" in sys.modules) == before
    assert prices["/gpt-4o"].usd[:3] == [2.5e-6, 1e-5, 1.25e-6]
    assert prices["openai/gpt-4o"].usd == prices["/gpt-4o"].usd
    assert all(row.usd[0] is not None and len(row.usd) == 8 for row in prices.values())
    assert not any(row.key.endswith("sample_spec") for row in prices.values())


def test_routes_are_sold_under_our_names() -> None:
    keys = {row.key for row in load_prices()}
    assert {
        "gcp.gemini/gemini-2.5-flash",
        "gcp.vertex_ai/gemini-2.5-flash",
        "azure.ai.openai/gpt-4o",
    } <= keys
    assert len(keys) == len(load_prices())


def test_an_override_replaces_and_adds(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(
        "gpt-4o: {input_cost_per_token: 1.0, litellm_provider: openai}\n"
        "Mine: {input_cost_per_token: 1e-6, output_cost_per_token: 2e-6}\n"
    )
    prices = {row.key: row for row in load_prices(path)}
    assert prices["openai/gpt-4o"].usd == [1.0, *[None] * 7]
    assert prices["/mine"].usd[:2] == [1e-6, 2e-6]
    assert prices["/mine"].origin == "override"


@pytest.mark.parametrize("text", ["- 1", "gpt-4o: 3", "gpt-4o: {input_cost_per_token: cheap}", "{"])
def test_a_bad_override_names_itself(tmp_path: Path, text: str) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"price|not a number"):
        load_prices(path)
