"""``spanloop doctor``: what is wrong with the set-up, and what to do about it, before traffic finds out."""

import os
import platform
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from spanloop.exporter.lock import DirectoryLock, read_owner
from spanloop.exporter.migrate import pending
from spanloop.exporter.store import with_client
from spanloop.processor.errors import SpanloopError
from spanloop.service.config import LOOPBACK, Settings
from spanloop.service.stores import make_renderer, open_store

Verdict = Literal["ok", "warning", "failure"]
SLOW_SYNC_S = 0.05
CLOCK_TOLERANCE_S = 2.0
# An OTLP time stamp before this is a clock that was never set, not an old span.
EARLIEST_PLAUSIBLE_UNIX_S = 1_704_067_200
PACKAGES = (
    "spanloop",
    "chdb",
    "clickhouse-connect",
    "grpcio",
    "protobuf",
    "opentelemetry-proto",
    "litellm",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at; ``advice`` says what to do unless all is well."""

    check: str
    verdict: Verdict
    detail: str
    advice: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Look at everything; never raises for what it finds."""
    owner = read_owner(settings.data_dir)
    findings = [*_versions(), *_volume(settings), *_clock()]
    if owner:
        findings.append(
            Finding(
                check="data directory",
                verdict="ok",
                detail=f"owned by the server of process {owner.get('pid')}",
            )
        )
        return findings
    return [*findings, *_ports(settings), *_store(settings)]


def _versions() -> Iterator[Finding]:
    yield Finding(check="python", verdict="ok", detail=platform.python_version())
    for package in PACKAGES:
        try:
            yield Finding(check=package, verdict="ok", detail=version(package))
        except PackageNotFoundError:
            yield Finding(
                check=package,
                verdict="failure",
                detail="not installed",
                advice="install spanloop with pip into an environment of its own",
            )


def _volume(settings: Settings) -> Iterator[Finding]:
    existing = next(
        p for p in (settings.data_dir, *settings.data_dir.absolute().parents) if p.exists()
    )
    free = shutil.disk_usage(existing).free
    log = settings.receiver.log
    needed = log.min_free_bytes + log.segment_max_bytes
    enough = free > needed
    yield Finding(
        check="disk space",
        verdict="ok" if enough else "failure",
        detail=f"{free / 1e9:.1f} GB free at {existing}",
        advice=""
        if enough
        else f"the log refuses below {needed / 1e9:.1f} GB: free space or move data_dir",
    )
    if not os.access(existing, os.W_OK):
        yield Finding(
            check="data directory",
            verdict="failure",
            detail=f"{existing} is not writable",
            advice="choose another data_dir or fix its owner",
        )
        return
    sync_s = _measure_sync(existing)
    yield Finding(
        check="fdatasync",
        verdict="ok" if sync_s < SLOW_SYNC_S else "warning",
        detail=f"{sync_s * 1e3:.1f} ms (median of 5)",
        advice=""
        if sync_s < SLOW_SYNC_S
        else "every acknowledgement waits for one: use a faster volume or larger batches",
    )


def _measure_sync(directory: Path) -> float:
    samples: list[float] = []
    with tempfile.NamedTemporaryFile(dir=directory, prefix=".spanloop-doctor-") as probe:
        for _ in range(5):
            os.write(probe.fileno(), bytes(4096))
            begun = time.perf_counter()
            os.fdatasync(probe.fileno())
            samples.append(time.perf_counter() - begun)
    return sorted(samples)[len(samples) // 2]


def _clock() -> Iterator[Finding]:
    now = time.time()
    plausible = now > EARLIEST_PLAUSIBLE_UNIX_S
    yield Finding(
        check="clock",
        verdict="ok" if plausible else "failure",
        detail=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        advice="" if plausible else "set the clock: spans ahead of it are stored as received now",
    )


def _ports(settings: Settings) -> Iterator[Finding]:
    receiver, sql, jaeger = settings.receiver, settings.sql, settings.jaeger
    wanted = [
        (
            "OTLP/gRPC port",
            receiver.grpc.enabled,
            receiver.grpc.host,
            receiver.grpc.port,
            receiver.tokens,
        ),
        (
            "OTLP/HTTP port",
            receiver.http.enabled,
            receiver.http.host,
            receiver.http.port,
            receiver.tokens,
        ),
        (
            "SQL port",
            sql.enabled and settings.store.dsn is None,
            sql.host,
            sql.port,
            sql.tokens,
        ),
        ("Jaeger port", jaeger.enabled, jaeger.host, jaeger.port, jaeger.tokens),
    ]
    for name, enabled, host, port, tokens in wanted:
        if not enabled or port == 0:
            continue
        problem = _bind_problem(host, port)
        yield Finding(
            check=name,
            verdict="failure" if problem else "ok",
            detail=f"{host}:{port} {problem or 'is free'}",
            advice="stop what listens there (often a Collector) or configure another port"
            if problem
            else "",
        )
        if host not in LOOPBACK and not tokens:
            yield Finding(
                check=name,
                verdict="warning",
                detail=f"{host} is reachable from other machines without a token",
                advice="configure tokens and TLS (docs/operations.md)",
            )


def _bind_problem(host: str, port: int) -> str | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as failure:
            return f"cannot be bound: {failure.strerror}"
    return None


def _store(settings: Settings) -> Iterator[Finding]:
    """Only of a store that exists: looking must not create one."""
    if settings.store.dsn is None and not (settings.data_dir / "db").is_dir():
        yield Finding(check="store", verdict="ok", detail="new: created by the first start")
        return
    try:
        yield from _look_into_store(settings)
    except SpanloopError as error:
        yield Finding(
            check="store", verdict="failure", detail=str(error), advice="see docs/operations.md"
        )


def _look_into_store(settings: Settings) -> Iterator[Finding]:
    renderer = make_renderer(settings)
    lock = DirectoryLock(settings.data_dir)
    store = open_store(settings)
    try:
        engine = with_client(store, lambda c: str(c.server_version))
        clock = with_client(
            store, lambda c: float(c.query("SELECT toFloat64(now64(3))").result_rows[0][0])
        )
        missing = with_client(store, lambda c: pending(c, renderer))
    finally:
        store.close()
        lock.close()
    skew = abs(clock - time.time())
    yield Finding(check="ClickHouse", verdict="ok", detail=engine)
    yield Finding(
        check="database clock",
        verdict="ok" if skew < CLOCK_TOLERANCE_S else "warning",
        detail=f"{skew:.1f} s from this machine's",
        advice=""
        if skew < CLOCK_TOLERANCE_S
        else "synchronise the clocks: retention is judged by both",
    )
    yield Finding(
        check="schema",
        verdict="warning" if missing else "ok",
        detail=f"{len(missing)} statements to apply" if missing else "current",
        advice="`spanloop serve` or `spanloop migrate` applies them" if missing else "",
    )
