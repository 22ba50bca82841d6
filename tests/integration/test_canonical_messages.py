"""Content of ten instrumentations, rewritten on the real engine, against what happened."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spanloop.optimizer.assembly.canonical import canonicalise
from tests.support.analysis import AnalysisStore, open_analysis_store
from tests.support.genai_rows import insert_requests

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
WITHOUT_OUTPUT = ("agents_traceloop",)
WITHOUT_CALLS_IN_HISTORY = ("openai_openlit",)
"""Its histories leave out answers that hold nothing but calls."""
WITH_DISTINCT_CALL_IDS = ("agents_openinference", "agents_traceloop")
"""The framework keeps one call and one answer of those that have the same id, before the model sees them."""
WITH_CALL_IDS = ("langchain_openinference", "langchain_traceloop", "pydantic_ai")

Said = tuple[str, ...]

# What a reader of spans and rewritten content sees; helper tables are those of the assembly.
READ = """
    SELECT
        Class,
        ToolName,
        if(empty(c.ToolCallId), g.ToolCallId, c.ToolCallId) AS CallId,
        if(c.Version > 0, c.SystemInstructions, g.SystemInstructions) AS System,
        if(c.Version > 0, c.InputMessages, g.InputMessages) AS Input,
        if(c.Version > 0, c.OutputMessages, g.OutputMessages) AS Output,
        coalesce(c.ToolArguments, g.ToolArguments) AS Arguments,
        coalesce(c.ToolResult, g.ToolResult) AS Result,
        c.Version > 0 AS Rewritten,
        c.Truncated AS Truncated
    FROM genai_spans AS g
    LEFT JOIN (SELECT * FROM canonical_messages FINAL) AS c USING (TraceId, SpanId)
    WHERE BatchId = {batch:String}
    ORDER BY g.Timestamp
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[AnalysisStore]:
    store = open_analysis_store(tmp_path_factory.mktemp("canonical") / "db")
    for name in REPLAYED:
        store.insert_json_lines(data_dir / f"dialects/replayed/{name}.jsonl.gz")
    for path in sorted((data_dir / "dialects/langfuse").glob("*.jsonl")):
        requests = [json.loads(line) for line in path.read_text().splitlines()]
        insert_requests(store.client, requests, batch_id=f"langfuse/{path.stem}")
    _insert_logged(store)
    _insert_hostile(store)
    arrive(store)
    canonicalise(store.context(), chunk_bytes=200_000)
    yield store
    store.client.close()


def arrive(store: AnalysisStore) -> None:
    """Every trace of the store has arrived."""
    store.context().run("assembly/create_arrivals")
    store.client.command(
        "INSERT INTO assembly_arrivals SELECT TraceId, toDate(min(Start)), toDate(max(End)) "
        "FROM trace_arrivals GROUP BY TraceId"
    )


@pytest.fixture(scope="module")
def expected(data_dir: Path) -> list[dict[str, Any]]:
    conversations: list[dict[str, Any]] = json.loads(
        (data_dir / "dialects/replayed/expected.json").read_text()
    )
    return conversations


def _rows(store: AnalysisStore, name: str) -> list[dict[str, Any]]:
    return store.rows(READ, batch=name)


# --- what happened -----------------------------------------------------------------------------


def calls_of(conversation: dict[str, Any]) -> Iterator[tuple[list[Said], list[Said]]]:
    """Yield what each model call heard and said."""
    heard: list[Said] = []
    for turn in conversation["turns"]:
        heard.append(("user", turn["user"]))
        results = iter(turn["tool_calls"])
        for call in turn["llm_calls"]:
            said: list[Said] = [("assistant", call["text"])] if call["text"] else []
            said += [_call(tool) for tool in call["tool_calls"]]
            yield list(heard), said
            heard += said
            heard += [
                ("answer", tool["id"], next(results)["result"]) for tool in call["tool_calls"]
            ]


def _call(tool: dict[str, Any]) -> Said:
    return ("call", tool["id"], tool["name"], json.dumps(tool["args"], sort_keys=True))


def as_told(name: str, heard: list[Said]) -> list[Said]:
    """Return the history as far as the instrumentation ``name`` tells it."""
    if name in WITHOUT_CALLS_IN_HISTORY:
        return [said for said in heard if said[0] != "call"]
    if name in WITH_DISTINCT_CALL_IDS:
        calls = {
            said[1]: said for said in heard if said[0] == "call"
        }  # the first place, the last call
        answers = {said[1]: place for place, said in enumerate(heard) if said[0] == "answer"}
        told_calls = (calls.pop(said[1], None) if said[0] == "call" else said for said in heard)
        return [
            said
            for place, said in enumerate(told_calls)
            if said and not (said[0] == "answer" and answers[said[1]] != place)
        ]
    return heard


def told(text: str | None) -> list[Said]:
    """Return canonical messages in the form of ``calls_of``."""
    return [
        _part(message["role"], part)
        for message in json.loads(text or "[]")
        for part in message["parts"]
    ]


def _part(role: str, part: dict[str, Any]) -> Said:
    match part["type"]:
        case "tool_call":
            return ("call", part["id"], part["name"], json.dumps(part["arguments"], sort_keys=True))
        case "tool_call_response":
            return ("answer", part["id"], part["response"])
        case _:
            return (role, part["content"])


# --- the tests ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REPLAYED)
def test_model_calls_hear_and_say_what_happened(
    store: AnalysisStore, expected: list[dict[str, Any]], name: str
) -> None:
    rows = [row for row in _rows(store, f"{name}.jsonl.gz") if row["Class"] == "llm"]
    got = Counter((repr(told(row["Input"])), repr(told(row["Output"]))) for row in rows)
    want = Counter(
        (repr(as_told(name, heard)), repr([] if name in WITHOUT_OUTPUT else said))
        for conversation in expected
        for heard, said in calls_of(conversation)
    )
    assert got == want
    systems = {conversation["system"].strip() for conversation in expected}
    assert {_only_text(row["System"]).strip() for row in rows} == systems
    assert not any(row["Truncated"] for row in rows)


def _only_text(instructions: str) -> str:
    (part,) = json.loads(instructions)
    return str(part["content"])


@pytest.mark.parametrize("name", [name for name in REPLAYED if not name.startswith("openai_")])
def test_tools_are_given_and_answer_what_happened(
    store: AnalysisStore, expected: list[dict[str, Any]], name: str
) -> None:
    rows = [row for row in _rows(store, f"{name}.jsonl.gz") if row["Class"] == "tool"]
    tools = [t for c in expected for turn in c["turns"] for t in turn["tool_calls"]]
    assert Counter(
        (row["ToolName"], json.dumps(json.loads(row["Arguments"]), sort_keys=True), row["Result"])
        for row in rows
    ) == Counter(
        (tool["name"], json.dumps(tool["args"], sort_keys=True), tool["result"]) for tool in tools
    )
    asked = [
        (tool["name"], tool["id"])
        for c in expected
        for turn in c["turns"]
        for call in turn["llm_calls"]
        for tool in call["tool_calls"]
    ]
    if name in WITH_CALL_IDS:
        assert sorted((row["ToolName"], row["CallId"]) for row in rows) == sorted(asked)
    else:
        assert {row["CallId"] for row in rows} == {""}


def test_canonical_content_is_left_alone(store: AnalysisStore) -> None:
    rewritten = {
        name: {
            row["Rewritten"] for row in _rows(store, f"{name}.jsonl.gz") if row["Class"] == "llm"
        }
        for name in REPLAYED
    }
    assert 0 in rewritten["langchain_traceloop"]
    assert rewritten["openai_openinference"] == {1}


def test_spans_of_the_langfuse_collection_have_messages_where_they_have_content(
    store: AnalysisStore,
) -> None:
    rows = store.rows(
        "SELECT g.SpanId AS SpanId, c.InputMessages AS Input, c.OutputMessages AS Output "
        "FROM genai_spans AS g "
        "LEFT JOIN canonical_messages AS c USING (TraceId, SpanId) "
        "WHERE startsWith(g.BatchId, 'langfuse/') AND Class IN ('llm', 'agent') "
        "AND (g.InputMessages != '' OR g.OutputMessages != '' OR g.EventMessages != '' "
        "OR g.Input != '' OR g.Output != '')"
    )
    assert len(rows) > 20
    assert [row["SpanId"] for row in rows if not (row["Input"] or row["Output"])] == []


def test_a_second_run_finds_nothing_to_do(store: AnalysisStore) -> None:
    result = canonicalise(store.context(now_ms=1_900_000_000_001))
    # Spans with log records are read again; so is a tool's span that needs no change, which has no row.
    assert result.rows == 2


def _insert_logged(store: AnalysisStore) -> None:
    """Two model calls whose content is in log records, by today's event and by those of v1.27."""
    ids = [(f"{n:032x}", f"{n:016x}") for n in (0xA1, 0xA2)]
    store.insert_spans(
        [
            {
                "traceId": trace_id,
                "spanId": span_id,
                "name": "chat m",
                "startTimeUnixNano": "1790000000000000000",
                "endTimeUnixNano": "1790000001000000000",
                "attributes": {"gen_ai.operation.name": "chat"},
            }
            for trace_id, span_id in ids
        ],
        batch_id="logged",
    )
    user = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "hi"}]}])
    answer = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "hello"}]}])
    details = {"gen_ai.input.messages": user, "gen_ai.output.messages": answer}
    choice = {"index": 0, "finish_reason": "stop", "message": {"content": "hello"}}
    records = [
        (0, ids[0], "gen_ai.client.inference.operation.details", "", details),
        (0, ids[1], "gen_ai.user.message", '{"content":"hi"}', {"gen_ai.system": "openai"}),
        (1, ids[1], "gen_ai.choice", json.dumps(choice), {}),
        (2, ids[1], "unrelated", "", {}),
    ]
    store.client.insert(
        "otel_logs",
        [
            [1_790_000_000_000_000_000 + at, *span, event, body, attributes, "logged"]
            for at, span, event, body, attributes in records
        ],
        column_names=[
            "Timestamp",
            "TraceId",
            "SpanId",
            "EventName",
            "Body",
            "LogAttributes",
            "BatchId",
        ],
    )


def test_content_of_log_records_is_joined_to_its_span(store: AnalysisStore) -> None:
    rows = _rows(store, "logged")
    assert [(told(row["Input"]), told(row["Output"])) for row in rows] == [
        ([("user", "hi")], [("assistant", "hello")])
    ] * 2


HOSTILE = (
    "unhex('fffe00c328')",
    'concat(\'[{"role":"user","content":"\', unhex(\'ff\'), \'"}]\')',
    "concat(char(0), 'x')",
    "repeat('[', 3000)",
    "repeat('{\"messages\":', 3000)",
    "'\"\\\\ud800\"'",
    '\'[{"role":"user","content":"\\\\ud83d\'',
)


def _insert_hostile(store: AnalysisStore) -> None:
    """Every content column at once with the same hostile text, on spans of each class."""
    texts = ", ".join(HOSTILE)
    store.client.command(
        "INSERT INTO genai_spans (BatchId, TraceId, SpanId, Timestamp, Class, SystemInstructions, "  # noqa: S608
        "InputMessages, OutputMessages, EventMessages, Input, Output, ToolArguments, ToolResult) "
        "SELECT 'hostile', hex(number), class, fromUnixTimestamp(1790000000), class, "
        "text, text, text, text, text, text, text, text "
        f"FROM (SELECT arrayJoin(arrayEnumerate([{texts}])) AS number, [{texts}][number] AS text) "
        "ARRAY JOIN ['llm', 'tool', 'agent'] AS class"
    )


def test_hostile_text_is_stored_as_messages(store: AnalysisStore) -> None:
    rows = [row for row in _rows(store, "hostile") if row["Class"] != "tool"]
    assert len(rows) == 2 * len(HOSTILE)
    for row in rows:
        assert row["Rewritten"]
        assert all(json.loads(row[side])[0]["parts"] for side in ("Input", "Output"))
