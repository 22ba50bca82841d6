"""The log as its users see it: acknowledged, refused, retried, cancelled, stopped and started again."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from spanloop.exporter.insert import Batch, BodyRejected
from spanloop.processor.errors import InvalidRequest, Overloaded, StoreUnavailable
from spanloop.receiver import wal
from spanloop.receiver.fakes import FakeInserter
from spanloop.receiver.intake import Intake
from spanloop.receiver.log import Log, LogSettings
from spanloop.receiver.record import Record, scan
from spanloop.receiver.telemetry import ACKED, DUPLICATE, INVALID, REFUSED, Telemetry
from spanloop.receiver.wal import SegmentLimits

MakeRequest = Callable[..., bytes]
DOWN = StoreUnavailable("down")


class Opened:
    """A running log with a database that answers as scripted."""

    def __init__(self, directory: Path, inserter: FakeInserter, **settings: Any) -> None:
        self.inserter = inserter
        self.telemetry = Telemetry()
        self.log = Log(
            directory,
            LogSettings(
                segment=settings.pop("segment", SegmentLimits(max_age_s=0.01)),
                min_free_bytes=settings.pop("min_free_bytes", 0),
                **settings,
            ),
            make_inserter=lambda: inserter,
            telemetry=self.telemetry,
        )
        self.log.start()
        self.intake = Intake(self.log, self.telemetry)

    def send(self, body: bytes, signal: Any = "traces") -> None:
        asyncio.run(self.intake.accept(signal, body, "p"))

    def count(self, name: str) -> int:
        return self.telemetry.snapshot().get((name, "traces"), 0)

    def stored(self) -> list[bytes]:
        return [
            piece.body
            for content in self.inserter.stored.values()
            for piece in scan(content)
            if isinstance(piece, Record)
        ]


Open = Callable[..., Opened]


@pytest.fixture
def open_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    monkeypatch.setattr(wal, "RETRY_WRITE_AFTER_S", 0.01)
    opened: list[Opened] = []

    def make(inserter: FakeInserter | None = None, **settings: Any) -> Opened:
        opened.append(Opened(tmp_path, inserter or FakeInserter(), **settings))
        return opened[-1]

    yield make
    for each in opened:
        each.log.stop(timeout_s=0)


def unavailable() -> FakeInserter:
    return FakeInserter(decide=lambda _: DOWN)


def test_what_was_acknowledged_is_stored_when_the_log_stops(
    open_log: Open, make_request: MakeRequest
) -> None:
    opened = open_log()
    bodies = [make_request() for _ in range(5)]
    for body in bodies:
        opened.send(body)
    assert opened.log.stop(timeout_s=5)
    assert sorted(opened.stored()) == sorted(bodies)
    assert opened.count(ACKED) == 5
    assert opened.log.n_bytes == 0
    assert opened.log.oldest_received_ns is None


def test_what_could_not_be_stored_is_there_at_the_next_start(
    open_log: Open, make_request: MakeRequest
) -> None:
    first = open_log(unavailable())
    body = make_request()
    first.send(body)
    assert not first.log.stop(timeout_s=0.1)
    assert first.log.n_bytes > 0
    second = open_log()
    assert second.log.flush(timeout_s=5)
    assert second.stored() == [body]
    assert second.inserter.attempts[0].doubtful


def test_an_identical_retry_is_stored_once_also_after_restarts(
    open_log: Open, make_request: MakeRequest
) -> None:
    body = make_request()
    for number in range(3):
        opened = open_log()
        opened.send(body)
        opened.send(body)
        assert opened.log.stop(timeout_s=5)
        assert len(opened.stored()) == (1 if number == 0 else 0)
        assert opened.count(DUPLICATE) == (1 if number == 0 else 2)


def test_equal_logs_may_both_be_meant(open_log: Open) -> None:
    opened = open_log()
    body = bytes.fromhex("0a061204 12022a00".replace(" ", ""))
    for _ in range(2):
        opened.send(body, "logs")
    opened.log.stop(timeout_s=5)
    assert len(opened.stored()) == 2


def test_a_request_without_rows_is_acknowledged_and_not_logged(open_log: Open) -> None:
    opened = open_log()
    for signal in ("traces", "logs", "metrics"):
        opened.send(b"", signal)
    opened.send(bytes.fromhex("0a0412021200"), "metrics")  # a metric without data
    assert opened.log.n_bytes == 0
    assert opened.log.stop(timeout_s=1)
    assert opened.inserter.attempts == []


def test_an_invalid_request_is_refused_for_good(open_log: Open) -> None:
    opened = open_log()
    with pytest.raises(InvalidRequest):
        opened.send(b"\xff\xff")
    assert opened.count(INVALID) == 1


def test_at_its_cap_the_log_refuses_and_says_so(open_log: Open, make_request: MakeRequest) -> None:
    opened = open_log(unavailable(), max_bytes=100)
    opened.send(make_request(5))
    with pytest.raises(Overloaded, match="max_bytes"):
        opened.send(make_request())
    refusal = opened.log.refusal()
    assert refusal is not None
    assert refusal.retry_after_s == 5.0
    assert opened.count(REFUSED) == 1


def test_a_refused_request_is_no_duplicate_of_itself(
    open_log: Open, make_request: MakeRequest
) -> None:
    opened = open_log(max_bytes=-1)
    body = make_request()
    for _ in range(2):
        with pytest.raises(Overloaded):
            opened.send(body)
    assert opened.count(DUPLICATE) == 0


def test_a_volume_that_cannot_be_seen_refuses_until_it_can(
    open_log: Open, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_log()

    def fail(_: object) -> None:
        raise OSError(errno.EIO, "I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", fail)
        with pytest.raises(Overloaded, match="full or gone"):
            opened.send(make_request())


def test_a_fault_while_appending_settles_the_digest(
    open_log: Open, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_log()
    body = make_request()

    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patched:
        patched.setattr(opened.log, "append", fail)
        with pytest.raises(RuntimeError, match="a bug"):
            opened.send(body)
    opened.send(body)
    assert opened.count(DUPLICATE) == 0


def test_a_nearly_full_volume_refuses(open_log: Open, make_request: MakeRequest) -> None:
    opened = open_log(min_free_bytes=2**60)
    with pytest.raises(Overloaded, match="volume"):
        opened.send(make_request())


def test_after_the_stop_nothing_is_acknowledged(open_log: Open, make_request: MakeRequest) -> None:
    opened = open_log()
    opened.log.stop(timeout_s=1)
    with pytest.raises(Overloaded, match="shutting down"):
        opened.send(make_request())


def test_a_client_that_leaves_changes_nothing_for_its_request_or_its_retries(
    open_log: Open, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_log()
    body = make_request()
    gate = threading.Event()
    fdatasync = os.fdatasync

    def slow(fd: int) -> None:
        gate.wait(5)
        fdatasync(fd)

    monkeypatch.setattr(os, "fdatasync", slow)

    async def scenario() -> None:
        tasks = [asyncio.create_task(opened.intake.accept("traces", body, "p")) for _ in range(4)]
        await asyncio.sleep(0.02)
        tasks[0].cancel()  # the original
        tasks[1].cancel()  # a retry that waits for it
        await asyncio.sleep(0.02)
        assert not any(task.done() for task in tasks[2:])
        gate.set()
        await asyncio.gather(*tasks[2:])
        assert all(task.cancelled() for task in tasks[:2])
        await opened.intake.accept("traces", make_request(), "p")  # the writer is alive

    asyncio.run(scenario())
    opened.log.stop(timeout_s=5)
    assert len(opened.stored()) == 2


def test_all_waiting_copies_learn_that_the_original_was_not_kept(
    open_log: Open, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_log()
    body = make_request()

    def fail(fd: int) -> None:
        time.sleep(0.02)
        raise OSError(errno.EIO, "I/O error")

    async def scenario() -> list[object]:
        copies = [opened.intake.accept("traces", body, "p") for _ in range(3)]
        return await asyncio.gather(*copies, return_exceptions=True)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", fail)
        results = asyncio.run(scenario())
    assert all(isinstance(result, Overloaded) for result in results)
    opened.send(body)
    opened.log.stop(timeout_s=5)
    assert opened.stored() == [body]


def test_what_the_database_cannot_read_becomes_a_dead_letter_and_the_rest_is_stored(
    open_log: Open, make_request: MakeRequest
) -> None:
    good, bad = [make_request(name=f"good{n}") for n in range(4)], make_request(name="poison")

    def decide(batch: Batch) -> Exception | None:
        return BodyRejected("bad") if b"poison" in batch.path.read_bytes() else None

    opened = open_log(FakeInserter(decide=decide), segment=SegmentLimits(max_rows=5, max_age_s=30))
    for body in [*good[:2], bad, *good[2:]]:
        opened.send(body)
    assert opened.log.flush(timeout_s=5)
    assert sorted(opened.stored()) == sorted(good)
    (letter,) = opened.log.dead_letters
    assert letter.rows == 1
    assert [record.body for record in opened.log.dead_letters.records(letter.id)[1]] == [bad]
    assert opened.log.n_bytes == 0
    opened.send(bad)  # a requeue is no retry of something stored
    assert opened.count(DUPLICATE) == 0


def test_done_marks_go_when_no_retry_can_need_them(
    open_log: Open, make_request: MakeRequest, tmp_path: Path
) -> None:
    opened = open_log(retry_window_s=60)
    opened.send(make_request())
    assert opened.log.flush(timeout_s=5)
    (mark,) = tmp_path.rglob("*.done")
    opened.log.purge(now_s=time.time() + 30)
    assert mark.exists()
    mark.with_suffix(".wal").touch()
    opened.log.purge(now_s=time.time() + 90)
    assert mark.exists()  # its records are still there: without the mark they would be sent again
    mark.with_suffix(".wal").unlink()
    opened.log.purge(now_s=time.time() + 90)
    assert not mark.exists()


def test_a_done_mark_that_cannot_be_written_keeps_the_segment(
    open_log: Open, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spanloop.receiver.segment import Segment

    opened = open_log()
    failures = [OSError(errno.ENOSPC, "No space left on device")]
    real = Segment.write_done

    def full_once(segment: Segment) -> None:
        if failures:
            raise failures.pop()
        real(segment)

    monkeypatch.setattr(Segment, "write_done", full_once)
    opened.send(make_request())
    assert opened.log.flush(timeout_s=5)
    assert len(opened.stored()) == 1
    assert [batch.doubtful for batch in opened.inserter.attempts] == [False, True]


def test_stopping_twice_is_harmless(open_log: Open) -> None:
    opened = open_log()
    assert opened.log.stop(timeout_s=1)
    assert opened.log.stop(timeout_s=1)
