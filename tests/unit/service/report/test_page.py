"""The page: one file, escaped, the same bytes each time, readable in every colour scheme, for everybody."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise

import pytest

from spanloop.service.report.page import render
from tests.support.reports import empty_report, report

HOSTILE = [
    "<script>window.owned = 1</script>",
    "\"><img src=x onerror='window.owned = 1'>",
    "javascript:window.owned=1",
    "{{ 7 * 7 }}{% raw %}",
    "</style><style>body{display:none}</style>",
    "]]><!--",
    "`<b>`",
    "\u202eevil\u2066",
    "x" * 100_000,
    "https://evil.example/\n" * 50,
]
VOID = {"meta", "link", "br"}
SECTIONS = [
    "Satisfaction over time",
    "What fails",
    "Experiments",
    "Releases",
    "What was learned",
    "Tokens and cost",
    "What was left out, and why",
]


class Reader(HTMLParser):
    """Collects elements, and checks that they nest."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(html: str) -> list[tuple[str, dict[str, str | None]]]:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader.elements


@pytest.mark.parametrize("said", HOSTILE)
def test_words_of_traces_are_never_markup(said: str) -> None:
    """The same elements with the same attributes stand on the page, whatever was said."""
    expected = read(render(report("words")))
    found = read(render(report(said)))

    def shape(elements: list[tuple[str, dict[str, str | None]]]) -> list[tuple[str, list[str]]]:
        plain = [e for e in elements if e[0] != "code"]  # names between backticks are code
        return [(tag, sorted(attributes)) for tag, attributes in plain]

    assert shape(found) == shape(expected)
    assert len(render(report(said))) < 400_000


def test_nothing_is_loaded_and_nothing_runs() -> None:
    for tag, attributes in read(render(report())):
        assert tag not in {"script", "iframe", "object", "embed", "img", "form", "base"}
        assert not any(name.startswith("on") or name in {"src", "style"} for name in attributes)
        if "href" in attributes:
            assert re.fullmatch(r"#[a-z0-9-]+|data:,", attributes["href"] or "")
    assert "url(" not in render(report())
    assert "@import" not in render(report())


def test_the_policy_allows_the_style_sheet_of_the_page_and_nothing_else() -> None:
    html = render(report())
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = [
        attributes["content"] or ""
        for tag, attributes in read(html)
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none';")
    assert f"style-src 'sha256-{digest}';" in policy
    assert "unsafe" not in policy


def test_the_same_report_is_the_same_bytes() -> None:
    assert render(report()) == render(report())


@pytest.mark.parametrize("agents", [1, 2])
def test_headings_are_in_order(agents: int) -> None:
    html = render(report(agents=agents))
    levels = [int(tag[1]) for tag, _ in read(html) if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(html.count(f">{name}</h") == agents for name in SECTIONS)


def test_tables_and_pictures_can_be_read_aloud() -> None:
    elements = read(render(report()))
    tables = sum(tag == "table" for tag, _ in elements)
    assert tables == sum(tag == "caption" for tag, _ in elements) > 10
    assert all("scope" in attributes for tag, attributes in elements if tag == "th")
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    pictures = [a for tag, a in elements if tag == "svg" and "viewbox" in a]
    assert all(a.get("aria-label") or a.get("aria-hidden") for a in pictures)
    assert sum(bool(a.get("aria-label")) for a in pictures) >= 2 * 5


def test_an_empty_store_is_told_what_to_do() -> None:
    html = render(empty_report())
    read(html)
    assert "No traffic yet" in html
    assert "spanloop serve" in html


def test_an_agent_of_which_nothing_is_known_yet_is_told_what_to_do() -> None:
    full = report(agents=1)
    (known,) = full.agents
    bare = replace(
        known,
        rate=None,
        release_rates=(),
        day_rates=(),
        patterns=(),
        patterns_more=0,
        patterns_unseen=0,
        experiments=(),
        releases=(),
        events=(),
        trials=(),
        curve=(),
        spending=(),
        candidates=(),
        cycles=(),
        models=(),
        days=(),
    )
    html = render(replace(full, agents=[bare], strategies=(), notes=(), analysed=None))
    read(html)
    for command in ("analyze", "optimize", "releases register", "strategies import"):
        assert f"spanloop {command}" in html


def test_unknown_cost_is_said_and_not_zero() -> None:
    html = render(report())
    assert "unknown" in html
    assert "0 USD" not in re.sub(r"\d0 USD", "", html)
    assert "9 calls of unknown price" not in html  # no sum is known of that model: just unknown
    assert "1.25 USD" in html


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(scheme: str) -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1; 3 to 1 for lines that carry meaning (1.4.11)."""
    colours = palette(scheme)
    for ink, grounds in {
        "ink": ("bg", "surface", "bad-soft", "soft"),
        "muted": ("bg", "surface", "bad-soft"),
        "accent": ("bg", "surface", "bad-soft"),
        "good": ("good-soft", "bg"),
        "bad": ("bad-soft", "bg"),
        "warn": ("warn-soft", "bg", "bad-soft"),
    }.items():
        for ground in grounds:
            assert contrast(colours[ink], colours[ground]) >= 4.5, (scheme, ink, ground)
    assert contrast(colours["strong-line"], colours["bg"]) >= 2.4


def palette(scheme: str) -> dict[str, str]:
    style = files("spanloop.service.report").joinpath("templates/style.css").read_text()
    light, dark = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[:2]
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", dark if scheme == "dark" else light))


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of WCAG 2.2."""

    def luminance(colour: str) -> float:
        channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return sum(c * w for c, w in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)
