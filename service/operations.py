"""What an operator does to a store: look at it, back it up, restore it, requeue.

Each function works on the parts it is given, whether they belong to a running server
(`spanloop.service.admin`) or were opened by a command for the moment.
"""

import contextlib
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from spanloop.exporter.render import Renderer, quote_string
from spanloop.processor.errors import PermanentError
from spanloop.receiver.dead_letters import DeadLetters
from spanloop.receiver.files import make_directory, sync_directory, write_durably
from spanloop.receiver.log import Log
from spanloop.receiver.otlp_messages import SIGNALS
from spanloop.receiver.record import Envelope, frame
from spanloop.receiver.segment import new_batch_id, parse_name


def log_status(directory: Path) -> dict[str, Any]:
    """Return what the log directory of a stopped server holds."""
    waiting = [
        path
        for signal in SIGNALS
        for path in (directory / "wal" / signal).glob("*.wal")
        if not path.with_suffix(".done").exists()
    ]
    return {
        "log_bytes": sum(path.stat().st_size for path in waiting),
        "log_segments": len(waiting),
        "dead_letters": len(DeadLetters(directory / "dead-letters")),
    }


def running_status(log: Log) -> dict[str, Any]:
    """Return what a running server's log holds."""
    oldest_ns = log.oldest_received_ns
    return {
        "log_bytes": log.n_bytes,
        "log_segments": sum(log.waiting_segments.values()),
        "oldest_unstored_age_s": (
            None if oldest_ns is None else round(time.time() - oldest_ns / 1e9, 3)
        ),
        "last_insert_errors": dict(log.last_errors),
        "dead_letters": len(log.dead_letters),
    }


def table_status(client: Client, renderer: Renderer) -> list[tuple[str, int, int]]:
    """Return (table, rows, bytes on disk) of every table that exists."""
    rows = client.query(
        "SELECT table, sum(rows), sum(bytes_on_disk) FROM system.parts "
        "WHERE active AND database = {db:String} GROUP BY table ORDER BY table",
        parameters={"db": renderer.settings.database},
    ).result_rows
    return [(str(table), int(n), int(size)) for table, n, size in rows]


def backup(client: Client, renderer: Renderer, directory: Path, destination: Path) -> Path:
    """Write a copy of log and tables to ``destination`` (new), which `restore` reads.

    The log goes first: what is stored in between is in both copies, and a start recognises it by its
    batch id.
    """
    if destination.exists():
        raise PermanentError(f"{destination} exists; a back-up goes to a new directory")
    make_directory(destination)
    try:
        for part in ("wal", "dead-letters"):
            if (directory / part).is_dir():
                shutil.copytree(
                    directory / part,
                    destination / part,
                    ignore=shutil.ignore_patterns("*.tmp"),
                    copy_function=_copy_if_there,
                )
        client.command(
            f"BACKUP DATABASE {renderer.table('').partition('.')[0]} "
            f"TO File({quote_string(str(destination / 'tables'))})"
        )
    except BaseException:
        shutil.rmtree(destination, ignore_errors=True)  # half a copy must not look like one
        raise
    write_durably(destination / "complete", b"spanloop backup 1\n")
    return destination


def _copy_if_there(source: str, target: str) -> str:
    """Copy a file of the log, unless it was stored and removed since it was listed."""
    with contextlib.suppress(FileNotFoundError):
        shutil.copy2(source, target)
    return target


def restore(client: Client, renderer: Renderer, source: Path, directory: Path) -> None:
    """Fill an empty data directory from a back-up."""
    if not (source / "complete").is_file():
        raise PermanentError(f"{source} is no complete spanloop back-up")
    if any((directory / part).exists() for part in ("wal", "dead-letters")) or _has_tables(
        client, renderer
    ):
        raise PermanentError(f"{directory} is not empty; restore into a new --data-dir")
    client.command(
        f"RESTORE DATABASE {renderer.table('').partition('.')[0]} "
        f"FROM File({quote_string(str(source / 'tables'))}) "
        "SETTINGS allow_different_database_def = 1"
    )
    for part in ("wal", "dead-letters"):
        if (source / part).is_dir():
            shutil.copytree(source / part, directory / part)
    sync_directory(directory)


def _has_tables(client: Client, renderer: Renderer) -> bool:
    found = client.query(
        "SELECT count() FROM system.tables WHERE database = {db:String}",
        parameters={"db": renderer.settings.database},
    )
    return bool(found.result_rows[0][0])


def requeue(directory: Path, letters: DeadLetters, letter_id: str) -> Mapping[str, int | str]:
    """Put a dead letter's records back into the log of a stopped server, as a segment of its own."""
    letter, records = letters.records(letter_id)
    if not records:
        raise PermanentError(
            f"dead letter {letter_id!r} holds damaged bytes, no record to send again"
        )
    lane = directory / "wal" / letter.signal
    make_directory(lane)
    taken = [parsed[0] for path in lane.iterdir() if (parsed := parse_name(path))]
    batch_id = new_batch_id()
    pieces = [
        piece
        for record in records
        for piece in frame(
            record.body,
            Envelope(
                project=record.envelope.project,
                received_ns=record.envelope.received_ns,
                batch_id=batch_id,
            ),
        )
    ]
    name = f"{max(taken, default=0) + 1:012d}-{batch_id.hex()}.wal"
    write_durably(lane / name, b"".join(pieces))
    letters.remove(letter_id)
    return {"requeued": letter_id, "records": len(records)}
