"""A client of ``jaeger.storage.v2`` for tests, and what a store may be expected to keep of a span."""

import base64
import json
from collections.abc import Iterator, Sequence
from typing import Any

import grpc
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, TracesData

from spanloop.exporter.jaeger_storage.messages import PACKAGE, message_type


class StorageClient:
    """Calls the methods by name; ``token`` is sent with each."""

    def __init__(
        self,
        address: str,
        *,
        token: str | None = None,
        credentials: grpc.ChannelCredentials | None = None,
    ) -> None:
        # As Jaeger's client, this one keeps gRPC's limit of 4 MiB a message.
        self._channel = (
            grpc.secure_channel(address, credentials)
            if credentials
            else grpc.insecure_channel(address)
        )
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()

    def close(self) -> None:
        self._channel.close()

    def get_traces(self, *trace_ids: bytes) -> list[TracesData]:
        request = message_type("GetTracesRequest")(query=[{"trace_id": one} for one in trace_ids])
        return list(self._stream("GetTraces", request, TracesData))

    def find_traces(self, **query: Any) -> list[TracesData]:
        return list(self._stream("FindTraces", searching(**query), TracesData))

    def find_ids(self, **query: Any) -> list[bytes]:
        answer = self.call("FindTraceIDs", searching(**query), "FindTraceIDsResponse")
        return [one.trace_id for one in answer.trace_ids]

    def summaries(self, **query: Any) -> list[Any]:
        kind: Any = message_type("FindTraceSummariesResponse")
        answers = self._stream("FindTraceSummaries", searching(**query), kind)
        return [summary for answer in answers for summary in answer.summaries]

    def call(self, method: str, request: Any, response: str, service: str = "TraceReader") -> Any:
        kind: Any = message_type(response)
        call = self._channel.unary_unary(
            f"/{PACKAGE}.{service}/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=kind.FromString,
        )
        return call(request, metadata=self._metadata, timeout=60)

    def _stream(self, method: str, request: Any, kind: Any) -> Iterator[Any]:
        call = self._channel.unary_stream(
            f"/{PACKAGE}.TraceReader/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=kind.FromString,
        )
        yield from call(request, metadata=self._metadata, timeout=60)


def searching(**query: Any) -> Any:
    """Return a request; ``attributes`` is a mapping of texts."""
    attributes = [
        {"key": key, "value": {"string_value": value}}
        for key, value in query.pop("attributes", {}).items()
    ]
    return message_type("FindTracesRequest")(query={**query, "attributes": attributes})


def spans_of(chunks: Sequence[TracesData]) -> list[ResourceSpans]:
    """Return one ``ResourceSpans`` a span, in an order that does not depend on how they came."""
    found: list[ResourceSpans] = []
    for chunk in chunks:
        for resource in chunk.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    alone = ResourceSpans(
                        resource=resource.resource, schema_url=resource.schema_url
                    )
                    alone.scope_spans.append(
                        ScopeSpans(scope=scope.scope, spans=[span], schema_url=scope.schema_url)
                    )
                    _clear_empty_inplace(alone.scope_spans[0])
                    found.append(alone)
    return sorted(found, key=lambda one: one.scope_spans[0].spans[0].span_id)


def _clear_empty_inplace(scope_spans: ScopeSpans) -> None:
    """Make a message without content one that is not there, which means the same."""
    span = scope_spans.spans[0]
    if not scope_spans.scope.ListFields():
        scope_spans.ClearField("scope")
    if not span.status.ListFields():
        span.ClearField("status")


def as_kept(chunk: TracesData) -> list[ResourceSpans]:
    """Return the spans of ``chunk`` as the tables keep them (docs/jaeger.md).

    Attributes are sorted, their values text; the counts of dropped attributes of resources, scopes, events
    and links, and the flags of links, are not kept.
    """
    kept = spans_of([chunk])
    for resource_spans in kept:
        holders: list[Any] = [resource_spans.resource]
        for scope_spans in resource_spans.scope_spans:
            if scope_spans.HasField("scope"):
                holders.append(scope_spans.scope)
            for span in scope_spans.spans:
                _keep_attributes_inplace(span)
                holders += [*span.events, *span.links]
                for link in span.links:
                    link.ClearField("flags")
        for holder in holders:
            _keep_attributes_inplace(holder)
            holder.ClearField("dropped_attributes_count")
    return kept


def _keep_attributes_inplace(holder: Any) -> None:
    texts = {one.key: text(one.value) for one in holder.attributes}
    del holder.attributes[:]
    holder.attributes.extend(
        KeyValue(key=key, value=AnyValue(string_value=texts[key])) for key in sorted(texts)
    )


def text(value: AnyValue) -> str:
    """Return a value of the kinds that tests send as the tables write it."""
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return str(value.bool_value).lower()
        case "int_value":
            return str(value.int_value)
        case "double_value":
            return repr(value.double_value).removesuffix(".0")
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case "array_value":
            members = [_json(member) for member in value.array_value.values]
            return json.dumps(members, ensure_ascii=False, separators=(",", ":"))
        case "kvlist_value":
            pairs = {one.key: _json(one.value) for one in value.kvlist_value.values}
            return json.dumps(pairs, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        case _:
            return ""


def _json(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind else None
