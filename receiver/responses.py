"""Response bodies of the OTLP services."""

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from spanloop.receiver.intake import Acknowledgement
from spanloop.receiver.otlp_messages import Signal


def partial_success(signal: Signal, ack: Acknowledgement, *, as_json: bool = False) -> bytes:
    """Return the response for ``ack``: empty on full success, else with ``partial_success``."""
    message = _response(signal, ack)
    return to_json(message) if as_json else message.SerializeToString()


def status(code: int, message: str, *, as_json: bool) -> bytes:
    """Return a google.rpc.Status body in the encoding of the request."""
    body = Status(code=code, message=message)
    return to_json(body) if as_json else body.SerializeToString()


def to_json(message: Message) -> bytes:
    """Return ``message`` as OTLP/JSON (64-bit integers as strings, as proto3 JSON has it)."""
    return MessageToJson(message, indent=None).encode()


def _response(signal: Signal, ack: Acknowledgement) -> Message:
    if signal == "traces":
        traces = ExportTraceServiceResponse()
        if ack.rejected:
            traces.partial_success.rejected_spans = ack.rejected
            traces.partial_success.error_message = ack.message
        return traces
    if signal == "logs":
        logs = ExportLogsServiceResponse()
        if ack.rejected:
            logs.partial_success.rejected_log_records = ack.rejected
            logs.partial_success.error_message = ack.message
        return logs
    metrics = ExportMetricsServiceResponse()
    if ack.rejected:
        metrics.partial_success.rejected_data_points = ack.rejected
        metrics.partial_success.error_message = ack.message
    return metrics
