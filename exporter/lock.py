"""One process per data directory, and a clear word to the second.

The engine itself would say only "Error initializing EmbeddedServer"; the log would be written by two.
"""

import fcntl
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from spanloop.processor.errors import StoreLocked

PATIENCE_S = 0.2


class DirectoryLock:
    """Holds ``directory`` until closed or the process ends."""

    def __init__(self, directory: Path) -> None:
        """Create the directory if need be and take it.

        Raises:
            StoreLocked: another process has it; the message names its SQL endpoint.
        """
        _make_durably(directory)
        self._fd = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _lock(self._fd):
            os.close(self._fd)
            raise StoreLocked(_locked_message(directory, read_owner(directory)))
        self.describe({})

    def describe(self, endpoints: Mapping[str, Any]) -> None:
        """Tell other processes who holds the directory and where to reach it."""
        content = json.dumps({"pid": os.getpid(), **endpoints}).encode()
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, content, 0)

    def close(self) -> None:
        """Release the directory; safe to call twice."""
        if self._fd >= 0:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = -1


def _make_durably(directory: Path) -> None:
    """Create ``directory``: what is acknowledged inside it must not vanish with its own entry."""
    missing = [d for d in (directory, *directory.parents) if not d.exists()]
    for new in reversed(missing):
        new.mkdir(mode=0o700, exist_ok=True)
        fd = os.open(new.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _lock(fd: int) -> bool:
    """Take the lock; one that is only looked at (`is_owned`) is free again within the patience."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        else:
            return True


def read_owner(directory: Path) -> dict[str, Any]:
    """Return what the owner of ``directory`` says about itself, {} if nobody owns it."""
    if not is_owned(directory):
        return {}
    try:
        content: Any = json.loads((directory / "lock").read_bytes())
    except (OSError, ValueError):
        return {"pid": None}  # it has just begun or is about to end
    return cast("dict[str, Any]", content)


def is_owned(directory: Path) -> bool:
    """Return whether a running process holds ``directory``."""
    try:
        fd = os.open(directory / "lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def _locked_message(directory: Path, owner: Mapping[str, Any]) -> str:
    endpoint = owner.get("sql")
    where = (
        f"read it through its SQL endpoint {endpoint}"
        if endpoint
        else "it serves no SQL endpoint: stop it, or start it with sql.enabled"
    )
    return f"{directory} is in use by process {owner.get('pid') or 'unknown'}; {where}"
