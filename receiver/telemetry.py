"""The server's own counters: what it acknowledged, refused and stored. Thread-safe, cheap, in one place.

Kept apart from OpenTelemetry's SDK so that a request costs one addition; `spanloop.service.self_metrics`
exposes them as OTel metrics and at ``/metrics``.
"""

import threading
from collections import Counter
from collections.abc import Mapping

# Counters, by (name, signal).
REQUESTS = "requests"
ACKED = "acked_items"
REJECTED = "rejected_items"
REFUSED = "refused_requests"
INVALID = "invalid_requests"
DUPLICATE = "duplicate_requests"
SLOW_PATH = "slow_path_requests"
UNKNOWN_BYTES = "unknown_field_bytes"
RECEIVED_BYTES = "received_bytes"
STORED = "stored_rows"
INSERTS = "inserts"
INSERT_RETRIES = "insert_retries"
DEAD_LETTERS = "dead_letters"


class Telemetry:
    """Monotonic counters by name and signal."""

    def __init__(self) -> None:
        # Guards the counters: drains, writers and receivers add from their own threads.
        self._lock = threading.Lock()
        self._counters: Counter[tuple[str, str]] = Counter()

    def add(self, name: str, signal: str, amount: int = 1) -> None:
        """Add ``amount`` to a counter."""
        with self._lock:
            self._counters[name, signal] += amount

    def snapshot(self) -> Mapping[tuple[str, str], int]:
        """Return a copy of all counters."""
        with self._lock:
            return dict(self._counters)
