"""``spanloop demo``: an instrumented agent, real OTLP over gRPC, the embedded store, and what fails.

Nothing is faked but the model: a *scripted* OpenAI-compatible server answers in its place, over HTTP, so that
the demo needs no key and no network.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from spanloop.examples.scripted_model import start_scripted_model
from spanloop.examples.support_agent import Progress, TrafficSummary, run_support_traffic
from spanloop.processor.errors import StoreUnavailable
from spanloop.service.analyzing import analyze
from spanloop.service.config import Settings, load
from spanloop.service.exploring import Explorer, Row
from spanloop.service.server import Endpoints
from spanloop.service.stores import make_renderer
from spanloop.service.thread import ServerThread

STORED_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Question:
    """A question an agent engineer asks, and the SQL that answers it."""

    title: str
    sql: str


QUESTIONS: Sequence[Question] = (
    Question(
        "What arrived, by class of span",
        "SELECT Class, count() AS spans, round(avg(Duration) / 1e6, 1) AS avg_ms,\n"
        "       countIf(Status = 'Error') AS errors\n"
        "FROM genai_spans GROUP BY Class ORDER BY spans DESC",
    ),
    Question(
        "Tokens and cost by model (an unknown price is NULL, never free)",
        "SELECT Provider, ResponseModel AS model, count() AS calls, sum(InputTokens) AS input_tokens,\n"
        "       sum(OutputTokens) AS output_tokens, sum(CostUsd) AS usd\n"
        "FROM genai_spans WHERE Class = 'llm' GROUP BY Provider, model",
    ),
    Question(
        "Which tools the agent uses, and how often they fail",
        "SELECT ToolName AS tool, count() AS calls, countIf(Status = 'Error') AS errors\n"
        "FROM genai_spans WHERE Class = 'tool' GROUP BY tool ORDER BY calls DESC",
    ),
    Question(
        "What users said afterwards (feedback events, from the logs)",
        "SELECT LogAttributes['gen_ai.evaluation.score.label'] AS label, count() AS users\n"
        "FROM otel_logs WHERE EventName = 'gen_ai.evaluation.result' GROUP BY label ORDER BY users DESC",
    ),
)
STORY = Question(
    "One conversation, step by step",
    "SELECT formatDateTime(Timestamp, '%T') AS time, Class,\n"
    "       coalesce(nullIf(ToolName, ''), nullIf(ResponseModel, ''), AgentName) AS name,\n"
    "       substring(coalesce(ToolArguments,\n"
    "           JSONExtractString(OutputMessages, 1, 'parts', 1, 'content'), ''), 1, 60) AS what\n"
    "FROM genai_spans\n"
    "WHERE TraceId IN (SELECT TraceId FROM genai_spans WHERE ConversationId = (\n"
    "    SELECT ConversationId FROM genai_spans WHERE Class = 'tool' ORDER BY ConversationId LIMIT 1))\n"
    "ORDER BY Timestamp, Class LIMIT 12",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a question's SQL returned."""

    question: Question
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """What the demo sent and what the store says of it."""

    endpoints: Endpoints
    traffic: TrafficSummary
    stored_spans: int
    answers: Sequence[Answer]
    analysis: Mapping[str, Any]
    rates: Sequence[Row]
    patterns: Sequence[Row]
    example: Row | None


@dataclass(frozen=True, slots=True)
class Found:
    """What the analysis found: rates by agent, patterns, and one trajectory of the first pattern."""

    rates: Sequence[Row]
    patterns: Sequence[Row]
    example: Row | None


def run_demo(
    directory: Path,
    *,
    conversations: int,
    on_stage: Callable[[str], None],
    on_progress: Callable[[Progress], None],
) -> DemoResult:
    """Run the demo with its data in ``directory``.

    Raises:
        StoreUnavailable: what was sent did not reach the tables.
    """
    on_stage("starting spanloop on the embedded store")
    settings = demo_settings(directory)
    with ServerThread(settings) as endpoints:
        assert endpoints.grpc is not None
        assert endpoints.sql is not None
        on_stage("running the support agent on a scripted model")
        with start_scripted_model() as model:
            traffic = run_support_traffic(
                endpoints.grpc,
                model_base_url=model.base_url,
                conversations=conversations,
                on_progress=on_progress,
            )
        on_stage("asking the tables")
        client = connect(endpoints.sql)
        try:
            stored = _wait_for(client, traffic.spans)
            answers = [_ask(client, question) for question in (*QUESTIONS, STORY)]
            on_stage("looking for what fails, with no model")
            analysis = analyze(settings, lambda stage, total, done: on_stage(f"analysis: {stage}"))
            found = _found(Explorer(client=client, renderer=make_renderer(settings)))
        finally:
            client.close()
    return DemoResult(
        endpoints=endpoints,
        traffic=traffic,
        stored_spans=stored,
        answers=answers,
        analysis=analysis,
        rates=found.rates,
        patterns=found.patterns,
        example=found.example,
    )


def demo_settings(directory: Path) -> Settings:
    """Return settings with free ports and short waits, for a server that lives a minute."""
    return load(
        None,
        data_dir=directory,
        receiver={
            "grpc": {"port": 0},
            "http": {"port": 0},
            "log": {"segment_max_age_s": 0.5, "min_free_bytes": 0},
        },
        sql={"port": 0},
        analysis={"idle_s": 0},  # nobody will say more
    )


def connect(endpoint: str) -> Client:
    """Return a stock ClickHouse client on an SQL endpoint."""
    host, _, port = endpoint.partition("://")[2].rpartition(":")
    client: Client = clickhouse_connect.get_client(
        host=host, port=int(port), autogenerate_session_id=False
    )
    return client


def _found(explorer: Explorer) -> Found:
    patterns = explorer.patterns(n=10)
    example: Row | None = None
    if patterns:
        members = explorer.pattern(patterns[0]["pattern"], n=1)["examples"]
        example = explorer.trajectory(members[0]["trajectory"]) if members else None
    return Found(explorer.rates("agent"), patterns, example)


def _wait_for(client: Client, n_spans: int) -> int:
    deadline = time.monotonic() + STORED_WITHIN_S
    while time.monotonic() < deadline:
        stored = int(client.query("SELECT count() FROM genai_spans").result_rows[0][0])
        if stored >= n_spans:
            return stored
        time.sleep(0.1)
    raise StoreUnavailable(
        f"only some of the {n_spans} acknowledged spans are stored after a minute"
    )


def _ask(client: Client, question: Question) -> Answer:
    result = client.query(question.sql)
    return Answer(question=question, columns=result.column_names, rows=result.result_rows)
