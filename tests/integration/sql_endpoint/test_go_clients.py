"""clickhouse-go, the client inside Grafana's plugin, and the Collector's own ClickHouse exporter."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from tests.collector.build import Tools
from tests.integration.sql_endpoint.conftest import TOKEN, Endpoint, run_go
from tests.support.collector import RunningCollector, collector_config, free_ports, otelcol

__all__ = ["otelcol"]
COMPRESSION = ["none", "lz4", "zstd"]


@pytest.mark.parametrize("compress", COMPRESSION)
def test_reads_types_of_otel_traces(compress: str, clickhouse_go: Path, endpoint: Endpoint) -> None:
    sql = "SELECT * FROM otel_traces WHERE Duration >= {least:UInt64} ORDER BY Duration LIMIT 2"
    (found,) = run_go(
        clickhouse_go, endpoint, "-compress", compress, "-param", "least=3000", "-query", sql
    )
    row = dict(zip(found["columns"], found["rows"][0], strict=True))
    assert row["Timestamp"] == "2026-11-01T00:00:03Z"
    assert row["SpanName"] == "chat"
    assert row["SpanAttributes"] == {"gen_ai.request.model": "m2", "i": "3"}
    assert row["Events.Timestamp"] == ["2026-11-01T00:00:01Z"]
    assert row["Events.Attributes"] == [{"k": "v"}]
    assert [row["Tokens"], row["Duration"]] == [3, 3000]
    types = dict(zip(found["columns"], found["types"], strict=True))
    assert types["Timestamp"] == "DateTime64(9)"
    assert types["SpanAttributes"] == "Map(LowCardinality(String), String)"
    assert types["Tokens"] == "Nullable(UInt32)"


@pytest.mark.parametrize("compress", COMPRESSION)
def test_inserts_a_batch(compress: str, clickhouse_go: Path, endpoint: Endpoint) -> None:
    table = f"w.go_{compress}"
    endpoint.run(
        f"CREATE TABLE {table} (Timestamp DateTime64(9), SpanName LowCardinality(String), "
        "Attributes Map(LowCardinality(String), String), Score Nullable(Float64), "
        "Events Nested(Name LowCardinality(String), Timestamp DateTime64(9))) "
        "ENGINE = MergeTree ORDER BY Timestamp"
    )
    arguments = ["-compress", compress, "-insert", table, "-rows", "1000"]
    sql = f"SELECT * FROM {table} ORDER BY Timestamp LIMIT 1 OFFSET 1"  # noqa: S608
    (found,) = run_go(clickhouse_go, endpoint, *arguments, "-query", sql)
    row = dict(zip(found["columns"], found["rows"][0], strict=True))
    assert row["Timestamp"] == "2023-11-14T22:13:21.123456789Z"
    assert row["Attributes"] == {"i": "1", "quote": "it's"}
    assert row["Events.Name"] == ["first", "second"]
    assert row["Score"] is None
    assert endpoint.run(f"SELECT count(), sum(Score) FROM {table}") == "1000\t124750\n"  # noqa: S608


@pytest.mark.parametrize("compress", COMPRESSION)
def test_many_blocks_errors_and_nothing(
    compress: str, clickhouse_go: Path, endpoint: Endpoint, tmp_path: Path
) -> None:
    queries = tmp_path / "queries.json"
    queries.write_text(
        json.dumps(
            {
                "blocks": "SELECT number, toString(number) FROM numbers(200000)",
                "broken": "SELECT throwIf(number = 1500000) FROM numbers(2000000)",
                "nothing": "SELECT 1 AS x WHERE 0",
                "refused": "SELECT file('secret')",
            }
        )
    )
    found = {
        each["name"]: each
        for each in run_go(clickhouse_go, endpoint, "-compress", compress, "-queries", str(queries))
    }
    assert found["blocks"]["rows"][199_999] == [199_999, "199999"]
    assert "error" in found["broken"]
    assert found["nothing"] == {"name": "nothing", "columns": ["x"], "types": ["UInt8"]}
    assert "Function file is not allowed" in found["refused"]["error"]


def test_needs_the_token(clickhouse_go: Path, read_only: Endpoint) -> None:
    (found,) = run_go(clickhouse_go, read_only, "-query", "SELECT count() FROM otel_traces")
    assert found["rows"] == [[1000]]
    refused = Endpoint(read_only.port, read_only.directory, read_only.process, TOKEN + "x")
    with pytest.raises(AssertionError, match="AUTHENTICATION_FAILED"):
        run_go(clickhouse_go, refused, "-query", "SELECT 1")


@pytest.mark.collector
@pytest.mark.parametrize("compress", ["none", "lz4"])
def test_the_collector_writes_through_it(
    compress: str, otelcol: Tools, endpoint: Endpoint, tmp_path: Path
) -> None:
    ports = free_ports(2)
    exporter = {
        "endpoint": f"http://127.0.0.1:{endpoint.port}?compress={compress}",
        "database": "otel",
        "compress": compress,
        "traces_table_name": f"traces_{compress}",
        "logs_table_name": f"logs_{compress}",
        "ttl": "72h",
    }
    config = tmp_path / "collector.yaml"
    listens = (ports[0], ports[1])
    config.write_text(yaml.safe_dump(collector_config(listens, {"clickhouse": exporter})))
    with RunningCollector.started(config, listens) as running:
        for signal in ("traces", "logs", "metrics"):
            count = [f"--{signal}", "20", "--rate", "0", "--otlp-insecure"]
            target = ["--otlp-endpoint", running.grpc_address]
            subprocess.run([otelcol.telemetrygen, signal, *count, *target], check=True, timeout=60)
        tables = {f"traces_{compress}": "40", f"logs_{compress}": "20", "otel_metrics_gauge": ""}
        for table, rows in tables.items():
            _wait_for(endpoint, f"SELECT count() FROM otel.{table}", rows, running)  # noqa: S608
        ids = f"SELECT count() FROM otel.traces_{compress}_trace_id_ts"  # noqa: S608
        _wait_for(endpoint, ids, "20", running)
    attributes = f"SELECT ResourceAttributes FROM otel.traces_{compress} LIMIT 1"  # noqa: S608
    assert endpoint.run(attributes) == "{'service.name':'telemetrygen'}\n"


def _wait_for(endpoint: Endpoint, sql: str, expected: str, running: RunningCollector) -> None:
    text = ""
    for _ in range(100):
        text = endpoint.post(sql).text.strip()
        if text == expected or (not expected and text.isdecimal() and text != "0"):
            return
        time.sleep(0.1)
    raise AssertionError(f"{sql}: {text!r}; {running.log()[-3000:]}")
