"""The log as a whole: three lanes, their drains, the disk cap, retries and dead letters."""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from spanloop.processor.errors import Overloaded
from spanloop.receiver.dead_letters import DeadLetters
from spanloop.receiver.digests import RetryDigests
from spanloop.receiver.drain import Drain, DrainActions, Inserter
from spanloop.receiver.otlp_messages import SIGNALS, Signal
from spanloop.receiver.recovery import Recovered, recover_lane, split
from spanloop.receiver.segment import Segment, new_batch_id
from spanloop.receiver.telemetry import Telemetry
from spanloop.receiver.wal import Append, Lane, LaneActions, SegmentLimits

logger = logging.getLogger(__name__)

PURGE_EVERY_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """Bounds of the log. Bytes and seconds.

    ``max_bytes`` is the disk cap at which new requests are refused; ``min_free_bytes`` the space that is
    always left on the volume; ``max_pending_bytes`` bounds what is accepted but not yet durable.
    """

    segment: SegmentLimits = field(default_factory=SegmentLimits)
    max_bytes: int = 8 * 1024**3
    min_free_bytes: int = 256 * 1024**2
    max_pending_bytes: int = 256 * 1024**2
    retry_window_s: float = 900.0
    retry_capacity: int = 500_000


class Log:
    """Accepts checked requests, makes them durable, and sees to it that they reach the store."""

    def __init__(
        self,
        directory: Path,
        settings: LogSettings,
        *,
        make_inserter: Callable[[], Inserter],
        telemetry: Telemetry,
    ) -> None:
        self.directory = directory
        self.dead_letters = DeadLetters(directory / "dead-letters")
        self.digests = RetryDigests(
            window_s=settings.retry_window_s, capacity=settings.retry_capacity
        )
        self._settings = settings
        self._telemetry = telemetry
        self._sequences: dict[Signal, int] = {}
        # Guards the bytes of sealed segments, their sum and the sequences: writers and drains share them.
        self._sizes_lock = threading.Lock()
        self._sealed_bytes: dict[str, int] = {}
        self._sealed_total = 0
        self._free_checked_at = 0.0
        self._volume_full = False
        self._recovered: dict[Signal, Recovered] = {
            signal: self._recover(signal) for signal in SIGNALS
        }
        self._drains: dict[Signal, Drain] = {
            signal: Drain(
                signal, make_inserter(), actions=self._actions(signal), telemetry=telemetry
            )
            for signal in SIGNALS
        }
        self._lanes: dict[Signal, Lane] = {signal: self._lane(signal) for signal in SIGNALS}
        self._stopped = threading.Event()
        self._purger = threading.Thread(
            target=self._purge_again_and_again, name="wal-purge", daemon=True
        )

    def start(self) -> None:
        """Begin to write and to drain, what an earlier process left first."""
        for signal in SIGNALS:
            for segment in self._recovered[signal].segments:
                self._sealed(segment)
            self._recovered[signal].segments.clear()
            self._drains[signal].start()
            self._lanes[signal].start()
        self._purger.start()

    def stop(self, *, timeout_s: float) -> bool:
        """Make everything durable, store what can be stored in time; return whether all was stored."""
        self._stopped.set()
        for lane in self._lanes.values():
            lane.stop()
        deadline = time.monotonic() + timeout_s
        emptied = True
        for drain in self._drains.values():
            emptied &= drain.stop(timeout_s=max(0.0, deadline - time.monotonic()))
        return emptied

    def flush(self, *, timeout_s: float) -> bool:
        """Wait until all that was received before the call is stored; return whether it is."""
        deadline = time.monotonic() + timeout_s
        before_ns = time.time_ns()
        while time.monotonic() < deadline:
            oldest_ns = self.oldest_received_ns
            if oldest_ns is None or oldest_ns >= before_ns:
                return True
            time.sleep(0.05)
        return False

    def append(self, signal: Signal, request: Append) -> None:
        """Queue ``request``; its ``on_durable`` is called once it is on disk.

        Raises:
            Overloaded: the log is at its cap, the volume nearly full, or too much is in flight.
        """
        refusal = self.refusal()
        if refusal is not None:
            raise refusal
        self._lanes[signal].append(request)

    def refusal(self) -> Overloaded | None:
        """Return why a request that came now would be refused, None if it would be taken."""
        pending = sum(lane.pending_bytes for lane in self._lanes.values())
        if pending > self._settings.max_pending_bytes:
            return Overloaded("too many requests are in flight; send again later")
        if self.n_bytes > self._settings.max_bytes:
            return Overloaded(
                "the write-ahead log is at its cap (receiver.log.max_bytes) because the database takes "
                "nothing; send again later",
                retry_after_s=5.0,
            )
        if self._is_volume_full():
            return Overloaded(
                "the volume of the write-ahead log is full or gone; send again later",
                retry_after_s=5.0,
            )
        return None

    @property
    def n_bytes(self) -> int:
        """Bytes of the log that are not stored yet."""
        open_bytes = sum(
            segment.length for lane in self._lanes.values() if (segment := lane.open_segment)
        )
        with self._sizes_lock:
            return open_bytes + self._sealed_total

    @property
    def oldest_received_ns(self) -> int | None:
        """When the oldest request that is not stored yet was received; Unix nanoseconds."""
        times = [s.oldest_received_ns for s in self._waiting() if s.oldest_received_ns is not None]
        return min(times, default=None)

    @property
    def waiting_segments(self) -> Mapping[Signal, int]:
        """Segments that are not stored yet, by signal."""
        return {signal: len(drain.waiting()) for signal, drain in self._drains.items()}

    @property
    def last_errors(self) -> Mapping[Signal, str]:
        """Why the last insert of a signal failed, for those whose did."""
        return {s: error for s, drain in self._drains.items() if (error := drain.last_error)}

    def _waiting(self) -> list[Segment]:
        opened = [segment for lane in self._lanes.values() if (segment := lane.open_segment)]
        return opened + [s for drain in self._drains.values() for s in drain.waiting()]

    def _lane_directory(self, signal: Signal) -> Path:
        return self.directory / "wal" / signal

    def _recover(self, signal: Signal) -> Recovered:
        found = recover_lane(self._lane_directory(signal), signal, self._set_aside)
        self._sequences[signal] = found.next_sequence
        self.digests.load(found.digests, now_ns=time.time_ns())
        return found

    def _set_aside(self, signal: Signal, content: bytes, reason: str) -> None:
        self.dead_letters.add(signal, content, reason)

    def _lane(self, signal: Signal) -> Lane:
        return Lane(
            self._lane_directory(signal),
            signal,
            self._settings.segment,
            LaneActions(next_sequence=lambda: self._next_sequence(signal), on_sealed=self._sealed),
        )

    def _next_sequence(self, signal: Signal) -> int:
        with self._sizes_lock:
            sequence = self._sequences[signal]
            self._sequences[signal] = sequence + 1
            return sequence

    def _sealed(self, segment: Segment) -> None:
        self._remember_size(segment)
        self._drains[segment.signal].put(segment)

    def _actions(self, signal: Signal) -> DrainActions:
        return DrainActions(
            finish=self._finish,
            split=lambda segment: self._split(segment, signal),
            bury=self._bury,
        )

    def _finish(self, segment: Segment) -> None:
        """Done is recorded before the records go: a crash in between only finds them done."""
        segment.write_done()
        segment.unlink()
        self._forget_size(segment)

    def _split(self, segment: Segment, signal: Signal) -> list[Segment]:
        halves = split(segment, lambda: self._next_sequence(signal), new_batch_id)
        self._forget_size(segment)
        for half in halves:
            self._remember_size(half)
        return halves

    def _bury(self, segment: Segment, reason: str) -> None:
        self.dead_letters.add(
            segment.signal,
            segment.path.read_bytes(),
            reason,
            rows=segment.n_rows,
            batch_id=segment.batch_id,
        )
        # Sent again, by its client or by requeue, it is no retry of something stored.
        self.digests.forget(known for known, _ in segment.digests)
        segment.digests.clear()
        self._finish(segment)

    def _remember_size(self, segment: Segment) -> None:
        with self._sizes_lock:
            self._sealed_total += segment.length - self._sealed_bytes.get(segment.name, 0)
            self._sealed_bytes[segment.name] = segment.length

    def _forget_size(self, segment: Segment) -> None:
        with self._sizes_lock:
            self._sealed_total -= self._sealed_bytes.pop(segment.name, 0)

    def _is_volume_full(self) -> bool:
        """Look at the free space at most twice a second."""
        now = time.monotonic()
        if now - self._free_checked_at > 0.5:
            self._free_checked_at = now
            try:
                free = shutil.disk_usage(self.directory).free
            except OSError as failure:
                logger.error("cannot see the log's volume: %s", failure.strerror)  # noqa: TRY400
                free = -1
            self._volume_full = free < self._settings.min_free_bytes
        return self._volume_full

    def _purge_again_and_again(self) -> None:
        while not self._stopped.wait(PURGE_EVERY_S):
            try:
                self.purge(now_s=time.time())
            except OSError as failure:
                logger.warning("cannot remove old done marks: %s", failure.strerror)

    def purge(self, *, now_s: float) -> None:
        """Remove done marks that no retry can need any more; ``now_s`` is Unix time in seconds."""
        for signal in SIGNALS:
            for mark in self._lane_directory(signal).glob("*.done"):
                old = now_s - mark.stat().st_mtime > self._settings.retry_window_s
                if old and not mark.with_suffix(".wal").exists():
                    mark.unlink(missing_ok=True)
