"""A real Chromium without a window, spoken to over its debugging pipe: no further library.

Chrome DevTools Protocol (https://chromedevtools.github.io/devtools-protocol/): messages are JSON, each ended
by a zero byte, on file descriptors 3 (to the browser) and 4 (from it).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome", "headless_shell")
COMPLAINTS = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")

# The browser wants its pipe on two numbers that pytest itself uses, so a shell puts it there.
WITH_PIPE = 'exec "$0" "$@" 3<&{to_browser} 4>&{from_browser}'


def chromium() -> str:
    """Return the browser: ``$SPANLOOP_CHROMIUM``, else one on the path; skip without, but fail in CI.

    ``$SPANLOOP_NO_BROWSER`` is set where none can be installed; `.ci/run` says so.
    """
    found = os.environ.get("SPANLOOP_CHROMIUM") or next(
        filter(None, map(shutil.which, NAMES)), None
    )
    if found:
        return found
    if os.environ.get("CI") and not os.environ.get("SPANLOOP_NO_BROWSER"):
        pytest.fail("no Chromium: install one (Debian: apt-get install chromium)")
    pytest.skip("NO CHROMIUM: install one (Debian: apt-get install chromium) to look at pages")


@dataclass(kw_only=True)
class Page:
    """A tab: what it shows, what it complained of, what it asked the network for."""

    browser: Browser
    session: str
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def look(self, width: int, height: int = 900, *, scheme: str = "light") -> None:
        """Set the size of the window, in CSS pixels, and what the reader prefers."""
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        preference = {"name": "prefers-color-scheme", "value": scheme}
        self._ask("Emulation.setEmulatedMedia", features=[preference])

    def open(self, path: Path) -> None:
        """Open a file and wait until it is loaded."""
        self._ask("Page.navigate", url=path.as_uri())
        deadline = time.monotonic() + 30
        while self.evaluate("document.readyState") != "complete":
            assert time.monotonic() < deadline, "the page does not load"
            time.sleep(0.02)

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript."""
        answer = self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self.browser.ask(method, parameters, self)


@dataclass(kw_only=True)
class Browser:
    """The running browser, and the ends of its pipe."""

    to: int
    frm: int
    asked: int = 0
    unread: bytes = b""

    def page(self) -> Page:
        """Return a new tab."""
        target = self.ask("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self.ask("Target.attachToTarget", {"targetId": target, "flatten": True})
        page = Page(browser=self, session=attached["sessionId"])
        for domain in ("Page", "Log", "Network", "Runtime"):
            self.ask(f"{domain}.enable", {}, page)
        return page

    def ask(
        self, method: str, parameters: dict[str, Any], page: Page | None = None
    ) -> dict[str, Any]:
        """Ask the browser, and return its answer; what it tells meanwhile goes to ``page``."""
        self.asked += 1
        message: dict[str, Any] = {"id": self.asked, "method": method, "params": parameters}
        if page is not None:
            message["sessionId"] = page.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            told = self._read()
            if told.get("id") == self.asked:
                assert "error" not in told, told
                answer: dict[str, Any] = told["result"]
                return answer
            if page is not None:
                _note(page, told)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self.unread:
            more = os.read(self.frm, 1 << 16)
            assert more, "the browser ended"
            self.unread += more
        one, self.unread = self.unread.split(b"\0", 1)
        told: dict[str, Any] = json.loads(one)
        return told


def _note(page: Page, told: dict[str, Any]) -> None:
    method = told.get("method")
    if method in COMPLAINTS:
        page.complaints.append(json.dumps(told["params"]))
    if method == "Network.requestWillBeSent":
        page.requests.append(told["params"]["request"]["url"])


@contextlib.contextmanager
def running(command: str) -> Iterator[Browser]:
    """Yield a browser with a profile of its own; it ends with the block."""
    browser_reads, to_browser = os.pipe()
    from_browser, browser_writes = os.pipe()
    assert min(browser_reads, browser_writes) > 4
    pipe = WITH_PIPE.format(to_browser=browser_reads, from_browser=browser_writes)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [
                *("bash", "-c", pipe, command, "--headless", "--disable-gpu", "--no-first-run"),
                *("--disable-background-networking", "--disable-dev-shm-usage"),
                *(("--no-sandbox",) if os.geteuid() == 0 else ()),  # root may not sandbox
                *("--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"),
            ],
            pass_fds=(browser_reads, browser_writes),
            stdout=subprocess.DEVNULL,
            stderr=sys.stderr.fileno()
            if os.environ.get("SPANLOOP_CHROMIUM_LOG")
            else subprocess.DEVNULL,
        )
        os.close(browser_reads)
        os.close(browser_writes)
        try:
            yield Browser(to=to_browser, frm=from_browser)
        finally:
            process.kill()
            process.wait(timeout=30)
            os.close(to_browser)
            os.close(from_browser)
