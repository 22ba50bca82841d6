"""Ask a running server through its admin socket (`spanloop.service.admin`)."""

import contextlib
import json
from collections.abc import Generator, Iterator, Mapping
from typing import Any

import httpx

from spanloop.processor.errors import PermanentError
from spanloop.service.jobs import OnEvent

CALL_TIMEOUT_S = 3600.0


def call(socket: str, action: str, **arguments: object) -> Any:
    """Ask a running server to do ``action``; return its answer.

    Raises:
        PermanentError: it refused, or does not answer.
    """
    with _client(socket) as client:
        reply = client.post(f"http://admin/{action}", json=arguments)
    content: Any = reply.json() if reply.headers.get("content-type") == "application/json" else {}
    if reply.status_code != 200:
        raise PermanentError(
            content.get("error", f"the running server failed: HTTP {reply.status_code}")
        )
    return content


def stream(socket: str, action: str, **arguments: object) -> Iterator[dict[str, Any]]:
    """Ask for ``action`` and yield what it says on the way: one JSON object a line, without heartbeats.

    Raises:
        PermanentError: it refused, failed, or does not answer.
    """
    with (
        _client(socket) as client,
        client.stream("POST", f"http://admin/{action}", json=arguments) as reply,
    ):
        for line in reply.iter_lines():
            event: dict[str, Any] = json.loads(line)
            if "error" in event:
                raise PermanentError(str(event["error"]))
            if "beat" not in event:
                yield event


def follow(socket: str, action: str, on_event: OnEvent, **arguments: object) -> Mapping[str, Any]:
    """Ask for a job, tell ``on_event`` how far it is, and return its result.

    Raises:
        PermanentError: the server refused, failed, does not answer, or ended before the job did.
    """
    for event in stream(socket, action, **arguments):
        if "result" in event:
            answer: dict[str, Any] = event["result"]
            return answer
        on_event(event["stage"], event["total"], event["done"])
    raise PermanentError(f"the running server ended before it was done ({action})")


@contextlib.contextmanager
def _client(socket: str) -> Generator[httpx.Client, None, None]:
    try:
        with httpx.Client(
            transport=httpx.HTTPTransport(uds=socket), timeout=CALL_TIMEOUT_S
        ) as client:
            yield client
    except httpx.TransportError as failure:
        raise PermanentError(f"the running server does not answer: {failure}") from None
