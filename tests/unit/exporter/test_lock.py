"""One process per directory; the second is told who has it and where to ask."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from spanloop.exporter.lock import DirectoryLock, is_owned, read_owner
from spanloop.processor.errors import StoreLocked


def test_the_owner_is_known_while_it_lives(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b"
    assert not is_owned(directory)
    assert read_owner(directory) == {}
    lock = DirectoryLock(directory)
    lock.describe({"sql": "http://127.0.0.1:8123"})
    assert is_owned(directory)
    assert read_owner(directory) == {"pid": os.getpid(), "sql": "http://127.0.0.1:8123"}
    lock.close()
    lock.close()
    assert not is_owned(directory)
    assert read_owner(directory) == {}


@pytest.mark.parametrize(
    ("endpoints", "message"),
    [
        (
            {"sql": "http://127.0.0.1:8123"},
            "read it through its SQL endpoint http://127.0.0.1:8123",
        ),
        ({"sql": None}, "it serves no SQL endpoint"),
    ],
)
def test_the_second_is_told_whom_to_ask(
    tmp_path: Path, endpoints: dict[str, str | None], message: str
) -> None:
    lock = DirectoryLock(tmp_path)
    lock.describe(endpoints)
    with pytest.raises(StoreLocked) as raised:
        DirectoryLock(tmp_path)
    assert f"{tmp_path} is in use by process {os.getpid()}; {message}" in str(raised.value)
    lock.close()
    DirectoryLock(tmp_path).close()


def test_a_shorter_description_leaves_nothing_of_a_longer_one(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path)
    lock.describe({"sql": "x" * 1000})
    lock.describe({})
    assert read_owner(tmp_path) == {"pid": os.getpid()}
    lock.close()


def test_an_owner_that_has_not_said_anything_yet(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path)
    (tmp_path / "lock").write_bytes(b"")
    assert read_owner(tmp_path) == {"pid": None}
    with pytest.raises(StoreLocked, match="process unknown"):
        DirectoryLock(tmp_path)
    lock.close()


def test_looking_does_not_keep_a_server_from_starting(tmp_path: Path) -> None:
    DirectoryLock(tmp_path).close()
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            is_owned(tmp_path)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(50):
            DirectoryLock(tmp_path).close()
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_killed_owner_leaves_no_lock(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path;"
        "from spanloop.exporter.lock import DirectoryLock;"
        "DirectoryLock(Path(sys.argv[1])); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path], check=False)
    assert not is_owned(tmp_path)
    DirectoryLock(tmp_path).close()


def test_only_its_owner_may_look_inside(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path / "d")
    assert (tmp_path / "d").stat().st_mode & 0o077 == 0
    assert (tmp_path / "d" / "lock").stat().st_mode & 0o077 == 0
    lock.close()
