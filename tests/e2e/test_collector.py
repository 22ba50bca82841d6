"""Application → real Collector → spanloop → SQL, with the shipped configuration and with a normalizer."""

import gzip
import re
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from google.protobuf.message import Message
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from spanloop.receiver.otlp_json import to_protobuf
from tests.collector.build import Tools
from tests.collector.normalizer import transform_processor
from tests.conformance import messages as m
from tests.conformance.target import NO_LIMIT, call_on
from tests.conftest import ServerProcess
from tests.support.collector import RunningCollector, collector_config, free_ports
from tests.support.otlp_sink import OtlpSink

pytestmark = pytest.mark.collector
SHIPPED = Path(__file__).parent.parent.parent / "otel-collector-config.yaml"
WAIT_S = 60.0


class Shipped:
    """The shipped configuration on free ports, with a spanloop and a stand-in for Jaeger behind it."""

    def __init__(self, folder: Path, jaeger_port: int) -> None:
        self.ports = free_ports(4)
        otlp, http, annotations, spanloop = self.ports
        self.annotations_address = f"127.0.0.1:{annotations}"
        self._config = folder / "collector.yaml"
        self._config.write_text(SHIPPED.read_text())
        self._environment = {
            "OTELCOL_GRPC": f"127.0.0.1:{otlp}",
            "OTELCOL_HTTP": f"127.0.0.1:{http}",
            "OTELCOL_ANNOTATIONS": self.annotations_address,
            "OTELCOL_STORAGE": str(folder / "queue"),
            "SPANLOOP_OTLP": f"127.0.0.1:{spanloop}",
            "JAEGER_OTLP": f"127.0.0.1:{jaeger_port}",
        }
        settings = {"receiver": {"grpc": {"port": spanloop}}}
        self.spanloop = ServerProcess(folder / "spanloop", settings, {})

    def collector(self) -> AbstractContextManager[RunningCollector]:
        ports = (self.ports[0], self.ports[1])
        return RunningCollector.started(self._config, ports, environment=self._environment)


@pytest.fixture
def shipped(otelcol: Tools, tmp_path: Path) -> Iterator[tuple[Shipped, OtlpSink]]:
    with OtlpSink.listening() as jaeger:
        everything = Shipped(tmp_path, jaeger.port)
        yield everything, jaeger
        everything.spanloop.close()


@pytest.fixture
def spanloop(tmp_path: Path) -> Iterator[Callable[[str], ServerProcess]]:
    servers: list[ServerProcess] = []

    def start(name: str) -> ServerProcess:
        servers.append(ServerProcess(tmp_path / name, {}, {}))
        return servers[-1].start()

    yield start
    for server in servers:
        server.close()


def emit(address: str, names: Sequence[str], *, scope: str = "shop", service: str = "shop") -> None:
    """Send one span per name as an instrumented application does."""
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(
        BatchSpanProcessor(OTLPSpanExporter(endpoint=address, insecure=True))
    )
    tracer = provider.get_tracer(scope)
    for name in names:
        tracer.start_span(name, attributes={"gen_ai.operation.name": "chat"}).end()
    assert provider.force_flush()
    provider.shutdown()


def accepted(server: ServerProcess, signal: str) -> int:
    """Return how many records a running spanloop has acknowledged."""
    with urllib.request.urlopen(f"{server.http}/metrics", timeout=10) as page:
        text = page.read().decode()
    found = re.search(
        rf'^spanloop_acked_items_total{{signal="{signal}"}} (\d+)', text, re.MULTILINE
    )
    return int(found[1]) if found else 0


def wait_for(what: Callable[[], bool], why: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not what():
        assert time.monotonic() < deadline, why()
        time.sleep(0.2)


def names_in(server: ServerProcess) -> list[str]:
    return sorted(row["SpanName"] for row in server.query("SELECT SpanName FROM otel_traces"))


# --- the shipped configuration ------------------------------------------------------------------


def test_spans_reach_spanloop_and_jaeger_and_annotations_only_jaeger(
    shipped: tuple[Shipped, OtlpSink],
) -> None:
    everything, jaeger = shipped
    spanloop = everything.spanloop.start()
    with everything.collector() as collector:
        emit(collector.grpc_address, ["chat", "tool"])
        own = {"scope": "spanloop.annotations", "service": "spanloop"}
        emit(everything.annotations_address, ["verdict"], **own)
        emit(everything.annotations_address, ["stranger"], scope="someone.else")
        emit(collector.grpc_address, ["strayed verdict"], **own)
        emit(collector.grpc_address, ["last"])
        wait_for(lambda: jaeger.names() == ["chat", "last", "tool", "verdict"], jaeger.names)
        wait_for(lambda: accepted(spanloop, "traces") >= 3, collector.log)
    assert spanloop.stop() == 0
    assert names_in(spanloop) == ["chat", "last", "tool"]


def test_nothing_is_lost_when_spanloop_is_away_and_the_collector_is_killed(
    shipped: tuple[Shipped, OtlpSink],
) -> None:
    everything, _ = shipped
    sent = [f"span {i}" for i in range(500)]
    with everything.collector() as collector:
        emit(collector.grpc_address, sent)
        collector.kill()
    spanloop = everything.spanloop.start()
    with everything.collector() as collector:
        wait_for(lambda: accepted(spanloop, "traces") >= len(sent), collector.log)
    assert spanloop.stop() == 0
    assert names_in(spanloop) == sorted(sent)


def test_telemetrygen_traces_logs_and_metrics(
    shipped: tuple[Shipped, OtlpSink], otelcol: Tools
) -> None:
    everything, _ = shipped
    spanloop = everything.spanloop.start()
    with everything.collector() as collector:
        for signal in ("traces", "logs", "metrics"):
            target = ["--otlp-insecure", "--otlp-endpoint", collector.grpc_address]
            command = [otelcol.telemetrygen, signal, *target, f"--{signal}", "100", "--rate", "0"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, done.stderr
        expected = {"traces": 200, "logs": 100, "metrics": 100}  # a trace has a child span
        wait_for(
            lambda: all(accepted(spanloop, name) >= n for name, n in expected.items()),
            collector.log,
        )
    assert spanloop.stop() == 0
    counts = (
        "SELECT (SELECT count() FROM otel_traces) AS traces, (SELECT count() FROM otel_logs) AS logs,"
        " (SELECT count() FROM otel_metrics_gauge) AS metrics"
    )
    assert spanloop.query(counts) == [expected]


# --- the same data, directly and through the Collector ------------------------------------------


def send_through(
    folder: Path,
    server: ServerProcess,
    requests: Sequence[bytes],
    *,
    processors: dict[str, Any],
) -> None:
    """Send trace requests through a Collector with ``processors`` until spanloop has them all."""
    folder.mkdir()
    grpc_port, http_port = free_ports(2)
    exporter = {"endpoint": server.grpc, "tls": {"insecure": True}}
    config = collector_config(
        (grpc_port, http_port), {"otlp_grpc": exporter}, processors, signals=("traces",)
    )
    config["receivers"]["otlp"]["protocols"]["grpc"]["max_recv_msg_size_mib"] = 64
    path = folder / "collector.yaml"
    path.write_text(yaml.safe_dump(config))
    with RunningCollector.started(path, (grpc_port, http_port)) as collector:
        send(collector.grpc_address, requests)
        n_spans = sum(count_spans(body) for body in requests)
        wait_for(lambda: accepted(server, "traces") >= n_spans, collector.log)


def send(address: str, requests: Sequence[bytes]) -> None:
    with grpc.insecure_channel(address, options=NO_LIMIT) as channel:
        for body in requests:
            assert call_on(channel, m.TRACES.method, body).code is grpc.StatusCode.OK


def count_spans(body: bytes) -> int:
    request: Message = ExportTraceServiceRequest.FromString(body)
    assert isinstance(request, ExportTraceServiceRequest)
    return sum(len(s.spans) for r in request.resource_spans for s in r.scope_spans)


def recorded(data_dir: Path, *files: str) -> list[bytes]:
    """Return recorded requests of the replayed dialects (see the data's README)."""
    paths = [data_dir / "dialects" / "replayed" / f"{name}.jsonl.gz" for name in files]
    return [to_protobuf("traces", line) for p in paths for line in gzip.open(p)]


OTHER_COLUMNS = "* EXCEPT (BatchId, ReceivedTime)"


def rows(server: ServerProcess, table: str, columns: str) -> list[dict[str, Any]]:
    return server.query(f"SELECT {columns} FROM {table} ORDER BY TraceId, SpanId")  # noqa: S608


def test_rows_are_the_same_through_the_collector(
    otelcol: Tools,
    spanloop: Callable[[str], ServerProcess],
    data_dir: Path,
    tmp_path: Path,
) -> None:
    requests = recorded(data_dir, "openai_traceloop", "langchain_openinference", "pydantic_ai")
    direct, through = spanloop("direct"), spanloop("through")
    send(direct.grpc, requests)
    send_through(tmp_path / "collector", through, requests, processors={"batch": {}})
    assert (direct.stop(), through.stop()) == (0, 0)
    expected = rows(direct, "otel_traces", OTHER_COLUMNS)
    assert len(expected) == sum(map(count_spans, requests))
    assert rows(through, "otel_traces", OTHER_COLUMNS) == expected


# --- a normalizer upstream ----------------------------------------------------------------------

FACTS = (
    "TraceId, SpanId, ScopeName, RequestModel, ResponseModel, InputTokens, OutputTokens, CostUsd,"
    " FinishReasons, ToolName, ToolCallId, ToolArguments, ToolResult, ConversationId"
)
DIALECTS = ("openai_openinference", "openai_traceloop", "agents_openinference", "agents_traceloop")


def test_a_normalizer_upstream_changes_no_fact(
    otelcol: Tools,
    spanloop: Callable[[str], ServerProcess],
    data_dir: Path,
    tmp_path: Path,
) -> None:
    requests = recorded(data_dir, *DIALECTS)
    without, behind = spanloop("without"), spanloop("behind")
    send_through(tmp_path / "plain", without, requests, processors={"batch": {}})
    normalizer = {"transform": transform_processor(), "batch": {}}
    send_through(tmp_path / "normalized", behind, requests, processors=normalizer)
    assert (without.stop(), behind.stop()) == (0, 0)
    assert names_in(without) == names_in(behind)
    by_class = "ScopeName, Class, count() AS n, sum(InputTokens) AS tokens"
    # What the normalizer calls an agent (every chain and task) may be classed as one; model and tool
    # calls must stay what they are, and no token may be counted twice.
    calls = "genai_spans WHERE Class IN ('llm', 'tool') "
    summary = f"SELECT {by_class} FROM {calls} GROUP BY ALL ORDER BY ALL"  # noqa: S608
    assert behind.query(summary) == without.query(summary)
    expected = rows(without, calls, FACTS)
    assert expected
    assert rows(behind, calls, FACTS) == expected
