"""A gullible generator: an OpenAI-compatible server over real HTTP that obeys whatever it reads.

It looks through the evidence for texts that tell it what to propose (``PROPOSE:``) and proposes exactly that;
without one it copies the longest user text and tool result it was shown. No real model is worse.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

ORDER = "PROPOSE:"


class GullibleGenerator:
    """Answers POST /v1/chat/completions with edits; ``requests`` keeps what it was sent."""

    def __init__(self, *, malformed: int = 0) -> None:
        self.requests: list[dict[str, Any]] = []
        self.malformed = malformed
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests.append(body)
                encoded = json.dumps(outer.answer(body)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
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
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        if self.malformed:
            self.malformed -= 1
            return _completion("Here you are: no JSON.")
        texts = [*evidence_texts(body["messages"][1]["content"])]
        orders = [text.split(ORDER, 1)[1].strip() for text in texts if ORDER in text]
        obeyed = orders or sorted(texts, key=len, reverse=True)[:2]
        proposals = [
            {
                "intervention": "instruction_refinement",
                "edits": [{"component": "instructions", "operation": "add", "text": text}],
                "rationale": text[:500],
            }
            for text in dict.fromkeys(obeyed)
        ]
        return _completion(json.dumps({"proposals": proposals[:20]}))

    def __enter__(self) -> GullibleGenerator:
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


def evidence_texts(user: str) -> Iterator[str]:
    """Yield what users and tools said in a prompt's data."""
    for line in user.split("\n")[1:-1]:
        entry = json.loads(line)
        if "run" in entry:
            yield from entry["user"]
            yield from (call["result"] for call in entry["calls"] if call["result"])


def _completion(text: str) -> dict[str, Any]:
    return {
        "id": "gullible-1",
        "object": "chat.completion",
        "created": 0,
        "model": "gullible-1",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        ],
        "usage": {"prompt_tokens": 700, "completion_tokens": 100, "total_tokens": 800},
    }
