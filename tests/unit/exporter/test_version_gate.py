"""Servers whose insert deduplication loses or doubles rows are refused by name."""

from __future__ import annotations

import pytest

from spanloop.exporter.store import first_line, refuse_faulty_version
from spanloop.processor.errors import ConfigError


@pytest.mark.parametrize(
    "version",
    [
        "25.8.1.1",
        "25.12.3.21",
        "26.3.17.65",
        "26.3.17.65.altinitystable",
        "26.3.18.1",
        "26.5.6.63",
        "26.6.2.98-stable",
        "26.6.3.1",
        "26.7.1.1",
        "26.9.2.1",
        "27.1",
        "100.1.1.1",
    ],
)
def test_taken(version: str) -> None:
    refuse_faulty_version(version)


@pytest.mark.parametrize(
    "version",
    [
        "24.8.1.1",
        "25.7.9.9",
        "26.1.1.1",
        "26.2.9.9",
        "26.3.17.64",
        "26.3.16.99",
        "26.3",
        "26.4.9.9",
        "26.5.6.62",
        "26.6.2.97",
        "20",
        "",
        "unknown",
    ],
)
def test_refused(version: str) -> None:
    with pytest.raises(ConfigError, match=r"faults in insert deduplication .* use 26\.7 or later"):
        refuse_faulty_version(version)


def test_an_engines_message_is_cut_to_its_first_line() -> None:
    assert first_line(Exception(" Code: 241. Memory\nstack\nstack ")) == "Code: 241. Memory"
    assert len(first_line(Exception("x" * 10_000))) == 500
