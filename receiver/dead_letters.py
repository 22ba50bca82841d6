"""Dead letters: what the database cannot take and never stored, kept until a person decides.

Each is a file of log records (or of raw damaged bytes) beside a JSON note. Nothing is deleted by itself.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spanloop.processor.errors import PermanentError
from spanloop.receiver.files import (
    make_directory,
    sync_directory,
    write_durably,
    write_json_durably,
)
from spanloop.receiver.otlp_messages import SIGNALS, Signal
from spanloop.receiver.record import Record, scan
from spanloop.receiver.segment import new_batch_id


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One dead letter; ``rows`` counts what it would have stored, None for damaged bytes."""

    id: str
    signal: Signal
    reason: str
    time_ns: int
    n_bytes: int
    rows: int | None


class DeadLetters:
    """The dead-letter directory of a data directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def add(
        self,
        signal: Signal,
        content: bytes,
        reason: str,
        *,
        rows: int | None = None,
        batch_id: bytes | None = None,
    ) -> str:
        """Keep ``content`` durably and return its id.

        With the ``batch_id`` of its segment the same letter added again, after a crash, is the same letter.
        """
        make_directory(self._directory)
        name = batch_id.hex() if batch_id else f"{time.time_ns()}-{new_batch_id().hex()[:8]}"
        letter_id = f"{signal}-{name}"
        write_durably(self._directory / f"{letter_id}.bin", content)
        note = {
            "signal": signal,
            "reason": reason,
            "time_ns": time.time_ns(),
            "bytes": len(content),
            "rows": rows,
        }
        write_json_durably(self._directory / f"{letter_id}.json", note)
        return letter_id

    def __iter__(self) -> Iterator[DeadLetter]:
        if not self._directory.is_dir():
            return
        for path in sorted(self._directory.glob("*.json")):
            yield _read_note(path)

    def __len__(self) -> int:
        return sum(1 for _ in self._directory.glob("*.json"))

    def read(self, letter_id: str) -> tuple[DeadLetter, bytes]:
        """Return a dead letter and its bytes.

        Raises:
            PermanentError: there is none of that id.
        """
        note = self._directory / f"{letter_id}.json"
        known = {path.stem for path in self._directory.glob("*.json")}
        if letter_id not in known:
            raise PermanentError(
                f"no dead letter {letter_id!r}; `spanloop dead-letters list` shows them"
            )
        return _read_note(note), note.with_suffix(".bin").read_bytes()

    def records(self, letter_id: str) -> tuple[DeadLetter, list[Record]]:
        """Return a dead letter and the log records in it (none in damaged bytes)."""
        letter, content = self.read(letter_id)
        if (
            letter.rows is None
        ):  # whatever looks like a record there, a client may have put it there
            return letter, []
        return letter, [piece for piece in scan(content) if isinstance(piece, Record)]

    def remove(self, letter_id: str) -> None:
        """Forget a dead letter that was dealt with."""
        for suffix in (".json", ".bin"):
            (self._directory / f"{letter_id}{suffix}").unlink(missing_ok=True)
        sync_directory(self._directory)


def _read_note(path: Path) -> DeadLetter:
    try:
        note = json.loads(path.read_bytes())
        if note["signal"] not in SIGNALS:
            raise ValueError(note["signal"])
        return DeadLetter(
            id=path.stem,
            signal=note["signal"],
            reason=note["reason"],
            time_ns=note["time_ns"],
            n_bytes=note["bytes"],
            rows=note["rows"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return _without_note(path)


def _without_note(path: Path) -> DeadLetter:
    """Return what the file's name tells of a dead letter whose note is damaged."""
    content = path.with_suffix(".bin")
    name, _, rest = path.stem.partition("-")
    named: list[Signal] = [signal for signal in SIGNALS if signal == name]
    return DeadLetter(
        id=path.stem,
        signal=named[0] if named else SIGNALS[0],
        reason="unknown: the note beside it is damaged",
        time_ns=int(time_ns) if (time_ns := rest.partition("-")[0]).isdecimal() else 0,
        n_bytes=content.stat().st_size if content.exists() else 0,
        rows=None,
    )
