"""A configuration server on a real port whose answers a test sets."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from spanloop.optimizer.configuration import AgentConfiguration


def served(release_id: str, instructions: str) -> dict[str, Any]:
    """Return one release of a document."""
    configuration = AgentConfiguration(components={"instructions": instructions})
    return {
        "release_id": release_id,
        "number": 1,
        "hash": configuration.hash,
        "configuration": configuration.model_dump(mode="json"),
    }


def document(
    canary: dict[str, Any] | None = None, share: float = 0.0, unit: str = "conversation"
) -> Any:
    """Return what the configuration API answers for an agent."""
    salt = canary["release_id"] if canary else ""
    return {
        "agent": "support",
        "assignment": {"unit": unit, "share": share, "salt": salt},
        "current": served("rel-1", "Be brief."),
        "canary": canary,
    }


class _Quiet(ThreadingHTTPServer):
    """A client that hung up is no news."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""


class ConfigServer:
    """Answers with ``document`` (None = 404), configurations ``tested`` by hash, or ``status``."""

    def __init__(self) -> None:
        self.document: Any = document()
        self.tested: dict[str, AgentConfiguration] = {}
        self.status = 200
        self.delay_s = 0.0
        self.location = ""
        self.seen: list[tuple[str, str | None, str | None]] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Stay quiet."""

        self._server = _Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop; safe to call twice."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        headers = handler.headers
        self.seen.append((handler.path, headers["Authorization"], headers["If-None-Match"]))
        time.sleep(self.delay_s)
        hash_ = parse_qs(urlsplit(handler.path).query).get("hash", [""])[0]
        content = self.document
        if hash_:
            found = self.tested.get(hash_)
            content = found and {"hash": hash_, "configuration": found.model_dump(mode="json")}
        body = json.dumps(content).encode() if not isinstance(content, bytes) else content
        etag = f'"{hash(body)}"'
        status = self.status if content is not None else 404
        if status == 200 and headers["If-None-Match"] == etag:
            status = 304
        handler.send_response(status)
        handler.send_header("ETag", etag)
        if self.location:
            handler.send_header("Location", self.location)
        sent = body if status == 200 else b""
        handler.send_header("Content-Length", str(len(sent)))
        handler.end_headers()
        handler.wfile.write(sent)
