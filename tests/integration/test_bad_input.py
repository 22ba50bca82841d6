"""Bad input costs at most itself: a clear error or a stored span, bounded memory, and the server stays up.

Everything is sent first, to one server per configuration, and what became of it is read from the stopped
store: chDB's directory belongs to the server while it runs.
"""

import gzip
import os
import re
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.conformance import messages as m
from tests.conformance.target import Reply, Target
from tests.conftest import ServerProcess
from tests.support import hostile
from tests.support.hostile import Case

MIB = 1024 * 1024
MEMORY_LIMIT = 2 * 1024 * MIB
N_FUZZED = int(os.environ.get("SPANLOOP_FUZZ", "600"))


@dataclass(slots=True)
class Outcome:
    """What became of a case: the answer, and how many of its items are in the store."""

    case: Case
    reply: Reply
    rejected: int = 0
    reason: str = ""


@dataclass(slots=True)
class Run:
    """One server's life."""

    outcomes: dict[str, Outcome] = field(default_factory=dict[str, Outcome])
    peak_bytes: int = 0
    rows: dict[str, int] = field(default_factory=dict[str, int])
    span_rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    dead_letters: list[str] = field(default_factory=list[str])
    exit_status: int = -1
    ready: int = 0


def live_through(directory: Path, cases: Sequence[Case], settings: dict[str, Any]) -> Run:
    """Send every case to a new server, stop it, and read what it stored."""
    server = ServerProcess(directory, settings, {})
    run = Run()
    try:
        server.start()
        target = Target(grpc_address=server.grpc, http_url=server.http)
        for case in cases:
            run.outcomes[case.name] = send(target, case)
            run.peak_bytes = max(run.peak_bytes, peak_memory(server))
        assert target.is_alive()
        wait_until_stored(server)
        run.exit_status = server.stop()
        tables = ("otel_traces", "otel_logs", "otel_metrics_gauge")
        for table in tables:
            run.rows[table] = server.query(f"SELECT count() AS n FROM {table}")[0]["n"]  # noqa: S608
        run.span_rows = server.query(
            "SELECT substring(SpanName, 1, 8) AS name,"
            " toUnixTimestamp64Second(Timestamp) AS seconds FROM otel_traces"
        )
        run.dead_letters = [p.name for p in (directory / "data" / "dead-letters").glob("*.json")]
    finally:
        server.close()
    return run


def send(target: Target, case: Case) -> Outcome:
    reply = target.post(case.path, case.body, case.content_type)
    outcome = Outcome(case=case, reply=reply)
    if reply.status == 200:
        signal = next(s for s in m.SIGNALS if s.path == case.path)
        outcome.rejected, outcome.reason = m.rejected(signal, reply.message(signal.response))
    return outcome


def wait_until_stored(server: ServerProcess) -> None:
    """Wait for an empty log: a request over 1,000 days is 1,000 synced parts, a minute on a busy disk."""
    deadline = time.monotonic() + 400
    n_bytes = 1.0
    while n_bytes > 0:
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.2)
        with urllib.request.urlopen(f"{server.http}/metrics", timeout=30) as answer:
            found = re.search(r"^spanloop_log_bytes (\S+)$", answer.read().decode(), re.MULTILINE)
        assert found
        n_bytes = float(found[1])


def peak_memory(server: ServerProcess) -> int:
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


# --- hostile values -----------------------------------------------------------------------------

NOW = hostile.now_ns()
TRACES = {case.name: case for case in hostile.trace_cases(NOW)}
OTHERS = {case.name: case for case in hostile.other_signal_cases(NOW)}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    cases = [*TRACES.values(), *OTHERS.values()]
    return live_through(tmp_path_factory.mktemp("hostile"), cases, {})


@pytest.mark.parametrize("name", [*TRACES, *OTHERS])
def test_a_hostile_value_costs_at_most_its_span(run: Run, name: str) -> None:
    outcome = run.outcomes[name]
    assert outcome.reply.status == 200, outcome.reply.body[:300]
    assert outcome.rejected <= (1 if outcome.case.n_items < 1000 else 0)
    assert bool(outcome.reason) == bool(outcome.rejected)


def test_every_span_is_stored_or_was_rejected(run: Run) -> None:
    sent = sum(run.outcomes[name].case.n_items for name in TRACES)
    rejected = sum(run.outcomes[name].rejected for name in TRACES)
    assert run.rows["otel_traces"] == sent - rejected


def test_every_log_record_and_point_is_stored_or_was_rejected(run: Run) -> None:
    logs = [o for o in run.outcomes.values() if o.case.path == "/v1/logs"]
    metrics = [o for o in run.outcomes.values() if o.case.path == "/v1/metrics"]
    assert run.rows["otel_logs"] == len(logs) - sum(o.rejected for o in logs)
    assert run.rows["otel_metrics_gauge"] == len(metrics)


def test_good_neighbours_are_kept(run: Run) -> None:
    good = sum(row["name"] == "good" for row in run.span_rows)
    others = ("one request over", "arrays")  # these two kinds have other neighbours
    assert good == 2 * sum(not name.startswith(others) for name in TRACES)


def test_nothing_became_a_dead_letter_and_the_log_was_emptied(run: Run) -> None:
    assert run.dead_letters == []
    assert run.exit_status == 0


def test_memory_is_bounded(run: Run) -> None:
    assert run.peak_bytes < MEMORY_LIMIT, f"{run.peak_bytes // MIB} MiB"


# --- times, with a TTL: never acknowledged and then eaten ---------------------------------------

TIMES = [
    TRACES[name]
    for name in TRACES
    if name.startswith(("start", "year", "older", "two days", "one request", "ends"))
]


@pytest.fixture(scope="module")
def run_with_ttl(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return live_through(tmp_path_factory.mktemp("ttl"), TIMES, {"store": {"ttl_days": 30}})


def test_with_a_ttl_every_span_is_stored_or_was_rejected(run_with_ttl: Run) -> None:
    sent = sum(case.n_items for case in TIMES)
    rejected = sum(outcome.rejected for outcome in run_with_ttl.outcomes.values())
    assert run_with_ttl.rows["otel_traces"] == sent - rejected
    assert run_with_ttl.dead_letters == []


def test_with_a_ttl_stored_times_are_inside_it(run_with_ttl: Run) -> None:
    now = NOW // hostile.SECOND
    outside = [
        row
        for row in run_with_ttl.span_rows
        if not now - 30 * 86400 - 3600 <= row["seconds"] <= now + 86400 + 3600
    ]
    assert outside == []


# --- fuzzing ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fuzz_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    cases = [*hostile.fuzzed(20261123, N_FUZZED), Case(name="last", body=hostile.between(m.span()))]
    return live_through(tmp_path_factory.mktemp("fuzz"), cases, {})


def test_fuzzed_requests_are_taken_or_refused_for_good(fuzz_run: Run) -> None:
    statuses = {o.reply.status for o in fuzz_run.outcomes.values()}
    assert statuses <= {200, 400}
    refusals = [o for o in fuzz_run.outcomes.values() if o.reply.status == 400]
    assert all(o.reply.status_message().message for o in refusals)
    assert 0.1 < len(refusals) / len(fuzz_run.outcomes) < 0.98


def test_after_fuzzing_everything_taken_is_in_the_database(fuzz_run: Run) -> None:
    assert fuzz_run.outcomes["last"].reply.status == 200
    assert sum(row["name"] == "good" for row in fuzz_run.span_rows) >= 2
    assert fuzz_run.dead_letters == []
    assert fuzz_run.exit_status == 0


# --- bodies -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Target, ServerProcess]]:
    server = ServerProcess(tmp_path_factory.mktemp("bodies"), {}, {})
    try:
        server.start()
        yield Target(grpc_address=server.grpc, http_url=server.http), server
    finally:
        server.close()


@pytest.mark.parametrize("content_type", ["application/x-protobuf", "application/json"])
def test_gzip_bombs_cost_no_memory(target: tuple[Target, ServerProcess], content_type: str) -> None:
    receiver, server = target
    before = peak_memory(server)
    bomb = gzip.compress(gzip_free := b" " * (300 * MIB), 9)
    assert len(bomb) < len(gzip_free) // 500
    for _ in range(3):
        reply = receiver.post("/v1/traces", bomb, content_type, content_encoding="gzip")
        assert reply.status == 413
    assert peak_memory(server) - before < 300 * MIB
    assert receiver.is_alive()


def test_a_grpc_gzip_bomb_is_refused(target: tuple[Target, ServerProcess]) -> None:
    receiver, server = target
    before = peak_memory(server)
    body = m.traces([m.span(attributes=[m.text("k", "\0" * (150 * MIB))])]).SerializeToString()
    for _ in range(3):
        reply = receiver.call(m.TRACES, body, compression=grpc.Compression.Gzip)
        assert reply.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert peak_memory(server) - before < 500 * MIB
    assert receiver.is_alive()


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("text/plain", 415),
        ("multipart/form-data", 415),
        ("", 415),
        ("application/x-protobuf;", 200),
    ],
)
def test_content_types(
    target: tuple[Target, ServerProcess], content_type: str, status: int
) -> None:
    body = m.request_of(m.TRACES).SerializeToString()
    assert target[0].post("/v1/traces", body, content_type).status == status


@pytest.mark.parametrize("wrong", [m.LOGS, m.METRICS], ids=lambda s: s.name)
def test_another_signal_on_the_traces_path_stores_nothing(
    target: tuple[Target, ServerProcess], wrong: m.Signal
) -> None:
    reply = target[0].post("/v1/traces", m.request_of(wrong).SerializeToString())
    if reply.status == 200:  # the signals share field numbers: logs look like spans without ids
        assert m.rejected(m.TRACES, reply.message(m.TRACES.response))[0] > 0
    else:
        assert reply.status == 400
