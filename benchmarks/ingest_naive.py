"""Peer (a): parse OTLP with the official messages, flatten to columns in Python, insert them.

    python -m benchmarks.ingest_naive --config spanloop.yaml --spans 20000 --rows 30000

What a Python exporter would do: the same tables, indexes and views, the same rows per insert, one insert
statement with a token. It has no gRPC server, no log and no acknowledgement, and its requests are made
here (their cost is taken off), so its figure is a lower bound.
"""

import argparse
import base64
import json
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from benchmarks.ingest_processes import wait_quiet
from benchmarks.ingest_spans import RequestPool
from benchmarks.ingest_store import opened, own_cpu_seconds

KINDS = ("Unspecified", "Internal", "Server", "Client", "Producer", "Consumer")
CODES = ("Unset", "Ok", "Error")
COLUMNS = (
    "Timestamp", "TraceId", "SpanId", "ParentSpanId", "TraceState", "SpanName", "SpanKind", "ServiceName",
    "ResourceAttributes", "ScopeName", "ScopeVersion", "SpanAttributes", "Duration", "StatusCode",
    "StatusMessage", "Events.Timestamp", "Events.Name", "Events.Attributes", "Links.TraceId", "Links.SpanId",
    "Links.TraceState", "Links.Attributes", "BatchId",
)  # fmt: skip


def as_text(value: AnyValue) -> str:
    """Return a value as the exporter stores it."""
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return value.string_value
    if kind == "bool_value":
        return "true" if value.bool_value else "false"
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    if kind == "array_value":
        return json.dumps([as_text(item) for item in value.array_value.values])
    return "" if kind is None else str(getattr(value, kind))


def as_map(attributes: Iterable[KeyValue]) -> dict[str, str]:
    """Return attributes as a map of texts."""
    return {pair.key: as_text(pair.value) for pair in attributes}


def flatten_into(
    columns: Sequence[list[Any]], request: ExportTraceServiceRequest, batch: str
) -> None:
    """Append a row for each span of ``request``."""
    for resource_spans in request.resource_spans:
        resource = as_map(resource_spans.resource.attributes)
        service = resource.get("service.name", "")
        for scope_spans in resource_spans.scope_spans:
            scope = scope_spans.scope
            for span in scope_spans.spans:
                row = (
                    span.start_time_unix_nano,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.trace_state,
                    span.name,
                    KINDS[span.kind],
                    service,
                    resource,
                    scope.name,
                    scope.version,
                    as_map(span.attributes),
                    span.end_time_unix_nano - span.start_time_unix_nano,
                    CODES[span.status.code],
                    span.status.message,
                    [event.time_unix_nano for event in span.events],
                    [event.name for event in span.events],
                    [as_map(event.attributes) for event in span.events],
                    [link.trace_id.hex() for link in span.links],
                    [link.span_id.hex() for link in span.links],
                    [link.trace_state for link in span.links],
                    [as_map(link.attributes) for link in span.links],
                    batch,
                )
                for column, value in zip(columns, row, strict=True):
                    column.append(value)


def run(client: Client, *, spans: int, rows: int, batch: int = 1000) -> dict[str, float]:
    """Store ``spans`` spans in inserts of ``rows``; return what it cost."""
    pool = RequestPool(batch)
    generated, flattened = 0.0, 0.0
    inserts = 0
    cpu = own_cpu_seconds()
    left, an_insert = spans // batch, max(1, round(rows / batch))  # requests
    while left > 0:
        columns: list[list[Any]] = [[] for _ in COLUMNS]
        token = os.urandom(16).hex()
        for _ in range(min(left, an_insert)):
            begun = time.thread_time()
            body = pool.draw(time.time_ns())
            made = time.thread_time()
            flatten_into(columns, ExportTraceServiceRequest.FromString(body), token)
            generated += made - begun
            flattened += time.thread_time() - made
        client.insert(
            "otel_traces",
            columns,
            column_names=COLUMNS,
            column_oriented=True,
            settings={"insert_deduplication_token": token, "async_insert": 0},
        )
        inserts += 1
        left -= an_insert
    wait_quiet(os.getpid())
    total = own_cpu_seconds() - cpu - generated
    stored = int(str(client.command("SELECT count() FROM otel_traces")))
    return {
        "spans": stored,
        "inserts": inserts,
        "cpu_s": total,
        "flatten_cpu_s": flattened,
        "cpu_s_per_million": total / stored * 1e6,
    }


def main() -> None:
    """Run and print the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--spans", type=int, required=True)
    parser.add_argument("--rows", type=int, required=True, help="rows per insert")
    options = parser.parse_args()
    with opened(options.config) as client:
        print(json.dumps(run(client, spans=options.spans, rows=options.rows)))


if __name__ == "__main__":
    main()
