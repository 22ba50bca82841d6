"""The page in a real browser: no complaint, no request, nothing runs, no sideways scrolling."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from spanloop.service.report.page import render
from tests.support.chromium import Browser, Page, chromium, running
from tests.support.reports import empty_report, report

HOSTILE = (
    "<script>window.owned=1</script><img src=http://evil.example/x onerror=window.owned=1>"
    "</style><style>body{background:url(http://evil.example/y)}</style>"
    "javascript:window.owned=1 \u202e" + "x" * 5_000 + " `" + "y" * 300 + "`"
)
PAGES = {
    "everything": render(report()),
    "one agent": render(report(agents=1)),
    "nothing": render(empty_report()),
    "hostile": render(report(HOSTILE)),
    "long words": render(report("w" * 20_000)),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running(chromium()) as started:
        yield started


@pytest.fixture
def page(browser: Browser) -> Page:
    return browser.page()


@pytest.mark.parametrize("name", PAGES)
def test_the_page_opens_everywhere(page: Page, tmp_path: Path, name: str) -> None:
    file = tmp_path / "report.html"
    file.write_text(PAGES[name])
    for width, scheme in ((375, "light"), (375, "dark"), (768, "light"), (1280, "dark")):
        page.look(width, scheme=scheme)
        page.open(file)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert (
            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            is None
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("typeof window.owned") == "undefined"
    assert page.evaluate("document.scripts.length") == 0
    assert page.evaluate("document.styleSheets.length") == 1
    assert page.complaints == []
    assert set(page.requests) <= {file.as_uri(), "data:,"}


def test_colours_follow_the_reader(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(PAGES["everything"])
    grounds = []
    for scheme in ("light", "dark"):
        page.look(768, scheme=scheme)
        page.open(file)
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds[0] == "rgb(255, 255, 255)"
    assert grounds[1] != grounds[0]


def test_the_browser_would_notice(page: Page, tmp_path: Path) -> None:
    """What the tests above look for is seen where it is."""
    file = tmp_path / "bad.html"
    file.write_text(
        "<!doctype html><script>console.error('x')</script><img src='http://127.0.0.1:9/x'>"
        "<div style='width:2000px'>wide</div>"
    )
    page.look(375)
    page.open(file)
    assert page.evaluate("document.documentElement.scrollWidth") > 375
    assert page.complaints
    assert "http://127.0.0.1:9/x" in page.requests
