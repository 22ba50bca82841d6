"""Spans of our own episodes into our own receiver without a port: checked, logged, stored as any other."""

import asyncio
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from spanloop.processor.errors import SpanloopError
from spanloop.receiver.intake import Intake

ACKNOWLEDGED_WITHIN_S = 30.0


class IntakeExporter(SpanExporter):
    """Hands spans to the receiver's intake, which answers once they are durable.

    Called from threads; ``loop`` is the one that the intake lives on.
    """

    def __init__(self, intake: Intake, loop: asyncio.AbstractEventLoop, *, project: str) -> None:
        self._intake = intake
        self._loop = loop
        self._project = project

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Return once ``spans`` are acknowledged; a failure if they are not."""
        body = encode_spans(spans).SerializeToString()
        accepted = asyncio.run_coroutine_threadsafe(
            self._intake.accept("traces", body, self._project), self._loop
        )
        try:
            answer = accepted.result(ACKNOWLEDGED_WITHIN_S)
        except (SpanloopError, TimeoutError):
            accepted.cancel()
            return SpanExportResult.FAILURE
        return SpanExportResult.FAILURE if answer.rejected else SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Nothing is held."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing waits."""
        del timeout_millis
        return True
