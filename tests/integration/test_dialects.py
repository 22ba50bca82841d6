"""The rule table on the real engine: case files, and spans of ten instrumentations against what happened.

A case file is ``tests/cases/<dialect>/<name>.json``: spans in a short form, each with the columns expected
of its row (or null: no row). Text that holds JSON is compared as JSON where the expectation is not a string.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from spanloop.processor.dialects import DIALECTS
from spanloop.processor.keytable import compile_keys
from spanloop.processor.kinds import class_keys
from spanloop.processor.tagging import genai_filter
from tests.support.genai import open_genai_store
from tests.support.genai_rows import insert_case, insert_requests

CASES = Path(__file__).parent.parent / "cases"
CASE_FILES = sorted(CASES.rglob("*.json"))

TEST_PRICES = [
    ["test/case-model", [1.0, 4.0, 0.25, 2.0, 8.0, None, None, None], "test"],
    ["/any-seller", [1.0, 2.0, None, None, None, None, None, None], "test"],
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = open_genai_store(tmp_path_factory.mktemp("genai") / "db")
    client.insert("model_prices", TEST_PRICES, column_names=["Key", "Usd", "Origin"])
    for path in CASE_FILES:
        insert_case(client, json.loads(path.read_text()), batch_id=_case_id(path))
    yield client
    client.close()


def _case_id(path: Path) -> str:
    return str(path.relative_to(CASES).with_suffix(""))


def _rows(
    client: Client, batch_id: str, where: str = "1", order: str = "Timestamp"
) -> list[dict[str, Any]]:
    result = client.query(
        f"SELECT * FROM genai_spans WHERE BatchId = {{id:String}} AND {where} ORDER BY {order}",  # noqa: S608
        parameters={"id": batch_id},
    )
    return [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]


@pytest.mark.parametrize("path", CASE_FILES, ids=_case_id)
def test_a_case_comes_out_as_expected(store: Client, path: Path) -> None:
    spans = json.loads(path.read_text())["spans"]
    rows = {row["SpanId"]: row for row in _rows(store, _case_id(path))}
    for number, span in enumerate(spans):
        row = rows.pop(f"{number:016x}", None)
        if span["expected"] is None:
            assert row is None, span["name"]
            continue
        assert row is not None, span["name"]
        actual = {
            column: _comparable(row[column], want) for column, want in span["expected"].items()
        }
        assert actual == _approximate(span["expected"]), span["name"]
    assert not rows


def _comparable(value: Any, want: Any) -> Any:
    """Parse JSON text where the case expects a structure."""
    structured = isinstance(want, dict | list) and isinstance(value, str)
    return json.loads(value) if structured else value


def _approximate(expected: dict[str, Any]) -> dict[str, Any]:
    return {k: pytest.approx(v) if isinstance(v, float) else v for k, v in expected.items()}


def test_the_filter_counts_what_the_view_writes(store: Client) -> None:
    counted = f"SELECT BatchId, countIf({genai_filter()}) FROM otel_traces GROUP BY BatchId"  # noqa: S608
    written = store.query("SELECT BatchId, count() FROM genai_spans GROUP BY BatchId").result_rows
    rows = {str(batch_id): int(count) for batch_id, count in written}
    for batch_id, count in store.query(counted).result_rows:
        assert rows.get(batch_id, 0) == count, batch_id


HOSTILE = (
    "''",
    "'null'",
    "'[]'",
    "'{}'",
    "'['",
    "'{\"a\":'",
    "'\"'",
    "'\"\\\\ud800\"'",
    "'-1'",
    "'1e400'",
    "'NaN'",
    "'inf'",
    "repeat('9', 400)",
    "'0x1F'",
    "'true'",
    "repeat('[', 3000)",
    "repeat('{\"usage\":', 3000)",
    "unhex('fffe00c328')",
    '\'{"usage": [], "total": {}, "input": null, "input": "x", "usage_metadata": 7}\'',
    '\'{"anthropic": {"usage": "no"}}\'',
    '\'{"output": {"lc": 1, "kwargs": []}}\'',
    "'{\"input_str\": '",
    '\'"{\\\\"input\\\\": 5}"\'',
)


def test_the_view_never_throws(store: Client) -> None:
    """Every known key at once with a hostile value, as every class: no insert fails, no row is lost."""
    keys = [
        *compile_keys(DIALECTS, class_keys()).ids,
        *(f"{p}{n}" for d in DIALECTS for p in d.indexed for n in ("0", "0.x")),
    ]
    operations = ["''", *(f"'{value}'" for value in DIALECTS[0].classes["gen_ai.operation.name"])]
    rows = [(value, operation) for value in HOSTILE for operation in operations]
    spans = ", ".join(f"({value}, {operation})" for value, operation in rows)
    store.command(
        "INSERT INTO otel_traces (BatchId, SpanName, ScopeName, Timestamp, SpanAttributes, "  # noqa: S608
        "`Events.Timestamp`, `Events.Name`, `Events.Attributes`) "
        "SELECT 'hostile', t.1, 'openinference', now64(9), "
        "mapUpdate(mapFromArrays({keys:Array(String)}, arrayMap(k -> t.1, {keys:Array(String)})), "
        "map('gen_ai.operation.name', t.2)), "
        "arrayMap(n -> now64(9), {events:Array(String)}), {events:Array(String)}, "
        "arrayMap(n -> map('gen_ai.prompt', t.1, 'message', t.1, 'exception.type', t.1), "
        "{events:Array(String)}) "
        f"FROM (SELECT arrayJoin([{spans}]) AS t)",
        parameters={
            "keys": keys,
            "events": [name for d in DIALECTS for name in (*d.message_events, "exception")],
        },
    )
    assert store.command("SELECT count() FROM genai_spans WHERE BatchId = 'hostile'") == len(rows)


# --- ten instrumentations, the same three conversations ------------------------------------------

REPLAYED = (
    "agents_openinference",
    "agents_traceloop",
    "langchain_openinference",
    "langchain_traceloop",
    "openai_logfire",
    "openai_openinference",
    "openai_openlit",
    "openai_otel_v2",
    "openai_traceloop",
    "pydantic_ai",
)
WITHOUT_USAGE = {"agents_traceloop"}  # its spans carry none
WITHOUT_OUTPUT = {"agents_traceloop"}
WITH_TOOL_SPANS = tuple(name for name in REPLAYED if not name.startswith("openai_"))
WITH_FINISH_REASONS = tuple(name for name in REPLAYED if not name.startswith("agents_"))
CONVERSATION_AS_CARRIED = ("langchain_openinference", "langchain_traceloop")
OTHER_CONVERSATION_IDS = ("pydantic_ai",)


@pytest.fixture(scope="module")
def expected(data_dir: Path) -> list[dict[str, Any]]:
    conversations: list[dict[str, Any]] = json.loads(
        (data_dir / "dialects/replayed/expected.json").read_text()
    )
    return conversations


@pytest.fixture(scope="module")
def replayed(store: Client, data_dir: Path) -> Client:
    for name in REPLAYED:
        with gzip.open(data_dir / f"dialects/replayed/{name}.jsonl.gz", "rt") as lines:
            insert_requests(store, [json.loads(line) for line in lines], batch_id=name)
    return store


def _calls(expected: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [call for c in expected for turn in c["turns"] for call in turn["llm_calls"]]


def _tools(expected: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [tool for c in expected for turn in c["turns"] for tool in turn["tool_calls"]]


@pytest.mark.parametrize("name", REPLAYED)
def test_model_calls_are_counted_once_with_their_model_and_tokens(
    replayed: Client, expected: list[dict[str, Any]], name: str
) -> None:
    rows = _rows(replayed, name, "Class = 'llm'")
    calls = _calls(expected)
    assert len(rows) == len(calls)
    assert {row["Provider"] for row in rows} == {"openai"}
    assert {row["RequestModel"] for row in rows} <= {"gpt-4o", "gpt-4o-2024-08-06"}
    assert {row["ResponseModel"] for row in rows} <= {"gpt-4o-2024-08-06", ""}
    want = [(None, None)] * len(calls) if name in WITHOUT_USAGE else _usage(calls)
    assert sorted(map(repr, ((row["InputTokens"], row["OutputTokens"]) for row in rows))) == sorted(
        map(repr, want)
    )


def _usage(calls: list[dict[str, Any]]) -> list[tuple[int | None, int | None]]:
    return [(call["input_tokens"], call["output_tokens"]) for call in calls]


@pytest.mark.parametrize("name", REPLAYED)
def test_no_token_is_counted_outside_a_model_call(
    replayed: Client, expected: list[dict[str, Any]], name: str
) -> None:
    branches = _rows(replayed, name, "Class NOT IN ('llm', 'embedding', 'rerank')")
    assert all(row["InputTokens"] is None and row["CostUsd"] is None for row in branches)
    aggregates = [
        row["AggregateInputTokens"] for row in branches if row["AggregateInputTokens"] is not None
    ]
    total = sum(call["input_tokens"] for call in _calls(expected))
    assert sum(aggregates) in (0, total)


@pytest.mark.parametrize("name", sorted(set(REPLAYED) - WITHOUT_USAGE))
def test_reported_and_computed_costs_agree(
    replayed: Client, expected: list[dict[str, Any]], name: str
) -> None:
    calls = _calls(expected)
    want = (
        sum(c["input_tokens"] for c in calls) * 2.5e-6
        + sum(c["output_tokens"] for c in calls) * 1e-5
    )
    assert sum(row["CostUsd"] for row in _rows(replayed, name, "Class = 'llm'")) == pytest.approx(
        want
    )


@pytest.mark.parametrize("name", WITH_FINISH_REASONS)
def test_finish_reasons(replayed: Client, expected: list[dict[str, Any]], name: str) -> None:
    rows = _rows(replayed, name, "Class = 'llm'")
    asked = sum(1 for call in _calls(expected) if call["tool_calls"])
    reasons = [reason for row in rows for reason in row["FinishReasons"]]
    assert reasons.count("stop") == len(rows) - asked
    assert len([r for r in reasons if r in {"tool_calls", "tool_call"}]) == asked


@pytest.mark.parametrize("name", REPLAYED)
def test_messages_hold_what_was_said(
    replayed: Client, expected: list[dict[str, Any]], name: str
) -> None:
    rows = _rows(replayed, name, "Class = 'llm'")
    heard = "\n".join(row["InputMessages"] for row in rows)
    said = "\n".join(row["OutputMessages"] or "" for row in rows)
    for turn in (turn for conversation in expected for turn in conversation["turns"]):
        assert _json_text(turn["user"]) in heard
        for call in turn["llm_calls"] if name not in WITHOUT_OUTPUT else []:
            assert _json_text(call["text"]) in said
            assert all(tool["name"] in said and tool["id"] in said for tool in call["tool_calls"])


def _json_text(text: str) -> str:
    """Return ``text`` as it stands inside JSON, up to the first letter that may be escaped."""
    return json.dumps(text[: next((i for i, c in enumerate(text) if not c.isascii()), len(text))])[
        1:-1
    ].split("/")[0]


@pytest.mark.parametrize("name", WITH_TOOL_SPANS)
def test_tool_calls_have_their_names_arguments_and_results(
    replayed: Client, expected: list[dict[str, Any]], name: str
) -> None:
    rows = _rows(replayed, name, "Class = 'tool'")
    want = sorted((tool["name"], tool["result"]) for tool in _tools(expected))
    assert sorted((row["ToolName"], row["ToolResult"]) for row in rows) == want
    arguments = {_canonical(tool["args"]) for tool in _tools(expected)}
    # LangChain passes the only argument of a tool bare, and OpenInference writes down what it saw.
    bare = {
        str(next(iter(tool["args"].values())))
        for tool in _tools(expected)
        if len(tool["args"]) == 1
    }
    for row in rows:
        carried = row["ToolArguments"]
        assert carried in bare or _canonical(json.loads(carried)) in arguments
        assert name == "langchain_openinference" or carried not in bare


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize("name", REPLAYED)
def test_conversations_are_those_that_were_carried(
    replayed: Client, expected: list[dict[str, Any]], name: str
) -> None:
    rows = _rows(replayed, name, "Class = 'llm'")
    ids = {row["ConversationId"] for row in rows}
    if name in CONVERSATION_AS_CARRIED:
        assert ids == {conversation["conversation"] for conversation in expected}
    elif name in OTHER_CONVERSATION_IDS:
        assert len(ids) == len(expected)
    else:
        assert ids == {""}
    assert all((row["ConversationId"] == "") == (row["ConversationSource"] == "") for row in rows)


def test_every_span_of_the_langfuse_collection_gets_a_class_and_a_dialect(
    store: Client, data_dir: Path
) -> None:
    for path in sorted((data_dir / "dialects/langfuse").glob("*.jsonl")):
        batch_id = f"langfuse/{path.stem}"
        requests = [json.loads(line) for line in path.read_text().splitlines()]
        sent = insert_requests(store, requests, batch_id=batch_id)
        rows = _rows(store, batch_id)
        assert len(rows) == sent
        assert all(row["Class"] and row["Dialect"] for row in rows), path.name
