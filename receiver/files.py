"""Durable file operations: what has returned survives a power loss."""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

_WRITEV_PIECES = 512  # below IOV_MAX


def sync_directory(directory: Path) -> None:
    """Make the entries of ``directory`` (created, renamed, removed files) durable."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_directory(directory: Path) -> None:
    """Create ``directory`` and its parents, durably, readable by its owner only."""
    missing = [d for d in (directory, *directory.parents) if not d.exists()]
    for new in reversed(missing):
        new.mkdir(mode=0o700, exist_ok=True)
        sync_directory(new.parent)


def write_durably(path: Path, content: bytes) -> None:
    """Write a whole file so that after a crash it is there entirely or not at all."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            write_all(fd, [content])
            os.fsync(fd)
        finally:
            os.close(fd)
        temporary.rename(path)
    except OSError:
        # On a full disk every attempt would leave its own behind.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def cut_durably(path: Path, length: int) -> None:
    """Shorten a file to ``length`` bytes; needs no space."""
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.ftruncate(fd, length)
        os.fsync(fd)
    finally:
        os.close(fd)


def write_json_durably(path: Path, content: Mapping[str, object]) -> None:
    """Write ``content`` as JSON with `write_durably`."""
    write_durably(path, json.dumps(content, separators=(",", ":")).encode())


def write_all(fd: int, pieces: list[bytes]) -> None:
    """Write every piece in order; ``os.writev`` may take fewer bytes than it is given."""
    pending = [memoryview(piece) for piece in pieces if piece]
    first = 0
    while first < len(pending):
        written = os.writev(fd, pending[first : first + _WRITEV_PIECES])
        while first < len(pending) and written >= len(pending[first]):
            written -= len(pending[first])
            first += 1
        if written:
            pending[first] = pending[first][written:]
