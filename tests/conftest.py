"""Fixtures shared by all tests: a real server in its own process.

chDB allows one data path per process, so a server that owns a store always runs beside pytest, never in it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.litellm_clients import close_blocking_clients

REPOSITORY = Path(__file__).resolve().parent.parent


def _make_importable(package: str) -> None:
    """Let tests import ``package`` of the checkout, without the checkout on ``sys.path``.

    There its folders (``proto``, ``exporter``) would shadow other people's packages.
    """
    if package in sys.modules:
        return
    init = REPOSITORY / package / "__init__.py"
    spec = importlib.util.spec_from_file_location(package, init)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[package] = module
    spec.loader.exec_module(module)


_make_importable("benchmarks")

LONG_FILES = REPOSITORY / "tests" / "long_files.txt"
"""What takes longest, by ``--durations``."""

SPANLOOP = Path(sysconfig.get_path("scripts")) / "spanloop"


class ServerProcess:
    """``spanloop serve`` on free ports; ``kill`` is SIGKILL, ``stop`` is graceful."""

    def __init__(self, directory: Path, config: dict[str, Any], env: dict[str, str]) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.config_path = directory / "spanloop.yaml"
        self.config_path.write_text(yaml.safe_dump(_merged(_defaults(directory), config)))
        self._log_path = directory / "server.log"
        self._env = {**os.environ, **env}
        self.process: subprocess.Popen[str] | None = None
        self.endpoints: dict[str, str | None] = {}

    def start(self, timeout_s: float = 60) -> ServerProcess:
        """Start and wait for the ready line."""
        with self._log_path.open("a") as stderr:
            self.process = subprocess.Popen(
                [SPANLOOP, "serve", "--json", "-c", self.config_path],
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env=self._env,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"server did not start:\n{self._log_path.read_text()[-4000:]}")
        self.endpoints = json.loads(line)
        return self

    @property
    def grpc(self) -> str:
        return str(self.endpoints["grpc"])

    @property
    def http(self) -> str:
        return str(self.endpoints["http"])

    @property
    def sql(self) -> str:
        return str(self.endpoints["sql"])

    def kill(self) -> None:
        """End it as a crash would."""
        assert self.process is not None
        self.process.kill()
        self._reap()

    def stop(self) -> int:
        """Ask it to stop and return its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self._reap()

    def _reap(self) -> int:
        assert self.process is not None
        status = self.process.wait(timeout=90)
        if self.process.stdout:
            self.process.stdout.close()
        self.process = None
        return status

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run another ``spanloop`` command with the same configuration."""
        done = subprocess.run(
            [SPANLOOP, arguments[0], *arguments[1:], "-c", self.config_path],
            capture_output=True,
            text=True,
            env=self._env,
            timeout=120,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{arguments}: {done.stderr}\n{done.stdout}")
        return done

    def run_plain(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command that takes no configuration."""
        done = subprocess.run(
            [SPANLOOP, *arguments], capture_output=True, text=True, timeout=300, check=False
        )
        if done.returncode != 0:
            raise AssertionError(f"{arguments}: {done.stderr}\n{done.stdout}")
        return done

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Run SQL through ``spanloop query``, whoever owns the store."""
        rows: list[dict[str, Any]] = json.loads(self.run("query", sql, "--json").stdout)
        return rows

    def wait_until(self, sql: str, expected: Any, timeout_s: float = 60) -> None:
        """Poll a one-value query until it returns ``expected``."""
        deadline = time.monotonic() + timeout_s
        value: Any = None
        while time.monotonic() < deadline:
            value = next(iter(self.query(sql)[0].values()))
            if value == expected:
                return
            time.sleep(0.3)
        raise AssertionError(f"{sql}: {value!r}, expected {expected!r}; {self.log()}")

    def log(self) -> str:
        return self._log_path.read_text()[-3000:]

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self._reap()


def _defaults(directory: Path) -> dict[str, Any]:
    return {
        "data_dir": str(directory / "data"),
        "receiver": {
            "grpc": {"port": 0},
            "http": {"port": 0},
            "log": {"segment_max_age_s": 0.3, "min_free_bytes": 0},
        },
        "sql": {"port": 0},
    }


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="also run long tests, as CI does")
    parser.addoption("--slow", action="store_true", help="also run tests that take minutes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    long_files = {REPOSITORY / name for name in LONG_FILES.read_text("utf-8").split()}
    for item in items:
        if item.path in long_files:
            item.add_marker(pytest.mark.long)
    # A file that is named is wanted, long or not.
    named = any(".py" in argument for argument in config.args)
    if not (named or os.environ.get("CI") or config.getoption("--all")):
        short = [item for item in items if "long" not in item.keywords]
        config.hook.pytest_deselected(items=[item for item in items if "long" in item.keywords])
        items[:] = short
    if config.getoption("--slow"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="takes minutes; run with --slow"))


@pytest.fixture(autouse=True, scope="module")
def connections() -> Iterator[None]:
    """Close what litellm's blocking calls leave open, or whichever test runs later would be told of it."""
    yield
    close_blocking_clients()


MakeServer = Callable[..., ServerProcess]


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[MakeServer]:
    """Return a factory of servers; ``name`` keeps several apart, keywords are configuration."""
    servers: list[ServerProcess] = []

    def make(
        name: str = "server", *, env: dict[str, str] | None = None, **config: Any
    ) -> ServerProcess:
        server = ServerProcess(tmp_path / name, config, env or {})
        servers.append(server)
        return server

    yield make
    for server in servers:
        server.close()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Real agent runs: ``$SPANLOOP_DATA``, else ``shared/data`` beside the checkout."""
    for candidate in (os.environ.get("SPANLOOP_DATA"), REPOSITORY.parent / "shared" / "data"):
        if candidate and Path(candidate).is_dir():
            return Path(candidate)
    if os.environ.get("CI"):
        pytest.fail("the recorded agent runs are missing: set SPANLOOP_DATA")
    pytest.skip("NO RECORDED RUNS: set SPANLOOP_DATA to run this test")
