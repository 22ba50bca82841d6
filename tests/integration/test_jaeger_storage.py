"""jaeger.storage.v2 on the real engine and a real port: exact, in chunks, only for who may read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from spanloop.exporter.jaeger_storage.fitting import MOST_SPAN_BYTES
from spanloop.exporter.jaeger_storage.messages import message_type
from spanloop.exporter.jaeger_storage.reader import CUT_BYTES
from tests.conftest import ServerProcess
from tests.integration.test_receive_and_store import send
from tests.support.jaeger_storage import StorageClient, as_kept, spans_of

START_NS = (time.time_ns() // 10**9 - 3600) * 10**9
MINUTE_NS = 60 * 10**9
FULL, LARGE, HUGE, WARNED, BARE, MANY, TORN = (bytes([number]) * 16 for number in range(1, 8))
CALLS = [bytes([16 + number]) * 16 for number in range(6)]
# Written just after the spans, by a view.
STORED_TRACES = "SELECT uniqExact(TraceId) FROM otel_traces_trace_id_ts"
WHOLE_DAY = {
    "start_time_min": {"seconds": START_NS // 10**9 - 86_400},
    "start_time_max": {"seconds": START_NS // 10**9 + 7_200},
}


def everything() -> TracesData:
    """Return a trace with each field that a span can have, and each kind of attribute value."""
    data = TracesData()
    for number, (service, kind) in enumerate((("shop", 2), ("bank", 3), ("bank", 0))):
        resource = data.resource_spans.add(schema_url="https://schema.example/1")
        resource.resource.attributes.add(key="service.name").value.string_value = service
        resource.resource.attributes.add(key="host.cpus").value.int_value = 8
        scope = resource.scope_spans.add(schema_url="https://schema.example/2")
        scope.scope.name, scope.scope.version = "lib", "1.2"
        scope.scope.attributes.add(key="scoped").value.bool_value = True
        began = START_NS + number * 1_000_001
        span = scope.spans.add(
            trace_id=FULL,
            span_id=bytes([0xA0 + number]) * 8,
            parent_span_id=bytes([0xA0]) * 8 if number else b"",
            trace_state="vendor=1",
            name=f"step {number}",
            kind=kind,
            start_time_unix_nano=began,
            end_time_unix_nano=began + 123_456_789,
            dropped_attributes_count=1,
            dropped_events_count=2,
            dropped_links_count=3,
            flags=0x301,
            status={"code": number, "message": "no answer" if number == 2 else ""},
        )
        _fill_attributes(span)
        for moment, name in ((began + 5, "first"), (began + 3, "earlier")):
            event = span.events.add(time_unix_nano=moment, name=name)
            event.attributes.add(key="exception.type").value.string_value = f"Timeout{number}"
        link = span.links.add(trace_id=LARGE, span_id=b"L" * 8, trace_state="a=b")
        link.attributes.add(key="why").value.string_value = "retry"
    data.resource_spans[2].scope_spans[0].spans[0].ClearField("events")
    return data


def _fill_attributes(span: Any) -> None:
    add = span.attributes.add
    add(key="text").value.string_value = "naïve \x00 'quoted' \\ {id:String}\n"
    add(key="empty").value.string_value = ""
    add(key="yes").value.bool_value = True
    add(key="whole").value.int_value = -(2**63)
    add(key="fraction").value.double_value = 0.25
    add(key="bytes").value.bytes_value = b"\x00\xff"
    add(key="list").value.array_value.values.add().string_value = "a"
    add(key="map").value.kvlist_value.values.add(key="k").value.int_value = 1
    add(key="nothing")


def large(trace_id: bytes, spans: int, bytes_a_span: int) -> TracesData:
    data = TracesData()
    resource = data.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "bulk"
    scope = resource.scope_spans.add()
    for number in range(spans):
        span = scope.spans.add(
            trace_id=trace_id,
            span_id=(number + 1).to_bytes(8, "big"),
            name="part",
            start_time_unix_nano=START_NS + number,
            end_time_unix_nano=START_NS + number + 1,
        )
        span.attributes.add(key="payload").value.string_value = "p" * bytes_a_span
    return data


def calls() -> TracesData:
    """Return six traces a minute apart: `web` calls `api`, which takes as many seconds as its number."""
    data = TracesData()
    for number, trace_id in enumerate(CALLS):
        for service in ("web", "api"):
            resource = data.resource_spans.add()
            resource.resource.attributes.add(key="service.name").value.string_value = service
            resource.resource.attributes.add(key="zone").value.string_value = f"z{number % 2}"
            span = resource.scope_spans.add().spans.add(
                trace_id=trace_id,
                span_id=service.encode().ljust(8, b"."),
                parent_span_id=b"web....." if service == "api" else b"",
                name=f"{service} {number % 3}",
                kind=2,
                start_time_unix_nano=START_NS + number * MINUTE_NS,
                end_time_unix_nano=START_NS + number * MINUTE_NS + number * 10**9,
                status={"code": 2 if service == "api" and number == 5 else 0},
            )
            span.attributes.add(key="user").value.int_value = number
            span.attributes.add(key="blank").value.string_value = ""
            if number == 4:
                event = span.events.add(time_unix_nano=START_NS, name="exception")
                event.attributes.add(key="cause").value.string_value = "disk"
    return data


def warned() -> TracesData:
    data = large(WARNED, 1, 1)
    attribute = (
        data.resource_spans[0].scope_spans[0].spans[0].attributes.add(key="@jaeger@warnings")
    )
    attribute.value.string_value = "text where Jaeger keeps a list"
    return data


def torn() -> TracesData:
    """Return a root and a span whose parent never came."""
    data = large(TORN, 2, 1)
    data.resource_spans[0].resource.attributes[0].value.string_value = "torn"
    data.resource_spans[0].scope_spans[0].spans[1].parent_span_id = b"nowhere."
    return data


def huge() -> TracesData:
    data = large(HUGE, 3, 0)
    for span in data.resource_spans[0].scope_spans[0].spans:
        # Two bytes a character, so that the cut falls into one.
        span.attributes[0].value.string_value = "p" + "ä" * 2_500_000
    return data


def many() -> TracesData:
    """Return a span of values and names that Jaeger would take alone, and not together."""
    data = large(MANY, 1, 16_000)
    span = data.resource_spans[0].scope_spans[0].spans[0]
    for number in range(300):
        span.attributes.add(key=f"value {number:03d}").value.string_value = "v" * 16_000
        span.events.add(time_unix_nano=START_NS + number, name="n" * 3_000)
    span.status.message = "m" * 1_000_000
    return data


def bare() -> TracesData:
    """Return a span whose only attribute is its scope's."""
    data = TracesData()
    scope = data.resource_spans.add().scope_spans.add()
    scope.scope.attributes.add(key="only").value.string_value = "this"
    scope.spans.add(
        trace_id=BARE, span_id=b"B" * 8, start_time_unix_nano=START_NS, end_time_unix_nano=START_NS
    )
    return data


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    config = {"jaeger": {"enabled": True, "port": 0}}
    server = ServerProcess(tmp_path_factory.mktemp("jaeger"), config, {}).start()
    sent = [
        everything(),
        large(LARGE, 3_000, 2_000),
        huge(),
        calls(),
        warned(),
        bare(),
        many(),
        torn(),
    ]
    for data in sent:
        body = ExportTraceServiceRequest(resource_spans=data.resource_spans)
        assert not send(server.grpc, body.SerializeToString()).partial_success.rejected_spans
    count = sum(len(spans_of([data])) for data in sent)
    server.wait_until("SELECT count() FROM otel_traces", count)
    server.wait_until(STORED_TRACES, 7 + len(CALLS))
    yield server
    server.close()


@pytest.fixture
def client(server: ServerProcess) -> Iterator[StorageClient]:
    client = StorageClient(str(server.endpoints["jaeger"]))
    yield client
    client.close()


# --- traces by id -------------------------------------------------------------------------------


def test_a_trace_comes_back_as_the_tables_keep_it(client: StorageClient) -> None:
    assert spans_of(client.get_traces(FULL)) == as_kept(everything())
    assert spans_of(client.get_traces(BARE)) == as_kept(bare())


def test_a_large_trace_comes_in_chunks_of_its_own_that_lose_nothing(client: StorageClient) -> None:
    chunks = client.get_traces(LARGE, FULL)
    owners = [{s.scope_spans[0].spans[0].trace_id for s in spans_of([chunk])} for chunk in chunks]
    assert owners == [{LARGE}] * (len(chunks) - 1) + [{FULL}]  # in the order asked for
    assert len(chunks) > 3
    assert spans_of(chunks[:-1]) == as_kept(large(LARGE, 3_000, 2_000))


def test_spans_too_large_for_jaeger_are_cut_and_say_so(client: StorageClient) -> None:
    found = spans_of(client.get_traces(HUGE))
    assert len(found) == 3
    for one in found:
        values = {a.key: a.value for a in one.scope_spans[0].spans[0].attributes}
        whole, _, cut = values["payload"].string_value.rpartition("ä")
        assert (len(whole.encode()), cut) == (CUT_BYTES - 3, "\N{REPLACEMENT CHARACTER}")
        (warning,) = values["@jaeger@warnings"].array_value.values
        assert "it has about 5000" in warning.string_value


def test_many_values_too_large_together_are_cut_to_what_jaeger_takes(client: StorageClient) -> None:
    (chunk,) = client.get_traces(MANY)
    assert 3_900_000 < chunk.ByteSize() <= MOST_SPAN_BYTES
    (found,) = spans_of([chunk])
    span = found.scope_spans[0].spans[0]
    values = {a.key: a.value for a in span.attributes}
    lengths = {len(values[f"value {number:03d}"].string_value) for number in range(300)}
    (limit,) = lengths | {len(span.status.message)}
    assert 8_000 < limit < 16_000
    assert {len(event.name) for event in span.events} == {3_000}
    warnings = [one.string_value for one in values["@jaeger@warnings"].array_value.values]
    assert warnings[-1] == f"spanloop cut texts of this span to {limit} bytes: it has too many"


def test_text_under_the_key_of_jaegers_warnings_is_a_list(client: StorageClient) -> None:
    (span,) = spans_of(client.get_traces(WARNED))
    values = {a.key: a.value for a in span.scope_spans[0].spans[0].attributes}
    (warning,) = values["@jaeger@warnings"].array_value.values
    assert warning.string_value == "text where Jaeger keeps a list"


def test_unknown_traces_are_left_out_and_one_asked_for_twice_comes_once(
    client: StorageClient,
) -> None:
    assert client.get_traces(b"?" * 16) == []
    assert client.get_traces() == []
    assert spans_of(client.get_traces(FULL, b"?" * 16, FULL)) == as_kept(everything())


# --- searches -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({"service_name": "web"}, [5, 4, 3, 2, 1, 0]),
        ({"service_name": "web", "search_depth": 2}, [5, 4]),
        ({"service_name": "web", "operation_name": "web 1"}, [4, 1]),
        ({"operation_name": "api 2"}, [5, 2]),
        ({"service_name": "shop", "operation_name": "api 2"}, []),
        ({"service_name": "web", "duration_min": {"seconds": 4}}, [5, 4]),
        (
            {
                "service_name": "web",
                "duration_min": {"seconds": 1},
                "duration_max": {"seconds": 2, "nanos": 1},
            },
            [2, 1],
        ),
        ({"attributes": {"user": "3"}}, [3]),
        ({"service_name": "api", "attributes": {"user": "3", "zone": "z1"}}, [3]),
        ({"service_name": "api", "attributes": {"user": "3", "zone": "z0"}}, []),
        ({"service_name": "api", "attributes": {"zone": "z0"}}, [4, 2, 0]),
        ({"attributes": {"cause": "disk"}}, [4]),
        ({"attributes": {"cause": "disk", "user": "4"}}, [4]),
        ({"attributes": {"cause": "disk", "user": "3"}}, []),
        ({"service_name": "web", "attributes": {"blank": ""}}, [5, 4, 3, 2, 1, 0]),
        ({"service_name": "web", "attributes": {"missing": ""}}, []),
        ({"service_name": "api", "attributes": {"error": "true"}}, [5]),
        ({"service_name": "web", "attributes": {"error": "true"}}, []),
        ({"service_name": "api", "attributes": {"error": "false"}}, [4, 3, 2, 1, 0]),
        ({"service_name": "api", "attributes": {"span.kind": "client"}}, []),
        ({"service_name": "web", "attributes": {"' OR 1 = 1 --": "' OR 1 = 1 --"}}, []),
    ],
)
def test_a_search_finds_the_newest_of_what_matches(
    client: StorageClient, query: dict[str, Any], numbers: list[int]
) -> None:
    wanted = [CALLS[number] for number in numbers]
    assert client.find_ids(**WHOLE_DAY, **query) == wanted
    found = [
        spans_of([chunk])[0].scope_spans[0].spans[0].trace_id
        for chunk in client.find_traces(**WHOLE_DAY, **query)
    ]
    assert found == wanted


def test_a_search_is_bounded_by_the_start_of_the_span_inclusive(client: StorageClient) -> None:
    second = START_NS // 10**9
    between = {
        "start_time_min": {"seconds": second + 60},
        "start_time_max": {"seconds": second + 180},
    }
    assert client.find_ids(service_name="web", **between) == [CALLS[3], CALLS[2], CALLS[1]]


def test_a_search_without_times_looks_everywhere(client: StorageClient) -> None:
    assert client.find_ids(service_name="web", search_depth=1) == [CALLS[5]]


def test_summaries_say_what_a_list_of_traces_shows(client: StorageClient) -> None:
    newest, *others = client.summaries(service_name="web", **WHOLE_DAY)
    assert len(others) == 5
    began = START_NS + 5 * MINUTE_NS
    assert newest == message_type("TraceSummary")(
        trace_id=CALLS[5],
        root_service_name="web",
        root_operation_name="web 2",
        min_start_time_unix_nano=began,
        max_end_time_unix_nano=began + 5 * 10**9,
        span_count=2,
        error_span_count=1,
        services=[
            {"name": "api", "span_count": 1, "error_span_count": 1},
            {"name": "web", "span_count": 1},
        ],
    )


def test_a_summary_counts_spans_whose_parent_is_not_there(client: StorageClient) -> None:
    (whole,) = client.summaries(service_name="shop", **WHOLE_DAY)
    assert (whole.span_count, whole.orphan_span_count) == (3, 0)
    (torn,) = client.summaries(service_name="torn", **WHOLE_DAY)
    assert (torn.span_count, torn.orphan_span_count) == (2, 1)


# --- names, dependencies, capabilities ----------------------------------------------------------


def test_names_and_calls(client: StorageClient) -> None:
    services = client.call(
        "GetServices", message_type("GetServicesRequest")(), "GetServicesResponse"
    )
    assert list(services.services) == ["api", "bank", "bulk", "shop", "torn", "web"]
    request = message_type("GetOperationsRequest")
    answers = [
        client.call(
            "GetOperations", request(service="bank", span_kind=kind), "GetOperationsResponse"
        )
        for kind in ("", "client", "server")
    ]
    found = [[(one.name, one.span_kind) for one in answer.operations] for answer in answers]
    assert found == [[("step 1", "client"), ("step 2", "")], [("step 1", "client")], []]


def test_dependencies_count_calls_in_the_time_given(client: StorageClient) -> None:
    second = START_NS // 10**9
    answers = [
        client.call(
            "GetDependencies",
            message_type("GetDependenciesRequest")(
                start_time={"seconds": start}, end_time={"seconds": second + 7_200}
            ),
            "GetDependenciesResponse",
            service="DependencyReader",
        )
        for start in (second, second + 120)
    ]
    found = [{(d.parent, d.child): d.call_count for d in a.dependencies} for a in answers]
    assert found == [
        {("web", "api"): 6, ("shop", "bank"): 2},
        {("web", "api"): 4},
    ]


def test_it_says_what_it_can(client: StorageClient) -> None:
    request = message_type("GetCapabilitiesRequest")()
    answer = client.call("GetCapabilities", request, "GetCapabilitiesResponse", "Capabilities")
    assert answer.search.without_service_name
    assert answer.search.same_span_conjunction


# --- refusals -----------------------------------------------------------------------------------


def test_what_is_wrong_or_not_served_is_an_error_with_its_reason(client: StorageClient) -> None:
    with pytest.raises(grpc.RpcError) as short:
        client.get_traces(b"short")
    assert short.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(grpc.RpcError) as filtered:
        client.find_ids(filter=b"")
    assert filtered.value.details() == "structured filters are not served"
    with pytest.raises(grpc.RpcError) as unknown:
        client.call("FindSpans", message_type("FindTracesRequest")(), "FindTraceIDsResponse")
    assert unknown.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_token_and_tls_guard_the_port(make_server: Any, tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    server = make_server(
        jaeger={"enabled": True, "port": 0, "tokens": [{"token": "of-the-test"}]},
        receiver={"tls": {"certificate": str(certificate), "key": str(key)}},
    ).start()
    credentials = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
    for token in (None, "another"):
        client = StorageClient(server.endpoints["jaeger"], token=token, credentials=credentials)
        with pytest.raises(grpc.RpcError) as refused:
            client.find_ids(service_name="web")
        with pytest.raises(grpc.RpcError) as refused_stream:
            client.get_traces(FULL)
        client.close()
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert refused_stream.value.code() is grpc.StatusCode.UNAUTHENTICATED
    client = StorageClient(server.endpoints["jaeger"], token="of-the-test", credentials=credentials)
    assert client.find_ids(service_name="web") == []
    client.close()


def test_it_is_off_unless_it_is_asked_for(make_server: Any) -> None:
    assert make_server().start().endpoints["jaeger"] is None
