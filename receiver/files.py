"""Durable file operations: what has returned survives a power loss."""

import json
import os
from collections.abc import Mapping
from pathlib import Path


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
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        write_all(fd, [content])
        os.fsync(fd)
    finally:
        os.close(fd)
    temporary.rename(path)
    sync_directory(path.parent)


def write_json_durably(path: Path, content: Mapping[str, object]) -> None:
    """Write ``content`` as JSON with `write_durably`."""
    write_durably(path, json.dumps(content, separators=(",", ":")).encode())


def write_all(fd: int, pieces: list[bytes]) -> None:
    """Write every piece in order; ``os.writev`` may take fewer bytes than it is given."""
    pending = [memoryview(piece) for piece in pieces if piece]
    while pending:
        written = os.writev(fd, pending[:512])
        while written and written >= len(pending[0]):
            written -= len(pending.pop(0))
        if written:
            pending[0] = pending[0][written:]
