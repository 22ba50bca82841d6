"""The server under test: ``spanloop serve`` with its shipped defaults, in a process of its own."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import yaml

from benchmarks.ingest_processes import ROOT, WorkerError, cpu_seconds, wait_quiet

STOP_WITHIN_S = 120.0
STALLED_S = 90.0
POLL_S = 1.0
_SAMPLE = re.compile(r'^(\w+)(?:\{signal="(\w+)"\})? (\S+)$')


class ServerUnderTest:
    """``spanloop serve`` on free ports, its data below ``directory``.

    ``overrides`` change its section ``receiver.log``; without them every limit is as shipped.
    """

    def __init__(self, directory: Path, overrides: Mapping[str, Any] | None = None) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.config = directory / "spanloop.yaml"
        self.endpoints: dict[str, str | None] = {}
        self._process: subprocess.Popen[str] | None = None
        self._refused_merges = False
        directory.mkdir(parents=True, exist_ok=True)
        receiver: dict[str, Any] = {"grpc": {"port": 0}, "http": {"port": 0}}
        if overrides:
            receiver["log"] = dict(overrides)
        content: dict[str, Any] = {
            "data_dir": str(self.data),
            "receiver": receiver,
            "sql": {"port": 0},
            "shutdown_timeout_s": STOP_WITHIN_S,
        }
        self.config.write_text(yaml.safe_dump(content))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it is ready.

        Raises:
            WorkerError: it did not start.
        """
        spanloop = Path(sys.executable).with_name("spanloop")
        with (self.directory / "server.log").open("a") as log:
            self._process = subprocess.Popen(
                [spanloop, "serve", "--json", "-c", self.config],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=ROOT,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.stop()
            raise WorkerError(f"spanloop serve did not start:\n{self.output()[-3000:]}")
        self.endpoints = json.loads(line)

    def stop(self) -> None:
        """Let it store what it acknowledged and end; nothing if it is not running."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=STOP_WITHIN_S + 30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def output(self) -> str:
        """What it wrote to standard error."""
        return (self.directory / "server.log").read_text(errors="replace")

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def grpc(self) -> str:
        """Address of the OTLP/gRPC receiver."""
        return str(self.endpoints["grpc"])

    @property
    def sql(self) -> str | None:
        """URL of the SQL endpoint, None where this version serves none."""
        url = self.endpoints.get("sql")
        return url if url is None or "://" in url else f"http://{url}"

    def cpu(self) -> float:
        """CPU seconds it has used."""
        return cpu_seconds(self.pid)

    def metrics(self) -> Mapping[str, float]:
        """Return its own counters: traces only where a counter is by signal."""
        with urllib.request.urlopen(f"{self.endpoints['http']}/metrics", timeout=30) as page:
            text: str = page.read().decode()
        values: dict[str, float] = {}
        for line in text.splitlines():
            sample = _SAMPLE.match(line)
            if sample and sample[2] in (None, "traces"):
                name = sample[1].removeprefix("spanloop_").removesuffix("_total")
                values[name] = float(sample[3])
        return values

    def wait_stored(self) -> float:
        """Wait until nothing is left in the log; return the seconds it took.

        Raises:
            WorkerError: no insert succeeded for a while.
        """
        begun = moved = time.monotonic()
        inserts = 0.0
        while (metrics := self.metrics())["log_bytes"] > 0:
            if metrics.get("inserts", 0.0) != inserts:
                inserts, moved = metrics["inserts"], time.monotonic()
            if time.monotonic() - moved > STALLED_S:
                raise WorkerError(f"the log does not drain:\n{self.output()[-2000:]}")
            time.sleep(0.2)
        return time.monotonic() - begun

    def settle(self) -> None:
        """Wait until everything is stored and the merges that follow are done."""
        self.wait_stored()
        wait_quiet(self.pid, self._is_merging)

    def _is_merging(self) -> bool:
        if self.sql is None or self._refused_merges:
            return False
        try:
            return int(self.query("SELECT count() FROM system.merges")) > 0
        except (urllib.error.URLError, ValueError):
            self._refused_merges = True  # not for readers, or not there: silence of the CPU decides
            return False

    def query(self, sql: str) -> str:
        """Return what the SQL endpoint answers, as text."""
        request = urllib.request.Request(str(self.sql), data=sql.encode())
        with urllib.request.urlopen(request, timeout=120) as answer:
            text: str = answer.read().decode()
        return text.strip()


class LagWatch:
    """Notes, once a second, how old the oldest acknowledged and not yet stored request is."""

    def __init__(self, server: ServerUnderTest) -> None:
        self._server = server
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.max_age_s = 0.0
        self.max_log_bytes = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(POLL_S):
            try:
                metrics = self._server.metrics()
            except OSError:
                continue
            self.max_age_s = max(self.max_age_s, metrics["oldest_unstored_age_seconds"])
            self.max_log_bytes = max(self.max_log_bytes, int(metrics["log_bytes"]))
