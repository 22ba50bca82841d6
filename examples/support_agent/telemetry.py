"""Where the agent's telemetry goes: OpenTelemetry providers over OTLP gRPC, made and shut here.

Nothing is set globally: providers are passed on, so that several agents, or an agent and the
product, live in one process. A batch that could not be exported is counted and reported by
`flush()`; the SDK alone would only log it.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

SERVICE_NAME = "support-agent"
MAX_QUEUE_SPANS = 65_536
"""The SDK's 2,048 would drop spans when the whole demo runs in a few seconds."""


class ExportError(Exception):
    """Telemetry did not reach the endpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySettings:
    """Where to send telemetry and what to say about the sender.

    Attributes:
        endpoint: OTLP gRPC endpoint, `http://host:port` (`https` for TLS; bare `host:port` is
            plain text).
        headers: gRPC metadata such as `{"authorization": "Bearer ..."}`.
        service_version: `service.version`.
        environment: `deployment.environment.name`.
        capture_content: put prompts, answers and tool payloads on spans.
        emit_details_events: also send each model call as a log event with its content.
        timeout_s: seconds for one export, retries included.
    """

    endpoint: str = "http://127.0.0.1:4317"
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    service_version: str = "1.0.0"
    environment: str = "demo"
    capture_content: bool = True
    emit_details_events: bool = False
    timeout_s: float = 10.0


class Telemetry:
    """The providers of one agent process; `shutdown()` sends what is left."""

    def __init__(self, settings: TelemetrySettings) -> None:
        """Build providers and exporters; connects lazily."""
        self.settings = settings
        resource = Resource.create(
            {
                "service.name": SERVICE_NAME,
                "service.version": settings.service_version,
                "deployment.environment.name": settings.environment,
            }
        )
        target: dict[str, Any] = {
            "endpoint": _with_scheme(settings.endpoint),
            "headers": dict(settings.headers),
            "timeout": settings.timeout_s,
        }
        self._spans = CountingSpanExporter(OTLPSpanExporter(**target))
        self.tracer_provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self.tracer_provider.add_span_processor(
            BatchSpanProcessor(self._spans, max_queue_size=MAX_QUEUE_SPANS)
        )
        self.logger_provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
        self.logger_provider.add_log_record_processor(
            BatchLogRecordProcessor(OTLPLogExporter(**target), max_queue_size=MAX_QUEUE_SPANS)
        )
        reader = PeriodicExportingMetricReader(OTLPMetricExporter(**target))
        self.meter_provider = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
        self._closed = False

    @property
    def spans_exported(self) -> int:
        """Spans that the endpoint has acknowledged."""
        return self._spans.exported

    def flush(self, timeout_s: float = 30.0) -> None:
        """Send everything recorded so far.

        Raises:
            ExportError: when spans were not acknowledged, or a signal did not leave in time.
        """
        timeout_ms = int(timeout_s * 1000)
        flushes: dict[str, Callable[[int], bool]] = {
            "spans": self.tracer_provider.force_flush,
            "logs": self.logger_provider.force_flush,
            "metrics": self.meter_provider.force_flush,
        }
        late = [signal for signal, flush in flushes.items() if not flush(timeout_ms)]
        if late or self._spans.failed:
            raise ExportError(
                f"{self.settings.endpoint!r} did not take everything: {self._spans.failed} spans"
                f" refused, not flushed: {', '.join(late) or 'none'}; is the receiver running?"
            )

    def shutdown(self) -> None:
        """Send what is left and stop the exporters; idempotent."""
        if self._closed:
            return
        self._closed = True
        self.tracer_provider.shutdown()
        self.logger_provider.shutdown()
        self.meter_provider.shutdown()


def set_up_telemetry(settings: TelemetrySettings) -> Telemetry:
    """Build the providers; call `flush()` after a batch of work and `shutdown()` at the end."""
    return Telemetry(settings)


class CountingSpanExporter(SpanExporter):
    """Passes spans on and counts what was acknowledged and what was not."""

    def __init__(self, inner: SpanExporter) -> None:
        """Wrap an exporter."""
        self._inner = inner
        self._lock = threading.Lock()  # guards the counters: batches are sent from two threads
        self.exported = 0
        self.failed = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export one batch and count its spans."""
        result = self._inner.export(spans)
        with self._lock:
            if result is SpanExportResult.SUCCESS:
                self.exported += len(spans)
            else:
                self.failed += len(spans)
        return result

    def shutdown(self) -> None:
        """Close the wrapped exporter."""
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the wrapped exporter."""
        return self._inner.force_flush(timeout_millis)


def _with_scheme(endpoint: str) -> str:
    return endpoint if "://" in endpoint else f"http://{endpoint}"
