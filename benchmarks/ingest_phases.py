"""What is measured of the server, phase by phase: load, wait until stored and merged, count its CPU."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from benchmarks.ingest_load import Load, Sent, send
from benchmarks.ingest_processes import memory_bytes, reset_peak, thread_cpu_seconds
from benchmarks.ingest_readers import Readers, Reading
from benchmarks.ingest_server import LagWatch, ServerUnderTest

SLICE = 1_000_000
PACED_RATE = 10_000
SMALL_BATCH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One load and all that the server did for it. ``cpu_s`` ends when merges have settled."""

    sent: Sent
    cpu_s: float
    cpu_until_stored_s: float
    drain_s: float
    max_unstored_age_s: float
    max_log_bytes: int
    peak_memory_bytes: int
    memory_after_bytes: int
    inserts: int
    slow_requests: int
    threads: dict[str, float]

    @property
    def cpu_s_per_million(self) -> float:
        """CPU seconds for a million spans."""
        return self.cpu_s / self.sent.spans * 1e6

    @property
    def spans_per_s_per_core(self) -> float:
        """Spans for a second of CPU."""
        return self.sent.spans / self.cpu_s


def measure(
    server: ServerUnderTest, load: Load, beside: AbstractContextManager[object] | None = None
) -> Phase:
    """Send ``load`` and count what it cost the server, all in; ``beside`` runs until it is stored."""
    reset_peak(server.pid)
    before, cpu, threads = server.metrics(), server.cpu(), thread_cpu_seconds(server.pid)
    with LagWatch(server) as lag, beside or nullcontext():
        sent = send(load)
        drain_s = server.wait_stored()
    stored_cpu = server.cpu() - cpu
    server.settle()
    cpu = server.cpu() - cpu
    after = server.metrics()
    peak, now = memory_bytes(server.pid)
    if after["stored_rows"] - before.get("stored_rows", 0) != sent.spans:
        raise RuntimeError(f"{sent.spans} spans acknowledged, but the server stored other rows")
    used = thread_cpu_seconds(server.pid)
    return Phase(
        sent=sent,
        cpu_s=cpu,
        cpu_until_stored_s=stored_cpu,
        drain_s=drain_s,
        max_unstored_age_s=lag.max_age_s,
        max_log_bytes=lag.max_log_bytes,
        peak_memory_bytes=peak,
        memory_after_bytes=now,
        inserts=int(after["inserts"] - before.get("inserts", 0)),
        slow_requests=int(after.get("slow_path_requests", 0) - before.get("slow_path_requests", 0)),
        threads={name: s - threads.get(name, 0.0) for name, s in used.items()},
    )


def throughput(server: ServerUnderTest, load: Load) -> list[Phase]:
    """Send ``load`` as fast as it is taken, in slices of at most a million spans."""
    slices: list[Phase] = []
    left = load.spans
    while left > 0:
        size = min(left, SLICE)
        slices.append(measure(server, replace(load, spans=size)))
        left -= size
    return slices


@dataclass(frozen=True, slots=True, kw_only=True)
class WithReaders:
    """A load while others query through the SQL endpoint; the CPU is that of both."""

    phase: Phase
    reading: Reading


def with_readers(server: ServerUnderTest, load: Load) -> WithReaders | None:
    """Measure ``load`` while readers query; None without an SQL endpoint."""
    if server.sql is None:
        return None
    readers = Readers(server.sql)
    phase = measure(server, load, readers)
    return WithReaders(phase=phase, reading=readers.result())
