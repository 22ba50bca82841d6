"""The write-ahead log: a request is acknowledged once it is on disk here.

One lane per signal (their field numbers overlap, so their records cannot share a file). A lane has one
writer thread that writes whatever has gathered while the last ``fdatasync`` ran (group commit), then tells
the callers. A segment is sealed when it is large, full or old, and handed to the drain.

The first failed write or sync ends a segment: what was acknowledged before it stays, what was not is cut
off, and the lane refuses until a fresh file can be written (after an EIO the kernel may have dropped dirty
pages, so the same file is never trusted again). Nothing may end the writer thread: nobody
would be answered.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from spanloop.processor.errors import Overloaded
from spanloop.receiver.files import make_directory
from spanloop.receiver.otlp_messages import Signal
from spanloop.receiver.record import Envelope, frame
from spanloop.receiver.segment import Segment, new_batch_id
from spanloop.receiver.segment_file import LogFile, SegmentFile

logger = logging.getLogger(__name__)

GROUP_COMMIT_BYTES = 8 * 1024 * 1024
RETRY_WRITE_AFTER_S = 1.0

OnDurable = Callable[[Exception | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentLimits:
    """When a segment is sealed: ``max_bytes``, ``max_rows`` or ``max_age_s``, whichever comes first."""

    max_bytes: int = 32 * 1024 * 1024
    max_rows: int = 50_000
    max_age_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """A request to be logged. ``on_durable`` is called from the writer thread with None or the error."""

    body: bytes
    rows: Mapping[str, int]
    project: str
    received_ns: int
    digest: bytes | None
    on_durable: OnDurable


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneActions:
    """What a lane calls, always from its writer thread."""

    next_sequence: Callable[[], int]
    on_sealed: Callable[[Segment], None]
    open_file: Callable[[Path], LogFile] = SegmentFile


class Lane:
    """The log of one signal."""

    def __init__(
        self, directory: Path, signal: Signal, limits: SegmentLimits, actions: LaneActions
    ) -> None:
        self.signal: Signal = signal
        self._directory = directory
        self._limits = limits
        self._actions = actions
        # Guards _pending, _pending_bytes and _stopping, which receivers and the writer share.
        self._wake = threading.Condition()
        self._pending: deque[Append] = deque()
        self._pending_bytes = 0
        self._stopping = False
        # Only the writer thread touches these.
        self._segment: Segment | None = None
        self._file: LogFile | None = None
        self._opened_at = 0.0
        self._thread = threading.Thread(target=self._run, name=f"wal-{signal}", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        make_directory(self._directory)
        self._thread.start()

    def stop(self) -> None:
        """Write what is pending, seal the open segment and end; safe to call twice."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def pending_bytes(self) -> int:
        """Bytes accepted and not yet durable."""
        return self._pending_bytes

    @property
    def open_segment(self) -> Segment | None:
        """The segment being written, for status only."""
        return self._segment

    def append(self, request: Append) -> None:
        """Queue ``request`` for the next group commit.

        Raises:
            Overloaded: the log is stopping.
        """
        with self._wake:
            if self._stopping:
                raise Overloaded("the server is shutting down; send again")
            self._pending.append(request)
            self._pending_bytes += len(request.body)
            self._wake.notify()

    def _run(self) -> None:
        while True:
            group, stopping = self._next_group()
            if group:
                self._commit(group)
            elif stopping or self._is_old():
                self._seal()
            if stopping and not group:
                return

    def _next_group(self) -> tuple[list[Append], bool]:
        with self._wake:
            if not self._pending and not self._stopping:
                self._wake.wait(timeout=self._time_to_seal())
            group: list[Append] = []
            size = 0
            while self._pending and size < GROUP_COMMIT_BYTES:
                group.append(self._pending.popleft())
                size += len(group[-1].body)
            return group, self._stopping

    def _time_to_seal(self) -> float | None:
        if self._segment is None:
            return None
        return max(0.0, self._opened_at + self._limits.max_age_s - time.monotonic())

    def _is_old(self) -> bool:
        return self._segment is not None and self._time_to_seal() == 0.0

    def _commit(self, group: list[Append]) -> None:
        """Write the group, one sync for each segment that it touches, and answer every member."""
        while group:
            try:
                segment, file = self._open_segment()
                taken, n_bytes = self._write_into(segment, file, group)
            except Exception as failure:  # top of the writer, which must live on
                if not isinstance(failure, OSError):
                    logger.exception("the write-ahead log of %s failed", self.signal)
                self._abandon(failure)
                self._refuse(group, failure)
                return
            written, group = group[:taken], group[taken:]
            segment.length += n_bytes
            for request in written:
                segment.note(request.rows, request.received_ns, request.digest)
            self._answer(written, None)
            if group or self._is_full(segment) or self._is_old():
                self._seal()

    def _write_into(self, segment: Segment, file: LogFile, group: list[Append]) -> tuple[int, int]:
        """Make the requests that fit into ``segment`` durable; return their number and bytes."""
        pieces: list[bytes] = []
        size, rows, taken = segment.length, segment.n_rows, 0
        for request in group:
            n_rows = sum(request.rows.values())
            full = size + len(request.body) > self._limits.max_bytes or (
                rows + n_rows > self._limits.max_rows
            )
            if full and (taken or segment.records):
                break
            record = frame(
                request.body,
                Envelope(
                    project=request.project,
                    received_ns=request.received_ns,
                    batch_id=segment.batch_id,
                    digest=request.digest,
                ),
            )
            pieces.extend(record)
            size += sum(map(len, record))
            rows += n_rows
            taken += 1
        if pieces:
            file.append(pieces)
        return taken, size - segment.length

    def _refuse(self, group: list[Append], failure: Exception) -> None:
        refusal = Overloaded(
            f"the write-ahead log cannot be written ({_reason(failure)}); free disk space and retry",
            retry_after_s=RETRY_WRITE_AFTER_S,
        )
        self._answer(group, refusal)
        with self._wake:
            self._wake.wait_for(lambda: self._stopping, timeout=RETRY_WRITE_AFTER_S)

    def _answer(self, requests: list[Append], error: Exception | None) -> None:
        with self._wake:
            self._pending_bytes -= sum(len(request.body) for request in requests)
        for request in requests:
            try:
                request.on_durable(error)
            except Exception:  # the seam to the callers: one of them must not end the writer
                logger.exception("a caller of the write-ahead log failed to take its answer")

    def _is_full(self, segment: Segment) -> bool:
        return segment.length >= self._limits.max_bytes or segment.n_rows >= self._limits.max_rows

    def _open_segment(self) -> tuple[Segment, LogFile]:
        if self._segment is None or self._file is None:
            segment = Segment(
                directory=self._directory,
                signal=self.signal,
                sequence=self._actions.next_sequence(),
                batch_id=new_batch_id(),
            )
            self._file = self._actions.open_file(segment.path)
            self._segment = segment
            self._opened_at = time.monotonic()
        return self._segment, self._file

    def _abandon(self, failure: Exception) -> None:
        """End the segment whose write or sync failed at its last durable byte."""
        logger.error("write-ahead log of %s failed: %s", self.signal, _reason(failure))
        if self._file is not None and self._segment is not None:
            try:
                self._file.cut(self._segment.length)
            except OSError as also:
                # The drain tries again before it inserts; the sidecar tells a later start where to cut.
                logger.error("cannot cut the failed segment: %s", _reason(also))  # noqa: TRY400
        self._seal()

    def _seal(self) -> None:
        """Close the open segment and hand it on; an empty one is removed."""
        segment, file = self._segment, self._file
        if segment is None or file is None:
            return
        try:
            file.close()
            if segment.records == 0:
                segment.path.unlink(missing_ok=True)
            else:
                segment.write_sidecar()
        except OSError as failure:
            # The sidecar only saves a doubt at the next start; without it the records speak for themselves.
            logger.warning("%s is sealed without its sidecar: %s", segment.name, _reason(failure))
        if segment.records:
            self._actions.on_sealed(segment)
        # Only now: a segment that is neither open nor sealed would be missing from what waits.
        self._segment = self._file = None


def _reason(failure: Exception) -> str:
    return getattr(failure, "strerror", None) or type(failure).__name__
