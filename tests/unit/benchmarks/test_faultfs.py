"""The fault layer must drop what was not synced, and only that: otherwise a green run means nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.faultfs import FaultLayer, FaultLayerError, Rule

PRELUDE = """
import ctypes, mmap, os, signal
def put(name, data, flags=os.O_CREAT | os.O_WRONLY, sync=False):
    fd = os.open(name, flags); os.write(fd, data)
    if sync: os.fsync(fd)
    os.close(fd)
def sync_directory(name="."):
    fd = os.open(name, os.O_RDONLY); os.fsync(fd); os.close(fd)
"""


@pytest.fixture
def layer(tmp_path: Path) -> FaultLayer:
    root = tmp_path / "root"
    root.mkdir()
    (root / "old").write_bytes(b"before")
    return FaultLayer(root, tmp_path / "work")


def run(layer: FaultLayer, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PRELUDE + code],
        env={**os.environ, **layer.environment},
        cwd=layer.root,
        capture_output=True,
        text=True,
    )


def content(layer: FaultLayer) -> dict[str, bytes]:
    root = layer.root
    return {
        str(p.relative_to(root)): b"<dir>" if p.is_dir() else p.read_bytes()
        for p in root.rglob("*")
    }


OLD = {"old": b"before"}
CASES = {
    "nothing happened": ("", OLD),
    "new file, no sync": ("put('a', b'1')", OLD),
    "new file, data synced, its name not": ("put('a', b'1', sync=True)", OLD),
    "new file, name synced, data not": ("put('a', b'1'); sync_directory()", {**OLD, "a": b""}),
    "new file, both synced": ("put('a', b'1', sync=True); sync_directory()", {**OLD, "a": b"1"}),
    "overwrite without sync": ("put('old', b'BE')", OLD),
    "overwrite with sync": ("put('old', b'BE', sync=True)", {"old": b"BEfore"}),
    "append without sync": ("put('old', b'!', os.O_APPEND | os.O_WRONLY)", OLD),
    "append with sync": ("put('old', b'!', os.O_APPEND | os.O_WRONLY, True)", {"old": b"before!"}),
    "append, sync, append": (
        "f = os.open('old', os.O_APPEND | os.O_WRONLY); os.write(f, b'1'); os.fdatasync(f)\n"
        "os.write(f, b'2')",
        {"old": b"before1"},
    ),
    "many appends with syncs": (
        "f = os.open('old', os.O_APPEND | os.O_WRONLY)\n"
        "for i in range(50): os.write(f, b'%d,' % i); os.fdatasync(f)",
        {"old": b"before" + b"".join(b"%d," % i for i in range(50))},
    ),
    "write in the middle after a sync": (
        "f = os.open('old', os.O_WRONLY); os.pwrite(f, b'XX', 2); os.fsync(f)\n"
        "os.pwrite(f, b'Y', 0); os.fsync(f); os.pwrite(f, b'Z', 1)",
        {"old": b"YeXXre"},
    ),
    "writev and sync": (
        "f = os.open('old', os.O_WRONLY); os.writev(f, [b'a', b'b']); os.fsync(f)",
        {"old": b"abfore"},
    ),
    "truncate without sync": ("os.truncate('old', 2)", OLD),
    "truncate with sync": (
        "f = os.open('old', os.O_WRONLY); os.ftruncate(f, 2); os.fsync(f)",
        {"old": b"be"},
    ),
    "opened with O_TRUNC, rewritten at the same length, synced": (
        "put('old', b'BEFORE', os.O_WRONLY | os.O_TRUNC, True)",
        {"old": b"BEFORE"},
    ),
    "O_DSYNC write": ("put('old', b'D', os.O_WRONLY | os.O_DSYNC)", {"old": b"Defore"}),
    "buffered write of another library, synced": (
        "h = open('old', 'r+b'); h.write(b'B'); h.flush(); os.fsync(h.fileno())",
        {"old": b"Before"},
    ),
    "rename without directory sync is undone": ("os.rename('old', 'new')", OLD),
    "rename with directory sync": (
        "os.rename('old', 'new'); sync_directory()",
        {"new": b"before"},
    ),
    "replace by an unsynced file, directory synced: the data is gone": (
        "put('new', b'n'); os.replace('new', 'old'); sync_directory()",
        {"old": b""},
    ),
    "replace by a synced file, directory synced": (
        "put('new', b'n', sync=True); os.replace('new', 'old'); sync_directory()",
        {"old": b"n"},
    ),
    "unlink without directory sync is undone": ("os.unlink('old')", OLD),
    "unlink with directory sync": ("os.unlink('old'); sync_directory()", {}),
    "a file under a re-used name": (
        "os.unlink('old'); put('old', b'other'); sync_directory()",
        {"old": b""},
    ),
    "mkdir without sync": ("os.mkdir('d')", OLD),
    "mkdir with parent sync only": (
        "os.mkdir('d'); put('d/a', b'1', sync=True); sync_directory()",
        {**OLD, "d": b"<dir>"},
    ),
    "mkdir with both synced": (
        "os.mkdir('d'); put('d/a', b'1', sync=True); sync_directory('d'); sync_directory()",
        {**OLD, "d": b"<dir>", "d/a": b"1"},
    ),
    "renamed directory": (
        "os.mkdir('d'); put('d/a', b'1', sync=True); sync_directory('d')\n"
        "os.rename('d', 'e'); sync_directory()",
        {**OLD, "e": b"<dir>", "e/a": b"1"},
    ),
    "symbolic link": ("os.symlink('old', 'l'); sync_directory()", {**OLD, "l": b"before"}),
    "sync()": (
        "os.mkdir('d'); put('d/a', b'1'); os.sync(); put('b', b'2')",
        {**OLD, "d": b"<dir>", "d/a": b"1"},
    ),
    "syncfs() through ctypes": (
        "put('a', b'1'); fd = os.open('.', os.O_RDONLY)\n"
        "assert ctypes.CDLL(None).syncfs(fd) == 0; put('b', b'2')",
        {**OLD, "a": b"1"},
    ),
    "fsync through syscall()": (
        "put('a', b'1'); fd = os.open('a', os.O_RDONLY); libc = ctypes.CDLL(None)\n"
        "assert libc.syscall(74, fd) == 0; sync_directory()",
        {**OLD, "a": b"1"},
    ),
    "after the last sync, kill -9": (
        "put('a', b'1', sync=True); sync_directory(); put('a', b'2')\n"
        "os.kill(os.getpid(), signal.SIGKILL)",
        {**OLD, "a": b"1"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_only_what_was_synced_survives(layer: FaultLayer, name: str) -> None:
    code, expected = CASES[name]
    result = run(layer, code)
    assert result.returncode in (0, -signal.SIGKILL), result.stderr
    layer.cut_power("synced")
    assert content(layer) == expected


def test_names_survive_without_bytes(layer: FaultLayer) -> None:
    run(
        layer, "put('a', b'1'); os.rename('old', 'new'); put('b', b'2', sync=True); put('b', b'22')"
    )
    layer.cut_power("metadata")
    assert content(layer) == {"a": b"", "new": b"before", "b": b"2"}


def test_everything_survives_a_mere_kill(layer: FaultLayer) -> None:
    run(layer, "put('a', b'1'); os.unlink('old')")
    layer.cut_power("everything")
    assert content(layer) == {"a": b"1"}


@pytest.mark.parametrize("seed", range(8))
def test_torn_keeps_the_synced_part(layer: FaultLayer, seed: int) -> None:
    run(layer, "put('a', b'A' * 10, sync=True); put('a', b'B' * 9, os.O_APPEND | os.O_WRONLY)")
    layer.cut_power("torn", seed=seed)
    survived = (layer.root / "a").read_bytes()
    assert survived[:10] == b"A" * 10
    assert survived[10:] in {fill * n for fill in (b"B", b"\0") for n in range(10)}


@pytest.mark.parametrize("seed", range(8))
def test_mixed_never_drops_what_was_synced(layer: FaultLayer, seed: int) -> None:
    code = "os.mkdir('d'); put('d/a', b'1', sync=True); sync_directory('d'); sync_directory()\n"
    run(layer, code + "os.rename('d/a', 'd/b'); put('c', b'3')")
    layer.cut_power("mixed", seed=seed)
    after = content(layer)
    assert after["old"] == b"before"
    assert b"1" in (after.get("d/a"), after.get("d/b"))


def test_state_carries_over_a_second_life(layer: FaultLayer) -> None:
    run(layer, "put('a', b'1', sync=True); sync_directory()")
    layer.cut_power()
    run(layer, "put('a', b'22')")
    layer.cut_power()
    assert content(layer) == {**OLD, "a": b"1"}


def test_a_shared_mapping_is_refused_not_ignored(layer: FaultLayer) -> None:
    run(layer, "f = os.open('old', os.O_RDWR); m = mmap.mmap(f, 6); m[0] = 66")
    with pytest.raises(FaultLayerError, match="mmap"):
        layer.cut_power()


def test_rules_fail_or_kill_at_the_chosen_call(layer: FaultLayer) -> None:
    layer.set_rules([Rule("errno:28", "write", "*/full-*")])
    refused = run(layer, "put('full-1', b'1')")
    assert "No space left" in refused.stderr
    assert run(layer, "put('other', b'1')").returncode == 0
    layer.set_rules([Rule("kill-after", "sync", "*/wal-*", nth=2)])
    killed = run(layer, "put('wal-1', b'1', sync=True); put('wal-2', b'2', sync=True); print('no')")
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, "")
    layer.set_rules([Rule("errno:5", "sync", "*/wal-3")])
    assert "Input/output error" in run(layer, "put('wal-3', b'1', sync=True)").stderr
    layer.cut_power("metadata")
    after = content(layer)
    assert (after["wal-1"], after["wal-2"], after["wal-3"]) == (b"1", b"2", b"")
