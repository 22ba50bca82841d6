"""Empty the log into the store: one thread a lane, one segment at a time.

A segment that fails is tried again, with back-off, for ever and under the same token; meanwhile the next ones
go on. Only a body that the database cannot read and stored nothing of is split, down to the one record at
fault, which becomes a dead letter.
"""

import heapq
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from spanloop.exporter.insert import Batch, BatchTooLarge, BodyRejected
from spanloop.processor.errors import RetryableError
from spanloop.receiver.otlp_messages import Signal
from spanloop.receiver.segment import Segment
from spanloop.receiver.telemetry import DEAD_LETTERS, INSERT_RETRIES, INSERTS, STORED, Telemetry

logger = logging.getLogger(__name__)

FIRST_RETRY_S = 0.5
MAX_RETRY_S = 30.0
# Memory may be short for a moment; a segment that fails this often is too large for the database.
MEMORY_FAILURES_BEFORE_SPLIT = 3


class Inserter(Protocol):
    """What the drain needs of `spanloop.exporter.insert.SegmentInserter`."""

    def insert(self, batch: Batch) -> None:
        """Store every row of ``batch`` once, or raise."""
        ...

    def close(self) -> None:
        """Release the connection."""
        ...


@dataclass(order=True, slots=True)
class _Due:
    at: float
    sequence: int
    segment: Segment = field(compare=False)
    failures: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainActions:
    """What the log does when a segment's fate is known."""

    finish: Callable[[Segment], None]
    split: Callable[[Segment], list[Segment]]
    bury: Callable[[Segment, str], None]


class Drain:
    """The thread that stores the segments of one lane, oldest first."""

    def __init__(
        self, signal: Signal, inserter: Inserter, actions: DrainActions, telemetry: Telemetry
    ) -> None:
        self._signal: Signal = signal
        self._inserter = inserter
        self._actions = actions
        self._telemetry = telemetry
        # Guards the queue and the flags, which the log's writer and the drain share.
        self._wake = threading.Condition()
        self._queue: list[_Due] = []
        self._busy: Segment | None = None
        self._stopping = False
        self._last_error: str | None = None
        self._thread = threading.Thread(target=self._run, name=f"drain-{signal}", daemon=True)

    def start(self) -> None:
        """Begin to store."""
        self._thread.start()

    def stop(self, *, timeout_s: float) -> bool:
        """Store what is queued, for at most ``timeout_s``; return whether nothing is left."""
        deadline = time.monotonic() + timeout_s
        with self._wake:
            while self._unfinished() and time.monotonic() < deadline:
                self._wake.wait(timeout=min(0.2, timeout_s))
            self._stopping = True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=max(1.0, deadline - time.monotonic()))
        self._inserter.close()
        return not self._unfinished()

    def put(self, segment: Segment) -> None:
        """Queue a sealed segment."""
        with self._wake:
            heapq.heappush(self._queue, _Due(0.0, segment.sequence, segment))
            self._wake.notify_all()

    def waiting(self) -> list[Segment]:
        """Return the segments that are not stored yet."""
        with self._wake:
            return [due.segment for due in self._queue] + ([self._busy] if self._busy else [])

    @property
    def last_error(self) -> str | None:
        """Why the last attempt failed, None after a success."""
        return self._last_error

    def _unfinished(self) -> bool:
        return bool(self._queue) or self._busy is not None

    def _run(self) -> None:
        while (due := self._next()) is not None:
            retry: _Due | None = None
            try:
                self._store(due.segment)
                self._last_error = None
            except BatchTooLarge as error:
                retry = self._after_memory_failure(due, str(error))
            except RetryableError as error:
                retry = self._after_failure(due, str(error))
            except (
                Exception
            ) as error:  # the top of the loop: an unknown fault must not lose the segment
                logger.exception("storing segment %s failed", due.segment.name)
                retry = self._after_failure(due, f"{type(error).__name__}: {error}")
            with self._wake:
                self._busy = None
                if retry is not None:
                    heapq.heappush(self._queue, retry)
                self._wake.notify_all()

    def _next(self) -> _Due | None:
        with self._wake:
            while not self._stopping:
                now = time.monotonic()
                if self._queue and self._queue[0].at <= now:
                    due = heapq.heappop(self._queue)
                    self._busy = due.segment
                    return due
                self._wake.wait(timeout=self._queue[0].at - now if self._queue else None)
            return None

    def _store(self, segment: Segment) -> None:
        batch = Batch(
            signal=self._signal,
            path=segment.path,
            batch_id=segment.batch_id.hex(),
            rows=segment.rows,
            doubtful=segment.recovered,
        )
        try:
            if segment.n_rows:
                self._inserter.insert(batch)
        except BodyRejected as rejected:
            self._divide(segment, str(rejected))
            return
        self._actions.finish(segment)
        self._telemetry.add(INSERTS, self._signal)
        self._telemetry.add(STORED, self._signal, segment.n_rows)

    def _divide(self, segment: Segment, reason: str) -> None:
        if segment.records > 1:
            for half in self._actions.split(segment):
                self.put(half)
            return
        self._actions.bury(segment, reason)
        self._telemetry.add(DEAD_LETTERS, self._signal)

    def _after_memory_failure(self, due: _Due, reason: str) -> _Due | None:
        if due.failures + 1 < MEMORY_FAILURES_BEFORE_SPLIT or due.segment.records == 1:
            return self._after_failure(due, reason)
        self._divide(due.segment, reason)
        return None

    def _after_failure(self, due: _Due, reason: str) -> _Due:
        self._last_error = reason
        self._telemetry.add(INSERT_RETRIES, self._signal)
        due.segment.recovered = True  # from now on its state in the database is unknown
        delay = min(MAX_RETRY_S, FIRST_RETRY_S * 2**due.failures)
        logger.warning("segment %s: %s; next attempt in %.1f s", due.segment.name, reason, delay)
        return _Due(time.monotonic() + delay, due.sequence, due.segment, due.failures + 1)
