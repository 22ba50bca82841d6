"""Power loss as a test fixture: an LD_PRELOAD layer that keeps only what was synced.

Why: after ``kill -9`` the page cache is still there, so a missing ``fsync`` cannot show. Here every
process started with `FaultLayer.environment` has its syncs recorded in a shadow directory; after killing
it, `FaultLayer.cut_power` replaces the data directory by what a disk may have held at that moment.

POSIX promises only what was synced, but a real disk may hold more, and in any order. So a test asks for
one of these survivals:

* ``synced``: nothing that was not synced survived, neither bytes nor names (the strictest reading);
* ``metadata``: all names and removals survived, unsynced bytes did not (ext4, XFS: files of zero length);
* ``torn``: all names survived; of each file's unsynced tail a random part did, some of it as zeros;
* ``mixed``: each directory is either as synced or as last seen, each file as synced, torn or as last seen;
* ``everything``: as after ``kill -9``.

The layer itself is described in ``faultfs.h``; ``tests/unit/benchmarks`` proves that it drops what it
should.
"""

import ctypes
import filecmp
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Survival = Literal["synced", "metadata", "torn", "mixed", "everything"]
SURVIVALS: tuple[Survival, ...] = ("synced", "metadata", "torn", "mixed", "everything")

_SOURCES = ("shadow.c", "rules.c", "interpose.c")
_FLAGS = ("-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden")
_ZEROED_SHARE = 0.3  # of torn tails, how many come back as zeros instead of data


class FaultLayerError(Exception):
    """The layer cannot be built, or saw file access that it cannot model."""


def build() -> Path:
    """Compile the layer with the system's C compiler, once per source text, outside the tree."""
    here = Path(__file__).parent
    text = b"".join((here / name).read_bytes() for name in ("faultfs.h", *_SOURCES))
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "spanloop"
    library = cache / f"faultfs-{hashlib.sha256(text).hexdigest()[:16]}.so"
    if library.exists():
        return library
    compiler = next(
        (found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None
    )
    if compiler is None or not sys.platform.startswith("linux"):
        raise FaultLayerError("the fault layer needs Linux with glibc and a C compiler (cc)")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        draft = Path(scratch) / library.name
        command = [compiler, *_FLAGS, "-o", str(draft), *(str(here / name) for name in _SOURCES)]
        built = subprocess.run([*command, "-ldl", "-lpthread"], capture_output=True, text=True)
        if built.returncode != 0:
            raise FaultLayerError(f"{' '.join(command)} failed:\n{built.stderr}")
        draft.replace(library)
    return library


@dataclass(frozen=True, slots=True)
class Rule:
    """One fault: what happens (``action``) at the ``nth`` ``op`` on a path that matches ``glob``.

    Attributes:
        action: ``kill`` (before the call), ``kill-after``, ``errno:<number>`` or ``sleep:<ms>``.
        op: ``write``, ``sync``, ``open`` (for writing), ``rename``, ``unlink``, ``mkdir``, ``truncate``.
        glob: fnmatch pattern over the absolute path; of a rename, over its target.
        nth: the match that is hit, from 1; 0 hits every one.
    """

    action: str
    op: str
    glob: str
    nth: int = 0


class FaultLayer:
    """Records the durable state of one directory; see the module's docstring.

    Args:
        root: the directory whose files are watched; created if missing. All its content at the start
            counts as durable.
        work: a scratch directory of ours, outside ``root`` and on the same file system.
    """

    def __init__(self, root: Path, work: Path) -> None:
        self.root = root
        self._work = work
        self._library = build()
        self._identify = ctypes.CDLL(str(self._library)).faultfs_id
        self._identify.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t)
        root.mkdir(parents=True, exist_ok=True)
        self._rules = work / "rules"
        self._shadow = work / "shadow"
        self._reset()

    @property
    def environment(self) -> dict[str, str]:
        """What to add to the environment of a process that is to be watched."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAULTFS_ROOT": str(self.root),
            "FAULTFS_SHADOW": str(self._shadow),
            "FAULTFS_RULES": str(self._rules),
        }

    def set_rules(self, rules: Iterable[Rule]) -> None:
        """Replace the faults in force; running processes see it at their next call."""
        draft = self._rules.with_suffix(".new")
        draft.write_text("".join(f"{r.action} {r.op} {r.nth} {r.glob}\n" for r in rules))
        draft.replace(self._rules)

    def unseen(self) -> list[str]:
        """File access that the layer cannot model (shared mappings, AIO); a verdict needs it empty."""
        log = self._shadow / "unsupported"
        return sorted(set(log.read_text().splitlines())) if log.exists() else []

    def cut_power(self, survival: Survival = "synced", *, seed: int = 0) -> "Dropped":
        """Replace the root by what a disk may have held; every watched process must be dead.

        Returns:
            What did not survive, beside a mere kill.

        Raises:
            FaultLayerError: when some file access could not be modelled.
        """
        if unseen := self.unseen():
            raise FaultLayerError(f"cannot model: {', '.join(unseen)}")
        rebuilt = self._work / "rebuilt"
        shutil.rmtree(rebuilt, ignore_errors=True)
        _Rebuild(self, survival, random.Random(seed)).directory(
            self.identity(self.root), self.root, rebuilt
        )
        dropped = _compare(self.root, rebuilt)
        shutil.rmtree(self.root)
        rebuilt.rename(self.root)
        self._reset()
        return dropped

    def identity(self, path: Path) -> str:
        """The inode and generation of ``path``, as the layer names them."""
        buffer = ctypes.create_string_buffer(256)
        if self._identify(os.fsencode(path), buffer, len(buffer)) != 0:
            raise FaultLayerError(f"no identity for {path}")
        return buffer.value.decode()

    def synced_file(self, identity: str) -> Path:
        """Where the durable bytes of a file are kept (missing: it was never synced)."""
        return self._shadow / "files" / identity

    def synced_entries(self, identity: str) -> "list[_Entry] | None":
        """The durable entries of a directory; None when it was never synced."""
        listing = self._shadow / "dirs" / identity
        if not listing.exists():
            return None
        entries: list[_Entry] = []
        for record in listing.read_bytes().split(b"\0")[:-1]:
            kind, child, rest = record.split(b" ", 2)
            name, _, target = rest.partition(b"\1")
            entries.append(
                _Entry(kind.decode(), child.decode(), os.fsdecode(name), os.fsdecode(target))
            )
        return entries

    def live_entries(self, directory: Path) -> "list[_Entry]":
        """The entries a directory has now."""
        return [
            _Entry(
                "l" if path.is_symlink() else "d" if path.is_dir() else "f",
                self.identity(path),
                path.name,
                str(path.readlink()) if path.is_symlink() else "",
            )
            for path in sorted(directory.iterdir())
        ]

    def _reset(self) -> None:
        shutil.rmtree(self._shadow, ignore_errors=True)
        self._shadow.mkdir(parents=True)
        self.set_rules(())
        # One watched process records the present content as durable.
        subprocess.run(["/bin/true"], env=self.environment, check=True)


@dataclass(frozen=True, slots=True)
class Dropped:
    """What a power cut took: ``names`` that are gone or came back, ``files`` with other bytes."""

    names: int
    files: int


@dataclass(frozen=True, slots=True)
class _Entry:
    """A name in a directory: ``kind`` is f(ile), d(irectory) or l(ink)."""

    kind: str
    identity: str
    name: str
    target: str


class _Rebuild:
    """Writes one possible state of the disk."""

    def __init__(self, layer: FaultLayer, survival: Survival, rng: random.Random) -> None:
        self._layer = layer
        self._survival = survival
        self._rng = rng
        self._everywhere: dict[str, Path] | None = None

    def directory(self, identity: str, live: Path | None, out: Path) -> None:
        """Write the directory ``identity``, last seen at ``live`` (None: it is gone), to ``out``."""
        out.mkdir()
        live_entries = [] if live is None else self._layer.live_entries(live)
        present = {entry.identity: live / entry.name for entry in live_entries if live is not None}
        durable = self._layer.synced_entries(identity)
        entries = live_entries if self._names_survive() and live is not None else durable or []
        for entry in entries:
            seen = present.get(entry.identity) or self._find(entry.identity)
            if entry.kind == "l":
                (out / entry.name).symlink_to(entry.target)
            elif entry.kind == "d":
                self.directory(entry.identity, seen, out / entry.name)
            else:
                self._file(entry.identity, seen, out / entry.name)

    def _names_survive(self) -> bool:
        if self._survival == "mixed":
            return self._rng.random() < 0.5
        return self._survival != "synced"

    def _find(self, identity: str) -> Path | None:
        """Where a renamed inode is now (its directory's durable entries name it elsewhere)."""
        if self._everywhere is None:
            self._everywhere = {
                self._layer.identity(path): path
                for path in self._layer.root.rglob("*")
                if not path.is_symlink()
            }
        return self._everywhere.get(identity)

    def _file(self, identity: str, live: Path | None, out: Path) -> None:
        kept = self._layer.synced_file(identity)
        durable = kept.read_bytes() if kept.exists() else b""
        out.write_bytes(durable if live is None else self._survived(durable, live))

    def _survived(self, durable: bytes, live: Path) -> bytes:
        if self._survival == "everything":
            return live.read_bytes()
        if self._survival in ("synced", "metadata"):
            return durable
        if self._survival == "mixed":
            choice = self._rng.randrange(3)
            if choice < 2:
                return durable if choice == 0 else live.read_bytes()
        return self._torn(durable, live.read_bytes())

    def _torn(self, durable: bytes, live: bytes) -> bytes:
        """A part of the unsynced tail; overwritten bytes inside the durable part stay durable."""
        tail = live[len(durable) :]
        cut = tail[: self._rng.randint(0, len(tail))]
        return durable + (bytes(len(cut)) if self._rng.random() < _ZEROED_SHARE else cut)


def _compare(before: Path, after: Path) -> Dropped:
    """Return how two trees differ."""
    old = {path.relative_to(before): path for path in before.rglob("*")}
    new = {path.relative_to(after): path for path in after.rglob("*")}
    changed = sum(
        1
        for name in old.keys() & new.keys()
        if not old[name].is_symlink()
        and old[name].is_file()
        and not filecmp.cmp(old[name], new[name], shallow=False)
    )
    return Dropped(len(old.keys() ^ new.keys()), changed)
