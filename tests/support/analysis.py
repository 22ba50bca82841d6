"""A chDB with the whole schema, spans and logs in it, and the context of an analysis.

One data path per process: a test module opens its store once (module fixture) and keeps data sets apart by
trace or conversation.
"""

import gzip
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from spanloop.exporter.migrate import migrate
from spanloop.exporter.render import Renderer, SchemaSettings, quote_string
from spanloop.optimizer.context import Context, Limits
from spanloop.processor.prices import load_prices
from spanloop.processor.tagging import genai_view_select
from tests.support.experiments import ticks
from tests.support.genai_rows import insert_requests

LATER_MS = 1_900_000_000_000
"""An analysis at this time (2030) finds every recorded trajectory idle, so closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisStore:
    """A new embedded store with all migrations and views."""

    client: Client
    renderer: Renderer
    clock: Callable[[], int] = field(default_factory=lambda: ticks(LATER_MS))

    def context(self, now_ms: int = LATER_MS, **limits: int) -> Context:
        """Return the context of one analysis at ``now_ms``."""
        return Context(
            client=self.client, renderer=self.renderer, now_ms=now_ms, limits=Limits(**limits)
        )

    def insert_json_lines(self, path: Path, *, project: str = "") -> int:
        """Insert spans of OTLP/JSON requests, one a line, gzip'd; return how many."""
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            return insert_requests(
                self.client,
                [json.loads(line) for line in lines],
                batch_id=path.name,
                project=project,
            )

    def insert_protobuf(self, path: Path) -> int:
        """Insert spans of a ``.otlp.gz`` file through the landing table; return how many."""
        batch_id = path.parent.name.encode()[:16].ljust(16, b".")
        received = _varint(1002 << 3 | 1) + time.time_ns().to_bytes(8, "little")
        own = received + _field(1004, batch_id)
        with tempfile.NamedTemporaryFile(suffix=".bin") as segment:
            for request in read_requests(path):
                segment.write(_varint(len(request) + len(own)) + request + own)
            segment.flush()
            schema = files("spanloop.proto").joinpath("otlp_traces.proto")
            self.client.command(
                f"INSERT INTO otlp_traces_in FROM INFILE {quote_string(segment.name)} "
                f"SETTINGS format_schema = {quote_string(f'{schema}:Request')}, max_threads = 1, "
                "max_partitions_per_insert_block = 0, input_format_parallel_parsing = 0, "
                "query_plan_merge_expressions = 0 FORMAT Protobuf"
            )
        counted = self.client.query(
            "SELECT count() FROM otel_traces WHERE BatchId = {id:String}",
            parameters={"id": batch_id.hex()},
        )
        return int(counted.result_rows[0][0])

    def insert_spans(self, spans: Sequence[Mapping[str, Any]], *, batch_id: str = "test") -> int:
        """Insert spans given as OTLP/JSON, their attributes as a plain mapping, under one resource."""
        request = {
            "resourceSpans": [
                {
                    "resource": {"attributes": attributes({"service.name": "test"})},
                    "scopeSpans": [{"scope": {"name": "test"}, "spans": [_span(s) for s in spans]}],
                }
            ]
        }
        return insert_requests(self.client, [request], batch_id=batch_id)

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return the rows of ``sql`` as dictionaries."""
        result = self.client.query(sql, parameters=parameters)
        return [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]


def open_analysis_store(path: Path) -> AnalysisStore:
    """Return a new embedded store at ``path``, migrated, with prices (one per process)."""
    client = clickhouse_connect.get_client(interface="chdb", path=str(path))
    renderer = Renderer(
        settings=SchemaSettings(fsync=False),
        extra={"genai_view_select": genai_view_select("default")},
    )
    migrate(client, renderer)
    client.insert(
        "model_prices", [list(row) for row in load_prices()], column_names=["Key", "Usd", "Origin"]
    )
    return AnalysisStore(client=client, renderer=renderer)


def read_requests(path: Path) -> Iterator[bytes]:
    """Yield the encoded requests of a ``.otlp.gz`` file, each preceded by its length as a varint."""
    data = gzip.decompress(path.read_bytes())
    at = 0
    while at < len(data):
        length = shift = 0
        while True:
            byte = data[at]
            at += 1
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        yield data[at : at + length]
        at += length


def attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return ``values`` as OTLP/JSON attributes; structures become JSON text."""
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
        case _:
            return {"stringValue": json.dumps(value)}


def _span(span: Mapping[str, Any]) -> dict[str, Any]:
    carried: Mapping[str, Any] = span.get("attributes", {})
    return {**span, "attributes": attributes(carried)}


def _field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    return bytes([*encoded, number])
