"""The store as a remote storage of Jaeger: ``jaeger.storage.v2`` over gRPC, read from ``otel_traces``.

The database writes OTLP (``sql/select_spans.sql``); Python cuts the stream into messages and builds no span.
"""

from spanloop.exporter.jaeger_storage.answers import Answers
from spanloop.exporter.jaeger_storage.engines import (
    EmbeddedEngine,
    Engine,
    ReadLimits,
    ServerEngine,
)
from spanloop.exporter.jaeger_storage.reader import TraceReader
from spanloop.exporter.jaeger_storage.server import JaegerServer, JaegerSettings
from spanloop.exporter.jaeger_storage.statements import Statements

__all__ = [
    "Answers",
    "EmbeddedEngine",
    "Engine",
    "JaegerServer",
    "JaegerSettings",
    "ReadLimits",
    "ServerEngine",
    "Statements",
    "TraceReader",
]
