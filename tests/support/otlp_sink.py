"""An OTLP/gRPC server that keeps the traces it is sent: stands in for Jaeger."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class OtlpSink(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps every span."""

    def __init__(self) -> None:
        self.port = 0
        self._lock = threading.Lock()  # guards _spans: gRPC calls from several threads
        self._spans: list[Span] = []

    def Export(
        self, request: ExportTraceServiceRequest, context: grpc.ServicerContext
    ) -> ExportTraceServiceResponse:
        spans = [
            span
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        with self._lock:
            self._spans += spans
        return ExportTraceServiceResponse()

    def names(self) -> list[str]:
        with self._lock:
            return sorted(span.name for span in self._spans)

    @classmethod
    @contextmanager
    def listening(cls) -> Iterator["OtlpSink"]:
        sink = cls()
        server = grpc.server(ThreadPoolExecutor(4))
        add_to_server: Callable[..., None] = (
            trace_service_pb2_grpc.add_TraceServiceServicer_to_server
        )
        add_to_server(sink, server)
        sink.port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield sink
        finally:
            server.stop(1).wait()
