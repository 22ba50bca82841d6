"""The two peers, each on a fresh store that ``spanloop serve`` prepared: equal tables, views, prices."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.ingest_load import Load
from benchmarks.ingest_processes import run_worker
from benchmarks.ingest_rotel import RotelWriter, Written, receive
from benchmarks.ingest_server import ServerUnderTest


@dataclass(frozen=True, slots=True, kw_only=True)
class Naive:
    """Python flattening and client inserts; ``flatten_cpu_s`` is part of ``cpu_s``."""

    spans: int
    inserts: int
    cpu_s: float
    flatten_cpu_s: float

    @property
    def cpu_s_per_million(self) -> float:
        """CPU seconds for a million spans."""
        return self.cpu_s / self.spans * 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """rotel, and the database's work on what rotel wrote."""

    written: Written
    spans: int
    inserts: int
    database_cpu_s: float

    @property
    def cpu_s_per_million(self) -> float:
        """CPU seconds for a million spans, rotel and database."""
        rotel = self.written.cpu_s / self.written.sent.spans
        return (rotel + self.database_cpu_s / self.spans) * 1e6


def naive(folder: Path, *, spans: int, rows: int) -> Naive:
    """Store ``spans`` spans, ``rows`` an insert, by flattening them in Python."""
    config = _prepared(folder)
    found = run_worker(
        "benchmarks.ingest_naive",
        ["--config", str(config), "--spans", str(spans), "--rows", str(rows)],
    )
    return Naive(
        spans=int(found["spans"]),
        inserts=int(found["inserts"]),
        cpu_s=found["cpu_s"],
        flatten_cpu_s=found["flatten_cpu_s"],
    )


def rotel(folder: Path, *, spans: int, rows: int, batch: int) -> Relay:
    """Let rotel receive ``spans`` spans and write them; store its bodies, ``rows`` an insert."""
    config = _prepared(folder)
    bodies = folder / "bodies"
    with RotelWriter(bodies) as writer:
        written = receive(writer, Load(target=writer.address, spans=spans, batch=batch))
        statement = writer.capture.statement
    size = int(rows * written.bytes_per_span)
    found = run_worker(
        "benchmarks.ingest_rotel",
        ["--config", str(config), "--folder", str(bodies), "--statement", statement,
         "--bytes", str(size)],
    )  # fmt: skip
    return Relay(
        written=written,
        spans=int(found["spans"]),
        inserts=int(found["inserts"]),
        database_cpu_s=found["cpu_s"],
    )


def _prepared(folder: Path) -> Path:
    with ServerUnderTest(folder) as server:
        return server.config
