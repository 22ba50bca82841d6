"""A lane acknowledges what is durable and nothing else, whatever the disk does."""

from __future__ import annotations

import errno
import itertools
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from spanloop.processor.errors import Overloaded
from spanloop.receiver import wal
from spanloop.receiver.fakes import FaultyDisk, FileStep
from spanloop.receiver.record import Record, scan
from spanloop.receiver.segment import Segment
from spanloop.receiver.wal import Append, Lane, LaneActions, SegmentLimits

BODY = b"\x0a\x03abc"


class Harness:
    """A lane on a disk that fails as told; ``answers`` are what its callers were told."""

    def __init__(self, directory: Path, limits: SegmentLimits) -> None:
        self.disk = FaultyDisk()
        self.sealed: list[Segment] = []
        self.directory = directory
        numbers = itertools.count(1)
        self.lane = Lane(
            directory,
            "traces",
            limits,
            LaneActions(
                next_sequence=lambda: next(numbers),
                on_sealed=self.sealed.append,
                open_file=self.disk.open,
            ),
        )

    def send(self, body: bytes = BODY, rows: int = 1) -> Exception | None:
        return self.wait(self.send_soon(body, rows))

    def send_soon(self, body: bytes = BODY, rows: int = 1) -> list[Exception | None]:
        box: list[Exception | None] = []
        done = threading.Event()

        def on_durable(error: Exception | None) -> None:
            box.append(error)
            done.set()

        self.lane.append(
            Append(
                body=body,
                rows={"otel_traces": rows},
                project="p",
                received_ns=1,
                digest=None,
                on_durable=on_durable,
            )
        )
        self._events[id(box)] = done
        return box

    _events: dict[int, threading.Event] = {}  # noqa: RUF012  # one harness a test

    def wait(self, box: list[Exception | None]) -> Exception | None:
        assert self._events[id(box)].wait(5), "never answered"
        return box[0]

    def records(self) -> list[bytes]:
        paths = sorted(self.directory.glob("*.wal"))
        pieces = [piece for path in paths for piece in scan(path.read_bytes())]
        assert all(isinstance(piece, Record) for piece in pieces)
        return [piece.body for piece in pieces if isinstance(piece, Record)]


@pytest.fixture
def harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    monkeypatch.setattr(wal, "RETRY_WRITE_AFTER_S", 0.01)
    made = Harness(tmp_path / "traces", SegmentLimits(max_bytes=4096, max_rows=10, max_age_s=60))
    made.lane.start()
    yield made
    made.lane.stop()


def test_an_acknowledged_request_was_synced_before(harness: Harness) -> None:
    seen: list[int] = []
    harness.lane.append(
        Append(
            body=BODY,
            rows={"otel_traces": 1},
            project="p",
            received_ns=1,
            digest=None,
            on_durable=lambda _: seen.append(len(harness.disk.synced)),
        )
    )
    assert harness.send() is None
    assert seen[0] >= 1


@pytest.mark.parametrize("step", ["open", "write", "sync"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_failed_step_refuses_and_the_next_request_is_taken(
    harness: Harness, step: FileStep, number: int
) -> None:
    harness.disk.partly = 5
    harness.disk.fail(step, number)
    refused = harness.send(b"\x0a\x03lost")
    assert isinstance(refused, Overloaded)
    assert "injected fault" in str(refused)
    assert harness.send() is None
    assert harness.records() == [BODY]
    assert harness.lane.pending_bytes == 0


@pytest.mark.parametrize("step", ["write", "sync"])
def test_what_was_acknowledged_before_the_failure_stays(harness: Harness, step: FileStep) -> None:
    harness.disk.partly = 3
    assert harness.send() is None
    harness.disk.fail(step, errno.EIO)
    assert isinstance(harness.send(b"\x0a\x03bad"), Overloaded)
    assert [segment.records for segment in harness.sealed] == [1]
    assert harness.records() == [BODY]
    assert harness.sealed[0].path.stat().st_size == harness.sealed[0].length


def test_a_file_that_cannot_be_cut_is_cut_before_it_is_stored(harness: Harness) -> None:
    assert harness.send() is None
    harness.disk.fail("sync", errno.EIO)
    harness.disk.fail("cut", errno.EIO)
    assert isinstance(harness.send(), Overloaded)
    (segment,) = harness.sealed
    assert segment.path.stat().st_size > segment.length
    segment.cut_refused()
    assert segment.path.stat().st_size == segment.length


def test_failures_while_closing_and_of_the_sidecar_do_not_end_the_writer(
    harness: Harness, tmp_path: Path
) -> None:
    assert harness.send() is None
    harness.disk.fail("sync", errno.EIO)
    harness.disk.fail("close", errno.EIO)
    assert isinstance(harness.send(), Overloaded)
    assert not harness.sealed[0].sidecar.exists()
    assert harness.send() is None


def test_a_caller_that_fails_does_not_end_the_writer(harness: Harness) -> None:
    def fail(_: Exception | None) -> None:
        raise RuntimeError("the loop is closed")

    harness.lane.append(
        Append(body=BODY, rows={}, project="p", received_ns=1, digest=None, on_durable=fail)
    )
    assert harness.send() is None


def test_a_request_that_cannot_be_framed_is_refused(harness: Harness) -> None:
    box: list[Exception | None] = []
    done = threading.Event()

    def on_durable(error: Exception | None) -> None:
        box.append(error)
        done.set()

    harness.lane.append(
        Append(
            body=BODY, rows={}, project="\udc80", received_ns=1, digest=None, on_durable=on_durable
        )
    )
    assert done.wait(5)
    assert isinstance(box[0], Overloaded)
    assert harness.send() is None


def test_segments_are_sealed_by_rows_and_bytes(harness: Harness) -> None:
    for _ in range(5):
        assert harness.send(rows=4) is None
    assert [segment.n_rows for segment in harness.sealed] == [8, 8]
    assert harness.send(b"\x0a" + bytes(3000)) is None
    assert harness.send(b"\x0a" + bytes(3000)) is None
    assert all(segment.length <= 4096 for segment in harness.sealed)


def test_a_request_beyond_every_limit_gets_a_segment_of_its_own(harness: Harness) -> None:
    assert harness.send() is None
    assert harness.send(b"\x0a" + bytes(10_000), rows=1000) is None
    assert harness.send() is None
    harness.lane.stop()
    assert [segment.records for segment in harness.sealed] == [1, 1, 1]


def test_stopping_writes_what_is_pending_seals_and_refuses_more(harness: Harness) -> None:
    boxes = [harness.send_soon() for _ in range(50)]
    harness.lane.stop()
    harness.lane.stop()
    assert [harness.wait(box) for box in boxes] == [None] * 50
    assert sum(segment.records for segment in harness.sealed) == 50
    assert all(segment.sidecar.exists() for segment in harness.sealed)
    with pytest.raises(Overloaded, match="shutting down"):
        harness.send_soon()


def test_an_old_segment_is_sealed_without_another_request(tmp_path: Path) -> None:
    harness = Harness(tmp_path / "t", SegmentLimits(max_age_s=0.02))
    harness.lane.start()
    assert harness.send() is None
    deadline = threading.Event()
    for _ in range(200):
        if harness.sealed:
            break
        deadline.wait(0.01)
    assert harness.sealed
    harness.lane.stop()


def test_many_small_requests_share_syncs(harness: Harness) -> None:
    boxes = [harness.send_soon(rows=0) for _ in range(400)]
    assert [harness.wait(box) for box in boxes] == [None] * 400
    assert len(harness.disk.synced) < 400


def test_the_files_are_readable_by_their_owner_only(harness: Harness) -> None:
    assert harness.send() is None
    (path,) = harness.directory.glob("*.wal")
    assert os.stat(path).st_mode & 0o077 == 0  # noqa: PTH116
    assert harness.directory.stat().st_mode & 0o077 == 0
