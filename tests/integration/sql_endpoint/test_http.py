"""The port as clients see it: curl with any format, clickhouse-connect, compression, tokens."""

from __future__ import annotations

import base64
import gzip
import importlib
import io
import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import clickhouse_connect
import httpx
import lz4.frame
import pytest
import zstandard
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError

from spanloop.exporter.sql_endpoint.blocks import BlockReader, compress_blocks
from spanloop.exporter.sql_endpoint.formats import OUTPUT
from tests.integration.sql_endpoint.conftest import TOKEN, Endpoint, RawEngine

parquet = importlib.import_module("pyarrow.parquet")  # it has no types
ROWS = "SELECT number AS n, toString(number) AS s FROM numbers(3)"


def connect(endpoint: Endpoint, **options: Any) -> Client:
    return clickhouse_connect.get_client(
        host="127.0.0.1", port=endpoint.port, password=endpoint.token or "", **options
    )


@pytest.mark.parametrize("name", sorted(OUTPUT))
def test_serves_every_format(name: str, endpoint: Endpoint, raw: RawEngine) -> None:
    in_clause = endpoint.post(f"{ROWS} FORMAT {name}")
    assert in_clause.status_code == 200, in_clause.text
    assert in_clause.headers["x-clickhouse-format"] == name
    by_url = endpoint.post(ROWS, {"default_format": name})
    by_header = endpoint.post(ROWS, headers={"X-ClickHouse-Format": name})
    if name not in (
        "Avro",
        "ORC",
        "JSON",
        "JSONCompact",
        "JSONStrings",
        "XML",
        "JSONCompactStrings",
        "JSONColumnsWithMetadata",
    ):  # sync marks, elapsed times
        assert by_url.content == by_header.content == in_clause.content
        assert in_clause.content.decode(errors="replace") == raw.run(ROWS, format=name).text
    assert bool(in_clause.content) == (name != "Null")


def test_json_and_parquet_can_be_read(endpoint: Endpoint) -> None:
    found = json.loads(endpoint.run(f"{ROWS} FORMAT JSON"))
    assert found["data"] == [{"n": n, "s": str(n)} for n in range(3)]
    table = parquet.read_table(io.BytesIO(endpoint.post(f"{ROWS} FORMAT Parquet").content))
    assert table.column("n").to_pylist() == [0, 1, 2]


def test_query_in_url_and_body(endpoint: Endpoint) -> None:
    answer = httpx.get(endpoint.url, params={"query": "SELECT 1"})
    assert (answer.status_code, answer.text) == (200, "1\n")
    assert endpoint.post("FROM numbers(3)", {"query": "SELECT count()"}).text == "3\n"
    assert endpoint.post("", {"query": "SELECT 2"}).text == "2\n"
    assert httpx.get(endpoint.url).text == "Ok.\n"
    assert httpx.get(f"{endpoint.url}ping").text == "Ok.\n"
    assert httpx.get(f"{endpoint.url}play").status_code == 404


def test_headers(endpoint: Endpoint) -> None:
    answer = endpoint.post("SELECT 1", {"query_id": "my-query"})
    assert answer.headers["x-clickhouse-query-id"] == "my-query"
    assert answer.headers["x-clickhouse-timezone"]
    assert "written_rows" in json.loads(answer.headers["x-clickhouse-summary"])


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [
        ("SELECT nonsense", 404, "47"),
        ("SELEC 1", 400, "62"),
        ("SELECT * FROM no_such_table", 404, "60"),
        ("SELECT {missing:UInt8}", 403, "497"),
        ("SELECT 1 FORMAT NoSuchFormat", 404, "73"),
        ("SELECT throwIf(1)", 500, "395"),
    ],
)
def test_errors_look_like_clickhouse(sql: str, status: int, code: str, endpoint: Endpoint) -> None:
    answer = endpoint.post(sql)
    assert (answer.status_code, answer.headers["x-clickhouse-exception-code"]) == (status, code)
    assert answer.text.startswith(f"Code: {code}. DB::Exception: ")


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_http_compression(encoding: str, endpoint: Endpoint) -> None:
    sql = "SELECT number FROM numbers(100000)"
    plain = endpoint.run(sql)
    packed = endpoint.post(
        sql, {"enable_http_compression": "1"}, headers={"Accept-Encoding": encoding}
    )
    assert packed.headers["content-encoding"] == encoding
    assert packed.text == plain  # httpx unpacks both
    not_asked = endpoint.post(sql, headers={"Accept-Encoding": encoding})
    assert "content-encoding" not in not_asked.headers


@pytest.mark.parametrize("method", ["LZ4", "ZSTD"])
def test_block_compression(method: str, endpoint: Endpoint) -> None:
    sql = "SELECT number FROM numbers(200000)"
    packed = endpoint.post(sql, {"compress": "1", "network_compression_method": method}).content
    assert BlockReader(1 << 30).feed(packed).decode() == endpoint.run(sql)
    body = compress_blocks(b"SELECT 42")
    assert endpoint.post(body, {"decompress": "1"}).text == "42\n"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"SELECT 42", mtime=0)),
        ("zstd", zstandard.ZstdCompressor().compress(b"SELECT 42")),
        ("lz4", lz4.frame.compress(b"SELECT 42")),
    ],
)
def test_packed_bodies(encoding: str, body: bytes, endpoint: Endpoint) -> None:
    assert endpoint.post(body, headers={"Content-Encoding": encoding}).text == "42\n"
    cut = endpoint.post(body[:-1], headers={"Content-Encoding": encoding})
    assert cut.status_code == 400


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "lz4", "blocks"])
def test_bombs_are_refused(encoding: str, read_only: Endpoint) -> None:
    bomb = b"SELECT 1 --" + b" " * 300_000_000
    packed = {
        "gzip": lambda: gzip.compress(bomb, 1),
        "zstd": lambda: zstandard.ZstdCompressor().compress(bomb),
        "lz4": lambda: lz4.frame.compress(bomb),
        "blocks": lambda: compress_blocks(bomb),
    }[encoding]()
    headers = {} if encoding == "blocks" else {"Content-Encoding": encoding}
    params = {"decompress": "1"} if encoding == "blocks" else {}
    before = _peak_bytes(read_only)
    refused = read_only.post(packed, params, headers)
    assert refused.status_code in (400, 413)
    assert "larger" in refused.text or "too long" in refused.text
    assert _peak_bytes(read_only) < before + 250_000_000
    assert read_only.run("SELECT 1") == "1\n"


def test_tokens(read_only: Endpoint) -> None:
    def status(headers: dict[str, str | bytes], params: dict[str, str] | None = None) -> int:
        pairs = [
            (name.encode(), value if isinstance(value, bytes) else value.encode())
            for name, value in headers.items()
        ]
        answer = httpx.post(read_only.url, content="SELECT 1", headers=pairs, params=params)
        return answer.status_code

    def basic(password: str) -> dict[str, str | bytes]:
        return {"Authorization": "Basic " + base64.b64encode(b"u:" + password.encode()).decode()}

    for given in (TOKEN, "another"):
        assert status({"Authorization": f"Bearer {given}"}) == 200
        assert status({"X-ClickHouse-User": "default", "X-ClickHouse-Key": given}) == 200
        assert status(basic(given)) == 200
    assert status({}) == 401
    assert status({}, {"user": "default", "password": TOKEN}) == 401
    for wrong in (TOKEN + "x", TOKEN[:-1], "ü"):
        assert status({"X-ClickHouse-Key": wrong.encode()}) == 403
        assert status(basic(wrong)) == 403
    assert status({"Authorization": "Basic not-base-64"}) == 401
    assert httpx.get(f"{read_only.url}ping").status_code == 200


def test_web_pages_need_a_token(endpoint: Endpoint, read_only: Endpoint) -> None:
    for headers in (
        {"Origin": "http://evil.example"},
        {"Host": "evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        assert endpoint.post("SELECT 1", headers=headers).status_code == 403
        assert read_only.post("SELECT 1", headers=headers).status_code == 200
    assert endpoint.post("SELECT 1", headers={"Host": "localhost:1"}).status_code == 200


def test_clickhouse_connect_reads(endpoint: Endpoint) -> None:
    client = connect(endpoint)
    assert client.server_version
    found = client.query(
        "SELECT n, s, [n] AS a, map('k', n) AS m, toDateTime64('2026-11-01 00:00:00.5', 9, 'UTC') AS t "
        "FROM (SELECT toUInt64(number) AS n, toString(number) AS s FROM numbers({count:UInt64})) "
        "WHERE s != {not:String} ORDER BY n",
        parameters={"count": 4, "not": "it's 'quoted'\\"},
    )
    assert found.column_names == ("n", "s", "a", "m", "t")
    assert found.result_rows[3][:4] == (3, "3", [3], {"k": 3})
    assert client.query("SELECT 1 AS x WHERE 0").column_names == ("x",)
    assert client.command("SELECT count() FROM otel_traces") == 1000
    assert client.raw_query("SELECT 1", fmt="CSV") == b"1\n"
    assert client.query("SELECT {t:Identifier} FROM replaced LIMIT 1", {"t": "k"}).row_count == 1
    with pytest.raises(DatabaseError, match="not allowed"):
        client.query("SELECT file('secret')")


@pytest.mark.parametrize("compress", [False, True, "gzip", "zstd", "lz4"])
def test_clickhouse_connect_writes(compress: bool | str, endpoint: Endpoint) -> None:
    client = connect(endpoint, compress=compress)
    client.command("CREATE DATABASE IF NOT EXISTS w")
    table = f"w.cc_{str(compress).lower()}"
    client.command(
        f"CREATE TABLE {table} (a UInt64, b LowCardinality(String), m Map(String, String)) "
        "ENGINE = MergeTree ORDER BY a"
    )
    rows = [[n, f"it's {n}", {"k": "v"}] for n in range(1000)]
    summary = client.insert(table, rows, column_names=["a", "b", "m"])
    assert summary.written_rows == 1000
    assert client.query(f"SELECT * FROM {table} ORDER BY a").result_rows[999] == (  # noqa: S608
        999,
        "it's 999",
        {"k": "v"},
    )
    client.raw_insert(table, ["a", "b"], b"1000,x\n1001,y\n", fmt="CSV")
    assert client.command(f"SELECT max(a) FROM {table}") == 1001  # noqa: S608


def test_inserts_in_every_shape(endpoint: Endpoint) -> None:
    endpoint.run("CREATE TABLE w.shapes (a UInt64, b String) ENGINE = MergeTree ORDER BY a")
    endpoint.run("INSERT INTO w.shapes VALUES (1, 'VALUES (9)'), (2, 'FORMAT CSV')")
    endpoint.run("/* c */ INSERT INTO w.shapes (a, b) SETTINGS async_insert = 1 FORMAT CSV\n3,x\n")
    endpoint.post(b"4\tx\n5\ty\n", {"query": "INSERT INTO w.shapes FORMAT TSV"})
    endpoint.post(b"", {"query": "INSERT INTO w.shapes VALUES (6, 'z')"})
    endpoint.post(b"7)", {"query": "INSERT INTO w.shapes (b, a) VALUES ('in url', 8), ('y',"})
    endpoint.run('INSERT INTO w.shapes FORMAT JSONEachRow {"a": 9, "b": "VALUES"}')
    endpoint.run(
        "INSERT INTO w.shapes SELECT a + 100, 'values' AS format FROM w.shapes WHERE a = 1"
    )
    found = endpoint.run("SELECT groupArray(a) FROM (SELECT a FROM w.shapes ORDER BY a)")
    assert json.loads(found) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 101]
    bad = endpoint.post("INSERT INTO w.shapes FORMAT CSV\nnot a number,x\n")
    assert bad.status_code == 400


def test_streams_with_bounded_memory(endpoint: Endpoint) -> None:
    client = connect(endpoint)
    endpoint.run("SELECT count() FROM numbers(1000000)")
    before = _peak_bytes(endpoint)
    n_rows = n_total = 0
    sql = "SELECT number, repeat('x', 100) AS s FROM numbers(2000000)"
    with client.query_row_block_stream(sql) as blocks:
        for block in blocks:
            n_rows += len(block)
            n_total += block[0][0] >= 0
    assert n_rows == 2_000_000
    assert n_total > 10
    # The result is 220 MB; blocks in flight are not.
    assert _peak_bytes(endpoint) - before < 120_000_000


def test_error_after_rows_were_sent(endpoint: Endpoint) -> None:
    sql = "SELECT throwIf(number = 1500000) FROM numbers(2000000)"
    with pytest.raises(StreamFailureError, match="Code: 395"):
        assert connect(endpoint).query(sql).result_rows
    with pytest.raises(httpx.RemoteProtocolError):
        endpoint.post(sql)


def test_stops_what_nobody_waits_for(endpoint: Endpoint) -> None:
    running = "SELECT count() FROM system.numbers WHERE sipHash64(number) = 0"
    for _ in range(9):  # more than run at the same time: slots must come back
        with socket.create_connection(("127.0.0.1", endpoint.port)) as line:
            text = f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(running)}\r\n\r\n{running}"
            line.sendall(text.encode())
            time.sleep(0.1)
    started = time.monotonic()
    assert endpoint.run("SELECT 1") == "1\n"
    assert time.monotonic() - started < 10  # the statements themselves may run for 60 s


def test_slow_senders_take_no_turn(endpoint: Endpoint) -> None:
    lines = [socket.create_connection(("127.0.0.1", endpoint.port)) for _ in range(12)]
    for line in lines:
        line.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nSELECT")
    started = time.monotonic()
    assert endpoint.run("SELECT 1") == "1\n"
    assert time.monotonic() - started < 10
    for line in lines:
        line.close()


def test_statements_run_side_by_side(endpoint: Endpoint) -> None:
    found: list[str] = []

    def ask(number: int) -> None:
        sql = "SELECT {n:UInt8}, count() FROM numbers(3000000)"
        found.append(endpoint.run(sql, param_n=str(number)))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(f"{number}\t3000000\n" for number in range(20))


def _peak_bytes(endpoint: Endpoint) -> int:
    status = Path(f"/proc/{endpoint.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
