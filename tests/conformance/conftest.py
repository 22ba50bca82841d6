"""Black-box OTLP conformance: every test talks to a URL and says which clause it checks.

    pytest tests/conformance                                    # starts `spanloop serve` itself
    pytest tests/conformance --otlp-grpc localhost:4317 --otlp-http http://localhost:4318

``--otlp-report FILE`` writes the result of each clause as JSON; `benchmarks/conformance.py` prints
two such files side by side.
"""

import json
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.target import Target
from tests.conftest import ServerProcess


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("otlp", "the OTLP receiver under test")
    group.addoption("--otlp-grpc", metavar="HOST:PORT", help="its gRPC port")
    group.addoption("--otlp-http", metavar="URL", help="its HTTP port, as http://HOST:PORT")
    group.addoption("--otlp-report", metavar="FILE", help="write each clause's result as JSON")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "clause(level, text): the duty a conformance test checks")


def _option(config: pytest.Config, name: str) -> str | None:
    given: Any = config.getoption(f"--otlp-{name}", default=None)
    return str(given) if given else os.environ.get(f"OTLP_{name.upper()}")


@pytest.fixture(scope="session")
def target(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    grpc_address = _option(request.config, "grpc")
    http_url = _option(request.config, "http")
    if grpc_address and http_url:
        yield Target(grpc_address=grpc_address, http_url=http_url)
        return
    http_settings = {"port": 0, "cors_origins": ["*"]}
    server = ServerProcess(
        tmp_path_factory.mktemp("conformance"), {"receiver": {"http": http_settings}}, {}
    )
    try:
        server.start()
        yield Target(grpc_address=server.grpc, http_url=server.http, expects_all=True)
    finally:
        server.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    marker = item.get_closest_marker("clause")
    if marker is not None and (report.when == "call" or report.outcome != "passed"):
        item.config.stash.setdefault(_RESULTS, {})[item.nodeid] = {
            "level": marker.args[0],
            "clause": marker.args[1],
            "outcome": report.outcome,
            "reason": _reason(report),
        }
    return report


_RESULTS = pytest.StashKey[dict[str, dict[str, str]]]()


def _reason(report: Any) -> str:
    if report.outcome == "passed":
        return ""
    if report.outcome == "skipped" and isinstance(report.longrepr, tuple):
        return str(report.longrepr[2])
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(getattr(crash, "message", report.longrepr))[:300]


def pytest_sessionfinish(session: pytest.Session) -> None:
    path = _option(session.config, "report")
    if path:
        results = session.config.stash.get(_RESULTS, {})
        Path(path).write_text(json.dumps(results, indent=1))
