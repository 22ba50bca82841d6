"""``spanloop demo``: an instrumented agent, real OTLP, the embedded store, what fails and what fixes it.

Nothing is faked but the models: a *scripted* OpenAI-compatible server answers in the place of the agent's and
of the one that writes edits, over HTTP, so that the demo needs no key and no network.
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from spanloop.examples.scripted_model import start_scripted_model
from spanloop.examples.support_agent import ModelSettings, Progress, load_configuration
from spanloop.examples.support_agent.traffic import SCRIPTED
from spanloop.processor.errors import StoreUnavailable
from spanloop.service.config import Settings, load
from spanloop.service.demo_loop import Improvement, Stage, begin, improve
from spanloop.service.exploring import Explorer, Row
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
    """What the demo sent and what the store says of it.

    Attributes:
        first: the agent whose failures are found, fixed and released.
        second: another agent, which begins with what the first has taught; None = left out.
    """

    stored_spans: int
    answers: Sequence[Answer]
    found: "Found"
    first: Improvement
    second: Improvement | None


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
    second_agent: bool = True,
    on_stage: Callable[[str], None],
    on_progress: Callable[[Progress], None],
) -> DemoResult:
    """Run the demo with its data in ``directory``.

    Raises:
        StoreUnavailable: what was sent did not reach the tables.
    """
    on_stage("starting spanloop on the embedded store")
    agents = [load_configuration(), load_configuration("second_shop")][: 1 + second_agent]
    with start_scripted_model() as scripted, contextlib.ExitStack() as stack:
        model = replace(SCRIPTED, api_base=scripted.base_url)
        settings = demo_settings(directory, model)
        endpoints = stack.enter_context(ServerThread(settings))
        assert endpoints.sql is not None
        client = connect(endpoints.sql)
        stack.callback(client.close)
        stage = Stage(
            settings=settings,
            endpoints=endpoints,
            client=client,
            model=model,
            on_stage=on_stage,
            on_progress=on_progress,
        )
        served = begin(stage, agents[0], conversations=conversations, seed=0)
        on_stage("asking the tables")
        stored = _wait_for(client, served.spans)
        answers = [_ask(client, question) for question in (*QUESTIONS, STORY)]
        first = improve(stage, agents[0], served, seed=1)
        found = _found(Explorer(client=client, renderer=make_renderer(settings)))
        rest = [
            improve(stage, each, begin(stage, each, conversations=conversations, seed=2), seed=3)
            for each in agents[1:]
        ]
        return DemoResult(
            stored_spans=stored,
            answers=answers,
            found=found,
            first=first,
            second=rest[0] if rest else None,
        )


def demo_settings(directory: Path, model: ModelSettings) -> Settings:
    """Return settings with free ports and short waits, for a server that lives some minutes.

    The environment has no say: it is meant for a server of the operator's own, whose store, endpoint of
    annotations or tokens are none of the demo's.
    """
    scripted = {"model": model.model, "api_base": model.api_base, "api_key": model.api_key}
    return load(
        None,
        from_environment=False,
        data_dir=directory,
        receiver={
            "grpc": {"port": 0},
            "http": {"port": 0},
            "log": {"segment_max_age_s": 2.0, "min_free_bytes": 0},
        },
        sql={"port": 0},
        analysis={"idle_s": 0},  # nobody will say more
        optimizer={
            "budget": {"max_tokens": 50_000_000},  # nobody pays for them
            "models": {"generator": scripted, "agent": scripted},
            "scenarios": {"trajectories_a_scenario": 2},
            "experiments": {
                # Criteria in code judge every episode: few users of the demo say what they thought.
                "gold_share": 1.0,
                "concurrency": 8,
                "scenarios_a_round": 30,
                # A check costs a call, and is worth it to this shop; its scripted model takes no time.
                "max_cost_ratio": 1.5,
                "max_latency_ratio": None,
            },
            "candidates": {"patterns_a_cycle": 8, "tests_a_cycle": 4},
        },
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
