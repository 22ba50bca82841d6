"""Who was promised what: the ids of spans, taken down after their acknowledgement."""

import threading
from collections.abc import Iterable
from pathlib import Path


class Ledger:
    """Spans sent, and spans acknowledged; thread-safe, kept in a file.

    The file has a line ``<trace id> <span id>`` in hexadecimal for each acknowledged span.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()  # guards the file and the counts: several senders write
        self._file = path.open("a")
        self.n_acknowledged = 0

    def acknowledge(self, ids: Iterable[tuple[str, str]]) -> None:
        """Take down spans whose export was just acknowledged."""
        lines = [f"{trace_id} {span_id}\n" for trace_id, span_id in ids]
        with self._lock:
            self._file.writelines(lines)
            self._file.flush()
            self.n_acknowledged += len(lines)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_ledger(path: Path) -> list[tuple[str, str]]:
    """Return (trace id, span id) of every acknowledged span."""
    pairs = (line.split() for line in path.read_text().splitlines())
    return [(trace_id, span_id) for trace_id, span_id in pairs]
