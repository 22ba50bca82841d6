"""A real ``spanloop serve`` in a process of its own, for tests (chDB allows one path per process)."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 90.0
_MAIN = "from spanloop.service.cli import main; main()"


class SpanloopServer:
    """A running server; rows can be read once it is stopped."""

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self.data_dir = folder / "data"
        self._config = folder / "spanloop.yaml"
        self._config.write_text(yaml.safe_dump(dict(settings)))
        self._errors = folder / "stderr.log"
        self._process: subprocess.Popen[str] | None = None
        self.grpc_address = self.http_url = ""

    def start(self) -> None:
        """Start the process and learn its ports."""
        with self._errors.open("ab") as errors:
            self._process = subprocess.Popen(
                self._command("serve"), stdout=subprocess.PIPE, stderr=errors, text=True
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()  # the process ends, or says where it listens
        assert line, f"spanloop serve did not start:\n{self.errors()[-3000:]}"
        endpoints = json.loads(line)
        self.grpc_address, self.http_url = endpoints["grpc"], endpoints["http"]

    def stop(self) -> None:
        """Stop it gracefully: what it acknowledged is in the database afterwards."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            if process.stdout is not None:
                process.stdout.close()
        assert process.returncode == 0, f"exit {process.returncode}:\n{self.errors()[-3000:]}"

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def memory_bytes(self) -> int:
        """Return the resident set size of the server."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Run a statement on the stopped server's data directory."""
        assert self._process is None, "stop the server first: its data directory is locked"
        done = subprocess.run(
            self._command("query", sql), capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr[-3000:]
        rows: list[dict[str, Any]] = json.loads(done.stdout)
        return rows

    def errors(self) -> str:
        """Return what it logged."""
        return self._errors.read_text(errors="replace") if self._errors.exists() else ""

    def _command(self, command: str, *arguments: str) -> list[str]:
        options = ["--config", str(self._config), "--data-dir", str(self.data_dir), "--json"]
        return [sys.executable, "-c", _MAIN, command, *arguments, *options]


def local_settings(**http: Any) -> dict[str, Any]:
    """Return settings of a server on free ports of localhost, without the SQL endpoint."""
    return {
        "receiver": {
            "grpc": {"port": 0},
            "http": {"port": 0, **http},
            "log": {"segment_max_age_s": 0.5},
        },
        "sql": {"enabled": False},
    }


@contextmanager
def running(settings: Mapping[str, Any] | None = None) -> Iterator[SpanloopServer]:
    """Run a server in a temporary folder until the block ends."""
    assert not any(name.startswith("SPANLOOP_") and name != "SPANLOOP_TOOLS" for name in os.environ)
    with tempfile.TemporaryDirectory(prefix="spanloop-test-") as folder:
        server = SpanloopServer(Path(folder), settings or local_settings())
        server.start()
        try:
            yield server
        finally:
            server.stop()
