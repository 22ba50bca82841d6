"""Small requests and segments, shared by the tests of the receiver."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

MakeRequest = Callable[..., bytes]


@pytest.fixture
def make_request() -> MakeRequest:
    """Return a factory of trace requests: ``make(n_spans, name=…)``, ids from a fixed seed."""
    rnd = random.Random(20261123)

    def make(n_spans: int = 1, name: str = "op") -> bytes:
        request = ExportTraceServiceRequest()
        scope = request.resource_spans.add().scope_spans.add()
        for _ in range(n_spans):
            scope.spans.add(trace_id=rnd.randbytes(16), span_id=rnd.randbytes(8), name=name)
        return request.SerializeToString()

    return make
