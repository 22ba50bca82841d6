"""A stock Jaeger v2 in a process of its own, for tests: its query API, and its OTLP receiver."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.jaeger.build import jaeger_path
from tests.support.collector import free_ports

START_TIMEOUT_S = 30.0
ANSWER_TIMEOUT_S = 30.0
MEMORY_BACKEND: Mapping[str, Any] = {"memory": {"max_traces": 10_000}}


@pytest.fixture(scope="session")
def jaeger() -> Path:
    """The built Jaeger: without it a desk skips and CI fails, unless ``$SPANLOOP_NO_JAEGER`` is set."""
    found = jaeger_path()
    if not found.is_file():
        how = "Jaeger is not built: run python -m tests.jaeger.build"
        if os.environ.get("CI") and not os.environ.get("SPANLOOP_NO_JAEGER"):
            pytest.fail(how)
        pytest.skip(f"NO JAEGER: {how}")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningJaeger:
    """Where a Jaeger is reached, and what it answers."""

    query_url: str
    otlp_grpc: str
    otlp_http: str
    log_path: Path

    def get(self, path: str, **parameters: Any) -> Any:
        """Return ``data`` of an answer of the API that Jaeger's own pages use (``/api/…``)."""
        return self.document(path, **parameters)["data"]

    def document(self, path: str, **parameters: Any) -> Any:
        """Return a whole answer; an error fails the test with Jaeger's own words."""
        answer = self.answer(path, **parameters)
        assert answer.status_code == httpx.codes.OK, f"{path}: {answer.text[:2000]}"
        return answer.json()

    def answer(self, path: str, **parameters: Any) -> httpx.Response:
        """Return an answer, whatever its status."""
        return httpx.get(self.query_url + path, params=parameters, timeout=ANSWER_TIMEOUT_S)

    def trace(self, trace_id: str, *, spans: int, timeout_s: float = 20.0) -> dict[str, Any]:
        """Return the trace once it has ``spans`` spans: what is received is stored a moment later."""
        deadline = time.monotonic() + timeout_s
        found: list[dict[str, Any]] = []
        while time.monotonic() < deadline:
            answer = self.answer(f"/api/traces/{trace_id}")
            found = answer.json()["data"] or []
            if found and len(found[0]["spans"]) >= spans:
                assert len(found[0]["spans"]) == spans, f"more than {spans} spans of {trace_id}"
                return found[0]
            time.sleep(0.1)
        have = len(found[0]["spans"]) if found else 0
        raise AssertionError(f"trace {trace_id} has {have} of {spans} spans; {self.log()}")

    def log(self) -> str:
        """Return the end of its log."""
        return self.log_path.read_text(errors="replace")[-3000:]


@contextmanager
def running_jaeger(
    folder: Path, backend: Mapping[str, Any] = MEMORY_BACKEND
) -> Iterator[RunningJaeger]:
    """Run Jaeger over ``backend`` (one of ``jaeger_storage.backends``), with its files in ``folder``."""
    query, query_grpc, otlp_grpc, otlp_http = free_ports(4)
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "jaeger.yaml"
    config.write_text(
        yaml.safe_dump(
            _config(backend, query=(query, query_grpc), otlp=(otlp_grpc, otlp_http)),
            sort_keys=False,
        )
    )
    log = folder / "jaeger.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(jaeger_path()), f"--config={config}"], stdout=output, stderr=subprocess.STDOUT
        )
    running = RunningJaeger(
        query_url=f"http://127.0.0.1:{query}",
        otlp_grpc=f"127.0.0.1:{otlp_grpc}",
        otlp_http=f"http://127.0.0.1:{otlp_http}",
        log_path=log,
    )
    try:
        _wait(process, running)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(30)
        finally:
            process.kill()
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", running: RunningJaeger) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        assert process.poll() is None, f"Jaeger ended:\n{running.log()}"
        try:
            if running.answer("/").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"Jaeger does not listen:\n{running.log()}")


def _config(
    backend: Mapping[str, Any], *, query: tuple[int, int], otlp: tuple[int, int]
) -> dict[str, Any]:
    """Return a configuration: ``query`` and ``otlp`` are ports of HTTP and gRPC, and of gRPC and HTTP."""
    endpoints = [f"127.0.0.1:{port}" for port in (*query, *otlp)]
    return {
        "extensions": {
            "jaeger_storage": {"backends": {"store": dict(backend)}},
            "jaeger_query": {
                "storage": {"traces": "store"},
                "http": {"endpoint": endpoints[0]},
                "grpc": {"endpoint": endpoints[1]},
            },
        },
        "receivers": {
            "otlp": {
                "protocols": {
                    "grpc": {"endpoint": endpoints[2]},
                    "http": {"endpoint": endpoints[3]},
                }
            }
        },
        "exporters": {"jaeger_storage_exporter": {"trace_storage": "store"}},
        "service": {
            "extensions": ["jaeger_storage", "jaeger_query"],
            "pipelines": {
                "traces": {"receivers": ["otlp"], "exporters": ["jaeger_storage_exporter"]}
            },
            "telemetry": {"metrics": {"level": "none"}},
        },
    }
