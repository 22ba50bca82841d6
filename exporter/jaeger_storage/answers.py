"""Each method of ``jaeger.storage.v2``: its request checked, its rows as messages. Blocking, without gRPC."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spanloop.exporter.jaeger_storage.messages import PACKAGE, message_type
from spanloop.exporter.jaeger_storage.reader import TraceReader
from spanloop.exporter.jaeger_storage.search import nanoseconds, read_search
from spanloop.processor.errors import InvalidRequest

MOST_IDS = 1_500
_TRACE_ID_BYTES = 16
_SUMMARIES_A_MESSAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A gRPC method: what it is asked with, and what answers it, a message or a stream of them, as bytes."""

    request: str
    answer: Callable[[Any], bytes] | None = None
    stream: Callable[[Any], Iterator[bytes]] | None = None


class Answers:
    """The methods, by service and name."""

    def __init__(self, reader: TraceReader) -> None:
        """Take what reads the store."""
        self._reader = reader

    def services(self) -> Mapping[str, Mapping[str, Method]]:
        """Return the methods that are served."""
        return {
            f"{PACKAGE}.TraceReader": {
                "GetTraces": Method(request="GetTracesRequest", stream=self._get_traces),
                "GetServices": Method(request="GetServicesRequest", answer=self._get_services),
                "GetOperations": Method(
                    request="GetOperationsRequest", answer=self._get_operations
                ),
                "FindTraces": Method(request="FindTracesRequest", stream=self._find_traces),
                "FindTraceIDs": Method(request="FindTracesRequest", answer=self._find_trace_ids),
                "FindTraceSummaries": Method(
                    request="FindTracesRequest", stream=self._find_summaries
                ),
            },
            f"{PACKAGE}.DependencyReader": {
                "GetDependencies": Method(
                    request="GetDependenciesRequest", answer=self._get_dependencies
                ),
            },
            f"{PACKAGE}.Capabilities": {
                "GetCapabilities": Method(
                    request="GetCapabilitiesRequest", answer=self._get_capabilities
                ),
            },
        }

    def _get_traces(self, request: Any) -> Iterator[bytes]:
        # The times that may come with an id are hints; the store knows when its traces were.
        ids = [_hex(one.trace_id) for one in request.query]
        if len(ids) > MOST_IDS:
            raise InvalidRequest(f"at most {MOST_IDS} traces at once")
        return self._reader.traces(ids)

    def _find_traces(self, request: Any) -> Iterator[bytes]:
        return self._reader.traces(self._reader.find(read_search(request.query, pages=False)))

    def _find_trace_ids(self, request: Any) -> bytes:
        response = message_type("FindTraceIDsResponse")()
        ids = self._reader.find(read_search(request.query, pages=True))
        for one in self._reader.times(ids):
            found = response.trace_ids.add(trace_id=bytes.fromhex(one.trace_id))
            found.start.seconds, found.end.seconds = one.start_s, one.end_s
        return _bytes(response)

    def _find_summaries(self, request: Any) -> Iterator[bytes]:
        rows = self._reader.summaries(self._reader.find(read_search(request.query, pages=True)))
        for first in range(0, len(rows), _SUMMARIES_A_MESSAGE):
            response = message_type("FindTraceSummariesResponse")()
            for row in rows[first : first + _SUMMARIES_A_MESSAGE]:
                _add_summary(response, row)
            yield _bytes(response)

    def _get_services(self, _: Any) -> bytes:
        return _bytes(message_type("GetServicesResponse")(services=self._reader.services()))

    def _get_operations(self, request: Any) -> bytes:
        response = message_type("GetOperationsResponse")()
        for name, kind in self._reader.operations(request.service, request.span_kind.lower()):
            response.operations.add(name=name, span_kind=kind)
        return _bytes(response)

    def _get_dependencies(self, request: Any) -> bytes:
        start, end = nanoseconds(request, "start_time"), nanoseconds(request, "end_time")
        if start is None or end is None or end < start:
            raise InvalidRequest("dependencies need a start_time and a later end_time")
        response = message_type("GetDependenciesResponse")()
        for parent, child, calls in self._reader.dependencies(start, end):
            response.dependencies.add(
                parent=parent, child=child, call_count=calls, source="spanloop"
            )
        return _bytes(response)

    def _get_capabilities(self, _: Any) -> bytes:
        response = message_type("GetCapabilitiesResponse")()
        response.search.without_service_name = True
        response.search.same_span_conjunction = True
        return _bytes(response)


def _add_summary(response: Any, row: list[Any]) -> None:
    trace_id, service, operation, began, ended, spans, errors, orphans, services = row
    summary = response.summaries.add(
        trace_id=bytes.fromhex(trace_id),
        root_service_name=service,
        root_operation_name=operation,
        min_start_time_unix_nano=began,
        max_end_time_unix_nano=ended,
        span_count=spans,
        error_span_count=errors,
        orphan_span_count=orphans,
    )
    for name, span_count, error_span_count in services:
        summary.services.add(name=name, span_count=span_count, error_span_count=error_span_count)


def _hex(trace_id: bytes) -> str:
    if len(trace_id) != _TRACE_ID_BYTES:
        raise InvalidRequest(f"a trace id has {_TRACE_ID_BYTES} bytes, not {len(trace_id)}")
    return trace_id.hex()


def _bytes(message: Any) -> bytes:
    return bytes(message.SerializeToString())
