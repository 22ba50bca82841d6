"""Ask a Jaeger over HTTP, as its page does, or the storage over gRPC, and take the time to the last byte."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeAlias

import grpc
import httpx

from benchmarks.view.questions import MOST, Question
from spanloop.exporter.jaeger_storage.messages import PACKAGE, message_type

TIMEOUT_S = 120.0
Ask: TypeAlias = Callable[[Question], tuple[float, int, bool]]
"""Returns seconds, bytes, and whether the answer is what it must be."""


@contextmanager
def through_jaeger(url: str) -> Iterator[Ask]:
    """Ask the API of Jaeger's page."""
    with httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False) as client:

        def ask(question: Question) -> tuple[float, int, bool]:
            path, parameters = _request(question)
            begun = time.perf_counter()
            answer = client.get(path, params=parameters)
            seconds = time.perf_counter() - begun
            absent = question.kind == "absent trace"
            if answer.status_code != (httpx.codes.NOT_FOUND if absent else httpx.codes.OK):
                return seconds, len(answer.content), False
            found = {trace["traceID"] for trace in answer.json()["data"] or []}
            return seconds, len(answer.content), _is_right(question, found)

        yield ask


@contextmanager
def through_storage(address: str) -> Iterator[Ask]:
    """Ask spanloop itself; messages stay bytes, so that the client costs nothing."""
    with grpc.insecure_channel(address) as channel:

        def ask(question: Question) -> tuple[float, int, bool]:
            method, request = _message(question)
            call = channel.unary_stream(
                f"/{PACKAGE}.TraceReader/{method}",
                request_serializer=type(request).SerializeToString,
                response_deserializer=bytes,
            )
            begun = time.perf_counter()
            chunks: list[bytes] = list(call(request, timeout=TIMEOUT_S))
            seconds = time.perf_counter() - begun
            wanted = bytes.fromhex(question.expects or question.trace_id)
            right = not chunks if question.empty else any(wanted in chunk for chunk in chunks)
            return seconds, sum(map(len, chunks)), right or _may_be_empty(question)

        yield ask


def _is_right(question: Question, found: set[str]) -> bool:
    if question.empty:
        return not found
    if question.trace_id:
        return found == {question.trace_id}
    return question.expects in found if question.expects else len(found) <= MOST


def _may_be_empty(question: Question) -> bool:
    return not (question.empty or question.trace_id or question.expects)


def _request(question: Question) -> tuple[str, dict[str, Any]]:
    if question.trace_id:
        return f"/api/traces/{question.trace_id}", {}
    parameters: dict[str, Any] = {
        "service": question.service,
        "limit": MOST,
        "start": _microseconds(question.start),
        "end": _microseconds(question.end),
    }
    if question.operation:
        parameters["operation"] = question.operation
    if question.attributes:
        parameters["tags"] = json.dumps(question.attributes)
    if question.shortest:
        parameters["minDuration"] = f"{question.shortest.total_seconds()}s"
    return "/api/traces", parameters


def _message(question: Question) -> tuple[str, Any]:
    if question.trace_id:
        asked = {"query": [{"trace_id": bytes.fromhex(question.trace_id)}]}
        return "GetTraces", message_type("GetTracesRequest")(**asked)
    request = message_type("FindTracesRequest")()
    query = request.query
    query.service_name, query.operation_name = question.service, question.operation
    query.search_depth = MOST
    query.start_time_min.FromDatetime(question.start)
    query.start_time_max.FromDatetime(question.end)
    query.duration_min.FromTimedelta(question.shortest)
    for key, value in question.attributes.items():
        query.attributes.add(key=key).value.string_value = value
    return "FindTraces", request


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)
