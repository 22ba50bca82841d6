"""Spans as rows of otel_traces, for tests of the processor alone, printed as the Collector does."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from clickhouse_connect.driver.client import Client

COLUMNS = (
    "Timestamp",
    "TraceId",
    "SpanId",
    "ParentSpanId",
    "SpanName",
    "SpanKind",
    "ServiceName",
    "ResourceAttributes",
    "ScopeName",
    "ScopeVersion",
    "SpanAttributes",
    "Duration",
    "StatusCode",
    "StatusMessage",
    "Events.Timestamp",
    "Events.Name",
    "Events.Attributes",
    "Links.TraceId",
    "Links.SpanId",
    "BatchId",
)
_KINDS = ("Unspecified", "Internal", "Server", "Client", "Producer", "Consumer")
_CODES = ("Unset", "Ok", "Error")


def insert_requests(
    client: Client, requests: Sequence[Mapping[str, Any]], *, batch_id: str, project: str = ""
) -> int:
    """Insert every span of OTLP/JSON ``requests`` into otel_traces and return how many there were."""
    rows = [[*row, project] for request in requests for row in _rows(request, batch_id)]
    client.insert("otel_traces", rows, column_names=(*COLUMNS, "Project"))
    return len(rows)


def insert_case(client: Client, case: Mapping[str, Any], *, batch_id: str) -> None:
    """Insert the spans of a case file; the n-th has the number n as its span id."""
    rows = [[*_case_row(number, span), batch_id] for number, span in enumerate(case["spans"])]
    client.insert("otel_traces", rows, column_names=COLUMNS)


def _case_row(number: int, span: Mapping[str, Any]) -> list[Any]:
    start = datetime.fromtimestamp(1_700_000_000 + number, UTC)
    events = span.get("events", [])
    return [
        start,
        f"{1:032x}",
        f"{number:016x}",
        "",
        span["name"],
        span.get("kind", "Internal"),
        span.get("service", "case"),
        {},
        span.get("scope", ""),
        "",
        {key: _text(value) for key, value in span["attributes"].items()},
        1_000_000,
        span.get("status", "Unset"),
        span.get("message", ""),
        [start for _ in events],
        [event["name"] for event in events],
        [{key: _text(value) for key, value in event["attributes"].items()} for event in events],
        [],
        [],
    ]


def _rows(request: Mapping[str, Any], batch_id: str) -> Iterator[list[Any]]:
    for resource_spans in request["resourceSpans"]:
        resource = _attributes(resource_spans.get("resource", {}))
        for scope_spans in resource_spans["scopeSpans"]:
            for span in scope_spans["spans"]:
                yield [*_row(span, resource, scope_spans.get("scope", {})), batch_id]


def _row(
    span: Mapping[str, Any], resource: Mapping[str, str], scope: Mapping[str, Any]
) -> list[Any]:
    start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
    events = span.get("events", [])
    status = span.get("status", {})
    return [
        _time(start),
        span["traceId"],
        span["spanId"],
        span.get("parentSpanId", ""),
        span["name"],
        _KINDS[span.get("kind", 0)],
        resource.get("service.name", ""),
        resource,
        scope.get("name", ""),
        scope.get("version", ""),
        _attributes(span),
        max(end - start, 0),
        _CODES[status.get("code", 0)],
        status.get("message", ""),
        [_time(int(event.get("timeUnixNano", start))) for event in events],
        [event["name"] for event in events],
        [_attributes(event) for event in events],
        [link["traceId"] for link in span.get("links", [])],
        [link["spanId"] for link in span.get("links", [])],
    ]


def _time(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC)


def _attributes(holder: Mapping[str, Any]) -> dict[str, str]:
    return {
        item["key"]: _text(_plain(item.get("value", {}))) for item in holder.get("attributes", [])
    }


def _plain(value: Mapping[str, Any]) -> Any:
    """Return an AnyValue as plain Python."""
    for kind, inner in value.items():
        if kind == "arrayValue":
            return [_plain(item) for item in inner.get("values", [])]
        if kind == "kvlistValue":
            return {item["key"]: _plain(item["value"]) for item in inner.get("values", [])}
        return int(inner) if kind == "intValue" else inner
    return ""


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
