"""What a measurement of the loop runs on: a whole server in this process, and production in it."""

import contextlib
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from clickhouse_connect.driver.client import Client

from benchmarks.loop import tickets
from spanloop.optimizer.analysis import run_analysis
from spanloop.optimizer.context import Context
from spanloop.optimizer.scenarios.scenario import (
    Content,
    Criterion,
    Scenario,
    TapeCall,
    ToolSchema,
    UserTurn,
)
from spanloop.service.config import Settings, load
from spanloop.service.server import Endpoints
from spanloop.service.stores import make_renderer, open_store
from spanloop.service.thread import ServerThread

PRODUCTION = 600
LABELLED = 400
PROJECT = "default"
DAY = datetime(2026, 10, 1, tzinfo=UTC)
START_NS = 1_790_000_000_000_000_000
STORED_WITHIN_S = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A running server with analysed production; ``context`` makes one that begins now."""

    endpoints: Endpoints
    client: Client
    context: Callable[[], Context]
    directory: Path


@contextlib.contextmanager
def stage(directory: Path) -> Generator[Stage, None, None]:
    """Start a server in this process, send production traffic, label some of it, analyse it."""
    settings = stage_settings(directory)
    renderer = make_renderer(settings)
    with ServerThread(settings) as endpoints, contextlib.closing(open_store(settings)) as store:
        client = store.connect()

        def context() -> Context:
            return Context(client=client, renderer=renderer, now_ms=time.time_ns() // 1_000_000)

        assert endpoints.http is not None
        send_production(endpoints.http)
        wait_for(client, "SELECT uniqExact(TraceId) FROM genai_spans", PRODUCTION)
        label(client)
        run_analysis(context())
        yield Stage(endpoints=endpoints, client=client, context=context, directory=directory)


def stage_settings(directory: Path) -> Settings:
    """Return settings with free ports; segments are sealed early, as a small deployment would."""
    return load(
        None,
        data_dir=directory,
        receiver={
            "grpc": {"port": 0},
            "http": {"port": 0},
            "log": {"segment_max_age_s": 1.0, "min_free_bytes": 0},
        },
        sql={"port": 0},
        analysis={"idle_s": 0},
    )


def send_production(endpoint: str) -> None:
    """Send conversations as OTLP/JSON over HTTP, the forgetful ones too."""
    for first in range(0, PRODUCTION, 50):
        spans = [
            _otlp(span)
            for number in range(first, first + 50)
            for span in tickets.conversation_spans(
                number, start_ns=START_NS + number * 60_000_000_000
            )
        ]
        scope = {"scope": {"name": "desk"}, "spans": spans}
        resource: dict[str, Any] = {"attributes": []}
        body = {"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}
        httpx.post(f"{endpoint}/v1/traces", json=body, timeout=60).raise_for_status()


def label(client: Client) -> None:
    """Say of some conversations what a reviewer would say."""
    client.insert(
        "assessments",
        [
            [
                f"l{n}",
                PROJECT,
                f"{n + 1:032x}",
                "label",
                "satisfaction",
                float(not tickets.forgets(tickets.code_of(n), "")),
                DAY,
                1,
            ]
            for n in range(LABELLED)
        ],
        column_names=[
            "AssessmentId",
            "Project",
            "TraceId",
            "Source",
            "Name",
            "Satisfied",
            "Timestamp",
            "Version",
        ],
    )


def scenario(number: int) -> Scenario:
    """Return a scenario whose tape is the conversation of ticket ``number``."""
    return Scenario(
        scenario_id=f"s{number}",
        agent="desk",
        stratum="i1",
        first_seen=DAY,
        last_seen=DAY,
        content=Content(
            opening=tickets.opening(number),
            turns=(UserTurn(text=tickets.second(number)),),
            system=tickets.SYSTEM,
            tools=tuple(ToolSchema(name=name) for name in tickets.TOOLS),
            tape=tuple(
                TapeCall(
                    trajectory="t",
                    position=at,
                    tool=tool,
                    arguments=arguments,
                    result=result,
                    writes=at == 2,
                )
                for at, (tool, arguments, result) in enumerate(tickets.tape(number))
            ),
            criteria=(Criterion(kind="calls", name="close_ticket", support=0.95),),
        ),
    )


def wait_for(client: Client, sql: str, least: int) -> None:
    """Wait until ``sql`` counts as many.

    Raises:
        TimeoutError: it does not within three minutes.
    """
    deadline = time.monotonic() + STORED_WITHIN_S
    while int(client.query(sql).result_rows[0][0]) < least:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{sql} stays below {least}")
        time.sleep(0.25)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelServer:
    """The scripted model, in its process."""

    base_url: str
    pid: int

    def counts(self) -> dict[str, int]:
        """Return its counts."""
        with urllib.request.urlopen(f"{self.base_url.removesuffix('/v1')}/counts") as reply:
            counted: dict[str, int] = json.load(reply)
        return counted

    @property
    def cpu_s(self) -> float:
        """Processor time of its process so far."""
        fields = (
            Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        )
        return (int(fields[11]) + int(fields[12])) / 100


@contextlib.contextmanager
def model_server(delay_s: float) -> Generator[ModelServer, None, None]:
    """Start the scripted model."""
    command = [sys.executable, "-m", "benchmarks.loop.model_server", "--delay-s", str(delay_s)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        yield ModelServer(base_url=f"http://127.0.0.1:{port}/v1", pid=process.pid)
    finally:
        process.kill()
        process.wait()


def _otlp(span: Any) -> dict[str, Any]:
    attributes: Sequence[dict[str, Any]] = [
        {"key": key, "value": {"stringValue": value}} for key, value in span["attributes"].items()
    ]
    return {**span, "kind": 1, "attributes": attributes}


if __name__ == "__main__":
    with stage(Path(sys.argv[1])):
        pass
