"""Agent → Collector → spanloop and Jaeger; what spanloop finds → Collector → the same traces in Jaeger."""

from __future__ import annotations

import contextlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs.export import LogRecordExportResult
from opentelemetry.sdk.trace.export import SpanExportResult

from spanloop.examples.scripted_model import start_scripted_model
from spanloop.examples.support_agent import run_support_traffic
from spanloop.exporter.otlp_sender import Destination, OtlpSender
from spanloop.optimizer.annotations.spans import Issue, log_of, span_of
from tests.collector.build import Tools
from tests.conftest import ServerProcess
from tests.support.annotations import make_target, note
from tests.support.collector import RunningCollector, free_ports
from tests.support.jaeger import RunningJaeger, running_jaeger
from tests.support.own_work import all_notes

pytestmark = pytest.mark.collector
SHIPPED = Path(__file__).parent.parent.parent / "otel-collector-config.yaml"
SERVICE = "spanloop-annotations"
Traces = dict[str, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class World:
    """Everything runs, and the agent has worked; spanloop has not looked at it yet."""

    spanloop: ServerProcess
    jaeger: RunningJaeger
    annotations: str

    def annotate(self, endpoint: str, *arguments: str) -> Any:
        done = self.spanloop.run("annotate", "--endpoint", endpoint, "--json", *arguments)
        return json.loads(done.stdout)

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Ask the running server's SQL endpoint: a command of its own for each would take seconds."""
        answer = httpx.post(self.spanloop.sql, content=f"{sql} FORMAT JSONEachRow", timeout=60)
        assert answer.status_code == httpx.codes.OK, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]

    def wait_for(self, sql: str, n: int) -> None:
        """Wait until the count that ``sql`` asks for is ``n``."""
        deadline = time.monotonic() + 60
        while (found := int(next(iter(self.query(sql)[0].values())))) != n:
            assert time.monotonic() < deadline, f"{sql}: {found} of {n}; {self.spanloop.log()}"
            time.sleep(0.1)

    def written(self) -> dict[str, list[dict[str, Any]]]:
        """What the ledger says was sent into each trace of the agent, once for all endpoints."""
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self.query(
            "SELECT DISTINCT TraceId, SpanId, Kind, Identifier, AnnotationId FROM annotations FINAL "
            "WHERE State = 'sent' AND Kind != 'cycle'"
        ):
            found.setdefault(row["TraceId"], []).append(row)
        return found


@pytest.fixture(scope="module")
def world(
    otelcol: Tools, jaeger: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("annotations")
    otlp, http, annotations = free_ports(3)
    written = {
        "endpoint": f"127.0.0.1:{annotations}",
        "kinds": ["satisfaction", "pattern", "cycle"],
        "after_cycle": True,
    }
    settings = {"analysis": {"idle_s": 0}, "annotations": written}
    spanloop = ServerProcess(folder / "spanloop", settings, {}).start()
    config = folder / "collector.yaml"
    config.write_text(SHIPPED.read_text())
    try:
        with running_jaeger(folder / "jaeger") as viewer:
            environment = {
                "OTELCOL_GRPC": f"127.0.0.1:{otlp}",
                "OTELCOL_HTTP": f"127.0.0.1:{http}",
                "OTELCOL_ANNOTATIONS": f"127.0.0.1:{annotations}",
                "OTELCOL_STORAGE": str(folder / "queue"),
                "SPANLOOP_OTLP": spanloop.grpc,
                "JAEGER_OTLP": viewer.otlp_grpc,
            }
            with (
                RunningCollector.started(config, (otlp, http), environment=environment),
                start_scripted_model() as model,
            ):
                traffic = run_support_traffic(
                    f"http://127.0.0.1:{otlp}",
                    model_base_url=model.base_url,
                    conversations=27,
                    seed=1,
                )
                everything = World(
                    spanloop=spanloop, jaeger=viewer, annotations=f"127.0.0.1:{annotations}"
                )
                everything.wait_for("SELECT count() FROM genai_spans", traffic.spans)
                yield everything
    finally:
        spanloop.close()


@dataclass(frozen=True)
class Before:
    """Traces as Jaeger had them, and what was then written into them."""

    traces: Traces
    answer: dict[str, Any]


@pytest.fixture(scope="module")
def before(world: World) -> Before:
    stored = {
        row["TraceId"]: int(row["n"])
        for row in world.query(
            "SELECT TraceId, toUInt32(count()) AS n FROM otel_traces GROUP BY TraceId"
        )
    }
    traces = {trace: world.jaeger.trace(trace, spans=n) for trace, n in stored.items()}
    # A cycle: an analysis, and (without a model, of so few conversations) little else; then it writes.
    answer = json.loads(world.spanloop.run("optimize", "--json").stdout)["annotations"]
    return Before(traces, answer)


def parent_of(span: dict[str, Any]) -> str:
    (parent,) = [r for r in span["references"] if r["refType"] == "CHILD_OF"]
    return str(parent["spanID"])


def tags(span: dict[str, Any]) -> dict[str, Any]:
    return {tag["key"]: tag["value"] for tag in span["tags"]}


def extent(trace: dict[str, Any]) -> tuple[int, int]:
    """Begin and end of the timeline that Jaeger draws, microseconds."""
    return (
        min(span["startTime"] for span in trace["spans"]),
        max(span["startTime"] + span["duration"] for span in trace["spans"]),
    )


def annotations_in(trace: dict[str, Any]) -> list[dict[str, Any]]:
    services = {key: process["serviceName"] for key, process in trace["processes"].items()}
    return [span for span in trace["spans"] if services[span["processID"]] == SERVICE]


def in_jaeger(world: World, before: Before) -> Traces:
    """Return every annotated trace as Jaeger has it now, once it has what the ledger says was sent."""
    return {
        trace: world.jaeger.trace(trace, spans=len(before.traces[trace]["spans"]) + len(rows))
        for trace, rows in world.written().items()
    }


@pytest.fixture(scope="module")
def annotated(world: World, before: Before) -> Traces:
    return in_jaeger(world, before)


def test_findings_stand_in_the_original_traces_under_the_right_spans(
    world: World, before: Before, annotated: Traces
) -> None:
    kinds = {kind["kind"]: kind for kind in before.answer["kinds"]}
    assert set(kinds) == {"satisfaction", "pattern", "cycle"}
    assert all(kind["sent"] == kind["found"] > 0 for kind in kinds.values())
    assert before.answer["failed"] == 0
    written = world.written()
    assert annotated
    for trace_id, trace in annotated.items():
        spans = annotations_in(trace)
        assert {span["spanID"]: parent_of(span) for span in spans} == {
            row["AnnotationId"]: row["SpanId"] for row in written[trace_id]
        }
        for span in spans:
            assert tags(span)["span.kind"] == "internal"
            assert not {k for k in tags(span) if k.startswith("gen_ai.usage")}
            (event,) = span["logs"]
            fields = {field["key"]: field["value"] for field in event["fields"]}
            assert fields["event"] == "gen_ai.evaluation.result"
            assert fields["gen_ai.evaluation.name"] == tags(span)["gen_ai.evaluation.name"]


def test_a_pattern_stands_at_the_step_that_went_wrong(world: World, annotated: Traces) -> None:
    members = world.query(
        "SELECT PatternId, TraceId, SpanId, DeviatingStep FROM pattern_members FINAL WHERE SpanId != ''"
    )
    assert members
    for member in members:
        (span,) = [
            span
            for span in annotations_in(annotated[member["TraceId"]])
            if tags(span).get("spanloop.pattern.id") == member["PatternId"]
        ]
        assert parent_of(span) == member["SpanId"]
        assert tags(span)["spanloop.pattern.deviating_step"] == int(member["DeviatingStep"])


def test_no_warning_no_red_trace_and_no_stretched_timeline(
    before: Before, annotated: Traces
) -> None:
    for trace_id, trace in annotated.items():
        assert [span["warnings"] for span in trace["spans"] if span["warnings"]] == []
        assert not trace["warnings"]
        assert extent(trace) == extent(before.traces[trace_id])
        assert not [span for span in annotations_in(trace) if tags(span).get("error")]


@pytest.mark.usefixtures("annotated")
def test_they_are_found_by_what_they_say(world: World) -> None:
    category = world.query("SELECT Label FROM annotations FINAL WHERE Kind = 'pattern' LIMIT 1")[0][
        "Label"
    ]
    found = world.jaeger.get(
        "/api/traces",
        service=SERVICE,
        tags=json.dumps({"gen_ai.evaluation.score.label": category}),
        lookback="1h",
        limit=1_000,
    )
    expected = {
        row["TraceId"]
        for row in world.query(
            f"SELECT DISTINCT TraceId FROM annotations FINAL WHERE Label = '{category}'"  # noqa: S608
        )
    }
    assert {trace["traceID"] for trace in found} == expected


def test_sending_again_by_any_way_changes_nothing(
    world: World, before: Before, annotated: Traces
) -> None:
    again = world.annotate(world.annotations)
    assert [kind["sent"] for kind in again["kinds"]] == [0, 0, 0]
    assert [k["unchanged"] for k in again["kinds"]] == [k["found"] for k in again["kinds"]]
    n_sent = sum(kind["sent"] for kind in before.answer["kinds"])
    # To the same Jaeger by other endpoints, of which the ledger knows nothing: all of it, byte for byte.
    for endpoint, options in ((world.jaeger.otlp_grpc, ()), (world.jaeger.otlp_http, ("--http",))):
        repeated = world.annotate(endpoint, *options)
        assert sum(kind["sent"] for kind in repeated["kinds"]) == n_sent
        assert "takes no log events" in repeated["notes"][0]  # Jaeger keeps none
    time.sleep(1.0)  # Jaeger stores a moment after it acknowledges
    for trace_id, trace in in_jaeger(world, before).items():
        assert Counter(span["spanID"] for span in trace["spans"]) == Counter(
            span["spanID"] for span in annotated[trace_id]["spans"]
        )
        assert [span["warnings"] for span in trace["spans"] if span["warnings"]] == []


def test_it_refuses_to_write_to_itself(world: World) -> None:
    itself = world.spanloop.grpc.replace("127.0.0.1", "localhost")
    done = world.spanloop.run("annotate", "--endpoint", itself, check=False)
    assert done.returncode == 2
    assert "is this server" in done.stderr


STATE = (
    "SELECT (SELECT count() FROM genai_spans) AS spans,"
    " (SELECT count() FROM trajectories FINAL) AS trajectories,"
    " (SELECT count() FROM trajectory_steps FINAL) AS steps,"
    " (SELECT count() FROM assessments FINAL) AS assessments,"
    " (SELECT count() FROM pattern_members FINAL) AS members,"
    " (SELECT count() FROM trace_arrivals) AS arrivals"
)


def test_its_own_annotations_are_never_mined(world: World, before: Before) -> None:
    own = "SELECT count() AS n FROM {} WHERE startsWith(ScopeName, 'spanloop.annotations')"
    for table in ("otel_traces", "otel_logs"):  # of what was sent to the viewer, nothing came back
        world.wait_for(own.format(table), 0)
    state = world.query(STATE)
    # Should somebody send them back all the same: stored as any span, and of no consequence.
    root = world.query("SELECT TraceId, SpanId FROM otel_traces WHERE ParentSpanId = ''")[0]
    target = make_target(trace_id=root["TraceId"], span_id=root["SpanId"])
    recent = replace(target, start_ns=time.time_ns(), end_ns=time.time_ns())
    issue = Issue(note=note(target=recent), version=1, found_ms=1)
    record = log_of(issue)
    assert record is not None
    spans = OTLPSpanExporter(endpoint=world.spanloop.grpc, insecure=True)
    logs = OTLPLogExporter(endpoint=world.spanloop.grpc, insecure=True)
    assert spans.export([span_of(issue)]) is SpanExportResult.SUCCESS
    assert logs.export([record]) is LogRecordExportResult.SUCCESS
    spans.shutdown()
    logs.shutdown()
    for table in ("otel_traces", "otel_logs"):
        world.wait_for(own.format(table), 1)
    world.spanloop.run("analyze")
    assert world.query(STATE) == state


@pytest.mark.usefixtures("annotated")
def test_the_cycle_is_a_trace_of_its_own(world: World) -> None:
    (trace,) = world.jaeger.get("/api/traces", service="spanloop", operation="cycle", lookback="1h")
    names = {span["spanID"]: span["operationName"] for span in trace["spans"]}
    assert {"cycle", "stage analysis"} <= set(names.values())
    assert {
        names[parent_of(span)] for span in trace["spans"] if span["operationName"] != "cycle"
    } == {"cycle"}
    assert [span["warnings"] for span in trace["spans"] if span["warnings"]] == []


def test_a_whole_cycle_is_a_tree_without_a_warning(world: World) -> None:
    notes = all_notes()
    issues = [Issue(note=each, version=1, found_ms=each.found_ms) for each in notes]
    with contextlib.closing(OtlpSender(Destination(endpoint=world.annotations))) as sender:
        for _ in range(2):
            assert sender.send_spans([span_of(issue) for issue in issues]) == len(issues)
    trace = world.jaeger.trace(notes[0].target.trace_id, spans=len(notes))
    assert {process["serviceName"] for process in trace["processes"].values()} == {"spanloop"}
    assert [span["warnings"] for span in trace["spans"] if span["warnings"]] == []
    parents = {
        issue.span_id: issue.note.target.span_id for issue in issues if issue.note.target.span_id
    }
    shown = {
        span["spanID"]: r["spanID"]
        for span in trace["spans"]
        for r in span["references"]
        if r["refType"] == "CHILD_OF"
    }
    assert shown == parents
