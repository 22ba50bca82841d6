"""The same input gives the same rows by every way in, and the rows the Collector's own exporter writes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
import yaml
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from spanloop.receiver.record import encode_varint
from tests.collector.build import Tools
from tests.conftest import ServerProcess
from tests.support.collector import RunningCollector, collector_config, free_ports

NOT_COMPARED = "BatchId, ReceivedTime"
FAST_SETS = {"agentrx_tau_retail": 1_394}
ALL_SETS = {
    "agentrx_tau_retail": 1_394,
    "mast_human": 338,
    "who_when": 1_816,
    "tau_bench": 3_775,
    "tau2_bench": 12_610,
    "mini_swe": 20_678,
}
METRIC_TABLES = tuple(
    f"otel_metrics_{kind}"
    for kind in ("gauge", "sum", "histogram", "exponential_histogram", "summary")
)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    servers: list[ServerProcess] = []

    def start(name: str, **config: Any) -> ServerProcess:
        servers.append(ServerProcess(tmp_path / name, config, {}))
        return servers[-1].start()

    yield start
    for server in servers:
        server.close()


# --- every way in -------------------------------------------------------------------------------


@pytest.mark.collector
@pytest.mark.parametrize(
    ("name", "n_spans"),
    [
        pytest.param(name, n, marks=() if name in FAST_SETS else pytest.mark.slow, id=name)
        for name, n in ALL_SETS.items()
    ],
)
def test_rows_are_equal_by_every_transport(
    make: Callable[..., ServerProcess],
    otelcol: Tools,
    data_dir: Path,
    tmp_path: Path,
    name: str,
    n_spans: int,
) -> None:
    recording = str(data_dir / name / "dev.otlp.gz")
    digests: dict[str, list[dict[str, Any]]] = {}
    for protocol in ("grpc", "http/protobuf", "http/json"):
        server = make(protocol.replace("/", "-"))
        endpoint = server.grpc if protocol == "grpc" else server.http
        sent = replay(server, recording, endpoint, protocol)
        assert (sent["items"], sent["rejected"]) == (n_spans, 0)
        assert server.stop() == 0
        digests[protocol] = digest(server)
    server = make("collector")
    with collector_before(server, tmp_path) as collector:
        replay(server, recording, collector.grpc_address, "grpc")
        wait_for_rows(server, n_spans)
    assert server.stop() == 0
    digests["collector"] = digest(server)
    assert digests["grpc"][0]["rows"] == n_spans
    assert all(found == digests["grpc"] for found in digests.values()), digests


def replay(
    server: ServerProcess, recording: str, endpoint: str, protocol: str, signal: str = "traces"
) -> dict[str, Any]:
    done = server.run_plain(
        "replay",
        recording,
        "--endpoint",
        endpoint,
        "--protocol",
        protocol,
        "--signal",
        signal,
        "--json",
    )
    sent: dict[str, Any] = json.loads(done.stdout)
    return sent


def digest(server: ServerProcess) -> list[dict[str, Any]]:
    """Digest every column of every row, whatever the order of rows."""
    return server.query(
        f"SELECT count() AS rows, toString(groupBitXor(sipHash64("  # noqa: S608
        f"toString(tuple(* EXCEPT ({NOT_COMPARED})))))) "
        "AS digest FROM otel_traces"
    )


def wait_for_rows(server: ServerProcess, n_rows: int) -> None:
    server.wait_until("SELECT count() FROM otel_traces", n_rows, timeout_s=120)


def collector_before(server: ServerProcess, folder: Path) -> Any:
    ports = free_ports(2)
    exporter = {"endpoint": server.grpc, "tls": {"insecure": True}}
    config = collector_config(
        (ports[0], ports[1]), {"otlp_grpc": exporter}, {"batch": {}}, signals=("traces",)
    )
    config["receivers"]["otlp"]["protocols"]["grpc"]["max_recv_msg_size_mib"] = 64
    path = folder / "collector.yaml"
    path.write_text(yaml.safe_dump(config))
    return RunningCollector.started(path, (ports[0], ports[1]))


# --- the real clickhouseexporter ----------------------------------------------------------------


@pytest.mark.collector
def test_tables_equal_those_of_the_real_clickhouse_exporter(
    make: Callable[..., ServerProcess], otelcol: Tools, data_dir: Path, tmp_path: Path
) -> None:
    """The exporter writes through our SQL endpoint into a database of its own: EXCEPT both ways is empty."""
    server = make("server", sql={"write_databases": ["peer"]})
    ports = free_ports(2)
    path = tmp_path / "collector.yaml"
    path.write_text(yaml.safe_dump(_both_ways(server, (ports[0], ports[1]))))
    recording = tmp_path / "edge.otlp"
    with RunningCollector.started(path, (ports[0], ports[1])) as collector:
        for signal, requests in _edge_requests().items():
            recording.write_bytes(b"".join(encode_varint(len(body)) + body for body in requests))
            replay(server, str(recording), collector.grpc_address, "grpc", signal)
        runs = str(data_dir / "agentrx_tau_retail" / "dev.otlp.gz")
        replay(server, runs, collector.grpc_address, "grpc")
        wait_for_rows(server, 1_394 + 2)
        with _client(server) as client:
            for table in ("otel_traces", "otel_logs", *METRIC_TABLES):
                _wait_for_equal_counts(client, table, collector)
                _assert_same(client, table)


def _both_ways(server: ServerProcess, ports: tuple[int, int]) -> dict[str, Any]:
    peer = {
        "endpoint": server.sql + "?compress=lz4",
        "database": "peer",
        "create_schema": True,
        "async_insert": False,
        "sending_queue": {"enabled": True, "num_consumers": 1},
    }
    ours = {"endpoint": server.grpc, "tls": {"insecure": True}}
    config = collector_config(
        ports,
        {"otlp_grpc": ours, "clickhouse": peer},
        {},
        signals=("traces", "logs", "metrics"),
    )
    config["receivers"]["otlp"]["protocols"]["grpc"]["max_recv_msg_size_mib"] = 64
    return config


def _client(server: ServerProcess) -> Any:
    host, _, port = server.sql.partition("://")[2].rpartition(":")
    return clickhouse_connect.get_client(host=host, port=int(port), autogenerate_session_id=False)


def _wait_for_equal_counts(client: Any, table: str, collector: RunningCollector) -> None:
    counts: list[int] = []
    for _ in range(100):
        counts = [
            client.query(f"SELECT count() FROM {database}.{table}").result_rows[0][0]  # noqa: S608
            for database in ("default", "peer")
        ]
        if counts[0] == counts[1] > 0:
            return
        time.sleep(0.3)
    raise AssertionError(f"{table}: {counts}\n{collector.log()[-3000:]}")


def _assert_same(client: Any, table: str) -> None:
    names = [
        name
        for (name,) in client.query(
            "SELECT name FROM system.columns WHERE database = 'peer' AND table = {t:String} "
            "AND default_kind IN ('', 'DEFAULT') ORDER BY position",
            parameters={"t": table},
        ).result_rows
    ]
    differing = [name for name in names if _only(client, table, [name])]
    assert not differing, (table, differing, _only(client, table, differing[:1]))
    assert not _only(client, table, names)


def _only(client: Any, table: str, names: list[str]) -> dict[str, Any]:
    """Return the rows that one database has and the other has not, over the columns ``names``."""
    columns = ", ".join(f"`{name}`" for name in names)
    found: dict[str, Any] = {}
    for left, right in (("default", "peer"), ("peer", "default")):
        only = client.query(
            f"SELECT * FROM (SELECT {columns} FROM {left}.{table} EXCEPT "  # noqa: S608
            f"SELECT {columns} FROM {right}.{table}) LIMIT 1"
        )
        if only.result_rows:
            found[left] = only.result_rows
    return found


def _edge_requests() -> dict[str, list[bytes]]:
    return {"traces": [_edge_spans()], "logs": [_edge_logs()], "metrics": [_edge_metrics()]}


def _edge_attributes() -> list[KeyValue]:
    def text(value: str) -> AnyValue:
        return AnyValue(string_value=value)

    nested = AnyValue()
    entry = nested.kvlist_value.values.add(key="b")
    entry.value.array_value.values.extend([text("<&>"), AnyValue(int_value=-1), AnyValue()])
    nested.kvlist_value.values.add(key="a").value.double_value = 1e21
    values: dict[str, AnyValue] = {
        "service.name": text("edge"),
        "empty": text(""),
        "unicode": text('a\u2028\u00e9\n"\\/'),
        "true": AnyValue(bool_value=True),
        "false": AnyValue(bool_value=False),
        "zero": AnyValue(int_value=0),
        "min": AnyValue(int_value=-(2**63)),
        "bytes": AnyValue(bytes_value=b"\x00\xff\x10"),
        "nested": nested,
        "unset": AnyValue(),
        "empty_list": AnyValue(),
        "mixed": AnyValue(),
        "finish_reasons": AnyValue(),
    }
    for name, number in {
        "d0": 0.0,
        "d1": -0.0,
        "d2": 1e-7,
        "d3": 1.5e-9,
        "d4": 123456789.125,
        "d5": 1e20,
        "d6": 1e21,
        "d7": -2.5e300,
        "nan": float("nan"),
        "inf": float("inf"),
        "d8": 0.1 + 0.2,
        "d9": 1e-6,
    }.items():
        values[name] = AnyValue(double_value=number)
    values["empty_list"].array_value.SetInParent()
    values["mixed"].array_value.values.extend(
        [
            text("a/b<\u2029"),
            AnyValue(int_value=2**62),
            AnyValue(double_value=1e21),
            AnyValue(bool_value=False),
            AnyValue(bytes_value=b"\x01"),
            AnyValue(),
        ]
    )
    values["finish_reasons"].array_value.values.extend([text("stop"), text("tool_calls")])
    return [KeyValue(key=key, value=value) for key, value in values.items()]


def _edge_spans() -> bytes:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add(schema_url="https://example.test/r")
    resource.resource.attributes.extend(_edge_attributes())
    scope = resource.scope_spans.add(schema_url="https://example.test/s")
    scope.scope.name, scope.scope.version = "edge", "1"
    scope.scope.attributes.extend(_edge_attributes())
    now = time.time_ns()
    for i in range(2):
        span = scope.spans.add(
            trace_id=bytes(15) + b"\x01",
            span_id=bytes(7) + bytes([i + 1]),
            name="edge",
            kind=i * 5,
            start_time_unix_nano=now,
            end_time_unix_nano=now + i,
            trace_state="k=v",
            flags=257,
        )
        span.attributes.extend(_edge_attributes())
        span.status.code, span.status.message = i * 2, "why"  # type: ignore[assignment]
        event = span.events.add(name="event", time_unix_nano=now)
        event.attributes.extend(_edge_attributes())
        link = span.links.add(trace_id=bytes(16), span_id=b"12345678", trace_state="x=y")
        link.attributes.extend(_edge_attributes())
    return request.SerializeToString()


def _edge_logs() -> bytes:
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add(schema_url="https://example.test/r")
    resource.resource.attributes.extend(_edge_attributes())
    scope = resource.scope_logs.add(schema_url="https://example.test/s")
    scope.scope.attributes.extend(_edge_attributes())
    now = time.time_ns()
    for i, attribute in enumerate(_edge_attributes()):
        record = scope.log_records.add(
            time_unix_nano=now if i % 2 else 0,
            observed_time_unix_nano=now + 1,
            severity_number=i % 25,
            severity_text="INFO",
            flags=1,
            event_name=attribute.key,
            body=attribute.value,
        )
        record.attributes.extend(_edge_attributes())
        if i % 3:
            record.trace_id, record.span_id = b"0123456789abcdef", b"01234567"
    return request.SerializeToString()


def _edge_metrics() -> bytes:
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add(schema_url="https://example.test/r")
    resource.resource.attributes.extend(_edge_attributes())
    scope = resource.scope_metrics.add()
    scope.scope.name, scope.scope.dropped_attributes_count = "edge", 3
    now = time.time_ns()
    times = {"start_time_unix_nano": now - 10**9, "time_unix_nano": now}
    gauge = scope.metrics.add(name="gauge", unit="1", description="a gauge").gauge
    for number in (1.5, 7):
        point = gauge.data_points.add(flags=1, **times)
        point.attributes.extend(_edge_attributes())
        if isinstance(number, int):
            point.as_int = number
        else:
            point.as_double = number
        exemplar = point.exemplars.add(time_unix_nano=now, as_int=3, span_id=b"01234567")
        exemplar.filtered_attributes.extend(_edge_attributes())
    total = scope.metrics.add(name="sum").sum
    total.is_monotonic, total.aggregation_temporality = True, 2  # type: ignore[assignment]
    total.data_points.add(as_int=2**60, **times)
    histogram = scope.metrics.add(name="histogram").histogram
    histogram.aggregation_temporality = 1  # type: ignore[assignment]
    histogram.data_points.add(
        count=3, sum=4.5, bucket_counts=[1, 2], explicit_bounds=[2.0], min=0.5, max=3.0, **times
    )
    histogram.data_points.add(count=0, **times)
    exponential = scope.metrics.add(name="exponential").exponential_histogram
    exponential.aggregation_temporality = 2  # type: ignore[assignment]
    point_ = exponential.data_points.add(count=5, sum=1.0, scale=-3, zero_count=1, **times)
    point_.positive.offset, point_.negative.offset = -2, 4
    point_.positive.bucket_counts.extend([1, 0, 2])
    point_.negative.bucket_counts.extend([1])
    summary = scope.metrics.add(name="summary").summary
    quantiles = summary.data_points.add(count=2, sum=3.5, **times)
    quantiles.quantile_values.add(quantile=0.5, value=1.0)
    quantiles.quantile_values.add(quantile=0.99, value=2.5)
    return request.SerializeToString()
