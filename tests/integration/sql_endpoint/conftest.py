"""A guarded endpoint and a raw engine with the same tables, each in a process of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

HERE = Path(__file__).parent
GO_SOURCE = Path(__file__).parents[2] / "clickhouse_go"
SECRET = "TOP-SECRET-CONTENT"
TOKEN = "correct-horse-battery"
SETUP = [
    """CREATE TABLE otel_traces (
        Timestamp DateTime64(9), TraceId String, SpanId String, ParentSpanId String,
        SpanName LowCardinality(String), ServiceName LowCardinality(String),
        SpanAttributes Map(LowCardinality(String), String), Duration UInt64,
        StatusCode LowCardinality(String),
        Events Nested(Timestamp DateTime64(9), Name LowCardinality(String),
                      Attributes Map(LowCardinality(String), String)),
        Tokens Nullable(UInt32)
    ) ENGINE = MergeTree ORDER BY (ServiceName, SpanName, Timestamp, cityHash64(SpanId))
    SAMPLE BY cityHash64(SpanId)""",
    """INSERT INTO otel_traces SELECT
        toDateTime64('2026-11-01 00:00:00', 9, 'UTC') + toIntervalSecond(number),
        lower(hex(intDiv(number, 10))), lower(hex(number)), '',
        ['chat', 'execute_tool', 'invoke_agent'][number % 3 + 1], ['agent-a', 'agent-b'][number % 2 + 1],
        map('gen_ai.request.model', ['m1', 'm2'][number % 2 + 1], 'i', toString(number)),
        number * 1000, if(number % 7 = 0, 'Error', 'Unset'),
        [toDateTime64('2026-11-01 00:00:01', 9, 'UTC')], ['first'], [map('k', 'v')],
        if(number % 5 = 0, NULL, number)
    FROM numbers(1000)""",
    "CREATE TABLE replaced (k UInt64, v String, ver UInt64) ENGINE = ReplacingMergeTree(ver) ORDER BY k",
    "INSERT INTO replaced VALUES (1, 'old', 1), (2, 'only', 1)",
    "INSERT INTO replaced VALUES (1, 'new', 2)",
    "CREATE TABLE documents (body String) ENGINE = MergeTree ORDER BY tuple()",
    """INSERT INTO documents VALUES ('{"role":"user","parts":[{"type":"text","n":3}]}')""",
    "CREATE VIEW errors AS SELECT * FROM otel_traces WHERE StatusCode = 'Error'",
    "CREATE DATABASE private",
    f"CREATE TABLE private.t (a String) ENGINE = MergeTree ORDER BY a AS SELECT '{SECRET}' AS a",
    "CREATE DATABASE w",
    "CREATE TABLE w.t (a UInt64, b String) ENGINE = MergeTree ORDER BY a",
    "CREATE DATABASE empty",
]


def load_cases(file: str) -> dict[str, str]:
    """Read ``--- name`` / statement pairs; what comes before the first says what they are."""
    _, *cases = re.split(r"^--- (.*)$", (HERE / file).read_text(), flags=re.MULTILINE)
    return {name: sql.strip() for name, sql in zip(cases[::2], cases[1::2], strict=True)}


class Outcome(NamedTuple):
    """What a statement did: whether it ran, and its result or its error."""

    ok: bool
    text: str


@dataclass
class Endpoint:
    """The guarded endpoint, spoken to as curl would."""

    port: int
    directory: Path
    process: subprocess.Popen[str]
    token: str | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def post(
        self,
        sql: str | bytes,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        sent = {"X-ClickHouse-Key": self.token} if self.token else {}
        return httpx.post(
            self.url, content=sql, params=params, headers=sent | dict(headers or {}), timeout=60
        )

    def run(self, sql: str, **params: str) -> str:
        """Run a statement that must be allowed."""
        answer = self.post(sql, params)
        assert answer.status_code == 200, answer.text
        return answer.text


class RawEngine:
    """chDB without a guard, on the same tables."""

    def __init__(self, process: subprocess.Popen[str], directory: Path) -> None:
        self.process = process
        self.directory = directory

    def run(self, sql: str, **request: Any) -> Outcome:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"sql": sql} | request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return Outcome(answer["ok"], answer["text"])


def start(script: str, directory: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a helper in a directory with files that no statement may read."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "secret").write_text(SECRET + "\n")
    (directory / "secret.csv").write_text(f"a,b\n1,{SECRET}\n")
    return subprocess.Popen(
        [sys.executable, HERE / script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=directory,
    )


def stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait(timeout=30)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def start_endpoint(directory: Path, **options: Any) -> Endpoint:
    options = {"path": str(directory / "db"), "setup": SETUP} | options
    process = start("server.py", directory, json.dumps(options))
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the endpoint did not start"
    tokens = options.get("tokens", [])
    return Endpoint(int(line), directory, process, tokens[0] if tokens else None)


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """Reads ``default``, ``w`` and ``empty``; the latter two, and ``otel``, may be written."""
    served = start_endpoint(
        tmp_path_factory.mktemp("endpoint"), write_databases=["w", "empty", "otel"]
    )
    yield served
    stop(served.process)


@pytest.fixture(scope="session")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """Needs a token, reads ``default`` only, and has small caps."""
    served = start_endpoint(
        tmp_path_factory.mktemp("read_only"),
        tokens=[TOKEN, "another"],
        limits={
            "max_execution_s": 1.0,
            "max_memory_bytes": 200_000_000,
            "max_buffered_bytes": 1_000_000,
            "max_result_bytes": 50_000_000,
            "max_insert_bytes": 1_000_000,
            "max_query_bytes": 100_000,
        },
    )
    yield served
    stop(served.process)


@pytest.fixture(scope="session")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawEngine]:
    """Tables as the endpoint has them; tests only read."""
    engine = start_raw(tmp_path_factory.mktemp("raw"))
    yield engine
    stop(engine.process)


@pytest.fixture(scope="session")
def unguarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawEngine]:
    """The same, to do to it what the endpoint refuses."""
    engine = start_raw(tmp_path_factory.mktemp("unguarded"))
    yield engine
    stop(engine.process)


def start_raw(directory: Path) -> RawEngine:
    path = str(directory / "db")
    return RawEngine(start("raw_engine.py", directory, path, json.dumps(SETUP)), directory)


@pytest.fixture(scope="session")
def clickhouse_go(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built program; without Go a desk skips and CI fails."""
    go = shutil.which("go")
    if go is None:
        if os.environ.get("CI"):
            pytest.fail("Go is missing")
        pytest.skip("NO GO: install Go to test clickhouse-go, the client inside Grafana")
    program = tmp_path_factory.mktemp("go") / "clickhouse_go"
    subprocess.run([go, "build", "-o", program, "."], cwd=GO_SOURCE, check=True, timeout=600)
    return program


def run_go(program: Path, endpoint: Endpoint, *arguments: str) -> list[dict[str, Any]]:
    """Run the built program on the endpoint; one answer a query."""
    address = f"127.0.0.1:{endpoint.port}"
    done = subprocess.run(
        [program, "-addr", address, "-token", endpoint.token or "", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
