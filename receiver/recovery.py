"""What a start finds in the log directory, and how it becomes segments again.

Nothing here trusts a file name, a sidecar or a clean shutdown: every record is checked by its checksum.
A torn tail is cut (its client was never answered); damage in the middle is set aside as a dead letter and
the records behind it are kept. Every segment found is marked ``recovered``, so that the drain asks the
database what it holds before sending anything: the directory may be a copy, or restored from one.
"""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from spanloop.processor.errors import InvalidRequest
from spanloop.receiver.check import count_rows
from spanloop.receiver.files import sync_directory, write_durably
from spanloop.receiver.otlp_messages import Signal
from spanloop.receiver.record import Damage, Record, frame, scan
from spanloop.receiver.segment import Segment, parse_name, read_done_digests

logger = logging.getLogger(__name__)

SetAside = Callable[[Signal, bytes, str], None]


@dataclass(slots=True)
class Recovered:
    """The state of one lane's directory: unfinished ``segments`` in order, known ``digests``."""

    segments: list[Segment] = field(default_factory=list[Segment])
    digests: list[tuple[bytes, int]] = field(default_factory=list[tuple[bytes, int]])
    next_sequence: int = 1


def recover_lane(directory: Path, signal: Signal, set_aside: SetAside) -> Recovered:
    """Read ``directory`` (absent: nothing to recover); ``set_aside`` keeps bytes that are no record."""
    found = Recovered()
    if not directory.is_dir():
        return found
    for leftover in directory.glob("*.tmp"):
        leftover.unlink()
    _finish_splits(directory)
    for path, sequence, batch_id in _segment_files(directory):
        found.next_sequence = max(found.next_sequence, sequence + 1)
        segment = Segment(
            directory=directory, signal=signal, sequence=sequence, batch_id=batch_id, recovered=True
        )
        if path.suffix == ".done":
            found.digests.extend(_done_digests(path))
            segment.unlink()
        elif path.suffix == ".wal" and not segment.done.exists():
            _load(segment, set_aside)
            if segment.records:
                found.segments.append(segment)
                found.digests.extend(segment.digests)
            else:
                segment.unlink()
    return found


def _segment_files(directory: Path) -> Iterator[tuple[Path, int, bytes]]:
    for path in sorted(directory.iterdir()):
        parsed = parse_name(path)
        if parsed is not None:
            yield path, *parsed


def _done_digests(path: Path) -> list[tuple[bytes, int]]:
    try:
        return list(read_done_digests(path))
    except (ValueError, KeyError):
        # Only the recognition of late retries suffers; the mark itself is what counts.
        logger.warning(
            "done mark %s is not readable; its retries will not be recognised", path.name
        )
        return []


def _load(segment: Segment, set_aside: SetAside) -> None:
    content = segment.path.read_bytes()
    kept: list[Record] = []
    damaged: list[Damage] = []
    for piece in scan(content):
        if isinstance(piece, Damage):
            damaged.append(piece)
            continue
        try:
            rows = count_rows(segment.signal, piece.body)
        except InvalidRequest:  # a checksum that agrees by chance, or a foreign file
            damaged.append(Damage(piece.start, piece.end))
            continue
        kept.append(piece)
        segment.add(piece, rows)
    if not damaged:
        segment.length = len(content)
        return
    _repair(segment, content, kept, damaged, set_aside)


def _repair(
    segment: Segment, content: bytes, kept: list[Record], damaged: list[Damage], set_aside: SetAside
) -> None:
    """Rewrite a damaged segment with what is valid; a torn tail is no loss, the rest is set aside."""
    *inner, last = damaged
    torn_tail = last.end == len(content) and not _was_sealed_longer(segment, last.start)
    for damage in inner if torn_tail else damaged:
        set_aside(
            segment.signal, content[damage.start : damage.end], f"damaged bytes in {segment.name}"
        )
    logger.warning(
        "segment %s: kept %d records, cut %d damaged stretches",
        segment.name,
        len(kept),
        len(damaged),
    )
    valid = b"".join(content[record.start : record.end] for record in kept)
    write_durably(segment.path, valid)
    segment.length = len(valid)


def _was_sealed_longer(segment: Segment, length: int) -> bool:
    """Return whether the sidecar says that acknowledged records stood behind ``length``."""
    try:
        sealed = json.loads(segment.sidecar.read_bytes())
    except (OSError, ValueError):
        return False
    return int(sealed.get("length", 0)) > length


def split(
    segment: Segment, next_sequence: Callable[[], int], new_id: Callable[[], bytes]
) -> list[Segment]:
    """Replace ``segment`` by two of half its records each, durably and in one step.

    The parent's sidecar naming its children is that step: before it the children are waste, after it the
    parent is. Only for a segment of which no target stored a row.
    """
    records = [piece for piece in scan(segment.path.read_bytes()) if isinstance(piece, Record)]
    middle = len(records) // 2
    halves = [
        _write_child(segment, part, next_sequence(), new_id())
        for part in (records[:middle], records[middle:])
    ]
    segment.write_sidecar(replaced_by=[half.name for half in halves])
    _finish_splits(segment.directory)
    return halves


def _write_child(parent: Segment, records: list[Record], sequence: int, batch_id: bytes) -> Segment:
    child = Segment(
        directory=parent.directory, signal=parent.signal, sequence=sequence, batch_id=batch_id
    )
    pieces: list[bytes] = []
    for record in records:
        envelope = record.envelope
        pieces.extend(
            frame(
                record.body,
                type(envelope)(
                    project=envelope.project,
                    received_ns=envelope.received_ns,
                    batch_id=batch_id,
                    digest=envelope.digest,
                ),
            )
        )
        child.add(record, count_rows(parent.signal, record.body))
    content = b"".join(pieces)
    child.length = len(content)
    write_durably(child.path.with_suffix(".split"), content)
    return child


def _finish_splits(directory: Path) -> None:
    """Complete every split whose parent says so; drop the children of those that never got there."""
    for sidecar in directory.glob("*.json"):
        try:
            children = json.loads(sidecar.read_bytes()).get("replaced_by")
        except ValueError:
            continue
        if not children:
            continue
        for name in children:
            written = directory / f"{name}.split"
            if written.exists():
                written.rename(directory / f"{name}.wal")
        sync_directory(directory)
        sidecar.with_suffix(".wal").unlink(missing_ok=True)
        sync_directory(directory)
        sidecar.unlink()
    for orphan in directory.glob("*.split"):
        orphan.unlink()
    sync_directory(directory)
