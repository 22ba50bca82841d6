"""The recorded runs as the measures see them: an analysed store, and ground truth beside it.

Spans enter through the real receiver: a server of its own per directory, each with a database of its own in
one embedded store, since an embedded engine has one path per process. Only ground truth is read from files.
"""

import contextlib
import json
import resource
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from benchmarks.durability.server import Server
from spanloop.exporter.lock import DirectoryLock
from spanloop.optimizer.analysis import AnalysisReport, run_analysis
from spanloop.optimizer.context import Context, Limits
from spanloop.service.config import load as load_settings
from spanloop.service.stores import make_renderer, open_store

STORE_MEMORY_BYTES = 3_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthData:
    """One DATA_DIR after replay through the receiver and a full analysis.

    Attributes:
        context: of the analysed store, on which a measure may run statements and stages again.
        truth: rows of every ``ground_truth.jsonl``, each with ``set`` (its folder) and ``trajectory_id``.
        directory: DATA_DIR, for measures that alter recorded requests.
        report: what the analysis did and cost.
        peak_rss_bytes: of this process, right after the analysis.
    """

    context: Context
    truth: Sequence[Mapping[str, Any]]
    directory: Path
    report: AnalysisReport
    peak_rss_bytes: int

    @property
    def client(self) -> Client:
        """The client of the analysed store."""
        return self.context.client

    @property
    def sets(self) -> Sequence[str]:
        """Names of the folders that have ground truth."""
        return sorted({str(row["set"]) for row in self.truth})


def recorded_files(directory: Path) -> Sequence[Path]:
    """Return every ``*.otlp.gz`` below ``directory`` that has ground truth beside it, or none of its kind."""
    return sorted(directory.rglob("*.otlp.gz"))


def receive(directory: Path, work: Path, database: str) -> None:
    """Send the recordings of ``directory`` through a real receiver into ``database`` below ``work``."""
    files = recorded_files(directory)
    if not files:
        raise SystemExit(f"{directory} holds no *.otlp.gz")
    server = Server(work, {"store": {"database": database, "memory_bytes": STORE_MEMORY_BYTES}})
    server.start()
    try:
        spanloop = Path(sys.executable).with_name("spanloop")
        subprocess.run(
            [spanloop, "replay", "--endpoint", server.grpc, "--json", *files],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    finally:
        server.stop()


@contextlib.contextmanager
def opened(
    work: Path, directories: Mapping[str, Path]
) -> Generator[dict[str, TruthData], None, None]:
    """Yield database → data, analysed; ``directories`` maps each database to its DATA_DIR."""
    data_dir = work / "volume" / "data"
    with contextlib.ExitStack() as stack:
        stack.callback(DirectoryLock(data_dir).close)
        settings = {
            database: load_settings(
                None,
                data_dir=data_dir,
                store={"database": database, "memory_bytes": STORE_MEMORY_BYTES},
            )
            for database in directories
        }
        store = open_store(next(iter(settings.values())))
        stack.callback(store.close)
        data: dict[str, TruthData] = {}
        for database, directory in directories.items():
            client = stack.enter_context(contextlib.closing(store.connect()))
            client.command(f"USE {database}")
            context = Context(
                client=client,
                renderer=make_renderer(settings[database]),
                now_ms=time.time_ns() // 1_000_000,
                limits=Limits(query_memory_bytes=STORE_MEMORY_BYTES * 3 // 4, idle_s=0),
            )
            report = run_analysis(context)
            data[database] = TruthData(
                context=context,
                truth=read_truth(context, directory),
                directory=directory,
                report=report,
                peak_rss_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            )
        yield data


def read_truth(context: Context, directory: Path) -> Sequence[Mapping[str, Any]]:
    """Read ground truth; rows whose trace has no trajectory are an error, not a smaller benchmark."""
    trajectories = {
        str(trace): str(trajectory)
        for trace, trajectory in context.client.query(
            f"SELECT TraceId, TrajectoryId FROM {context.renderer.table('trajectory_traces')} FINAL"  # noqa: S608
        ).result_rows
    }
    rows: list[Mapping[str, Any]] = []
    for path in sorted(directory.rglob("ground_truth.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row: dict[str, Any] = json.loads(line)
            if row["trace_id"] not in trajectories:
                raise SystemExit(f"trace {row['trace_id']} of {path.parent.name} has no trajectory")
            rows.append(
                {**row, "set": path.parent.name, "trajectory_id": trajectories[row["trace_id"]]}
            )
    return rows
