"""``rotel``, a third-party OTLP relay, and the notary that stands between it and the server.

rotel answers the SDK from memory: that acknowledgement promises nothing, and is not counted. What counts
is what *spanloop* acknowledged to rotel. The notary hands rotel's requests on unchanged, byte by byte,
and takes down their spans after spanloop's answer, before rotel sees it.

An SDK that heard nothing from rotel in time sends its spans again, and rotel puts both copies into
requests of their own. These are two different requests to spanloop, which promises to recognise only
identical ones; the notary takes down in how many different requests each such span was.
"""

import importlib.util
import os
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.durability.ledger import Ledger
from benchmarks.durability.load import QUICK_RECONNECT
from benchmarks.durability.server import free_port

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
CALL_TIMEOUT_S = 10.0
MAX_MESSAGE_BYTES = 64 * 1024 * 1024


class Notary:
    """A pass-through for trace exports that keeps the ledger of what the server acknowledged."""

    def __init__(self, upstream: str, ledger: Ledger) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self._ledger = ledger
        self._lock = threading.Lock()  # guards _bodies
        self._bodies: dict[bytes, set[int]] = {}
        options = [
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            *QUICK_RECONNECT,
        ]
        self._channel = grpc.insecure_channel(upstream, options=options)
        self._export = self._channel.unary_unary(
            EXPORT, request_serializer=None, response_deserializer=None
        )
        self._server = grpc.server(ThreadPoolExecutor(8), options=options)
        method = grpc.unary_unary_rpc_method_handler(self._pass)
        service, _, name = EXPORT.strip("/").partition("/")
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(service, {name: method}),)
        )
        self._server.add_insecure_port(self.address)

    def start(self) -> None:
        """Listen."""
        self._server.start()

    def stop(self) -> None:
        """End."""
        self._server.stop(grace=1).wait()
        self._channel.close()

    def doubled(self) -> dict[str, int]:
        """Spans that came in several different requests, and in how many."""
        with self._lock:
            return {span.hex(): len(b) for span, b in self._bodies.items() if len(b) > 1}

    def _pass(self, body: bytes, context: grpc.ServicerContext) -> bytes:
        spans = [
            span
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        with self._lock:
            for span in spans:
                self._bodies.setdefault(span.span_id, set()).add(hash(body))
        try:
            answer: bytes = self._export(body, timeout=CALL_TIMEOUT_S)
        except grpc.RpcError as refusal:
            metadata = refusal.trailing_metadata() or ()
            context.set_trailing_metadata(tuple((m.key, m.value) for m in metadata))
            context.abort(refusal.code(), refusal.details() or "")
            raise
        self._ledger.acknowledge((span.trace_id.hex(), span.span_id.hex()) for span in spans)
        return answer


def rotel_binary() -> Path:
    """Return the program inside the ``rotel`` package."""
    package = importlib.util.find_spec("rotel")
    if package is None or package.origin is None:
        raise FileNotFoundError("rotel is not installed: pip install -e '.[test]'")
    return Path(package.origin).with_name("rotel-agent")


class Rotel:
    """rotel, batching, in front of ``upstream``."""

    def __init__(self, directory: Path, upstream: str) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self._log = directory / "rotel.log"
        self._command = [
            str(rotel_binary()),
            "start",
            f"--otlp-grpc-endpoint={self.address}",
            f"--otlp-http-endpoint=127.0.0.1:{free_port()}",
            "--otlp-grpc-max-recv-msg-size-mib=32",
            "--batch-timeout=100ms",
            "--exporter=otlp",
            f"--otlp-exporter-endpoint=http://{upstream}",
            "--otlp-exporter-protocol=grpc",
            "--otlp-exporter-retry-initial-backoff=200ms",
            "--otlp-exporter-retry-max-backoff=1s",
            "--otlp-exporter-retry-max-elapsed-time=600s",
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it listens."""
        environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=subprocess.STDOUT, env=environment
            )
        with grpc.insecure_channel(self.address) as channel:
            grpc.channel_ready_future(channel).result(timeout=20)

    def stop(self, ledger: Ledger, n_sent: int, timeout_s: float = 60.0) -> None:
        """Wait until it has handed on ``n_sent`` spans (as far as it will), then end it."""
        deadline = time.monotonic() + timeout_s
        while ledger.n_acknowledged < n_sent and time.monotonic() < deadline:
            time.sleep(0.2)
        assert self._process is not None
        self._process.terminate()
        self._process.wait(timeout=30)
