"""A chDB with the tables and the view of the processor, for tests of the processor alone."""

from pathlib import Path

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from spanloop.exporter.render import Renderer, SchemaSettings
from spanloop.processor.prices import load_prices
from spanloop.processor.tagging import genai_view_select

STATEMENTS = (
    "migrations/0001_otel_traces.sql",
    "migrations/0100_genai_spans.sql",
    "migrations/0101_model_prices.sql",
    "views/genai_spans_mv.sql",
)


def open_genai_store(path: Path) -> Client:
    """Return a client of a new embedded store at ``path`` (one per process)."""
    client = clickhouse_connect.get_client(interface="chdb", path=str(path))
    renderer = Renderer(
        settings=SchemaSettings(fsync=False),
        extra={"genai_view_select": genai_view_select("default")},
    )
    for statement in STATEMENTS:
        client.command(renderer.render(statement))
    client.insert(
        "model_prices", [list(row) for row in load_prices()], column_names=["Key", "Usd", "Origin"]
    )
    return client
