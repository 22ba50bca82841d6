"""The agent, the scripted model and OTLP over real ports, with a collector that keeps all it gets."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import grpc
import httpx
import pytest
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1 import (
    metrics_service_pb2,
    metrics_service_pb2_grpc,
)
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spanloop.examples.scripted_model import ScriptedModel, start_scripted_model
from spanloop.examples.support_agent import (
    ExportError,
    Progress,
    TelemetrySettings,
    TrafficPlan,
    TrafficSummary,
    load_configuration,
    run_agent_traffic,
    run_support_traffic,
)
from spanloop.examples.support_agent.traffic import SCRIPTED


@dataclass
class Collector:
    """Keeps what it is sent; `refuse` makes it fail every span request for good."""

    spans: list[Span] = field(default_factory=list[Span])
    logs: list[LogRecord] = field(default_factory=list[LogRecord])
    metrics: set[str] = field(default_factory=set[str])
    resources: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    refuse: bool = False
    port: int = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Traces(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self, collector: Collector) -> None:
        self.collector = collector

    def Export(self, request: Any, context: grpc.ServicerContext) -> Any:
        if self.collector.refuse:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "refused by the test")
        for group in request.resource_spans:
            self.collector.resources.append(attributes(group.resource.attributes))
            for scope in group.scope_spans:
                self.collector.spans.extend(scope.spans)
        return trace_service_pb2.ExportTraceServiceResponse()


class Logs(logs_service_pb2_grpc.LogsServiceServicer):
    def __init__(self, collector: Collector) -> None:
        self.collector = collector

    def Export(self, request: Any, context: grpc.ServicerContext) -> Any:
        for group in request.resource_logs:
            for scope in group.scope_logs:
                self.collector.logs.extend(scope.log_records)
        return logs_service_pb2.ExportLogsServiceResponse()


class Metrics(metrics_service_pb2_grpc.MetricsServiceServicer):
    def __init__(self, collector: Collector) -> None:
        self.collector = collector

    def Export(self, request: Any, context: grpc.ServicerContext) -> Any:
        for group in request.resource_metrics:
            for scope in group.scope_metrics:
                self.collector.metrics.update(metric.name for metric in scope.metrics)
        return metrics_service_pb2.ExportMetricsServiceResponse()


def attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: value(pair) for pair in pairs}


def value(pair: KeyValue) -> Any:
    kind = pair.value.WhichOneof("value")
    assert kind is not None
    if kind == "array_value":
        return [item.string_value for item in pair.value.array_value.values]
    return getattr(pair.value, kind)


def running_collector() -> Iterator[Collector]:
    collector = Collector()
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    untyped: tuple[Any, Any, Any] = (
        trace_service_pb2_grpc,
        logs_service_pb2_grpc,
        metrics_service_pb2_grpc,
    )
    traces, logs, metrics = untyped
    traces.add_TraceServiceServicer_to_server(Traces(collector), server)
    logs.add_LogsServiceServicer_to_server(Logs(collector), server)
    metrics.add_MetricsServiceServicer_to_server(Metrics(collector), server)
    collector.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield collector
    server.stop(None).wait()


@pytest.fixture
def collector() -> Iterator[Collector]:
    yield from running_collector()


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    with start_scripted_model() as model:
        yield model


@dataclass(frozen=True)
class Run:
    collector: Collector
    summary: TrafficSummary
    progress: list[Progress]


@pytest.fixture(scope="module")
def run(model: ScriptedModel) -> Iterator[Run]:
    """Every script once, under the production configuration."""
    progress: list[Progress] = []
    for collector in running_collector():
        summary = run_support_traffic(
            collector.endpoint,
            model_base_url=model.base_url,
            conversations=27,
            seed=1,
            on_progress=progress.append,
        )
        yield Run(collector, summary, progress)


def spans_named(run: Run, operation: str) -> list[Span]:
    return [s for s in run.collector.spans if s.name.startswith(f"{operation} ")]


def test_every_span_arrives_and_the_summary_counts_them(run: Run) -> None:
    summary = run.summary
    assert len(run.collector.spans) == summary.spans
    assert len(spans_named(run, "invoke_agent")) == summary.turns
    assert len(spans_named(run, "chat")) == summary.model_calls
    assert (
        len(spans_named(run, "execute_tool")) == summary.tool_calls == sum(summary.tools.values())
    )
    assert {s.trace_id.hex() for s in run.collector.spans} == set(summary.trace_ids)
    assert len(set(summary.conversation_ids)) == summary.conversations == 27
    assert [p.conversations_done for p in run.progress] == list(range(1, 28))


def test_a_turn_is_a_root_with_model_and_tool_children(run: Run) -> None:
    roots = {s.trace_id: s for s in spans_named(run, "invoke_agent")}
    assert all(not root.parent_span_id for root in roots.values())
    for span in run.collector.spans:
        root = roots[span.trace_id]
        if span is not root:
            assert span.parent_span_id == root.span_id
            assert root.start_time_unix_nano <= span.start_time_unix_nano
            assert span.end_time_unix_nano <= root.end_time_unix_nano
            conversation = attributes(root.attributes)["gen_ai.conversation.id"]
            assert attributes(span.attributes)["gen_ai.conversation.id"] == conversation


def test_chat_spans_follow_the_convention(run: Run) -> None:
    for span in spans_named(run, "chat"):
        assert span.name == "chat scripted-support-1"
        assert span.kind == Span.SPAN_KIND_CLIENT
        found = attributes(span.attributes)
        assert found["gen_ai.provider.name"] == "scripted"
        assert found["gen_ai.response.model"] == "scripted-support-1"
        assert found["gen_ai.response.finish_reasons"] in (["stop"], ["tool_calls"])
        assert found["gen_ai.usage.input_tokens"] > 100
        assert found["gen_ai.usage.output_tokens"] > 0
        assert json.loads(found["gen_ai.system_instructions"])[0]["type"] == "text"
        assert len(json.loads(found["gen_ai.tool.definitions"])) == 11
        assert json.loads(found["gen_ai.input.messages"])[0]["role"] == "user"
        assert json.loads(found["gen_ai.output.messages"])[0]["parts"]


def test_root_spans_sum_the_usage_of_their_model_calls(run: Run) -> None:
    total: Counter[bytes] = Counter()
    for span in spans_named(run, "chat"):
        total[span.trace_id] += attributes(span.attributes)["gen_ai.usage.input_tokens"]
    for root in spans_named(run, "invoke_agent"):
        found = attributes(root.attributes)
        assert root.name == "invoke_agent support-agent"
        assert found["gen_ai.usage.input_tokens"] == total[root.trace_id]
        assert found["gen_ai.agent.version"] == "1.0.0"
        assert found["user.id"].startswith("CUST-")


def test_tool_spans_carry_call_result_and_error(run: Run) -> None:
    failed = 0
    for span in spans_named(run, "execute_tool"):
        found = attributes(span.attributes)
        assert span.kind == Span.SPAN_KIND_INTERNAL
        assert found["gen_ai.tool.call.id"]
        assert isinstance(json.loads(found["gen_ai.tool.call.arguments"]), dict)
        has_error = "error" in json.loads(found["gen_ai.tool.call.result"])
        assert has_error == (span.status.code == Status.STATUS_CODE_ERROR)
        assert has_error == ("error.type" in found)
        failed += has_error
    assert failed >= 3


def test_resource_events_and_metrics_arrive(run: Run) -> None:
    for resource in run.collector.resources:
        assert resource["service.name"] == "support-agent"
        assert resource["service.version"] == "1.0.0"
        assert resource["deployment.environment.name"] == "demo"
    spans = {(s.trace_id, s.span_id) for s in run.collector.spans}
    assert {(r.trace_id, r.span_id) for r in run.collector.logs} <= spans
    events = Counter(record.event_name for record in run.collector.logs)
    assert events["support.conversation.closed"] == run.summary.conversations
    assert events["gen_ai.evaluation.result"] == run.summary.rated > 0
    assert events["gen_ai.execute_tool.exception"] >= 3
    assert {
        "gen_ai.client.token.usage",
        "gen_ai.client.operation.duration",
    } <= run.collector.metrics


def test_behaviour_repeats_by_seed_and_the_repaired_configuration_does_better(
    model: ScriptedModel, collector: Collector, run: Run
) -> None:
    telemetry = TelemetrySettings(endpoint=collector.endpoint)
    scripted = replace(SCRIPTED, api_base=model.base_url)
    same = run_agent_traffic(telemetry, model=scripted, plan=TrafficPlan(seed=1))
    ids = run.summary.conversation_ids, run.summary.trace_ids
    assert replace(same, conversation_ids=ids[0], trace_ids=ids[1]) == run.summary
    assert not set(same.trace_ids) & set(run.summary.trace_ids)
    plan = TrafficPlan(seed=1, configuration=load_configuration("repaired"))
    repaired = run_agent_traffic(telemetry, model=scripted, plan=plan)
    assert repaired.let_down == 2  # the discount and the unreachable warehouse
    assert same.let_down == 16  # and four by each planted fault, six by the wrong tool


def test_a_model_that_cannot_be_reached_ends_turns_with_an_error(collector: Collector) -> None:
    with start_scripted_model() as gone:
        address = gone.base_url
    broken = replace(SCRIPTED, api_base=address, max_retries=0)
    plan = TrafficPlan(conversations=1)
    telemetry = TelemetrySettings(endpoint=collector.endpoint)
    run_agent_traffic(telemetry, model=broken, plan=plan)
    for span in collector.spans:
        assert span.status.code == Status.STATUS_CODE_ERROR
        assert attributes(span.attributes)["error.type"]


def test_an_unknown_model_is_a_404_on_the_span(model: ScriptedModel, collector: Collector) -> None:
    wrong = replace(SCRIPTED, api_base=model.base_url, model="openai/gpt-imaginary")
    telemetry = TelemetrySettings(endpoint=collector.endpoint)
    run_agent_traffic(telemetry, model=wrong, plan=TrafficPlan(conversations=1))
    kinds = {attributes(s.attributes)["error.type"] for s in collector.spans}
    assert kinds == {"404"}


def test_without_content_capture_no_text_leaves(model: ScriptedModel, collector: Collector) -> None:
    telemetry = TelemetrySettings(
        endpoint=collector.endpoint, capture_content=False, emit_details_events=True
    )
    scripted = replace(SCRIPTED, api_base=model.base_url)
    run_agent_traffic(telemetry, model=scripted, plan=TrafficPlan(conversations=3))
    names = {pair.key for span in collector.spans for pair in span.attributes}
    content = {"messages", "instructions", "definitions", "arguments", "result"}
    assert not {name for name in names if name.rpartition(".")[2] in content}
    details = [r for r in collector.logs if r.event_name.endswith("operation.details")]
    assert len(details) == sum(s.name.startswith("chat ") for s in collector.spans)
    assert "gen_ai.usage.input_tokens" in attributes(details[0].attributes)


def test_refused_spans_are_an_error(model: ScriptedModel, collector: Collector) -> None:
    collector.refuse = True
    with pytest.raises(ExportError, match="spans refused"):
        run_support_traffic(collector.endpoint, model_base_url=model.base_url, conversations=1)


def test_scripted_server_speaks_the_protocol(model: ScriptedModel) -> None:
    body = {"model": "scripted-support-1", "messages": [{"role": "user", "content": "hello"}]}
    with httpx.Client(base_url=model.base_url.removesuffix("/v1")) as client:
        assert client.get("/v1/models").json()["data"][0]["owned_by"] == "scripted"
        answer = client.post("/v1/chat/completions", json=body).json()
        streamed = client.post(
            "/v1/chat/completions",
            json={**body, "stream": True, "stream_options": {"include_usage": True}},
        ).text
        assert client.post("/v1/chat/completions", json={**body, "n": 2}).status_code == 400
        assert client.post("/v1/chat/completions", content=b"{").status_code == 400
        assert client.post("/v1/embeddings", json={}).status_code == 404
    events = [line.removeprefix("data: ") for line in streamed.splitlines() if line]
    assert events[-1] == "[DONE]"
    chunks = [json.loads(event) for event in events[:-1]]
    text = "".join(c["delta"].get("content", "") for k in chunks for c in k["choices"])
    assert text == answer["choices"][0]["message"]["content"]
    assert chunks[-1]["usage"] == answer["usage"]


def test_stop_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    server = start_scripted_model()
    with httpx.Client() as client:
        client.get(f"{server.base_url}/models")
        server.stop()
        server.stop()
    assert set(threading.enumerate()) <= before
