"""Both engines give the same bytes and the same errors.

What a server would be asked is asked of chDB, through the client that a server has: the statement with the
schema as text, and errors with the engine's codes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from spanloop.exporter.jaeger_storage import (
    EmbeddedEngine,
    Engine,
    ReadLimits,
    ServerEngine,
    Statements,
    TraceReader,
)
from spanloop.exporter.jaeger_storage.engines import TookTooLong
from spanloop.exporter.jaeger_storage.search import Search
from spanloop.exporter.jaeger_storage.statements import Statement
from spanloop.exporter.migrate import migrate
from spanloop.exporter.render import Renderer, SchemaSettings
from spanloop.exporter.sql_endpoint import ChdbEngine
from spanloop.exporter.store import EmbeddedStore, EngineLimits, with_client
from spanloop.processor.errors import Overloaded, StoreUnavailable
from spanloop.processor.tagging import genai_view_select
from tests.support.jaeger_storage import spans_of

TRACES = [f"{number:032x}" for number in range(1, 4)]
RENDERER = Renderer(
    settings=SchemaSettings(), extra={"genai_view_select": genai_view_select("default")}
)
SPANS = """
INSERT INTO otel_traces (Timestamp, TraceId, SpanId, SpanName, ServiceName, SpanAttributes, Duration)
SELECT toDateTime64('2026-10-01 00:00:00', 9) + number, leftPad(lower(hex(number % 3 + 1)), 32, '0'),
    lower(hex(number + 1)), 'op', 'shop', map('n', toString(number)), 5
FROM numbers(30)
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    store = EmbeddedStore(tmp_path_factory.mktemp("engines"), EngineLimits())
    with_client(store, lambda client: migrate(client, RENDERER))
    with_client(store, lambda client: client.command(SPANS))
    yield store
    store.close()


@pytest.fixture(params=["embedded", "server"])
def engine(
    request: pytest.FixtureRequest,
    store: EmbeddedStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Engine]:
    monkeypatch.chdir(tmp_path)  # chDB writes a schema that is given as text into a file there
    limits = ReadLimits(max_memory_bytes=50_000_000, max_execution_s=3)
    engine: Engine = (
        EmbeddedEngine(ChdbEngine(store.open_handle), "default", limits)
        if request.param == "embedded"
        else ServerEngine(store, limits)
    )
    yield engine
    engine.close()


def test_traces_and_searches_are_read(engine: Engine) -> None:
    reader = TraceReader(engine, Statements(RENDERER), clock_ns=lambda: 2 * 10**18)
    chunks = list(reader.traces(TRACES))
    assert len(chunks) == len(TRACES)
    assert [chunk.count(bytes.fromhex(one)) for chunk, one in zip(chunks, TRACES, strict=True)] == [
        10
    ] * 3
    assert reader.find(Search(service="shop", attributes=[("n", "7")])) == [TRACES[1]]
    assert reader.find(Search(service="shop")) == [TRACES[2], TRACES[1], TRACES[0]]
    assert [time.trace_id for time in reader.times(TRACES)] == TRACES


def test_an_id_of_another_length_is_made_one_that_jaeger_reads(engine: Engine) -> None:
    """A client of Jaeger's refuses a message for it, and with it the whole trace."""
    reader = TraceReader(engine, Statements(RENDERER), clock_ns=lambda: 0)
    (chunk,) = reader.traces(TRACES[:1])
    spans = spans_of([TracesData.FromString(chunk)])
    ids = [one.scope_spans[0].spans[0].span_id for one in spans]
    assert ids == [number.to_bytes(8, "big") for number in range(1, 31, 3)]


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1", TookTooLong),
        ("SELECT groupArray(repeat('x', 1000)) FROM numbers(1000000)", Overloaded),
        ("SELECT throwIf(number = 1) FROM numbers(2)", StoreUnavailable),
    ],
)
def test_failures_say_what_to_do(engine: Engine, sql: str, error: type[Exception]) -> None:
    with pytest.raises(error), engine.read(Statement(sql=sql, parameters={})) as rows:
        list(rows)


def test_a_reader_may_leave_before_the_end_and_come_again(engine: Engine) -> None:
    long = Statement(sql="SELECT number FROM numbers(1000000)", parameters={})
    for _ in range(3):
        with engine.read(Statement(sql="SELECT 1", parameters={})) as rows:
            assert b"".join(rows) == b"[1]\n"
        with engine.read(long) as rows:
            next(rows)
