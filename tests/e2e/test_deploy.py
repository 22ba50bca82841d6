"""The files of deploy/ in their places: agent → Collector → spanloop → Jaeger, each the real thing."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.collector.build import Tools
from tests.conftest import REPOSITORY, MakeServer
from tests.support.collector import RunningCollector, free_ports, otelcol
from tests.support.jaeger import jaeger

__all__ = ["jaeger", "otelcol"]
TOKEN = "a-token-of-this-test"
SPANS = 6


def placed(name: str, folder: Path, addresses: Mapping[str, str] | None = None) -> Path:
    """Copy a file of ``deploy/``, with addresses of the compose network replaced."""
    text = (REPOSITORY / "deploy" / name).read_text(encoding="utf-8")
    for inside, here in (addresses or {}).items():
        assert inside in text, f"{name} no longer names {inside}"
        text = text.replace(inside, here)
    config = yaml.safe_load(text)
    config["service"]["telemetry"] = {"metrics": {"level": "none"}}  # port 8888 may be taken here
    path = folder / Path(name).name
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


@pytest.mark.collector
def test_a_trace_sent_to_the_collector_is_found_in_jaeger(
    make_server: MakeServer,
    otelcol: Tools,
    jaeger: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SPANLOOP_TOKEN", TOKEN)
    tokens = [{"token": TOKEN}]
    server = make_server(
        receiver={"tokens": tokens}, jaeger={"enabled": True, "port": 0, "tokens": tokens}
    ).start()
    grpc_port, http_port, notes_port, query_port = free_ports(4)
    environment = {
        "OTELCOL_GRPC": f"127.0.0.1:{grpc_port}",
        "OTELCOL_HTTP": f"127.0.0.1:{http_port}",
        "OTELCOL_ANNOTATIONS": f"127.0.0.1:{notes_port}",
        "OTELCOL_STORAGE": str(tmp_path / "queue"),
        "SPANLOOP_OTLP": server.grpc,
    }
    viewer = placed(
        "jaeger.yaml",
        tmp_path,
        {
            "0.0.0.0:16686": f"127.0.0.1:{query_port}",
            "spanloop:17271": str(server.endpoints["jaeger"]),
        },
    )
    collector = RunningCollector.started(
        placed("../otel-collector-config.yaml", tmp_path),
        (grpc_port, http_port),
        environment=environment,
        over=[REPOSITORY / "deploy" / "collector.yaml"],
    )
    with collector as running:
        command = [str(otelcol.telemetrygen), "traces", f"--traces={SPANS // 2}", "--rate=0"]
        target = ["--otlp-insecure", f"--otlp-endpoint={running.grpc_address}"]
        subprocess.run([*command, *target], check=True, timeout=60)
        server.wait_until("SELECT count() FROM otel_traces", SPANS)
    with subprocess.Popen([jaeger, f"--config={viewer}"], stderr=subprocess.DEVNULL) as process:
        try:
            assert found(f"http://127.0.0.1:{query_port}") == SPANS
        finally:
            process.terminate()


def found(query_url: str, timeout_s: float = 30.0) -> int:
    """Return how many spans of telemetrygen Jaeger shows, once it answers."""
    deadline = time.monotonic() + timeout_s
    asked = {"service": "telemetrygen", "lookback": "1h", "limit": "20"}
    while time.monotonic() < deadline:
        try:
            answer = httpx.get(f"{query_url}/api/traces", params=asked, timeout=20)
        except httpx.TransportError:
            time.sleep(0.1)
            continue
        assert answer.status_code == httpx.codes.OK, answer.text[:2000]
        traces: list[dict[str, Any]] = answer.json()["data"]
        return sum(len(trace["spans"]) for trace in traces)
    raise AssertionError("Jaeger does not answer")
