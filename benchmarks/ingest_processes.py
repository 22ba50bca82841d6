"""What processes cost: read from /proc, so that only the process meant is counted."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
QUIET_WINDOW_S = 1.5
QUIET_CORES = 0.06  # an idle engine still ticks
SETTLE_WITHIN_S = 900.0
ROOT = Path(__file__).parent.parent


class WorkerError(Exception):
    """A helper process failed."""


def cpu_seconds(pid: int) -> float:
    """Return user plus system time of a process, over all threads it ever had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def thread_cpu_seconds(pid: int) -> Mapping[str, float]:
    """Return CPU seconds by thread name, of the threads alive now."""
    by_name: Counter[str] = Counter()
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            line = (task / "stat").read_text()
        except OSError:  # the thread ended meanwhile
            continue
        name, fields = line[line.index("(") + 1 : line.rindex(")")], line.rpartition(")")[2].split()
        by_name[name] += int(fields[11]) + int(fields[12])
    return {name: ticks / TICKS_PER_S for name, ticks in by_name.most_common()}


def memory_bytes(pid: int) -> tuple[int, int]:
    """Return (peak since the last reset, now) of a process's resident memory."""
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return int(status["VmHWM"].split()[0]) * 1024, int(status["VmRSS"].split()[0]) * 1024


def reset_peak(pid: int) -> bool:
    """Begin a new peak; False where the kernel does not let us."""
    try:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def wait_quiet(pid: int, busy: Callable[[], bool] = lambda: False) -> None:
    """Wait until ``busy`` is False and the process's merges and other afterwork have ended.

    Raises:
        WorkerError: it never became quiet.
    """
    deadline = time.monotonic() + SETTLE_WITHIN_S
    while time.monotonic() < deadline:
        before, begun = cpu_seconds(pid), time.monotonic()
        time.sleep(QUIET_WINDOW_S)
        used = (cpu_seconds(pid) - before) / (time.monotonic() - begun)
        if used < QUIET_CORES and not busy():
            return
    raise WorkerError(f"process {pid} did not become quiet within {SETTLE_WITHIN_S:.0f} s")


def folder_bytes(folder: Path) -> int:
    """Return the bytes that a folder's files take up on disk."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_blocks * 512
        except OSError:  # removed meanwhile
            continue
    return total


def filesystem(folder: Path) -> str:
    """Return the type of the file system that holds ``folder``: a sync means nothing on tmpfs."""
    resolved = folder.resolve()
    best, kind = "", "unknown"
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mounted, name, *_ = line.split()
        if resolved.is_relative_to(mounted) and len(mounted) >= len(best):
            best, kind = mounted, name
    return kind


def run_worker(module: str, options: Sequence[str]) -> dict[str, Any]:
    """Run ``python -m module`` and return the JSON of its last line of output.

    Raises:
        WorkerError: it failed; the message holds what it said.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, *options],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if done.returncode or not done.stdout.strip():
        raise WorkerError(f"{module} failed:\n{done.stderr[-3000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result
