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
from dataclasses import dataclass
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

    def withdraw(self, batch: Batch) -> None:
        """Remove what targets hold of ``batch``, or raise."""
        ...

    def close(self) -> None:
        """Release the connection."""
        ...


def backoff_s(failures: int) -> float:
    """Return the seconds to wait after so many failures in a row (one or more)."""
    return min(MAX_RETRY_S, FIRST_RETRY_S * 2.0 ** min(failures - 1, 10))


@dataclass(slots=True)
class _Due:
    segment: Segment
    failures: int = 0
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainActions:
    """What the log does when a segment's fate is known."""

    finish: Callable[[Segment], None]
    split: Callable[[Segment], list[Segment]]
    bury: Callable[[Segment, str], None]


class Drain:
    """The thread that stores the segments of one lane, oldest first."""

    def __init__(
        self,
        signal: Signal,
        inserter: Inserter,
        *,
        actions: DrainActions,
        telemetry: Telemetry,
        delay_s: Callable[[int], float] = backoff_s,
    ) -> None:
        self._signal: Signal = signal
        self._inserter = inserter
        self._actions = actions
        self._telemetry = telemetry
        self._delay_s = delay_s
        # Guards the queues and the flags, which the log's writer and the drain share.
        self._wake = threading.Condition()
        # By sequence: a segment whose wait is over comes before younger ones, however many arrive.
        self._ready: list[tuple[int, str, _Due]] = []
        self._resting: list[_Due] = []
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
        if not self._thread.is_alive():  # else an insert still runs on that connection
            self._inserter.close()
        return not self._unfinished()

    def put(self, segment: Segment) -> None:
        """Queue a sealed segment."""
        with self._wake:
            self._push_ready(_Due(segment))
            self._wake.notify_all()

    def waiting(self) -> list[Segment]:
        """Return the segments that are not stored yet."""
        with self._wake:
            queued = [due.segment for _, _, due in self._ready]
            queued += [due.segment for due in self._resting]
            return queued + ([self._busy] if self._busy else [])

    @property
    def last_error(self) -> str | None:
        """Why the last attempt failed, None after a success."""
        return self._last_error

    def _unfinished(self) -> bool:
        return bool(self._ready or self._resting) or self._busy is not None

    def _push_ready(self, due: _Due) -> None:
        heapq.heappush(self._ready, (due.segment.sequence, due.segment.name, due))

    def _run(self) -> None:
        while (due := self._next()) is not None:
            retry = self._attempt(due)
            with self._wake:
                self._busy = None
                if retry is not None:
                    self._resting.append(retry)
                self._wake.notify_all()

    def _next(self) -> _Due | None:
        with self._wake:
            while not self._stopping:
                now = time.monotonic()
                for rested in [due for due in self._resting if due.at <= now]:
                    self._resting.remove(rested)
                    self._push_ready(rested)
                if self._ready:
                    due = heapq.heappop(self._ready)[2]
                    self._busy = due.segment
                    return due
                wake_at = min((due.at for due in self._resting), default=None)
                self._wake.wait(timeout=None if wake_at is None else wake_at - now)
            return None

    def _attempt(self, due: _Due) -> _Due | None:
        """Store a segment; return when to try again, None when that is not needed."""
        try:
            self._advance(due)
        except RetryableError as error:
            return self._after_failure(due, str(error))
        except (
            Exception
        ) as error:  # the top of the loop: an unknown fault must not lose the segment
            logger.exception("storing segment %s failed", due.segment.name)
            return self._after_failure(due, f"{type(error).__name__}: {error}")
        self._last_error = None
        return None

    def _advance(self, due: _Due) -> None:
        segment = due.segment
        if segment.replaced_by:  # an earlier attempt got half-way
            self._divide(segment)
            return
        try:
            self._store(segment)
        except BodyRejected as rejected:
            if segment.records > 1:
                self._divide(segment)
                return
            self._actions.bury(segment, str(rejected))
            self._telemetry.add(DEAD_LETTERS, self._signal)
        except BatchTooLarge:
            if due.failures + 1 < MEMORY_FAILURES_BEFORE_SPLIT or segment.n_rows == 1:
                raise
            self._inserter.withdraw(self._batch_of(segment))
            self._divide(segment)

    def _store(self, segment: Segment) -> None:
        segment.cut_refused()
        if segment.n_rows:
            self._inserter.insert(self._batch_of(segment))
        self._actions.finish(segment)
        self._telemetry.add(INSERTS, self._signal)
        self._telemetry.add(STORED, self._signal, segment.n_rows)

    def _batch_of(self, segment: Segment) -> Batch:
        return Batch(
            signal=self._signal,
            path=segment.path,
            batch_id=segment.batch_id.hex(),
            rows=segment.rows,
            doubtful=segment.doubtful,
            recovered=segment.recovered,
        )

    def _divide(self, segment: Segment) -> None:
        for half in self._actions.split(segment):
            self.put(half)

    def _after_failure(self, due: _Due, reason: str) -> _Due:
        self._last_error = reason
        self._telemetry.add(INSERT_RETRIES, self._signal)
        due.segment.doubtful = True  # from now on its state in the database is unknown
        failures = due.failures + 1
        delay = self._delay_s(failures)
        logger.warning("segment %s: %s; next attempt in %.1f s", due.segment.name, reason, delay)
        return _Due(due.segment, failures, time.monotonic() + delay)
