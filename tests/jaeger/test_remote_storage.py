"""A stock Jaeger whose storage is spanloop answers as if it had stored the traces itself."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from spanloop.service.replay import read_requests
from tests.conftest import ServerProcess
from tests.support.jaeger import RunningJaeger, running_jaeger
from tests.support.jaeger_storage import as_kept, spans_of, text

SPANS, TRACES = 12_610, 2_823
READ_IN_FULL = 25
"""Traces compared byte by byte, spread over all of them: one of 50 spans is a megabyte of JSON."""
LIMIT = 1_500


@dataclass(frozen=True, slots=True)
class Sent:
    """A span that was sent, and its service."""

    service: str
    span: Span

    def value(self, key: str) -> str | None:
        return next((text(a.value) for a in self.span.attributes if a.key == key), None)


@pytest.fixture(scope="module")
def recording(data_dir: Path) -> Path:
    return data_dir / "tau2_bench" / "dev.otlp.gz"


@pytest.fixture(scope="module")
def traces(recording: Path) -> Mapping[str, TracesData]:
    """What was sent, by trace id."""
    found: defaultdict[str, TracesData] = defaultdict(TracesData)
    for request in read_requests(recording, "traces"):
        message = ExportTraceServiceRequest.FromString(request.body)
        for one in spans_of([TracesData(resource_spans=message.resource_spans)]):
            found[one.scope_spans[0].spans[0].trace_id.hex()].resource_spans.append(one)
    return found


@pytest.fixture(scope="module")
def sent(traces: Mapping[str, TracesData]) -> Sequence[Sent]:
    return [
        Sent(text(next(a.value for a in one.resource.attributes if a.key == "service.name")), span)
        for data in traces.values()
        for one in data.resource_spans
        for span in one.scope_spans[0].spans
    ]


@pytest.fixture(scope="module")
def asked(
    jaeger: Path, recording: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningJaeger]:
    """Jaeger, over a spanloop that has received the recording."""
    folder = tmp_path_factory.mktemp("remote")
    server = ServerProcess(folder, {"jaeger": {"enabled": True, "port": 0}}, {})
    try:
        server.start()
        server.run_plain("replay", str(recording), "--endpoint", server.grpc, "--signal", "traces")
        server.wait_until("SELECT count() FROM otel_traces", SPANS, timeout_s=120)
        server.wait_until("SELECT uniqExact(TraceId) FROM otel_traces_trace_id_ts", TRACES)
        backend = {"grpc": {"endpoint": server.endpoints["jaeger"], "tls": {"insecure": True}}}
        with running_jaeger(folder / "jaeger", backend) as running:
            yield running
    finally:
        server.close()


def found_by(asked: RunningJaeger, sent: Sequence[Sent], **query: Any) -> set[str]:
    """Search over the whole time that was sent, unless ``query`` says otherwise."""
    start = min(one.span.start_time_unix_nano for one in sent) // 1_000
    end = max(one.span.start_time_unix_nano for one in sent) // 1_000 + 1
    answer = asked.get("/api/traces", **{"limit": LIMIT, "start": start, "end": end, **query})
    return {trace["traceID"] for trace in answer}


def ids(spans: Sequence[Sent]) -> set[str]:
    return {one.span.trace_id.hex() for one in spans}


def test_services_and_operations_are_those_that_were_sent(
    asked: RunningJaeger, sent: Sequence[Sent]
) -> None:
    services = {one.service for one in sent}
    assert set(asked.get("/api/services")) == services
    kinds = {Span.SPAN_KIND_INTERNAL: "internal", Span.SPAN_KIND_CLIENT: "client"}
    for service in services:
        operations = asked.get("/api/operations", service=service)
        assert {(one["name"], one["spanKind"]) for one in operations} == {
            (one.span.name, kinds[one.span.kind]) for one in sent if one.service == service
        }


def test_traces_by_id_are_equal_to_what_was_sent(
    asked: RunningJaeger, traces: Mapping[str, TracesData]
) -> None:
    longest = max(traces, key=lambda one: len(traces[one].resource_spans))
    for trace_id in {longest, *sorted(traces)[:: len(traces) // READ_IN_FULL]}:
        answer = asked.document(f"/api/v3/traces/{trace_id}")["result"]
        assert spans_of([_from_json(answer)]) == spans_of(
            [TracesData(resource_spans=as_kept(traces[trace_id]))]
        )


def _from_json(answer: Any) -> TracesData:
    """Read OTLP/JSON, whose ids are hex where protobuf's own JSON has base64."""
    data = TracesData()
    for resource in answer["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                identity = {
                    name: bytes.fromhex(span.pop(json_name, ""))
                    for name, json_name in (
                        ("trace_id", "traceId"),
                        ("span_id", "spanId"),
                        ("parent_span_id", "parentSpanId"),
                    )
                }
                one = data.resource_spans.add(schema_url=resource.get("schemaUrl", ""))
                ParseDict(resource["resource"], one.resource)
                alone = {**scope, "spans": [span]}
                ParseDict(alone, one.scope_spans.add())
                for name, value in identity.items():
                    setattr(one.scope_spans[0].spans[0], name, value)
    return data


def test_the_page_that_people_see_has_the_whole_trace_without_warnings(
    asked: RunningJaeger, traces: Mapping[str, TracesData]
) -> None:
    trace_id, data = max(traces.items(), key=lambda item: len(item[1].resource_spans))
    shown = asked.trace(trace_id, spans=len(data.resource_spans))
    assert not [span["warnings"] for span in shown["spans"] if span["warnings"]]
    parents = {
        span["spanID"]: [one["spanID"] for one in span["references"]] for span in shown["spans"]
    }
    spans = [one.scope_spans[0].spans[0] for one in data.resource_spans]
    assert parents == {
        span.span_id.hex(): [span.parent_span_id.hex()] if span.parent_span_id else []
        for span in spans
    }


def test_a_search_by_attribute_finds_the_traces_that_have_it(
    asked: RunningJaeger, sent: Sequence[Sent]
) -> None:
    service, key = "retail-support", "gen_ai.tool.name"
    names = Counter(one.value(key) for one in sent if one.service == service and one.value(key))
    rarest, often = min(names, key=lambda n: names[n]), max(names, key=lambda n: names[n])
    for name in (rarest, often):
        wanted = ids([one for one in sent if one.service == service and one.value(key) == name])
        assert 0 < len(wanted) < LIMIT
        tags = json.dumps({key: name, "gen_ai.operation.name": "execute_tool"})
        assert found_by(asked, sent, service=service, tags=tags) == wanted
    assert found_by(asked, sent, service=service, tags=json.dumps({key: "no such tool"})) == set()


def test_a_search_by_a_numbers_text_finds_it(asked: RunningJaeger, sent: Sequence[Sent]) -> None:
    key = "gen_ai.usage.output_tokens"
    one = next(one for one in sent if one.value(key))
    wanted = ids([s for s in sent if s.service == one.service and s.value(key) == one.value(key)])
    tags = json.dumps({key: one.value(key)})
    assert found_by(asked, sent, service=one.service, tags=tags) == wanted


def test_a_search_by_duration_and_operation(asked: RunningJaeger, sent: Sequence[Sent]) -> None:
    service = "telecom-support"
    mine = sorted(
        (one.span.end_time_unix_nano - one.span.start_time_unix_nano, one.span.name)
        for one in sent
        if one.service == service
    )
    shortest, operation = mine[-40]
    wanted = ids(
        [
            one
            for one in sent
            if one.service == service
            and one.span.name == operation
            and one.span.end_time_unix_nano - one.span.start_time_unix_nano >= shortest
        ]
    )
    query = {"service": service, "operation": operation, "minDuration": f"{shortest}ns"}
    assert found_by(asked, sent, **query) == wanted


def test_a_search_by_time_is_exact_and_the_newest_come_first(
    asked: RunningJaeger, sent: Sequence[Sent]
) -> None:
    service = "airline-support"
    starts = sorted(one.span.start_time_unix_nano for one in sent if one.service == service)
    start, end = starts[len(starts) // 3] // 1_000, starts[len(starts) // 3 + 300] // 1_000
    within = [
        one
        for one in sent
        if one.service == service and start <= one.span.start_time_unix_nano / 1_000 <= end
    ]
    assert found_by(asked, sent, service=service, start=start, end=end) == ids(within)
    latest: dict[str, int] = {}
    for one in within:
        trace_id = one.span.trace_id.hex()
        latest[trace_id] = max(latest.get(trace_id, 0), one.span.start_time_unix_nano)
    newest = sorted(latest, key=lambda trace_id: latest[trace_id], reverse=True)[:3]
    found = found_by(asked, sent, service=service, start=start, end=end, limit=3)
    assert found == set(newest)


def test_calls_between_services_are_counted(asked: RunningJaeger, sent: Sequence[Sent]) -> None:
    services = {one.span.span_id: one.service for one in sent}
    wanted = Counter(
        (services[one.span.parent_span_id], one.service)
        for one in sent
        if one.span.parent_span_id in services
    )
    end = max(one.span.start_time_unix_nano for one in sent) // 10**6 + 1
    answer = asked.get("/api/dependencies", endTs=end, lookback=60 * 86_400_000)
    assert {(one["parent"], one["child"]): one["callCount"] for one in answer} == wanted


def test_an_unknown_trace_is_not_found(asked: RunningJaeger) -> None:
    assert asked.answer(f"/api/traces/{'f' * 32}").status_code == 404
