"""The real Collector in a process of its own, for tests."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import AF_INET, SOCK_STREAM, create_connection, socket
from typing import Any

import pytest
import yaml

from tests.collector.build import Tools, tools

START_TIMEOUT_S = 30.0


@pytest.fixture(scope="session")
def otelcol() -> Tools:
    """The built Collector and telemetrygen: without them a desk skips and CI fails."""
    found = tools()
    if not found.exist():
        how = "the Collector is not built: run python tests/collector/build.py"
        if os.environ.get("CI"):
            pytest.fail(how)
        pytest.skip(f"NO COLLECTOR: {how}")
    return found


def free_ports(count: int) -> list[int]:
    """Return ports of localhost that were free a moment ago."""
    held = [socket(AF_INET, SOCK_STREAM) for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in held]
    finally:
        for one in held:
            one.close()


class RunningCollector:
    """A Collector that receives OTLP on localhost."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", ports: tuple[int, int], log: Path
    ) -> None:
        self._process = process
        self.grpc_address = f"127.0.0.1:{ports[0]}"
        self.http_url = f"http://127.0.0.1:{ports[1]}"
        self._log = log

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()
        self._process.wait(30)

    def stop(self) -> None:
        """Stop it gracefully: it sends on what it has, or keeps it in its queue."""
        self._process.terminate()
        try:
            self._process.wait(30)
        finally:
            self._process.kill()

    @classmethod
    @contextmanager
    def started(
        cls,
        config: Path,
        ports: tuple[int, int],
        *,
        environment: Mapping[str, str] | None = None,
        over: Sequence[Path] = (),
    ) -> Iterator["RunningCollector"]:
        """Run the Collector with ``config``, whose receiver listens on ``ports`` (gRPC, HTTP).

        Configurations in ``over`` are laid over it.
        """
        log = config.with_suffix(".log")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(tools().otelcol), *(f"--config={each}" for each in (config, *over))],
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
            )
        running = cls(process, ports, log)
        try:
            for port in ports:
                running._wait_for(port)
            yield running
        finally:
            running.stop()

    @classmethod
    @contextmanager
    def discarding(cls) -> Iterator["RunningCollector"]:
        """Run the Collector with a receiver of defaults (and CORS), which throws everything away."""
        grpc_port, http_port = free_ports(2)
        config = collector_config((grpc_port, http_port), {"debug": {}})
        config["receivers"]["otlp"]["protocols"]["http"]["cors"] = {"allowed_origins": ["http://*"]}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "collector.yaml"
            path.write_text(yaml.safe_dump(config))
            with cls.started(path, (grpc_port, http_port)) as running:
                yield running

    def _wait_for(self, port: int) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            assert self._process.poll() is None, f"the Collector ended:\n{self.log()[-3000:]}"
            with suppress(OSError), create_connection(("127.0.0.1", port), timeout=1):
                return
            time.sleep(0.05)
        raise AssertionError(f"the Collector does not listen:\n{self.log()[-3000:]}")


def collector_config(
    ports: tuple[int, int],
    exporters: Mapping[str, Any],
    processors: Mapping[str, Any] | None = None,
    *,
    signals: Sequence[str] = ("traces", "logs", "metrics"),
) -> dict[str, Any]:
    """Return a configuration: one OTLP receiver, and each of ``signals`` through everything given."""
    steps = processors or {}
    pipeline = {
        "receivers": ["otlp"],
        "processors": list(steps),
        "exporters": list(exporters),
    }
    protocols: dict[str, Any] = {
        "grpc": {"endpoint": f"127.0.0.1:{ports[0]}"},
        "http": {"endpoint": f"127.0.0.1:{ports[1]}"},
    }
    return {
        "receivers": {"otlp": {"protocols": protocols}},
        "processors": dict(steps),
        "exporters": dict(exporters),
        "service": {
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": dict.fromkeys(("traces", "logs", "metrics"), pipeline),
        },
    }
