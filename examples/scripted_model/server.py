"""The scripted model over real HTTP: `/v1/chat/completions` and `/v1/models`, localhost only."""

import json
import logging
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from pydantic import ValidationError

from spanloop.examples.scripted_model.protocol import (
    SCRIPTED_MODEL,
    ChatRequest,
    chunks,
    completion,
    error_body,
    models,
)
from spanloop.examples.scripted_model.script import decide

_LOGGER = logging.getLogger(__name__)

MAX_REQUEST_BYTES = 16 * 1024 * 1024


class ScriptedModel:
    """A running scripted model server; also a context manager that stops it."""

    def __init__(self, port: int = 0) -> None:
        """Bind 127.0.0.1 at `port` (0 picks a free one) and serve in a background thread."""
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="scripted-model",
            daemon=True,
        )
        self._stopped = False
        self._thread.start()
        _LOGGER.info("scripted model listens at %s", self.base_url)

    @property
    def port(self) -> int:
        """The TCP port it listens on."""
        return self._server.server_port

    @property
    def base_url(self) -> str:
        """The OpenAI-compatible base URL, ending in `/v1`."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def requests_served(self) -> int:
        """Chat completions answered with 200 since the start."""
        return self._server.requests_served

    def stop(self) -> None:
        """Close every connection and the port; idempotent."""
        if self._stopped:
            return
        self._stopped = True
        self._server.shutdown()
        self._thread.join()
        self._server.close_connections()
        self._server.server_close()

    def __enter__(self) -> "ScriptedModel":
        """Return the running server."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the server."""
        self.stop()


def start_scripted_model(port: int = 0) -> ScriptedModel:
    """Start the scripted model server on localhost; call `.stop()` when done."""
    return ScriptedModel(port)


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True  # server_close() joins the handler threads: none outlives stop()

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.requests_served = 0
        # Guards `_connections` and `requests_served`: handler threads add, stop() reads.
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()

    def count_request(self) -> None:
        with self._lock:
            self.requests_served += 1

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        with self._lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    _LOGGER.debug("a client had closed its connection already")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "spanloop-scripted-model"
    sys_version = ""
    wbufsize = -1  # one segment for head and body: unbuffered, Nagle costs 40 ms a call
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path.rstrip("/") == "/v1/models":
            self._send_json(200, models())
        else:
            self._send_json(404, error_body(f"no such path: {self.path}", code="not_found"))

    def do_POST(self) -> None:
        body = self._read_body()
        if body is None:
            return
        if self.path != "/v1/chat/completions":
            self._send_json(404, error_body(f"no such path: {self.path}", code="not_found"))
            return
        try:
            request = ChatRequest.model_validate_json(body)
        except ValidationError as error:
            self._send_json(400, error_body(str(error), code="invalid_request"))
            return
        if request.model != SCRIPTED_MODEL:
            message = f"this scripted server has only {SCRIPTED_MODEL!r}, not {request.model!r}"
            self._send_json(404, error_body(message, code="model_not_found"))
            return
        self._answer(request)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet: a request a line would drown the demo."""

    def _answer(self, request: ChatRequest) -> None:
        body = completion(request, decide(request))
        if request.stream:
            self._send_stream(body, include_usage=request.stream_options.include_usage)
        else:
            self._send_json(200, body)
        if isinstance(self.server, _Server):
            self.server.count_request()

    def _read_body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_REQUEST_BYTES:
            self.close_connection = True
            self._send_json(413, error_body("a request needs a Content-Length", code="length"))
            return None
        return self.rfile.read(int(length))

    def _send_json(self, status: int, body: dict[str, Any]) -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)
        self.wfile.flush()

    def _send_stream(self, body: dict[str, Any], *, include_usage: bool) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for chunk in chunks(body, include_usage=include_usage):
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")
        self.wfile.flush()
