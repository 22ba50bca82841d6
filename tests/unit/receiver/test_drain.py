"""The drain gives up on nothing, splits only what must be, and keeps to the order of arrival."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spanloop.exporter.insert import Batch, BatchTooLarge, BodyRejected
from spanloop.processor.errors import StoreUnavailable
from spanloop.receiver.drain import MAX_RETRY_S, Drain, DrainActions, backoff_s
from spanloop.receiver.fakes import FakeInserter
from spanloop.receiver.segment import Segment, new_batch_id
from spanloop.receiver.telemetry import DEAD_LETTERS, INSERT_RETRIES, STORED, Telemetry


class Harness:
    def __init__(self, directory: Path, inserter: FakeInserter, retry_s: float = 0.001) -> None:
        self.directory = directory
        self.inserter = inserter
        self.finished: list[int] = []
        self.buried: list[tuple[int, str]] = []
        self.split_failures: list[Exception] = []
        self.telemetry = Telemetry()
        self._sequence = 100
        self.drain = Drain(
            "traces",
            inserter,
            actions=DrainActions(finish=self._finish, split=self._split, bury=self._bury),
            telemetry=self.telemetry,
            delay_s=lambda failures: retry_s,
        )

    def segment(self, sequence: int, records: int = 1, rows: int | None = None) -> Segment:
        segment = Segment(
            directory=self.directory,
            signal="traces",
            sequence=sequence,
            batch_id=new_batch_id(),
            length=4,
            records=records,
        )
        segment.rows.update({"otel_traces": records if rows is None else rows})
        segment.path.write_bytes(b"body")
        return segment

    def run(self, *segments: Segment) -> bool:
        for segment in segments:
            self.drain.put(segment)
        self.drain.start()
        return self.drain.stop(timeout_s=5)

    def count(self, name: str) -> int:
        return self.telemetry.snapshot().get((name, "traces"), 0)

    def _finish(self, segment: Segment) -> None:
        self.finished.append(segment.sequence)

    def _split(self, segment: Segment) -> list[Segment]:
        segment.replaced_by = ["a", "b"]
        if self.split_failures:
            raise self.split_failures.pop()
        half = segment.records // 2
        self._sequence += 2
        return [
            self.segment(self._sequence, half),
            self.segment(self._sequence + 1, segment.records - half),
        ]

    def _bury(self, segment: Segment, reason: str) -> None:
        self.buried.append((segment.sequence, reason))


MakeHarness = Callable[..., Harness]


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[MakeHarness]:
    made: list[Harness] = []

    def make(*outcomes: Exception | None, **keywords: object) -> Harness:
        decide: Callable[[Batch], Exception | None] | None = keywords.get("decide")  # type: ignore[assignment]
        made.append(Harness(tmp_path, FakeInserter(outcomes, decide=decide)))
        return made[-1]

    yield make
    for each in made:
        each.drain.stop(timeout_s=0)


def test_segments_are_stored_in_order_of_arrival(harness: MakeHarness) -> None:
    h = harness()
    assert h.run(*[h.segment(n) for n in (3, 1, 2)])
    assert h.finished == [1, 2, 3]
    assert h.count(STORED) == 3
    assert h.inserter.closed


def test_a_failed_segment_is_tried_again_under_its_token_and_in_doubt(harness: MakeHarness) -> None:
    h = harness(StoreUnavailable("down"), StoreUnavailable("down"))
    assert h.run(h.segment(1))
    assert [batch.doubtful for batch in h.inserter.attempts] == [False, True, True]
    assert len({batch.batch_id for batch in h.inserter.attempts}) == 1
    assert h.finished == [1]
    assert h.count(INSERT_RETRIES) == 2
    assert h.drain.last_error is None


def test_an_unknown_fault_loses_nothing(harness: MakeHarness) -> None:
    h = harness(ValueError("a bug"), MemoryError())
    assert h.run(h.segment(1))
    assert h.finished == [1]


def test_others_go_on_while_one_rests(harness: MakeHarness) -> None:
    h = harness(StoreUnavailable("down"))
    assert h.run(*[h.segment(n) for n in range(1, 5)])
    assert sorted(h.finished) == [1, 2, 3, 4]
    assert h.finished[0] != 1


def test_a_rested_segment_comes_before_younger_ones(tmp_path: Path) -> None:
    h = Harness(tmp_path, FakeInserter(), retry_s=0.0)
    first = h.segment(1)
    failed = threading.Event()

    def decide(batch: Batch) -> Exception | None:
        if batch.batch_id == first.batch_id.hex() and not failed.is_set():
            failed.set()
            return StoreUnavailable("down")
        return None

    h.inserter = FakeInserter(decide=decide)
    h.drain._inserter = h.inserter  # pyright: ignore[reportPrivateUsage]
    assert h.run(first, *[h.segment(n) for n in range(2, 30)])
    assert h.finished[0] == 1


def test_a_body_the_database_cannot_read_is_split_down_to_the_record_at_fault(
    harness: MakeHarness,
) -> None:
    rejected = BodyRejected("bad")
    h = harness(rejected, rejected, None, rejected, None, None)
    assert h.run(h.segment(1, records=4))
    assert len(h.buried) + len(h.finished) >= 2
    assert len(h.buried) >= 1
    assert h.count(DEAD_LETTERS) == len(h.buried)


def test_a_split_that_fails_is_taken_up_again_without_inserting_the_parent(
    harness: MakeHarness,
) -> None:
    h = harness(BodyRejected("bad"))
    h.split_failures = [OSError(28, "No space left on device"), OSError(5, "I/O error")]
    parent = h.segment(1, records=2)
    assert h.run(parent)
    assert [b.batch_id for b in h.inserter.attempts].count(parent.batch_id.hex()) == 1
    assert len(h.finished) == 2


def test_short_memory_splits_only_after_several_failures(harness: MakeHarness) -> None:
    too_large = BatchTooLarge("memory")
    h = harness(too_large, too_large, too_large)
    parent = h.segment(1, records=2)
    assert h.run(parent)
    assert len(h.finished) == 2
    assert h.buried == []
    assert h.inserter.withdrawn == [parent.batch_id.hex()]  # a view may have failed after a table


def test_short_memory_splits_a_single_request_of_many_rows_too(harness: MakeHarness) -> None:
    h = harness(*[BatchTooLarge("memory")] * 3)
    parent = h.segment(1, rows=1_000_000)
    assert h.run(parent)
    assert len(h.finished) == 2
    assert 1 not in h.finished


def test_short_memory_never_buries_a_single_row(harness: MakeHarness) -> None:
    h = harness(*[BatchTooLarge("memory")] * 6)
    assert h.run(h.segment(1))
    assert h.finished == [1]
    assert h.buried == []


def test_a_failing_split_after_short_memory_does_not_end_the_drain(harness: MakeHarness) -> None:
    h = harness(*[BatchTooLarge("memory")] * 3)
    h.split_failures = [OSError(28, "No space left on device")]
    assert h.run(h.segment(1, records=2))
    assert len(h.finished) == 2
    assert len(h.inserter.attempts) == 5


def test_a_segment_without_rows_is_finished_without_an_insert(harness: MakeHarness) -> None:
    h = harness()
    assert h.run(h.segment(1, rows=0))
    assert h.inserter.attempts == []
    assert h.finished == [1]


def test_refused_bytes_are_cut_before_the_insert(harness: MakeHarness) -> None:
    h = harness()
    segment = h.segment(1)
    segment.path.write_bytes(b"body+refused")
    assert h.run(segment)
    assert h.inserter.stored[segment.batch_id.hex()] == b"body"


def test_stopping_in_time_reports_what_is_left(harness: MakeHarness) -> None:
    h = harness(decide=lambda _: StoreUnavailable("down"))
    segment = h.segment(1)
    h.drain.put(segment)
    h.drain.start()
    started = time.monotonic()
    assert not h.drain.stop(timeout_s=0.05)
    assert time.monotonic() - started < 2
    assert h.drain.waiting() == [segment]
    assert h.drain.last_error == "down"


def test_waits_double_up_to_a_limit() -> None:
    waits = [backoff_s(failures) for failures in range(1, 2000)]
    assert waits[:4] == [0.5, 1.0, 2.0, 4.0]
    assert waits[-1] == max(waits) == MAX_RETRY_S
