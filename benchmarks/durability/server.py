"""``spanloop serve`` in its own process, to be killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

READY_WITHIN_S = 60.0
DRAINED_WITHIN_S = 180.0


class ServerError(Exception):
    """The server did not do what was asked of it."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """A spanloop server on a port that stays the same over its lives.

    Args:
        directory: holds its configuration, its output and, below ``volume/data``, all that it stores.
        config: overrides of the configuration, nested as in the YAML file.
    """

    def __init__(self, directory: Path, config: Mapping[str, Any] | None = None) -> None:
        self.directory = directory
        self.volume = directory / "volume"  # a disk of its own, as far as faults go
        self.data = self.volume / "data"
        self.grpc = f"127.0.0.1:{free_port()}"
        self._port = int(self.grpc.rpartition(":")[2])
        self._process: subprocess.Popen[str] | None = None
        directory.mkdir(parents=True, exist_ok=True)
        self.configure(config or {})

    def configure(self, config: Mapping[str, Any]) -> None:
        """Set the configuration of the next life."""
        base: dict[str, Any] = {
            "data_dir": str(self.data),
            "receiver": {
                "grpc": {"port": self._port},
                "http": {"enabled": False},
                "log": {"segment_max_age_s": 0.3, "min_free_bytes": 0},
            },
            "sql": {"enabled": False},
            "shutdown_timeout_s": DRAINED_WITHIN_S,
        }
        (self.directory / "spanloop.yaml").write_text(yaml.safe_dump(_merged(base, config)))

    def spawn(self, environment: Mapping[str, str] | None = None) -> None:
        """Begin to start."""
        spanloop = Path(sys.executable).with_name("spanloop")
        with (self.directory / "server.log").open("a") as log:
            self._process = subprocess.Popen(
                [spanloop, "serve", "--json", "-c", self.directory / "spanloop.yaml"],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, **(environment or {})},
            )

    def start(self, environment: Mapping[str, str] | None = None) -> None:
        """Start and wait until it listens."""
        self.spawn(environment)
        self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until it listens."""
        process = self._process
        assert process is not None
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            self.kill()
            raise ServerError(f"did not start:\n{self.output()[-3000:]}")
        json.loads(line)

    def kill(self) -> None:
        """SIGKILL, wherever it is; nothing if it is not running."""
        if self._process is not None:
            self._process.kill()
            self._reap()

    def alive(self) -> bool:
        """Whether it has not ended by itself."""
        return self._process is not None and self._process.poll() is None

    def wait_killed(self, timeout_s: float = 30.0) -> bool:
        """Wait until a fault has killed it; False (and it is killed now) if none did."""
        assert self._process is not None
        try:
            self._process.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        return self._reap() == -signal.SIGKILL

    def stop(self) -> None:
        """SIGTERM: it stores what it acknowledged and ends.

        Raises:
            ServerError: it did not end by itself, or left something in its log.
        """
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=DRAINED_WITHIN_S + 30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerError(f"did not stop:\n{self.output()[-3000:]}") from None
        self._reap()
        if left := self.unstored():
            raise ServerError(f"left {left} segments in its log:\n{self.output()[-3000:]}")

    def drain(self) -> None:
        """Start, wait until everything in the log is stored, and stop."""
        self.start()
        self.wait_stored()
        self.stop()

    def wait_stored(self, timeout_s: float = DRAINED_WITHIN_S) -> None:
        """Wait until the log is empty."""
        deadline = time.monotonic() + timeout_s
        while self.unstored():
            if time.monotonic() > deadline:
                raise ServerError(f"did not empty its log:\n{self.output()[-3000:]}")
            time.sleep(0.1)

    def unstored(self) -> int:
        """Segments in the log that are not marked as done."""
        segments = (self.data / "wal").glob("*/*.wal")
        return sum(1 for segment in segments if not segment.with_suffix(".done").exists())

    def dead_letters(self) -> int:
        """Requests and damaged stretches that were set aside."""
        return sum(1 for _ in (self.data / "dead-letters").glob("*.json"))

    def output(self) -> str:
        """What it wrote to standard error, over all lives."""
        return (self.directory / "server.log").read_text(errors="replace")

    def _reap(self) -> int:
        assert self._process is not None
        status = self._process.wait(timeout=30)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None
        return status


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merged(merged[key], value) if both else value
    return merged
