"""A small agent over HTTP that tells its own spans: it answers with what the run's headers said."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from opentelemetry import baggage
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


class OutsideAgent:
    """A running agent; ``status`` other than 200 makes it fail; ``ran`` is stamped if set."""

    def __init__(self, receiver: str) -> None:
        self.status = 200
        self.ran = ""
        self.bodies: list[dict[str, Any]] = []
        provider = TracerProvider(resource=Resource({"service.name": "outside"}))
        provider.add_span_processor(
            BatchSpanProcessor(
                OTLPSpanExporter(endpoint=f"http://{receiver.removeprefix('http://')}"),
                schedule_delay_millis=200,
            )
        )
        self._provider = provider
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = outer.answer(body, dict(self.headers.items()))
                encoded = json.dumps(answer).encode()
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(encoded)))
                self.end_headers()
                self.wfile.write(encoded)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/ask"

    def answer(self, body: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
        self.bodies.append(body)
        context = extract({name.lower(): value for name, value in headers.items()})
        run = str(baggage.get_baggage("spanloop.run.id", context))
        conversation = {
            "gen_ai.conversation.id": str(body["id"]),
            "spanloop.run.id": run,
            "spanloop.configuration": self.ran
            or str(baggage.get_baggage("spanloop.configuration", context)),
        }
        tracer = self._provider.get_tracer("outside")
        root = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "outside"}
        with tracer.start_as_current_span(
            "invoke_agent outside", context=context, attributes={**conversation, **root}
        ):
            call: dict[str, str | int] = {
                "gen_ai.operation.name": "chat",
                "gen_ai.request.model": "m",
                "gen_ai.usage.input_tokens": 10,
                "gen_ai.usage.output_tokens": 2,
            }
            with tracer.start_as_current_span("chat m", attributes={**conversation, **call}):
                said = str(body["messages"][0]["content"])
        return {"choices": [{"message": {"content": f"{said} {run}"}}]}

    def __enter__(self) -> "OutsideAgent":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._provider.shutdown()
