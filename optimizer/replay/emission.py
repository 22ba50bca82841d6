"""Spans of episodes on their way to our own receiver; what it has acknowledged survives a crash."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from spanloop.processor.errors import RetryableError

logger = logging.getLogger(__name__)

LINGER_S = 0.05
"""An episode waits this long for others that end about now: one request carries them all."""
MAX_SPANS = 2_000
"""Spans of one request, unless a single episode has more."""


class EmissionFailed(RetryableError):
    """The receiver did not acknowledge the spans of an episode."""


class Emitter(Protocol):
    """Where spans of episodes go."""

    async def emit(self, spans: Sequence[ReadableSpan]) -> None:
        """Return once the receiver has acknowledged ``spans``.

        Raises:
            EmissionFailed: it did not.
        """
        ...


class BatchingEmitter:
    """Sends what concurrent episodes end with in few requests, one at a time, from a thread."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._waiting: list[tuple[Sequence[ReadableSpan], asyncio.Future[None]]] = []
        self._sending: asyncio.Task[None] | None = None

    async def emit(self, spans: Sequence[ReadableSpan]) -> None:
        """Send ``spans`` with those of other episodes; see `Emitter`."""
        acknowledged = asyncio.get_running_loop().create_future()
        self._waiting.append((spans, acknowledged))
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())
        await acknowledged

    def close(self) -> None:
        """Close connections; idempotent."""
        self._exporter.shutdown()

    async def _send(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(LINGER_S)
                batch = self._take_batch_inplace()
                spans = [span for episode, _ in batch for span in episode]
                result = await asyncio.to_thread(self._export, spans)
                for _, acknowledged in batch:
                    _settle(acknowledged, result)
        finally:
            self._sending = None
            for _, acknowledged in self._waiting:
                _settle(acknowledged, SpanExportResult.FAILURE)
            self._waiting.clear()

    def _export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            return self._exporter.export(spans)
        except Exception as error:  # noqa: BLE001 - top of the sender: these episodes are not acknowledged
            logger.warning("sending spans of episodes failed: %s", type(error).__name__)
            return SpanExportResult.FAILURE

    def _take_batch_inplace(self) -> Sequence[tuple[Sequence[ReadableSpan], asyncio.Future[None]]]:
        taken, n = 0, 0
        for spans, _ in self._waiting:
            if taken and n + len(spans) > MAX_SPANS:
                break
            taken, n = taken + 1, n + len(spans)
        batch, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return batch


class OtlpEmitter(BatchingEmitter):
    """An emitter over OTLP gRPC; ``endpoint`` is ``http(s)://host:port``."""

    def __init__(
        self, endpoint: str, *, headers: Mapping[str, str] | None = None, timeout_s: float = 30.0
    ) -> None:
        optional: dict[str, Any] = {"headers": dict(headers)} if headers else {}
        super().__init__(
            OTLPSpanExporter(
                endpoint=endpoint if "://" in endpoint else f"http://{endpoint}",
                timeout=timeout_s,
                **optional,
            )
        )


class KeepingEmitter:
    """Keeps spans in memory, or fails: for tests without I/O."""

    def __init__(self, *, fails: bool = False) -> None:
        self.spans: list[ReadableSpan] = []
        self._fails = fails

    async def emit(self, spans: Sequence[ReadableSpan]) -> None:
        """Keep ``spans``."""
        if self._fails:
            raise EmissionFailed("told to fail")
        self.spans += spans


def _settle(acknowledged: asyncio.Future[None], result: SpanExportResult) -> None:
    if acknowledged.done():  # its episode was cancelled
        return
    if result is SpanExportResult.SUCCESS:
        acknowledged.set_result(None)
    else:
        acknowledged.set_exception(EmissionFailed("the receiver did not acknowledge the spans"))
