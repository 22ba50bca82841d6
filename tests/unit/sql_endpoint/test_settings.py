"""Settings: listed, capped, dropped, refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloop.exporter.sql_endpoint.auth import refuse, token_check
from spanloop.exporter.sql_endpoint.errors import from_engine
from spanloop.exporter.sql_endpoint.functions import allowed_functions
from spanloop.exporter.sql_endpoint.policy import HttpPolicy, SqlLimits
from spanloop.exporter.sql_endpoint.settings import effective_settings
from spanloop.processor.errors import SqlRejected

LIMITS = SqlLimits(max_execution_s=10, max_memory_bytes=1000, max_threads=2)


@given(value=st.floats(0, 1e15))
def test_a_cap_is_never_raised(value: float) -> None:
    found = effective_settings({"max_execution_time": repr(value)}, LIMITS, buffered=False)
    assert 0 < float(found["max_execution_time"]) <= 10 or value < 1e-300


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "x", "", "1; DROP", "1e99"])
def test_a_cap_must_be_a_number(value: str) -> None:
    with pytest.raises(SqlRejected):
        effective_settings({"max_threads": value}, LIMITS, buffered=False)


@pytest.mark.parametrize(
    "name",
    [
        "additional_table_filters",
        "additional_result_filter",
        "allow_ddl",
        "dialect",
        "format_schema",
        "format_schema_source",
        "format_template_row",
        "implicit_table_at_top_level",
        "input_format_record_errors_file_path",
        "max_parser_depth",
        "s3_truncate_on_insert",
        "user_files_path",
        "unknown",
    ],
)
def test_what_is_not_listed_is_refused(name: str) -> None:
    with pytest.raises(SqlRejected, match=name):
        effective_settings({name: "1"}, LIMITS, buffered=False)


def test_transport_settings_are_dropped_and_fixed_ones_stay() -> None:
    given = {"session_id": "x", "async_insert": "1", "readonly": "0", "join_use_nulls": "1"}
    found = effective_settings(given, LIMITS, buffered=True)
    assert found["join_use_nulls"] == "1"
    assert found["async_insert"] == "0"
    assert found["input_format_values_interpret_expressions"] == "0"
    assert "session_id" not in found
    assert "readonly" not in found
    assert found["max_result_bytes"] == str(LIMITS.max_buffered_bytes)


@pytest.mark.parametrize(
    "name",
    [
        "sum",
        "SUM",
        "sumIf",
        "quantileTDigestIf",
        "uniqStateForEach",
        "toString",
        "tostring",
        "lambda",
    ],
)
def test_functions_with_combinators(name: str) -> None:
    assert allowed_functions().allows(name)


@pytest.mark.parametrize(
    "name",
    [
        "file",
        "FILE",
        "fileIf",
        "sumXIf",
        "dictGet",
        "joinGet",
        "sleep",
        "hasColumnInTable",
        "aiGenerate",
        "formatRow",
        "addressToLine",
        "getServerSetting",
        "",
        "sum If",
    ],
)
def test_functions_that_are_not_listed(name: str) -> None:
    assert not allowed_functions().allows(name)


@pytest.mark.parametrize("name", ["file", "url", "merge", "remote", "python", "Numbers", "eval"])
def test_table_functions_that_are_not_listed(name: str) -> None:
    assert not allowed_functions().allows_table(name)


def test_tokens() -> None:
    check = token_check(["a", "bb", ""])
    assert check("a")
    assert check("bb")
    assert not check("")
    assert not check("b")
    assert not token_check([])("")


@pytest.mark.parametrize(
    ("headers", "served"),
    [
        ({"host": "localhost:8123"}, True),
        ({"host": "127.0.0.1"}, True),
        ({"host": "[::1]:8123"}, True),
        ({"host": "evil.example:8123"}, False),
        ({"host": "localhost.evil.example"}, False),
        ({}, False),
        ({"host": "localhost", "origin": "null"}, False),
        ({"host": "localhost", "sec-fetch-site": "same-site"}, False),
    ],
)
def test_without_a_token_only_programs_of_this_machine(
    headers: dict[str, str], served: bool
) -> None:
    assert (refuse(headers, auth=None, policy=HttpPolicy()) is None) == served


@pytest.mark.parametrize(
    ("text", "code", "status"),
    [
        ("Code: 60. DB::Exception: no table. (UNKNOWN_TABLE)", 60, 404),
        ("Streaming query failed: Code: 241. DB::Exception: memory", 241, 500),
        ("Code: 400. DB::ErrnoException: no file", 400, 500),
        ("something else", 1001, 500),
    ],
)
def test_errors_of_the_engine(text: str, code: int, status: int) -> None:
    error = from_engine(text)
    assert (error.code, error.status) == (code, status)
    assert error.message.startswith("Code: ")
