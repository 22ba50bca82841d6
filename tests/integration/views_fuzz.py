"""Insert random OTLP through the shipped views into a real engine; print what they refused.

Run by ``test_views_fuzz.py`` in a process of its own (chDB allows one data path per process)::

    python views_fuzz.py DIRECTORY SEED ROUNDS
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanloop.exporter.insert import Batch, SegmentInserter
from spanloop.exporter.migrate import migrate
from spanloop.exporter.store import with_client
from spanloop.processor.errors import SpanloopError
from spanloop.processor.tagging import genai_filter
from spanloop.receiver.check import check
from spanloop.receiver.otlp_messages import Signal
from spanloop.receiver.record import Envelope, frame
from spanloop.service.config import load
from spanloop.service.stores import make_renderer, open_store

REQUESTS: dict[Signal, type[Message]] = {
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}
REQUESTS_A_BATCH = 8
NOW_NS = time.time_ns()
DAY_NS = 86_400 * 10**9
KEYS = [
    *("service.name", "gen_ai.operation.name", "gen_ai.usage.input_tokens", "gen_ai.request.model"),
    *("llm.token_count.prompt", "gen_ai.input.messages", "traceloop.span.kind", "k", ""),
    *("openinference.span.kind", "gen_ai.prompt.999999999.content", "gen_ai.prompt.0.content"),
    *("ai.usage.promptTokens", "gen_ai.response.finish_reasons", "gen_ai.usage.cost"),
    *("gen_ai.request.temperature", "gen_ai.request.seed", "gen_ai.provider.name"),
]
TEXTS = [
    *("", "x", "chat", "-1", "1e999", "NaN", "18446744073709551616", "[", "{}", "[1,2]", "null"),
    *('{"a":{"b":[1,{}]}}', '"\\ud800"', "gpt-4o", "LLM", "9" * 400, "\x00", "é\u2028", "0x10"),
]
F = FieldDescriptor
UINT64 = [0, 1, 2**63 - 1, 2**63, 2**64 - 1, NOW_NS, NOW_NS + DAY_NS, NOW_NS - 400 * DAY_NS]
UINT64 += [7258118400 * 10**9, 4294967295 * 10**9, 4294967296 * 10**9, 2**64 - 10**9]
INT64 = [0, 1, -1, 2**31 - 1, -(2**31), 2**62, 2**63 - 1, -(2**63), 256]
INT32 = [0, 1, 2, 5, 6, -1, 2**31 - 1, -(2**31), 24, 300]
VALUES: dict[int, list[Any]] = {
    F.TYPE_STRING: TEXTS,
    F.TYPE_FIXED64: UINT64,
    F.TYPE_UINT64: UINT64,
    F.TYPE_FIXED32: [0, 1, 2**32 - 1, 255, 256],
    F.TYPE_UINT32: [0, 1, 2**32 - 1, 255, 256],
    F.TYPE_INT64: INT64,
    F.TYPE_SFIXED64: INT64,
    F.TYPE_INT32: INT32,
    F.TYPE_SINT32: INT32,
    F.TYPE_ENUM: INT32,
    F.TYPE_DOUBLE: [0.0, -0.0, 1.5, float("nan"), float("inf"), -float("inf"), 1e308, 5e-324, 1e21],
    F.TYPE_BOOL: [False, True],
}


def value_of(field: Any, rnd: random.Random) -> Any:
    if field.name in ("trace_id", "span_id", "parent_span_id"):
        n = 16 if field.name == "trace_id" else 8
        return rnd.choice([rnd.randbytes(n)] * 9 + [bytes(n), b"x", b""])
    if field.name == "key":
        return rnd.choice(KEYS)
    if field.type == F.TYPE_BYTES:
        return rnd.randbytes(rnd.randint(0, 20))
    return rnd.choice(VALUES[field.type])


def fill(message: Any, rnd: random.Random, depth: int = 0) -> Any:
    """Set most fields of ``message`` to awkward values."""
    for field in chosen_fields(message, rnd):
        if rnd.random() > (0.85 if depth < 8 else 0.3):
            continue
        if field.type == F.TYPE_MESSAGE:
            if field.is_repeated:
                for _ in range(rnd.choice([0, 1, 1, 2, 3])):
                    fill(getattr(message, field.name).add(), rnd, depth + 1)
            elif depth <= 16:
                child = getattr(message, field.name)
                child.SetInParent()
                fill(child, rnd, depth + 1)
        elif field.is_repeated:
            values = [value_of(field, rnd) for _ in range(rnd.randint(0, 4))]
            getattr(message, field.name).extend(values)
        else:
            setattr(message, field.name, value_of(field, rnd))
    return message


def chosen_fields(message: Any, rnd: random.Random) -> list[Any]:
    """Return the fields outside of oneofs, and one of each oneof."""
    known = [f for f in message.DESCRIPTOR.fields if not f.name.endswith(("strindex", "key_ref"))]
    chosen = [f for f in known if f.containing_oneof is None]
    for oneof in message.DESCRIPTOR.oneofs:
        chosen.append(rnd.choice([f for f in known if f.containing_oneof is oneof]))
    return chosen


class Fuzzer:
    def __init__(self, directory: Path, seed: int) -> None:
        self.rnd = random.Random(seed)
        self.directory = directory
        settings = load(None, data_dir=directory / "data")
        self.store = open_store(settings)
        renderer = make_renderer(settings)
        with_client(self.store, lambda client: migrate(client, renderer))
        self.inserter = SegmentInserter(self.store, renderer, genai_filter=genai_filter())

    def refused(self, signal: Signal, bodies: list[bytes]) -> str | None:
        """Insert ``bodies`` as one batch and return why that failed, None when it is stored."""
        batch_id, rows, content = self.rnd.randbytes(16), Counter[str](), b""
        for body in bodies:
            checked = check(signal, body)
            rows.update(checked.rows)
            envelope = Envelope(project="p", received_ns=NOW_NS, batch_id=batch_id)
            content += b"".join(frame(checked.body, envelope))
        path = self.directory / f"{batch_id.hex()}.wal"
        path.write_bytes(content)
        if not rows:
            return None
        try:
            self.inserter.insert(
                Batch(signal=signal, path=path, batch_id=batch_id.hex(), rows=rows)
            )
        except SpanloopError as failure:
            return str(failure)[:600]
        return None

    def run(self, rounds: int) -> int:
        failures = 0
        for _ in range(rounds):
            for signal, request in REQUESTS.items():
                bodies = [
                    fill(request(), self.rnd).SerializeToString() for _ in range(REQUESTS_A_BATCH)
                ]
                reason = self.refused(signal, bodies)
                if reason is not None:
                    failures += 1
                    culprit = next((b for b in bodies if self.refused(signal, [b])), b"")
                    print(f"{signal}: {reason}\n{request.FromString(culprit)}")  # noqa: T201
        return failures


def main() -> None:
    fuzzer = Fuzzer(Path(sys.argv[1]), int(sys.argv[2]))
    failures = fuzzer.run(int(sys.argv[3]))
    sys.stdout.flush()
    os._exit(1 if failures else 0)  # the engine's own shutdown is not under test


if __name__ == "__main__":
    main()
