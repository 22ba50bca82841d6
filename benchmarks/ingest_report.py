"""The result of a run: figures beside their targets, for people and for programs."""

import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from benchmarks.ingest_dialects import DIALECTS
from benchmarks.ingest_peers import Naive, Relay
from benchmarks.ingest_phases import Phase, WithReaders
from benchmarks.ingest_store import Left
from spanloop.processor import tagging
from spanloop.service.config import WriteAheadLog

PACKAGES = ("chdb", "chdb-core", "clickhouse-connect", "grpcio", "protobuf", "rotel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """What was measured of the server. ``slices`` are the throughput phase, a million spans each."""

    slices: list[Phase]
    paced: Phase
    small: Phase
    nested: Phase
    readers: WithReaders | None
    left: Left
    start_cpu_s: float
    idle_cores: float

    @property
    def spans(self) -> int:
        """Spans of the throughput phase."""
        return sum(s.sent.spans for s in self.slices)

    @property
    def rows_an_insert(self) -> int:
        """Rows that went into an insert of the throughput phase."""
        return round(self.spans / sum(s.inserts for s in self.slices))

    @property
    def cpu_s_per_million(self) -> float:
        """CPU seconds for a million spans, all in."""
        return sum(s.cpu_s for s in self.slices) / self.spans * 1e6

    @property
    def peak_memory_bytes(self) -> int:
        """The highest peak of any phase."""
        phases = [*self.slices, self.paced, self.small, self.nested]
        if self.readers:
            phases.append(self.readers.phase)
        return max(phase.peak_memory_bytes for phase in phases)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Everything that was measured."""

    ours: Ours
    naive: Naive | None
    rotel: Relay | None
    filesystem: str
    log_overrides: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Target:
    """A figure beside what it should be; ``met`` is None where it was not measured."""

    name: str
    figure: float | None
    aim: str
    met: bool | None


def targets(result: Result) -> list[Target]:
    """Return the figures that were asked for."""
    cost = result.ours.cpu_s_per_million
    rotel = result.rotel.cpu_s_per_million / cost if result.rotel else None
    naive = result.naive.cpu_s_per_million / cost if result.naive else None
    first, last = result.ours.slices[0], result.ours.slices[-1]
    flat = (
        last.spans_per_s_per_core / first.spans_per_s_per_core
        if len(result.ours.slices) > 1
        else None
    )
    speed, p99 = 1e6 / cost, result.ours.paced.sent.ack_p99_ms
    memory = result.ours.peak_memory_bytes / 1e9
    return [
        Target("spans/s/core, all in", speed, ">= 20000 (stretch 35000)", speed >= 20_000),
        Target("times rotel + database", rotel, ">= 1", None if rotel is None else rotel >= 1),
        Target("times naive Python", naive, ">= 3", None if naive is None else naive >= 3),
        Target("ack p99 at 10,000 spans/s, ms", p99, "<= 150", p99 <= 150),
        Target("peak memory, GB", memory, "<= 1.5", memory <= 1.5),
        Target(
            "last million / first million", flat, ">= 0.9", None if flat is None else flat >= 0.9
        ),
    ]


def as_json(result: Result) -> dict[str, Any]:
    """Return the whole result for programs."""
    limits = {**WriteAheadLog().model_dump(), **result.log_overrides}
    return {
        "targets": [asdict(target) for target in targets(result)],
        "cpu_s_per_million_spans": result.ours.cpu_s_per_million,
        "peak_memory_bytes": result.ours.peak_memory_bytes,
        "throughput": [_phase(phase) for phase in result.ours.slices],
        "paced": _phase(result.ours.paced),
        "small_requests": _phase(result.ours.small),
        "slow_path": _phase(result.ours.nested),
        "with_readers": result.ours.readers
        and {**_phase(result.ours.readers.phase), "reading": asdict(result.ours.readers.reading)},
        "disk": {**asdict(result.ours.left), "bytes_per_span": result.ours.left.bytes_per_span},
        "naive": result.naive
        and {**asdict(result.naive), "cpu_s_per_million": result.naive.cpu_s_per_million},
        "rotel": result.rotel
        and {**asdict(result.rotel), "cpu_s_per_million": result.rotel.cpu_s_per_million},
        "server": {"start_cpu_s": result.ours.start_cpu_s, "idle_cores": result.ours.idle_cores},
        "rules": tagging.rule_count(),
        "dialects_sent": list(DIALECTS),
        "segment": {key: limits[key] for key in limits if key.startswith("segment_")},
        "environment": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "kernel": platform.release(),
            "filesystem": result.filesystem,
            **{name: version(name) for name in PACKAGES},
        },
    }


def as_text(result: Result) -> str:
    """Return the result for people."""
    return "\n".join(_lines(result))


def _phase(phase: Phase) -> dict[str, Any]:
    return {
        **asdict(phase),
        "cpu_s_per_million": phase.cpu_s_per_million,
        "spans_per_s_per_core": phase.spans_per_s_per_core,
        "slow_path_share": phase.slow_requests / phase.sent.requests,
    }


def _lines(result: Result) -> Iterator[str]:
    ours, sent = result.ours, result.ours.slices[0].sent
    yield (
        f"{ours.spans:,} spans of {sent.bytes_per_span:.0f} bytes, {sent.attributes_per_span:.1f} "
        f"attributes, {len(DIALECTS)} dialects; {tagging.rule_count()} rules, "
        f"{len(ours.left.indexes)} skip indexes; engine {ours.left.engine}, "
        f"{os.cpu_count()} cores, {result.filesystem}, {ours.rows_an_insert:,} rows an insert"
    )
    yield ""
    for target in targets(result):
        figure = "not measured" if target.figure is None else f"{target.figure:,.2f}"
        verdict = {True: "met", False: "MISSED", None: ""}[target.met]
        yield f"{target.name:32} {figure:>14}   {target.aim:26} {verdict}"
    yield ""
    yield (
        f"{'phase':14}{'spans':>10}{'CPU s/M':>9}{'acked/s':>9}{'req/s':>8}{'p50 ms':>8}{'p99 ms':>8}"
        f"{'drain s':>9}{'lag s':>7}{'peak MB':>9}{'inserts':>9}{'slow':>6}"
    )
    named = [(f"flat out {i + 1}", phase) for i, phase in enumerate(ours.slices)]
    named += [("paced", ours.paced), ("8 spans each", ours.small), ("nested", ours.nested)]
    if ours.readers:
        named.append(("with readers", ours.readers.phase))
    for name, phase in named:
        yield _row(name, phase)
    yield ""
    yield from _store(ours)
    yield from _peers(result)


def _store(ours: Ours) -> Iterator[str]:
    if ours.readers:
        reading = ours.readers.reading
        yield (
            f"{reading.readers} readers: {reading.queries} queries, p50 {reading.query_p50_ms:.0f} ms, "
            f"p99 {reading.query_p99_ms:.0f} ms, {reading.failed} failed {reading.first_error}"
        )
    tables = ", ".join(
        f"{name} {size.bytes_on_disk / size.rows:.0f} B/row x {size.rows:,}"
        for name, size in ours.left.tables.items()
        if name.startswith(("otel_traces", "genai"))
    )
    yield f"disk {ours.left.bytes_per_span:.0f} bytes/span: {tables}"
    yield f"start {ours.start_cpu_s:.1f} CPU s, idle {ours.idle_cores:.3f} cores"


def _row(name: str, phase: Phase) -> str:
    sent = phase.sent
    return (
        f"{name:14}{sent.spans:>10,}{phase.cpu_s_per_million:>9.1f}{sent.spans_per_s:>9,.0f}"
        f"{sent.requests_per_s:>8,.0f}{sent.ack_p50_ms:>8.0f}{sent.ack_p99_ms:>8.0f}{phase.drain_s:>9.1f}"
        f"{phase.max_unstored_age_s:>7.1f}{phase.peak_memory_bytes / 1e6:>9,.0f}{phase.inserts:>9}"
        f"{phase.slow_requests / sent.requests:>6.0%}"
    )


def _peers(result: Result) -> Iterator[str]:
    yield f"ours                  {result.ours.cpu_s_per_million:8.1f} CPU s per million spans"
    if result.naive:
        flatten = result.naive.flatten_cpu_s / result.naive.spans * 1e6
        yield (
            f"(a) naive Python      {result.naive.cpu_s_per_million:8.1f} (flattening {flatten:.1f}; "
            f"{result.naive.spans:,} spans, {result.naive.inserts} inserts)"
        )
    if result.rotel:
        own = result.rotel.written.cpu_s / result.rotel.written.sent.spans * 1e6
        yield (
            f"(b) rotel + database  {result.rotel.cpu_s_per_million:8.1f} (rotel {own:.1f}; "
            f"{result.rotel.spans:,} spans, {result.rotel.inserts} inserts)"
        )
