"""Load: spans made by the OpenTelemetry SDK and sent by its own OTLP/gRPC exporter."""

import json
import logging
import random
import secrets
import threading
import time
from collections.abc import Sequence

import grpc
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, format_span_id, format_trace_id

from benchmarks.durability.ledger import Ledger

EXPORT_TIMEOUT_S = 1.0  # short: the exporter backs off for seconds, the load must not
RETRY_PAUSE_S = 0.2
EXPORT_LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
QUICK_RECONNECT = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
)


class SpanSource:
    """Makes GenAI spans of about ``text_bytes`` with the SDK."""

    def __init__(self, seed: int, *, text_bytes: int = 600) -> None:
        self._finished = InMemorySpanExporter()
        provider = TracerProvider(
            resource=Resource.create({"service.name": "durability"}), shutdown_on_exit=False
        )
        provider.add_span_processor(SimpleSpanProcessor(self._finished))
        self._tracer = provider.get_tracer("benchmarks.durability", "1")
        self._rng = random.Random(seed)
        self._text_bytes = text_bytes

    def take(self, n: int) -> list[ReadableSpan]:
        """Return ``n`` new spans, ten to a trace."""
        for start in range(0, n, 10):
            with self._tracer.start_as_current_span("invoke_agent support"):
                for _ in range(min(10, n - start) - 1):
                    self._call()
        spans = list(self._finished.get_finished_spans())
        self._finished.clear()
        return spans

    def _call(self) -> None:
        text = self._rng.randbytes(self._text_bytes // 2).hex()
        messages = [{"role": "user", "parts": [{"type": "text", "content": text}]}]
        attributes: dict[str, str | int] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": self._rng.randrange(5000),
            "gen_ai.usage.output_tokens": self._rng.randrange(500),
            "gen_ai.input.messages": json.dumps(messages),
        }
        with self._tracer.start_as_current_span(
            "chat gpt-4o", kind=SpanKind.CLIENT, attributes=attributes
        ):
            pass


def ids_of(spans: Sequence[ReadableSpan]) -> list[tuple[str, str]]:
    """Return (trace id, span id) of each span, in hexadecimal."""
    contexts = [span.get_span_context() for span in spans]
    return [(format_trace_id(c.trace_id), format_span_id(c.span_id)) for c in contexts if c]


def exporter_to(address: str, timeout_s: float = EXPORT_TIMEOUT_S) -> SpanExporter:
    """Return the SDK's OTLP/gRPC exporter, quiet about the outages that we cause."""
    for name in ("opentelemetry.exporter.otlp.proto.grpc.exporter", "opentelemetry.sdk"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return OTLPSpanExporter(endpoint=address, insecure=True, timeout=timeout_s)


class Load:
    """Senders that export, repeat what was refused until it is taken, and write the ledger.

    Args:
        address: host and port of an OTLP/gRPC receiver.
        ledger: where acknowledged spans go; None when someone else keeps it (a relay).
        senders: threads, each with an exporter of its own.
        batch: spans an export.
        spans_per_s: upper bound over all senders.
    """

    def __init__(
        self,
        address: str,
        ledger: Ledger | None,
        *,
        senders: int = 4,
        batch: int = 100,
        spans_per_s: float = 4000.0,
    ) -> None:
        self._address = address
        self._ledger = ledger
        self._batch = batch
        self._pause_s = senders * batch / spans_per_s
        self._stopping = threading.Event()
        self._counts = [0] * senders
        self._repeats = [0] * senders
        self._threads = [
            threading.Thread(target=self._send, args=(number,), daemon=True)
            for number in range(senders)
        ]

    @property
    def n_sent(self) -> int:
        """Spans whose export succeeded."""
        return sum(self._counts)

    @property
    def n_repeats(self) -> int:
        """Exports that were not acknowledged in time and sent again."""
        return sum(self._repeats)

    def start(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    def finish(self, timeout_s: float = 60.0) -> None:
        """Let every sender finish the batch in hand; the receiver must be up."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=timeout_s)
        if any(thread.is_alive() for thread in self._threads):
            raise TimeoutError("a sender could not finish its batch")

    def _send(self, number: int) -> None:
        source = SpanSource(number)
        exporter = exporter_to(self._address)
        while not self._stopping.is_set():
            begun = time.monotonic()
            spans = source.take(self._batch)
            while exporter.export(spans) is not SpanExportResult.SUCCESS:
                self._repeats[number] += 1
                time.sleep(RETRY_PAUSE_S)
            if self._ledger is not None:
                self._ledger.acknowledge(ids_of(spans))
            self._counts[number] += len(spans)
            self._stopping.wait(max(0.0, self._pause_s - (time.monotonic() - begun)))
        exporter.shutdown()


class LogLoad:
    """One sender of log records that never repeats a request: OTLP gives a log no id of its own.

    A repeated log request may be meant, so the receiver stores it twice; what is refused is therefore
    given up here, and what is acknowledged must be stored once. The ledger's second column is the
    attribute ``durability.id``.
    """

    def __init__(
        self, address: str, ledger: Ledger, *, batch: int = 20, per_s: float = 400.0
    ) -> None:
        self._address = address
        self._ledger = ledger
        self._batch = batch
        self._pause_s = batch / per_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def finish(self) -> None:
        """Stop after the request in hand."""
        self._stopping.set()
        self._thread.join(timeout=30)

    def _send(self) -> None:
        with grpc.insecure_channel(self._address, options=QUICK_RECONNECT) as channel:
            export = channel.unary_unary(
                EXPORT_LOGS, request_serializer=None, response_deserializer=None
            )
            while not self._stopping.wait(self._pause_s):
                ids = [secrets.token_hex(8) for _ in range(self._batch)]
                try:
                    export(_log_request(ids), timeout=EXPORT_TIMEOUT_S)
                except grpc.RpcError:
                    continue
                self._ledger.acknowledge(("-", log_id) for log_id in ids)


def _log_request(ids: Sequence[str]) -> bytes:
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for log_id in ids:
        record = scope.log_records.add(time_unix_nano=time.time_ns())
        record.body.string_value = "a line of log " * 10
        attribute = record.attributes.add(key="durability.id")
        attribute.value.string_value = log_id
    return request.SerializeToString()


def send_once(address: str, spans: Sequence[ReadableSpan], timeout_s: float = 2.0) -> bool:
    """Export ``spans`` with a fresh exporter; return whether they were acknowledged in time."""
    exporter = exporter_to(address, timeout_s)
    try:
        return exporter.export(spans) is SpanExportResult.SUCCESS
    finally:
        exporter.shutdown()


def send_until_taken(address: str, spans: Sequence[ReadableSpan], timeout_s: float = 60.0) -> None:
    """Export ``spans``, the same again and again, until they are acknowledged."""
    deadline = time.monotonic() + timeout_s
    while not send_once(address, spans):
        if time.monotonic() > deadline:
            raise TimeoutError("the receiver did not take a batch")
