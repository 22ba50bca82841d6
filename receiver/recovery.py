"""What a start finds in the log directory, and how it becomes segments again.

Nothing here trusts a file name, a sidecar or a clean shutdown: every record is checked by its checksum.
A torn tail is cut (its client was never answered); damage in the middle is set aside as a dead letter and
the records behind it are kept. Every segment found is marked ``recovered``, so that the drain asks the
database what it holds before sending anything: the directory may be a copy, or restored from one.
"""

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from spanloop.processor.errors import InvalidRequest
from spanloop.receiver.check import count_rows, halve
from spanloop.receiver.files import cut_durably, sync_directory, write_durably
from spanloop.receiver.otlp_messages import Signal
from spanloop.receiver.record import Damage, Envelope, Record, frame, scan
from spanloop.receiver.segment import Segment, parse_name, read_done_digests, read_sidecar

logger = logging.getLogger(__name__)

SetAside = Callable[[Signal, bytes, str], None]


@dataclass(slots=True)
class Recovered:
    """The state of one lane's directory: unfinished ``segments`` in order, known ``digests``."""

    segments: list[Segment] = field(default_factory=list[Segment])
    digests: list[tuple[bytes, int]] = field(default_factory=list[tuple[bytes, int]])
    next_sequence: int = 1


def recover_lane(directory: Path, signal: Signal, set_aside: SetAside) -> Recovered:
    """Read ``directory`` (absent: nothing to recover); ``set_aside`` keeps bytes that are no record.

    A file that cannot be read or repaired now (an I/O error, a full disk) stays for the next start.
    """
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
            _take(segment, set_aside, found)
    return found


def _take(segment: Segment, set_aside: SetAside, found: Recovered) -> None:
    try:
        _load(segment, set_aside)
    except OSError as failure:
        logger.error(  # noqa: TRY400  # the reason says it all
            "segment %s cannot be recovered: %s; it stays where it is for the next start",
            segment.name,
            failure.strerror,
        )
        return
    if segment.records:
        found.segments.append(segment)
        found.digests.extend(segment.digests)
    else:
        segment.unlink()


def _segment_files(directory: Path) -> Iterator[tuple[Path, int, bytes]]:
    for path in sorted(directory.iterdir()):
        parsed = parse_name(path)
        if parsed is not None:
            yield path, *parsed


def _done_digests(path: Path) -> list[tuple[bytes, int]]:
    try:
        digests = list(read_done_digests(path))
        os.utime(path)  # no client could retry while no server ran: the window starts anew
    except (OSError, ValueError, KeyError, TypeError):
        # Only the recognition of late retries suffers; the mark itself is what counts.
        logger.warning(
            "done mark %s is not readable; its retries will not be recognised", path.name
        )
        return []
    return digests


def _load(segment: Segment, set_aside: SetAside) -> None:
    """Account for the valid records of a segment's file, and make the file hold nothing else."""
    on_disk = segment.path.read_bytes()
    sealed = _sealed_length(segment)
    # Behind its sealed length stand records whose clients were told to send them again.
    content = on_disk if sealed is None else on_disk[:sealed]
    kept, damaged = _sort_out(segment, content)
    if sealed is not None and len(on_disk) < sealed:
        logger.error(
            "segment %s: %d acknowledged bytes are missing at its end",
            segment.name,
            sealed - len(on_disk),
        )
    elif sealed is None and damaged and _is_torn_tail(content, damaged[-1]):
        damaged.pop()  # nobody was answered
    for damage in damaged:
        set_aside(
            segment.signal, content[damage.start : damage.end], f"damaged bytes in {segment.name}"
        )
    segment.length = sum(record.end - record.start for record in kept)
    if segment.length < len(on_disk):
        logger.warning(
            "segment %s: kept %d records, set aside %d damaged stretches",
            segment.name,
            len(kept),
            len(damaged),
        )
        _keep_only(segment, content, kept)


def _is_torn_tail(content: bytes, damage: Damage) -> bool:
    """Return whether ``damage`` is a write that a crash cut off, rather than records of another segment."""
    tail = content[damage.start :]
    return damage.end == len(content) and not any(isinstance(p, Record) for p in scan(tail))


def _sort_out(segment: Segment, content: bytes) -> tuple[list[Record], list[Damage]]:
    kept: list[Record] = []
    damaged: list[Damage] = []
    for piece in scan(content, segment.batch_id):
        if isinstance(piece, Damage):
            damaged.append(piece)
            continue
        try:
            rows = count_rows(segment.signal, piece.body)
        except InvalidRequest:  # a checksum that agrees by chance, or a file of another signal
            damaged.append(Damage(piece.start, piece.end))
            continue
        kept.append(piece)
        segment.add(piece, rows)
    return kept, damaged


def _keep_only(segment: Segment, content: bytes, kept: list[Record]) -> None:
    end = kept[-1].end if kept else 0
    if end == segment.length:
        # All at the front: cutting needs no space, which may be what is short.
        cut_durably(segment.path, end)
    else:
        write_durably(segment.path, b"".join(content[record.start : record.end] for record in kept))
    segment.sidecar.unlink(missing_ok=True)  # it tells of what is no more


def _sealed_length(segment: Segment) -> int | None:
    """Return how many bytes were acknowledged according to the sidecar, None without one."""
    length = read_sidecar(segment.sidecar).get("length")
    return length if isinstance(length, int) else None


def split(
    segment: Segment, next_sequence: Callable[[], int], new_id: Callable[[], bytes]
) -> list[Segment]:
    """Replace ``segment`` by two of half its records (of its one record's rows) each, durably, in one step.

    The parent's sidecar naming its children is that step: before it the children are waste, after it the
    parent is. Only for a segment of which no target stored a row. After a failure, call it again.
    """
    if not segment.replaced_by:
        content = segment.path.read_bytes()
        records = [piece for piece in scan(content, segment.batch_id) if isinstance(piece, Record)]
        halves = [
            _write_child(segment, part, next_sequence(), new_id())
            for part in _halves(segment.signal, records)
        ]
        segment.replaced_by = [half.name for half in halves]
    if segment.path.exists():
        segment.write_sidecar()
    _finish_splits(segment.directory)
    # Read anew, since this may be the second call.
    children = (_read_child(segment, name) for name in segment.replaced_by)
    return [child for child in children if child is not None]


def _halves(signal: Signal, records: list[Record]) -> list[list[tuple[bytes, Envelope]]]:
    if len(records) == 1:
        return [[(body, records[0].envelope)] for body in halve(signal, records[0].body)]
    middle = len(records) // 2
    parts = (records[:middle], records[middle:])
    return [[(record.body, record.envelope) for record in part] for part in parts]


def _write_child(
    parent: Segment, records: list[tuple[bytes, Envelope]], sequence: int, batch_id: bytes
) -> Segment:
    child = Segment(
        directory=parent.directory, signal=parent.signal, sequence=sequence, batch_id=batch_id
    )
    pieces: list[bytes] = []
    for body, envelope in records:
        pieces.extend(frame(body, replace(envelope, batch_id=batch_id)))
    write_durably(child.path.with_suffix(".split"), b"".join(pieces))
    return child


def _read_child(parent: Segment, name: str) -> Segment | None:
    path = parent.directory / f"{name}.wal"
    parsed = parse_name(path)
    if parsed is None or not path.exists():
        return None
    sequence, batch_id = parsed
    child = Segment(
        directory=parent.directory, signal=parent.signal, sequence=sequence, batch_id=batch_id
    )
    content = path.read_bytes()
    _sort_out(child, content)
    child.length = len(content)
    return child


def _children(sidecar: Path) -> list[str]:
    names: object = read_sidecar(sidecar).get("replaced_by")
    return [str(name) for name in cast("list[object]", names)] if isinstance(names, list) else []


def _finish_splits(directory: Path) -> None:
    """Complete every split whose parent says so; drop the children of those that never got there."""
    for sidecar in directory.glob("*.json"):
        children = _children(sidecar)
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
