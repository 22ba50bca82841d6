"""Scenarios: something happens to the files of the log itself."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.durability.audit import audit
from benchmarks.durability.load import ids_of, send_until_taken
from benchmarks.durability.server import Server
from benchmarks.durability.stage import NO_DATABASE, Facts, Scale, Stage, failed

REQUESTS_A_SEGMENT = 3
SPANS_A_REQUEST = 20
SEALED_BY_ROWS = {"segment_max_rows": REQUESTS_A_SEGMENT * SPANS_A_REQUEST, "segment_max_age_s": 60}
Damage = Callable[[Path], None]


def _torn_tail(segment: Path) -> None:
    """Half a record behind the last one: a write that the crash cut short."""
    content = segment.read_bytes()
    with segment.open("ab") as out:
        out.write(content[: len(content) // REQUESTS_A_SEGMENT // 2])
    segment.with_suffix(".json").unlink(missing_ok=True)


def _zero_tail(segment: Path) -> None:
    """A page of zeros behind the last record: the length survived, the bytes did not."""
    with segment.open("ab") as out:
        out.write(bytes(4096))


def _flip_middle(segment: Path) -> None:
    """One wrong byte in the middle request."""
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 0x40
    segment.write_bytes(content)


def _cut_last(segment: Path) -> None:
    """The last request lost its second half."""
    content = segment.read_bytes()
    segment.write_bytes(content[: -(len(content) // REQUESTS_A_SEGMENT // 2)])


def _no_sidecar(segment: Path) -> None:
    """The sidecar is gone."""
    segment.with_suffix(".json").unlink()


def _bad_sidecar(segment: Path) -> None:
    """The sidecar is not JSON."""
    segment.with_suffix(".json").write_bytes(b"\0" * 64)


def _lying_sidecar(segment: Path) -> None:
    """The sidecar counts rows that are not there."""
    segment.with_suffix(".json").write_text(
        '{"signal": "traces", "records": 1, "length": 10, "rows": {"otel_traces": 1}}'
    )


# Which of the three requests of a segment each damage takes; None: nothing but waste is damaged.
DAMAGES: tuple[tuple[Damage, int | None], ...] = (
    (_torn_tail, None),
    (_zero_tail, None),
    (_flip_middle, 1),
    (_cut_last, 2),
    (_no_sidecar, None),
    (_bad_sidecar, None),
    (_lying_sidecar, None),
)


def torn_and_corrupted(directory: Path, scale: Scale) -> Facts:
    """Damaged segments: what is whole is stored once, what is not is set aside, the start goes on."""
    stage = Stage(directory, {"receiver": {"log": SEALED_BY_ROWS}})
    try:
        stage.start(*NO_DATABASE)
        segments = [_segment_of_requests(stage, victim) for _, victim in DAMAGES]
        stage.server.kill()
        for (damage, _), segment in zip(DAMAGES, segments, strict=True):
            damage(segment)
        facts = stage.verdict(requests_damaged_on_disk=2, kinds=len(DAMAGES))
    finally:
        stage.close()
    if facts["tables"]["otel_traces"]["extra"]:
        return failed(facts, "a damaged request was stored")
    if not 2 <= facts["dead_letters"] <= len(DAMAGES):
        return failed(facts, "the damaged requests were not set aside")
    return facts


def _segment_of_requests(stage: Stage, victim: int | None) -> Path:
    """Send the requests of one segment; the one that will be damaged stays out of the ledger."""
    log = stage.server.data / "wal" / "traces"
    before = set(log.glob("*.json"))
    for number in range(REQUESTS_A_SEGMENT):
        spans = stage.source.take(SPANS_A_REQUEST)
        send_until_taken(stage.server.grpc, spans)
        if number != victim:
            stage.ledger.acknowledge(ids_of(spans))
    deadline = time.monotonic() + 20
    while not (sealed := set(log.glob("*.json")) - before):
        if time.monotonic() > deadline:
            raise TimeoutError("a segment was not sealed")
        time.sleep(0.05)
    (only,) = sealed
    return only.with_suffix(".wal")


def log_wiped(directory: Path, scale: Scale) -> Facts:
    """The log is deleted after all was stored; new segments, numbered from one again, are not swallowed."""
    stage = Stage(directory, watched=False)
    try:
        for _ in range(3):
            stage.start()
            for _ in range(5):
                stage.send()
            stage.server.stop()
            shutil.rmtree(stage.server.data / "wal")
        return stage.verdict()
    finally:
        stage.close()


def log_restored(directory: Path, scale: Scale) -> Facts:
    """An older copy of the log, taken mid-segment, comes back after all of it was stored."""
    stage = Stage(directory, {"receiver": {"log": {"segment_max_age_s": 3.0}}})
    log, copy = stage.server.data / "wal", directory / "copy"
    try:
        stage.start(*NO_DATABASE)
        for _ in range(3):
            stage.send()
        shutil.copytree(log, copy)  # holds the first requests of a segment that goes on growing
        for _ in range(3):
            stage.send()
        stage.layer.set_rules(())
        stage.server.wait_stored()
        stage.server.kill()
        shutil.rmtree(log)
        copy.rename(log)
        restored = stage.server.unstored()
        facts = stage.verdict(segments_restored=restored)
    finally:
        stage.close()
    return facts if restored else failed(facts, "the copy held nothing that was not marked as done")


def log_copied(directory: Path, scale: Scale) -> Facts:
    """A copy of a full log, put under another server, is stored there once too; here it stays once."""
    stage = Stage(directory / "one")
    try:
        stage.start(*NO_DATABASE)
        for _ in range(5):
            stage.send()
        stage.server.kill()
        other = Server(directory / "two")
        shutil.copytree(stage.server.data / "wal", other.data / "wal")
        facts = stage.verdict()
        other.drain()
        there = audit(other.data, stage.ledger.path)
    finally:
        stage.close()
    facts |= {"lost_in_copy": there.lost, "twice_in_copy": there.twice}
    return facts if there.lost == there.twice == 0 else failed(facts, "the copy is not stored once")
