"""Fakes of the log's neighbours that fail as told, for tests of the log and of what is built on it."""

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from spanloop.exporter.insert import Batch
from spanloop.receiver.segment_file import LogFile, SegmentFile

FileStep = Literal["open", "write", "sync", "cut", "close"]


class FaultyDisk:
    """Opens log files whose steps raise what ``faults`` says, once each and in order.

    ``partly`` bytes of a failing write still reach the file, as on a disk that fills up.
    """

    def __init__(self, *, partly: int = 0) -> None:
        self.faults: list[tuple[FileStep, OSError]] = []
        self.partly = partly
        self.synced: list[bytes] = []

    def fail(self, step: FileStep, number: int) -> None:
        """Let the next ``step`` fail with errno ``number``."""
        self.faults.append((step, OSError(number, f"injected fault {number}")))

    def open(self, path: Path) -> LogFile:
        """Open a new file; pass this as ``LaneActions.open_file``."""
        self.raise_if_due("open")
        return _FaultyFile(SegmentFile(path), self)

    def raise_if_due(self, step: FileStep) -> None:
        """Raise if the next fault is of ``step``."""
        if self.faults and self.faults[0][0] == step:
            raise self.faults.pop(0)[1]


class _FaultyFile:
    def __init__(self, real: SegmentFile, disk: FaultyDisk) -> None:
        self._real = real
        self._disk = disk

    def append(self, pieces: list[bytes]) -> None:
        content = b"".join(pieces)
        try:
            self._disk.raise_if_due("write")
        except OSError:
            self._real.append([content[: self._disk.partly]])
            raise
        self._real.append([content])
        self._disk.raise_if_due("sync")
        self._disk.synced.append(content)

    def cut(self, length: int) -> None:
        self._disk.raise_if_due("cut")
        self._real.cut(length)

    def close(self) -> None:
        self._real.close()
        self._disk.raise_if_due("close")


class FakeInserter:
    """Stores batches in memory; ``outcomes`` scripts what each attempt does (None: store it).

    With ``decide`` the outcome follows from the batch instead.
    """

    def __init__(
        self,
        outcomes: Iterable[Exception | None] = (),
        *,
        decide: Callable[[Batch], Exception | None] | None = None,
    ) -> None:
        self._outcomes = list(outcomes)
        self._decide = decide
        self._lock = threading.Lock()
        self.attempts: list[Batch] = []
        self.stored: dict[str, bytes] = {}
        self.withdrawn: list[str] = []
        self.closed = False

    def insert(self, batch: Batch) -> None:
        """Store ``batch`` or fail as scripted; a batch that is stored already is left alone."""
        with self._lock:
            self.attempts.append(batch)
            outcome = self._outcomes.pop(0) if self._outcomes else None
            if self._decide is not None:
                outcome = self._decide(batch)
            if outcome is not None:
                raise outcome
            self.stored.setdefault(batch.batch_id, batch.path.read_bytes())

    def withdraw(self, batch: Batch) -> None:
        """Note that the rows of ``batch`` were removed."""
        self.withdrawn.append(batch.batch_id)
        self.stored.pop(batch.batch_id, None)

    def close(self) -> None:
        """Note that the connection was released."""
        self.closed = True
