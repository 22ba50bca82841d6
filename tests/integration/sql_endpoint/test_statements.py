"""Statements that people and clients send pass, and give what the engine itself gives."""

from __future__ import annotations

import pytest

from tests.integration.sql_endpoint.conftest import Endpoint, RawEngine, load_cases

NAMED = "TabSeparatedWithNamesAndTypes"
STATEMENTS = load_cases("statements.sql")


@pytest.mark.parametrize("name", STATEMENTS)
def test_answers_as_the_engine_does(name: str, endpoint: Endpoint, raw: RawEngine) -> None:
    answer = endpoint.post(STATEMENTS[name], {"default_format": NAMED})
    assert answer.status_code == 200, answer.text
    expected = raw.run(STATEMENTS[name], format=NAMED)
    assert expected.ok, expected.text
    assert answer.text == expected.text


@pytest.mark.parametrize(
    ("sql", "params", "expected"),
    [
        ("SELECT {a:UInt8} + {b:Int64}", {"a": "1", "b": "-5"}, "-4\n"),
        (
            "SELECT {s:String}",
            {"s": "it's; SELECT file(\\'x\\')"},
            "it\\'s; SELECT file(\\'x\\')\n",
        ),
        ("SELECT {s:String}", {"s": "tab\\there"}, "tab\\there\n"),
        ("SELECT {a:Array(String)}[2]", {"a": "['x', 'y']"}, "y\n"),
        ("SELECT {n:Nullable(String)} IS NULL", {"n": "\\N"}, "1\n"),
        ("SELECT toYear({d:DateTime64(3)})", {"d": "2026-11-01 00:00:00.123"}, "2026\n"),
        ("SELECT count() FROM {t:Identifier}", {"t": "replaced"}, "3\n"),
        (
            "SELECT count() FROM {d:Identifier}.{t:Identifier}",
            {"d": "default", "t": "errors"},
            "143\n",
        ),
        ("SELECT max({c:Identifier}) FROM replaced", {"c": "k"}, "2\n"),
        ("SELECT count() FROM numbers({n:UInt64}) LIMIT {l:UInt64}", {"n": "7", "l": "1"}, "7\n"),
    ],
)
def test_binds_parameters(
    sql: str, params: dict[str, str], expected: str, endpoint: Endpoint
) -> None:
    assert (
        endpoint.run(sql, **{f"param_{name}": value for name, value in params.items()}) == expected
    )


def test_settings_by_url_and_clause(endpoint: Endpoint) -> None:
    sql = "SELECT toInt64(1) AS a FORMAT JSONEachRow"
    assert endpoint.run(sql) == '{"a":1}\n'
    assert endpoint.run(sql, output_format_json_quote_64bit_integers="1") == '{"a":"1"}\n'
    clause = "SELECT toInt64(1) AS a SETTINGS output_format_json_quote_64bit_integers = 1 FORMAT JSONEachRow"
    assert endpoint.run(clause) == '{"a":"1"}\n'
    inner = "SELECT * FROM (SELECT toInt64(1) AS a SETTINGS max_threads = 1) FORMAT JSONEachRow"
    assert endpoint.run(inner) == '{"a":1}\n'


def test_caps_cannot_be_raised(read_only: Endpoint) -> None:
    seen = (
        "SELECT name, value FROM system.settings WHERE name IN "
        "('max_execution_time', 'max_memory_usage', 'readonly') ORDER BY name"
    )
    capped = read_only.run(seen, max_execution_time="3600", max_memory_usage="0", readonly="0")
    assert capped == "max_execution_time\t1\nmax_memory_usage\t200000000\nreadonly\t1\n"
    lowered = read_only.run(seen, max_execution_time="0.5", max_memory_usage="1000000")
    assert lowered.startswith("max_execution_time\t0.5\nmax_memory_usage\t1000000\n")


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT count() FROM system.numbers WHERE sipHash64(number) = 0", "159"),
        ("SELECT length(groupArray(number)) FROM numbers(100000000)", "241"),
        ("SELECT number FROM numbers(1000000) FORMAT JSON", "396"),
    ],
)
def test_caps_hold(sql: str, code: str, read_only: Endpoint) -> None:
    answer = read_only.post(sql)
    assert answer.headers["x-clickhouse-exception-code"] == code, answer.text
    assert answer.status_code >= 400


def test_statements_and_bodies_are_capped(read_only: Endpoint) -> None:
    long = read_only.post("SELECT '" + "x" * 200_000 + "'")
    assert long.status_code in (403, 413)
    deep = read_only.post("SELECT " + "(" * 5000 + "1" + ")" * 5000)
    assert deep.status_code >= 400
    wide = read_only.post("SELECT " + "[" * 2000 + "]" * 2000)
    assert wide.status_code >= 400
    for depth in (50, 100, 200, 390):
        nested = read_only.post("SELECT " + "abs(" * depth + "1" + ")" * depth)
        assert nested.status_code in (200, 400, 403), nested.text
    assert read_only.run("SELECT 1") == "1\n"
