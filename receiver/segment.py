"""A segment: one file of the log, inserted once, under one random id.

Files of a segment, all named ``<sequence>-<batch id>``:

``.wal``   the records (see `spanloop.receiver.record`)
``.json``  the sidecar, written when the segment is sealed: rows per target, length, or the two segments
           that replaced it when it was split; with a checksum, since a wrong length would cut records
``.done``  written after the rows are stored and verified; keeps the digests of its requests, so that a
           client's late retry is still recognised. With it, the other two are waste.
"""

import base64
import json
import re
import secrets
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from spanloop.receiver.files import cut_durably, sync_directory, write_json_durably
from spanloop.receiver.otlp_messages import Signal
from spanloop.receiver.record import BATCH_ID_BYTES, Record

_NAME = re.compile(r"(?P<sequence>\d{12,})-(?P<batch_id>[0-9a-f]{32})\.\w+", re.ASCII)


@dataclass(slots=True, kw_only=True)
class Segment:
    """A segment of the log. ``length`` counts its durable bytes, ``rows`` the rows per target table."""

    directory: Path
    signal: Signal
    sequence: int
    batch_id: bytes
    length: int = 0
    records: int = 0
    rows: Counter[str] = field(default_factory=Counter[str])
    digests: list[tuple[bytes, int]] = field(default_factory=list[tuple[bytes, int]])
    oldest_received_ns: int | None = None
    # Found at start: an earlier process may have stored it.
    recovered: bool = False
    # Found at start, or an attempt to store it failed: the database may hold it already.
    doubtful: bool = False
    # Names of the two segments that replace it: it must not be inserted any more.
    replaced_by: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.doubtful |= self.recovered

    @property
    def name(self) -> str:
        """The common stem of its files."""
        return f"{self.sequence:012d}-{self.batch_id.hex()}"

    @property
    def path(self) -> Path:
        """The file of records."""
        return self.directory / f"{self.name}.wal"

    @property
    def sidecar(self) -> Path:
        """The metadata, present once sealed."""
        return self.directory / f"{self.name}.json"

    @property
    def done(self) -> Path:
        """The mark that every row is stored."""
        return self.directory / f"{self.name}.done"

    @property
    def n_rows(self) -> int:
        """Rows over all targets."""
        return self.rows.total()

    def add(self, record: Record, rows: Mapping[str, int]) -> None:
        """Account for a record that was found in the file."""
        self.note(rows, record.envelope.received_ns, record.envelope.digest)

    def note(self, rows: Mapping[str, int], received_ns: int, digest: bytes | None) -> None:
        """Account for one more record."""
        self.records += 1
        self.rows.update(rows)
        if self.oldest_received_ns is None:
            self.oldest_received_ns = received_ns
        if digest is not None:
            self.digests.append((digest, received_ns))

    def write_sidecar(self) -> None:
        """Record, durably, what the file holds (or what replaced it)."""
        content: dict[str, object] = {
            "signal": self.signal,
            "records": self.records,
            "length": self.length,
            "rows": dict(self.rows),
        }
        if self.replaced_by:
            content["replaced_by"] = self.replaced_by
        write_json_durably(self.sidecar, {**content, "crc32": _checksum(content)})

    def write_done(self) -> None:
        """Record, durably, that every row is stored, and keep the digests of its requests."""
        encoded = [[base64.b64encode(d).decode(), received] for d, received in self.digests]
        write_json_durably(self.done, {"digests": encoded})

    def cut_refused(self) -> None:
        """Cut bytes behind the last durable record: their clients were told to send them again."""
        if self.path.stat().st_size > self.length:
            cut_durably(self.path, self.length)

    def unlink(self) -> None:
        """Remove records and sidecar; the done mark stays for the retry window."""
        self.path.unlink(missing_ok=True)
        self.sidecar.unlink(missing_ok=True)
        sync_directory(self.directory)


def new_batch_id() -> bytes:
    """Return a random id: never a counter or file name, whose reuse would swallow other data."""
    return secrets.token_bytes(BATCH_ID_BYTES)


def read_sidecar(path: Path) -> dict[str, Any]:
    """Return a sidecar's content, {} where there is none whose checksum agrees."""
    try:
        content: Any = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    known = cast("dict[str, Any]", content)
    return known if known.pop("crc32", None) == _checksum(known) else {}


def _checksum(content: Mapping[str, object]) -> int:
    return zlib.crc32(json.dumps(content, sort_keys=True).encode())


def parse_name(path: Path) -> tuple[int, bytes] | None:
    """Return (sequence, batch id) of a segment's file, None for any other (such as a copy of one)."""
    matched = _NAME.fullmatch(path.name)
    return (int(matched["sequence"]), bytes.fromhex(matched["batch_id"])) if matched else None


def read_done_digests(path: Path) -> Iterator[tuple[bytes, int]]:
    """Yield (digest, received time in Unix nanoseconds) of a done mark."""
    content = json.loads(path.read_bytes())
    for digest, received_ns in content["digests"]:
        yield base64.b64decode(digest), received_ns
