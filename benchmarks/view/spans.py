"""Make a store of many spans, inside the engine, as a month of production would leave it."""

import contextlib
import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from spanloop.exporter.lock import DirectoryLock
from spanloop.exporter.migrate import migrate
from spanloop.exporter.render import quote_string
from spanloop.service.config import load
from spanloop.service.stores import make_renderer, open_store

FIRST_DAY = datetime(2026, 10, 1, tzinfo=UTC)
DAYS = 30
SERVICES = 60
SPANS_A_TRACE = 10
LARGE_TRACE = 1_000_000_000
"""Number of the one large trace. It starts in the middle of the month: every service is in it, so that among
the newest it would be in every answer to a search."""
LARGE_TRACE_SPANS = 10_000
INSERTS_A_DAY = 4
KNOWN_SPANS = 200
_KNOWN = """
SELECT SpanAttributes['order.id'], ServiceName, SpanName, SpanAttributes['user.id'],
    SpanAttributes['tenant'], toUnixTimestamp(Timestamp)
FROM otel_traces
WHERE startsWith(BatchId, 'view-') AND cityHash64(SpanId) % 500 = 0
ORDER BY cityHash64(TraceId)
LIMIT {most:UInt32}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The store of the benchmark: traces ``0`` to ``traces - 1``, the same number each day."""

    traces_a_day: int

    @classmethod
    def of(cls, spans: int) -> "Stored":
        """Return a store of about ``spans`` spans."""
        a_day = spans // SPANS_A_TRACE // DAYS
        return cls(traces_a_day=max(a_day // INSERTS_A_DAY, 1) * INSERTS_A_DAY)

    @property
    def traces(self) -> int:
        """How many traces there are, without the large one."""
        return self.traces_a_day * DAYS


def trace_id(trace: int) -> str:
    """Return the id of a trace, 32 hex characters."""
    return hashlib.md5(f"trace-{trace}".encode(), usedforsecurity=False).hexdigest()


def generate(work: Path, spans: int) -> dict[str, Any]:
    """Make the store below ``work`` unless it is there; return its size, and some spans to ask for."""
    stored = Stored.of(spans)
    began = time.monotonic()
    settings = load(None, data_dir=work / "data")
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        stack.callback(DirectoryLock(settings.data_dir).close)
        store = open_store(settings)
        stack.callback(store.close)
        client = stack.enter_context(contextlib.closing(store.connect()))
        migrate(client, make_renderer(settings))
        if not _count(client):
            _insert_days(client, stored)
            _insert(client, first=LARGE_TRACE, traces=1, spans=LARGE_TRACE_SPANS, day=DAYS // 2)
        _merge(client)
        return {
            **_size(client),
            "seconds": round(time.monotonic() - began, 1),
            "known": client.query(_KNOWN, parameters={"most": KNOWN_SPANS}).result_rows,
        }


def _insert_days(client: Client, stored: Stored) -> None:
    part = stored.traces_a_day // INSERTS_A_DAY
    for number in range(DAYS * INSERTS_A_DAY):
        day = number // INSERTS_A_DAY
        _insert(client, first=number * part, traces=part, spans=SPANS_A_TRACE, day=day)


def _insert(client: Client, *, first: int, traces: int, spans: int, day: int) -> None:
    client.command(
        Path(__file__).with_name("spans.sql").read_text(encoding="utf-8"),
        parameters={
            "first": first,
            "traces": traces,
            "spans": spans,
            "services": SERVICES,
            "day": f"{FIRST_DAY + timedelta(days=day):%Y-%m-%d %H:%M:%S}",
        },
        settings={"max_threads": 2, "max_insert_threads": 1},
    )


def _merge(client: Client) -> None:
    """Leave a part a day, as the engine does by itself with days that are over."""
    for table in ("otel_traces", "otel_traces_trace_id_ts"):
        divided = client.query(
            "SELECT partition FROM system.parts WHERE active AND table = {table:String} "
            "GROUP BY partition HAVING count() > 1",
            parameters={"table": table},
        )
        for (partition,) in divided.result_rows:
            client.command(f"OPTIMIZE TABLE {table} PARTITION {quote_string(partition)} FINAL")


def _count(client: Client) -> int:
    return int(client.query("SELECT count() FROM otel_traces").result_rows[0][0])


def _size(client: Client) -> dict[str, Any]:
    spans, services, days = client.query(
        "SELECT count(), uniqExact(ServiceName), uniqExact(toDate(Timestamp)) FROM otel_traces"
    ).result_rows[0]
    raw, disk, parts = client.query(
        "SELECT sum(data_uncompressed_bytes), sum(bytes_on_disk), count() FROM system.parts "
        "WHERE active AND table = 'otel_traces'"
    ).result_rows[0]
    return {
        "spans": spans,
        "services": services,
        "days": days,
        "bytes_a_span": round(raw / spans),
        "disk_bytes": disk,
        "parts": parts,
    }
