"""The agent behind a small HTTP door, under the configurations that spanloop serves.

`POST /chat` with `{"conversation_id": ..., "message": ...}` is answered by `{"answer": ...}`; a
conversation is kept by its id, each with a shop of its own. W3C `traceparent` and `baggage` are
read, so that a caller finds the spans, and may play test episodes (`accept_runs` of the client).

A real shop knows who is signed in. Here the caller says so with `user_id`, or else the customer
is the one whose order the first message names.

    python -m spanloop.examples.support_agent.serving --spanloop http://127.0.0.1:4318 \
        --otlp http://127.0.0.1:4317 --model openai/gpt-5-mini
"""

import argparse
import json
import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry import context
from opentelemetry.propagate import extract
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spanloop.client import ConfigClient, Options
from spanloop.examples.support_agent.agent import Conversation, SupportAgent
from spanloop.examples.support_agent.configuration import AgentConfiguration, load_configuration
from spanloop.examples.support_agent.database import OrderDatabase
from spanloop.examples.support_agent.model import ChatModel, LiteLLMModel, ModelSettings
from spanloop.examples.support_agent.telemetry import Telemetry, TelemetrySettings

logger = logging.getLogger(__name__)

MAX_CONVERSATIONS = 1_000
"""Conversations that are kept; the one unheard of for the longest goes first."""
MAX_BODY_BYTES = 256 * 1024
FLUSH_TIMEOUT_MS = 5_000
_ORDER = re.compile(r"ORD-\d+")


class Question(BaseModel):
    """What is posted."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    conversation_id: str = Field(min_length=1, max_length=256)
    message: str = Field(min_length=1)
    user_id: str | None = None


@dataclass(slots=True)
class _Open:
    """A conversation under way; `turn` is held while it is answered: its messages are in order."""

    agent: SupportAgent
    conversation: Conversation
    turn: threading.Lock = field(default_factory=threading.Lock)


class SupportDesk:
    """All conversations of a running agent."""

    def __init__(
        self,
        configuration: AgentConfiguration,
        *,
        client: ConfigClient,
        model: ChatModel,
        telemetry: Telemetry,
    ) -> None:
        """Stamp what the agent tells from now on; `configuration` gives its name."""
        telemetry.tracer_provider.add_span_processor(client.span_processor())
        self._telemetry = telemetry
        self._client = client
        database = OrderDatabase()
        self._agent = SupportAgent(
            configuration, database=database, model=model, telemetry=telemetry
        )
        self._lock = threading.Lock()  # guards _open
        self._open: OrderedDict[str, _Open] = OrderedDict()

    def answer(self, question: Question, headers: Mapping[str, str]) -> str:
        """Answer one message; spans of a test episode are on their way when this returns."""
        carried = extract({name.lower(): value for name, value in headers.items()})
        token = context.attach(carried)
        try:
            open_ = self._conversation(question)
            customer_id = open_.conversation.customer_id
            assigned_to = self._client.conversation(question.conversation_id, customer_id)
            with open_.turn, assigned_to as assigned:
                released = self._agent.configuration.as_released(assigned.configuration)
                if released != open_.agent.configuration:
                    _move(open_, released)
                turn = open_.agent.reply(open_.conversation, question.message, parent=carried)
        finally:
            context.detach(token)
        if assigned.run_id:  # whoever plays it waits for its spans
            self._telemetry.tracer_provider.force_flush(FLUSH_TIMEOUT_MS)
        return turn.answer

    def _conversation(self, question: Question) -> _Open:
        with self._lock:
            open_ = self._open.pop(question.conversation_id, None) or self._begin(question)
            self._open[question.conversation_id] = open_
            if len(self._open) > MAX_CONVERSATIONS:
                self._open.popitem(last=False)
        return open_

    def _begin(self, question: Question) -> _Open:
        database = OrderDatabase()
        agent = self._agent.under(self._agent.configuration)
        agent.database = database
        customer = question.user_id or customer_of(database, question.message)
        return _Open(
            agent, agent.start_conversation(question.conversation_id, customer_id=customer)
        )


def _move(open_: _Open, released: AgentConfiguration) -> None:
    """Go on under another configuration: the first turn, or a release that was rolled back."""
    open_.agent = open_.agent.under(released)
    began = open_.agent.start_conversation(
        open_.conversation.id, customer_id=open_.conversation.customer_id
    )
    open_.conversation.messages[:1] = began.messages


def customer_of(database: OrderDatabase, message: str) -> str:
    """The owner of the first order that `message` names, else the shop's first customer."""
    named = _ORDER.search(message)
    row = named and database.one("SELECT customer_id FROM orders WHERE id = :id", {"id": named[0]})
    first = row or database.one("SELECT min(id) AS customer_id FROM customers", {})
    assert first is not None
    return str(first["customer_id"])


class AgentServer:
    """The door; `url` is where to post."""

    def __init__(self, desk: SupportDesk, port: int = 0) -> None:
        """Listen on localhost; 0 takes a free port."""

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                _respond(self, desk)

            def log_message(self, format: str, *args: Any) -> None:
                """Requests are on the spans."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Where questions are posted."""
        return f"http://127.0.0.1:{self._server.server_port}/chat"

    def __enter__(self) -> "AgentServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _respond(handler: BaseHTTPRequestHandler, desk: SupportDesk) -> None:
    status, content = _answered(handler, desk)
    body = json.dumps(content).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def _answered(handler: BaseHTTPRequestHandler, desk: SupportDesk) -> tuple[int, dict[str, str]]:
    length = int(handler.headers.get("Content-Length", "0"))
    if length > MAX_BODY_BYTES:
        handler.close_connection = True  # the body is left unread
        return 413, {"error": f"at most {MAX_BODY_BYTES} bytes"}
    body = handler.rfile.read(length)
    if handler.path != "/chat":
        return 404, {"error": "POST /chat"}
    try:
        question = Question.model_validate_json(body)
    except ValidationError as invalid:
        return 400, {"error": invalid.errors(include_url=False, include_input=False)[0]["msg"]}
    try:
        return 200, {"answer": desk.answer(question, dict(handler.headers.items()))}
    except ValidationError:
        logger.exception("the agent cannot run under what it was given")
        return 500, {"error": "the agent cannot run under its configuration"}


def main() -> None:
    """Serve the agent until interrupted."""
    parser = argparse.ArgumentParser(description="Serve the example agent.")
    parser.add_argument("--spanloop", default="http://127.0.0.1:4318", help="OTLP/HTTP port")
    parser.add_argument("--otlp", default="http://127.0.0.1:4317", help="OTLP/gRPC endpoint")
    parser.add_argument("--model", required=True, help="litellm's name of a model")
    parser.add_argument("--api-base", help="base URL of an OpenAI-compatible server")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--accept-runs", action="store_true", help="let experiments play here")
    asked = parser.parse_args()
    configuration = load_configuration()
    telemetry = Telemetry(replace(TelemetrySettings(), endpoint=asked.otlp))
    client = ConfigClient(
        asked.spanloop,
        configuration.name,
        default=configuration.behaviour(),
        options=Options(accept_runs=asked.accept_runs),
    )
    model = LiteLLMModel(ModelSettings(model=asked.model, api_base=asked.api_base))
    desk = SupportDesk(configuration, client=client, model=model, telemetry=telemetry)
    with AgentServer(desk, asked.port):
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            client.close()
            telemetry.shutdown()


if __name__ == "__main__":
    main()
