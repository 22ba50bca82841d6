"""Recognise a client's identical retry, across restarts and for a while after its segment is gone.

A client that saw no answer sends the same bytes again. Within the window the first copy answers for the
second, and only once it is durable: the retry of a request still being written waits for it.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import Future

from spanloop.receiver.record import DIGEST_BYTES


def digest(project: str, body: bytes) -> bytes:
    """Return 16 bytes that identify a request as it was received (before any rewriting)."""
    hashed = hashlib.sha256(project.encode() + b"\0")
    hashed.update(body)
    return hashed.digest()[:DIGEST_BYTES]


class RetryDigests:
    """Digests of recent requests. Thread-safe: receivers ask, the log's writer settles.

    ``window_s`` must outlast a client's retries (the Collector's default gives up after 300 s);
    ``capacity`` bounds memory at about 120 bytes an entry, the oldest leaving first.
    """

    def __init__(self, *, window_s: float, capacity: int) -> None:
        self._window_ns = int(window_s * 1e9)
        self._capacity = capacity
        # Guards the claim: of two concurrent copies exactly one may become the original.
        self._lock = threading.Lock()
        self._pending: dict[bytes, Future[None]] = {}
        self._durable: OrderedDict[bytes, int] = OrderedDict()

    def load(self, digests: Iterable[tuple[bytes, int]], *, now_ns: int) -> None:
        """Remember requests that an earlier process made durable, as if settled now.

        A client could not retry while no server ran, so that time does not count.
        """
        with self._lock:
            for known, _ in sorted(digests, key=lambda item: item[1]):
                self._durable[known] = now_ns
            self._trim(now_ns)

    def claim(self, key: bytes, *, now_ns: int) -> Future[None] | None:
        """Return None if the caller holds the original, else what its retry must wait for."""
        with self._lock:
            self._trim(now_ns)
            if key in self._durable:
                stored: Future[None] = Future()
                stored.set_result(None)
                return stored
            if key in self._pending:
                return self._pending[key]
            pending: Future[None] = Future()
            # Several retries wait for it: the one whose client leaves must not cancel it.
            pending.set_running_or_notify_cancel()
            self._pending[key] = pending
            return None

    def settle(self, key: bytes, *, now_ns: int, error: Exception | None = None) -> None:
        """Tell how the original ended; after an error its retry is an original again."""
        with self._lock:
            waiting = self._pending.pop(key, None)
            if error is None:
                self._durable[key] = now_ns
        if waiting is None:
            return
        if error is None:
            waiting.set_result(None)
        else:
            waiting.set_exception(error)

    def forget(self, keys: Iterable[bytes]) -> None:
        """Take requests that were not stored after all as new when they come again."""
        with self._lock:
            for key in keys:
                self._durable.pop(key, None)

    def __len__(self) -> int:
        return len(self._durable)

    def _trim(self, now_ns: int) -> None:
        while self._durable:
            oldest = next(iter(self._durable))
            fresh = now_ns - self._durable[oldest] <= self._window_ns
            if fresh and len(self._durable) <= self._capacity:
                return
            del self._durable[oldest]
