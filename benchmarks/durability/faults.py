"""Scenarios: the database or the disk refuses for a while."""

import os
import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.durability.audit import execute
from benchmarks.durability.database import Database
from benchmarks.durability.load import Load, SpanSource
from benchmarks.durability.stage import NO_DATABASE, Facts, Scale, Stage, failed
from benchmarks.faultfs import Rule

MEBIBYTE = 1024 * 1024
NO_SPACE = tuple(Rule("errno:28", op, "*/volume/data/*") for op in ("write", "open", "mkdir"))
RETRY_MARK = "next attempt in"
ATTEMPTS = 3
TIMES_VIEW = "otel_traces_trace_id_ts_mv"


def view_throws_half_way(directory: Path, scale: Scale) -> Facts:
    """The view from ``otel_traces`` to its time stamps throws on every row, and is mended later."""
    stage = Stage(directory, watched=False)
    try:
        stage.start()
        stage.send()
        stage.server.stop()
        find = f"SELECT as_select FROM system.tables WHERE name = '{TIMES_VIEW}'"  # noqa: S608
        query = execute(stage.server.data, find)[0][0][0]
        throwing = f"SELECT * FROM ({query}) WHERE throwIf(TraceId != '', 'trap') = 0"  # noqa: S608
        execute(stage.server.data, f"ALTER TABLE {TIMES_VIEW} MODIFY QUERY {throwing}")
        stage.start()
        stage.send()
        attempts = _wait_for_attempts(stage, ATTEMPTS)
        stage.server.kill()
        counts = "SELECT (SELECT count() FROM otel_traces), (SELECT count() FROM otel_traces_trace_id_ts)"
        mend = f"ALTER TABLE {TIMES_VIEW} MODIFY QUERY {query}"
        halfway = execute(stage.server.data, counts, mend)[0][0]
        facts = stage.verdict(failed_attempts=attempts, rows_while_it_threw=halfway)
    finally:
        stage.close()
    return facts if attempts >= ATTEMPTS else failed(facts, "the view did not throw")


def memory_runs_out(directory: Path, scale: Scale) -> Facts:
    """A segment is larger than the engine's memory limit allows; later the limit is raised."""
    log = {"segment_max_age_s": 3.0}
    small = {"receiver": {"log": log}, "store": {"memory_bytes": 256 * MEBIBYTE}}
    stage = Stage(directory, small, watched=False)
    stage.source = SpanSource(2, text_bytes=8000)
    try:
        stage.start()
        for _ in range(int(scale.pick(80, 30))):
            stage.send(100)
        deadline = time.monotonic() + scale.pick(120, 20)
        while stage.server.unstored() and time.monotonic() < deadline:
            time.sleep(0.2)
        hit = _memory_errors(stage)
        stored_under_limit = not stage.server.unstored()
        stage.server.kill()
        stage.server.configure({})
        facts = stage.verdict(memory_errors=hit, stored_under_limit=stored_under_limit)
    finally:
        stage.close()
    return facts if hit else failed(facts, "the memory limit was never hit")


def database_unavailable(directory: Path, scale: Scale) -> Facts:
    """Every write of the engine fails for a minute, under load; requests are acknowledged all along."""
    outage_s = scale.pick(60, 5)
    stage = Stage(directory)
    load = Load(stage.server.grpc, stage.ledger, senders=2, batch=50, spans_per_s=500)
    try:
        stage.start()
        load.start()
        time.sleep(2)
        before = stage.ledger.n_acknowledged
        stage.layer.set_rules(NO_DATABASE)
        time.sleep(outage_s)
        during = stage.ledger.n_acknowledged - before
        backlog = stage.server.unstored()
        stage.layer.set_rules(())
        load.finish()
        stage.server.wait_stored()
        survived = stage.server.alive()
        stage.server.stop()
        facts = stage.verdict(
            outage_s=outage_s,
            acknowledged_in_outage=during,
            segments_waiting_at_its_end=backlog,
            server_survived=survived,
        )
    finally:
        stage.close()
    if not backlog:
        return failed(facts, "the database was never unavailable")
    return facts if during else failed(facts, "nothing was acknowledged during the outage")


def database_server_dies(directory: Path, scale: Scale) -> Facts:
    """Server mode: the database is killed in mid-insert again and again, and is away for a minute."""
    outage_s, deaths = scale.pick(60, 4), int(scale.pick(15, 3))
    database = Database(directory / "database")
    stage = Stage(directory, {"store": {"dsn": database.dsn}}, watched=False)
    load = Load(stage.server.grpc, stage.ledger, senders=2, batch=50, spans_per_s=500)
    rng = random.Random(scale.seed)
    during = 0
    try:
        database.start()
        stage.start()
        load.start()
        for death in range(deaths):
            time.sleep(rng.uniform(0.3, 3.0))
            database.kill()
            before = stage.ledger.n_acknowledged
            time.sleep(outage_s if death == 0 else 0.2)
            during = stage.ledger.n_acknowledged - before if death == 0 else during
            database.start()
        load.finish()
        stage.server.wait_stored()
        survived = stage.server.alive()
        stage.server.stop()
        database.kill()
        facts = stage.verdict(
            data=database.directory,
            outage_s=outage_s,
            deaths=deaths,
            acknowledged_in_outage=during,
            server_survived=survived,
        )
    finally:
        stage.close()
        database.kill()
    return facts if during else failed(facts, "nothing was acknowledged during the outage")


def disk_refuses_writes(directory: Path, scale: Scale) -> Facts:
    """ENOSPC on every write of log and engine for a while, under load: refuse, do not lie, go on."""
    full_s = scale.pick(10, 4)
    stage = Stage(directory)
    load = Load(stage.server.grpc, stage.ledger, senders=2, batch=50, spans_per_s=500)
    try:
        stage.start()
        load.start()
        time.sleep(2)
        stage.layer.set_rules(NO_SPACE)
        time.sleep(1)
        before = stage.ledger.n_acknowledged
        time.sleep(full_s)
        during = stage.ledger.n_acknowledged - before
        stage.layer.set_rules(())
        load.finish()
        survived = stage.server.alive()
        stage.server.wait_stored()
        stage.server.stop()
        facts = stage.verdict(
            full_s=full_s, acknowledged_while_full=during, server_survived=survived
        )
    finally:
        stage.close()
    if during:
        return failed(facts, "requests were acknowledged although nothing could be written")
    return facts if survived else failed(facts, "the server died of a full disk")


def sync_fails(directory: Path, scale: Scale) -> Facts:
    """``fdatasync`` of the log fails with EIO for a while, again and again; then power fails."""
    rounds = int(scale.pick(6, 2))
    stage = Stage(directory)
    load = Load(stage.server.grpc, stage.ledger, senders=2, batch=50, spans_per_s=500)
    during = 0
    try:
        stage.start()
        load.start()
        for _ in range(rounds):
            time.sleep(1.5)
            stage.layer.set_rules([Rule("errno:5", "sync", "*/data/wal/*")])
            time.sleep(0.5)  # answers already under way
            before = stage.ledger.n_acknowledged
            time.sleep(1.5)
            during += stage.ledger.n_acknowledged - before
            stage.layer.set_rules(())
        survived = stage.server.alive()
        stage.server.kill()
        dropped = stage.layer.cut_power("synced")
        stage.start()
        load.finish()
        stage.server.kill()
        facts = stage.verdict(
            rounds=rounds,
            acknowledged_while_failing=during,
            server_survived=survived,
            files_changed_by_cut=dropped.files,
        )
    finally:
        stage.close()
    if during:
        return failed(facts, "requests were acknowledged although no sync succeeded")
    return facts if survived else failed(facts, "the server died of a failed sync")


def disk_full(directory: Path, scale: Scale) -> Facts:
    """A real, small file system runs full under log and engine, and gets room again."""
    if os.geteuid() != 0:
        return {"passed": True, "skipped": "mounting a tmpfs needs root"}
    volume = directory / "volume"
    volume.mkdir(parents=True)
    with _mounted(volume, int(scale.pick(96, 48))):
        stage = Stage(directory, watched=False)
        ballast = volume / "ballast"
        try:
            stage.start()
            stage.send()
            free = os.statvfs(volume).f_bavail * os.statvfs(volume).f_frsize
            ballast.write_bytes(bytes(max(0, free - 4 * MEBIBYTE)))
            stage.source = SpanSource(3, text_bytes=20_000)
            taken, refused, spans = 0, 0, stage.source.take(50)
            for _ in range(60):
                spans, accepted = stage.send_unheard()
                taken, refused = taken + accepted, refused + (not accepted)
                if refused >= 3:
                    break
            survived = stage.server.alive()
            ballast.unlink()
            stage.resend(spans)
            stage.server.wait_stored()
            stage.server.stop()
            facts = stage.verdict(
                taken_before_full=taken, refused_when_full=refused, server_survived=survived
            )
        finally:
            stage.close()
    if not refused:
        return failed(facts, "the disk never ran full")
    return facts if survived else failed(facts, "the server died of a full disk")


@contextmanager
def _mounted(directory: Path, mebibytes: int) -> Iterator[None]:
    """A tmpfs of that size at ``directory``."""
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(directory)], check=True
    )
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)


def _wait_for_attempts(stage: Stage, attempts: int, timeout_s: float = 30.0) -> int:
    """Wait until that many inserts have failed; return how many did."""
    deadline = time.monotonic() + timeout_s
    while (seen := stage.server.output().count(RETRY_MARK)) < attempts:
        if time.monotonic() > deadline:
            return seen
        time.sleep(0.2)
    return seen


def _memory_errors(stage: Stage) -> int:
    return stage.server.output().count("MEMORY_LIMIT_EXCEEDED")
