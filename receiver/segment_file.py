"""The file of the segment being written: append and sync, nothing else."""

import contextlib
import os
from pathlib import Path
from typing import Protocol

from spanloop.receiver.files import sync_directory, write_all


class LogFile(Protocol):
    """What a lane needs of its file; `spanloop.receiver.fakes` has one that fails as told."""

    def append(self, pieces: list[bytes]) -> None:
        """Write ``pieces`` and return once they are durable."""
        ...

    def cut(self, length: int) -> None:
        """Remove, durably, what stands behind the first ``length`` bytes."""
        ...

    def close(self) -> None:
        """Release the file."""
        ...


class SegmentFile:
    """A new file on disk, whose directory entry is durable too."""

    def __init__(self, path: Path) -> None:
        """Create ``path``; on failure nothing is left of it."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._fd = os.open(path, flags, 0o600)
        try:
            sync_directory(path.parent)
        except OSError:
            os.close(self._fd)
            with contextlib.suppress(OSError):
                path.unlink()
            raise

    def append(self, pieces: list[bytes]) -> None:
        """Write ``pieces`` and return once they are durable."""
        write_all(self._fd, pieces)
        os.fdatasync(self._fd)

    def cut(self, length: int) -> None:
        """Remove, durably, what stands behind the first ``length`` bytes."""
        os.ftruncate(self._fd, length)
        os.fsync(self._fd)

    def close(self) -> None:
        """Release the file."""
        os.close(self._fd)
