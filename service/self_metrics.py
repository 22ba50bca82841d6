"""The server's own health as OpenTelemetry metrics, sent to an endpoint that the operator names.

Never to this server itself: its own telemetry would feed it for ever. The same numbers stand at ``/metrics``.
"""

from collections.abc import Callable, Iterable

from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from spanloop.receiver.log import Log
from spanloop.receiver.telemetry import Telemetry
from spanloop.service.prometheus import COUNTERS, gauges

SCOPE = "spanloop.service"


def start_self_metrics(
    telemetry: Telemetry, log: Log, *, endpoint: str, interval_s: float
) -> MeterProvider:
    """Send every counter and gauge to ``endpoint`` (OTLP/gRPC) until the provider is shut down."""
    exporter = OTLPMetricExporter(endpoint=endpoint, insecure=not endpoint.startswith("https://"))
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=interval_s * 1e3)
    return make_provider(telemetry, log, reader)


def make_provider(telemetry: Telemetry, log: Log, reader: MetricReader) -> MeterProvider:
    """Return a provider whose instruments read the live numbers."""
    provider = MeterProvider([reader], Resource.create({"service.name": "spanloop"}))
    meter = provider.get_meter(SCOPE)
    for name, description in COUNTERS.items():
        meter.create_observable_counter(
            f"spanloop.{name}", [_observe_counter(telemetry, name)], description=description
        )
    for name, (description, _) in gauges(log).items():
        meter.create_observable_gauge(
            f"spanloop.{name}", [_observe_gauge(log, name)], description=description
        )
    return provider


def _observe_counter(
    telemetry: Telemetry, name: str
) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def observe(_: CallbackOptions) -> Iterable[Observation]:
        for (counter, signal), value in telemetry.snapshot().items():
            if counter == name:
                yield Observation(value, {"signal": signal})

    return observe


def _observe_gauge(log: Log, name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def observe(_: CallbackOptions) -> Iterable[Observation]:
        yield Observation(gauges(log)[name][1])

    return observe
