"""Readers beside the load: analysts who query the SQL endpoint without a pause."""

import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Self

from benchmarks.ingest_load import percentile

READERS = 4
TIMEOUT_S = 120
QUERIES = (
    "SELECT Dialect, Class, count(), sum(InputTokens), sum(CostUsd) FROM genai_spans GROUP BY ALL",
    "SELECT ServiceName, SpanName, count(), quantile(0.99)(Duration) FROM otel_traces GROUP BY ALL",
    "SELECT SpanAttributes['user.id'] AS who, count() FROM otel_traces GROUP BY who ORDER BY 2 DESC LIMIT 10",
    "SELECT * FROM otel_traces WHERE TraceId IN (SELECT TraceId FROM otel_traces_trace_id_ts LIMIT 1)",
    "SELECT count() FROM genai_spans WHERE positionCaseInsensitive(InputMessages, 'refund') > 0",
    "SELECT ConversationId, count() FROM genai_spans GROUP BY 1 ORDER BY 2 DESC LIMIT 10",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the readers saw. ``failed`` counts answers with an error, ``first_error`` shows one."""

    readers: int
    queries: int
    failed: int
    first_error: str
    query_p50_ms: float
    query_p99_ms: float


class Readers:
    """Threads that query ``url`` until told to stop."""

    def __init__(self, url: str, readers: int = READERS) -> None:
        self._url = url
        self._stop = threading.Event()
        self._times: list[float] = []
        self._errors: list[str] = []
        self._threads = [
            threading.Thread(target=self._run, args=(number,), daemon=True)
            for number in range(readers)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def result(self) -> Reading:
        """Return what was seen so far."""
        return Reading(
            readers=len(self._threads),
            queries=len(self._times),
            failed=len(self._errors),
            first_error=self._errors[0] if self._errors else "",
            query_p50_ms=percentile(self._times, 0.5) * 1e3,
            query_p99_ms=percentile(self._times, 0.99) * 1e3,
        )

    def _run(self, number: int) -> None:
        while not self._stop.is_set():
            sql = QUERIES[number % len(QUERIES)]
            number += 1
            begun = time.perf_counter()
            try:
                request = urllib.request.Request(self._url, data=sql.encode())
                with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                    answer.read()
            except urllib.error.HTTPError as refusal:
                self._errors.append(refusal.read().decode(errors="replace")[:300])
                time.sleep(0.5)
            except OSError as failure:
                self._errors.append(str(failure))
                time.sleep(0.5)
            else:
                self._times.append(time.perf_counter() - begun)
