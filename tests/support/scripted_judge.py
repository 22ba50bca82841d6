"""A *scripted* OpenAI-compatible judge over real HTTP: fixed rules over the transcript, no language model.

It finds a run unsatisfying if a step of it has the status error, is swayed by nothing it reads, and can be
told to fail or to answer out of shape.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

QUESTIONS = (
    "goal_reached",
    "grounded",
    "instructions_followed",
    "effort_reasonable",
    "satisfaction",
)


class ScriptedJudge:
    """A running server; ``requests`` keeps what it was sent."""

    def __init__(self, *, malformed: int = 0, status: int = 200) -> None:
        self.requests: list[dict[str, Any]] = []
        self.malformed = malformed
        self.status = status
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, answer = outer.answer(body)
                encoded = json.dumps(answer).encode()
                self.send_response(status)
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

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.requests.append(body)
        if self.status != 200:
            return self.status, {"error": {"message": "scripted failure", "type": "scripted"}}
        if self.malformed:
            self.malformed -= 1
            return 200, _completion("no JSON at all")
        lines = body["messages"][1]["content"].split("\n")[1:-1]
        bad = any(json.loads(line).get("status") == "error" for line in lines)
        verdict = {"verdict": "no" if bad else "yes", "step": None, "reason": "scripted"}
        return 200, _completion(json.dumps(dict.fromkeys(QUESTIONS, verdict)))

    def __enter__(self) -> "ScriptedJudge":
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


def _completion(text: str) -> dict[str, Any]:
    return {
        "id": "scripted-1",
        "object": "chat.completion",
        "created": 0,
        "model": "scripted-judge-1",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        ],
        "usage": {"prompt_tokens": 500, "completion_tokens": 50, "total_tokens": 550},
    }
