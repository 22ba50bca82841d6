"""What must not get through. Each statement really works on the engine without the guard."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.integration.sql_endpoint.conftest import SECRET, Endpoint, RawEngine, load_cases

# Read or run something outside the tables; every one runs on the raw engine.
ESCAPES = load_cases("escapes.sql")
# On the raw engine these fail for want of a network, a server or an object; they must be refused
# by the guard (ACCESS_DENIED), not by that.
REACHES_OUT = load_cases("escapes_outwards.sql")


@pytest.mark.parametrize("name", ESCAPES)
def test_refuses_what_the_engine_would_do(
    name: str, endpoint: Endpoint, unguarded: RawEngine
) -> None:
    refused = endpoint.post(ESCAPES[name])
    assert refused.status_code in (400, 403, 404, 500), refused.text
    assert "DB::Exception" in refused.text
    assert SECRET not in refused.text.replace(ESCAPES[name], "")
    assert not _stolen(endpoint.directory)
    done = unguarded.run(ESCAPES[name])
    assert done.ok, f"the engine would not have done it anyway: {done.text}"


@pytest.mark.parametrize("name", REACHES_OUT)
def test_refuses_before_the_engine_tries(name: str, endpoint: Endpoint) -> None:
    refused = endpoint.post(REACHES_OUT[name])
    assert (
        "not allowed" in refused.text or "not served" in refused.text or "not read" in refused.text
    )
    assert refused.status_code in (403, 404)


def test_readonly_alone_would_not_do(unguarded: RawEngine) -> None:
    passed = {name for name, sql in ESCAPES.items() if unguarded.run(sql, readonly=True).ok}
    assert unguarded.run("SELECT 1 INTO OUTFILE 'stolen_read_only'", readonly=True).ok
    assert (unguarded.directory / "stolen_read_only").exists()
    assert passed >= {
        "scalar file()",
        "KILL QUERY",
        "merge() over system",
        "another database",
        "file() by APPLY",
    }


@pytest.mark.parametrize("head", ["w.t", "`w`.`t`", "w.t (a, b)"])
def test_refuses_values_that_are_expressions(head: str, endpoint: Endpoint) -> None:
    before = endpoint.run("SELECT count() FROM w.t")
    refused = endpoint.post("INSERT INTO " + head + " VALUES (1, file('secret'))")  # noqa: S608  # three constants
    assert refused.status_code != 200
    assert "Interpreting expressions is disabled" in refused.text
    assert endpoint.run("SELECT count() FROM w.t") == before


@pytest.mark.parametrize(
    ("sql", "params"),
    [
        ("SELECT * FROM {t:Identifier}", {"param_t": "secret"}),
        ("SELECT * FROM {t:Identifier}", {"param_t": "secret.csv"}),
        ("SELECT * FROM {d:Identifier}.t", {"param_d": "private"}),
        ("SELECT * FROM {t:Identifier}", {"param_t": "t`; SELECT file('secret') --"}),
        ("DESCRIBE {t:Identifier}", {"param_t": "secret.csv"}),
        ("SHOW TABLES FROM {d:Identifier}", {"param_d": "private"}),
        ("SELECT {f:Identifier}('secret')", {"param_f": "file"}),
        ("SELECT a FROM values({s:String}, (1))", {"param_s": "x UInt8, a ALIAS file('secret')"}),
        ("SELECT 1", {"database": "private"}),
        ("SELECT * FROM t", {"database": "private"}),
        ("SELECT 1", {"dialect": "prql"}),
        ("SELECT 1", {"additional_table_filters": "{'t': 'file(1)'}"}),
        ("SELECT 1", {"default_format": "Protobuf"}),
        ("SELECT 1", {"format_schema": "/etc/passwd:x"}),
        ("SELECT 1", {"max_threads": "x"}),
        ("SELECT 1\0", {}),
    ],
)
def test_refuses_escapes_by_url(sql: str, params: dict[str, str], endpoint: Endpoint) -> None:
    refused = endpoint.post(sql, params)
    assert refused.status_code in (400, 403, 404), refused.text
    assert SECRET not in refused.text


def test_get_never_writes(endpoint: Endpoint) -> None:
    sql = "INSERT INTO w.t SELECT 1, 'by get'"
    refused = httpx.get(endpoint.url, params={"query": sql})
    assert refused.status_code == 403
    assert "READONLY" in refused.text


def test_writes_nothing_when_it_only_reads(read_only: Endpoint) -> None:
    for sql in ("INSERT INTO w.t VALUES (1, '')", "CREATE TABLE x (a UInt8) ENGINE = Memory"):
        refused = read_only.post(sql)
        assert refused.status_code == 403
        assert "only reads" in refused.text


def _stolen(directory: Path) -> list[Path]:
    return list(directory.glob("stolen*"))
