"""The running agent, reached by HTTP.

POST ``{"conversation_id": …, "message": …}``, answered by ``{"answer": …}``; other bodies by `HttpMapping`.
The agent keeps a conversation by its id. W3C ``traceparent`` and ``baggage`` (``spanloop.run.id``,
``spanloop.configuration``) go with every request: which configuration is under test, where spans belong.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
import orjson

from spanloop.optimizer.replay import semconv
from spanloop.optimizer.replay.arguments import items, members
from spanloop.optimizer.replay.ending import Ended
from spanloop.optimizer.replay.episode import EpisodeRequest
from spanloop.optimizer.replay.outside import OutsideTarget, Session
from spanloop.optimizer.replay.recorder import root_span_id_of, trace_id_of

MAX_BODY_BYTES = 4_000_000
NOBODYS_FAULT = frozenset({401, 403, 404, 407, 429, 502, 503, 504})
"""Statuses that tell of the way to the agent, not of the agent; tried again in both arms alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpMapping:
    """Where things are in the bodies: dotted paths, numbers are places in lists (``choices.0.text``).

    Attributes:
        constant: what every request holds besides.
    """

    message: str = "message"
    conversation: str = "conversation_id"
    answer: str = "answer"
    constant: Mapping[str, Any] = field(default_factory=dict[str, Any])


class HttpTarget(OutsideTarget):
    """Plays episodes against ``url``."""

    name = "http"

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        mapping: HttpMapping | None = None,
        **ports: Any,
    ) -> None:
        super().__init__(**ports)
        self._url = url
        self._headers = dict(headers or {})
        self._mapping = mapping or HttpMapping()
        self._ssl = ssl.create_default_context()

    def open(self, request: EpisodeRequest) -> Session:
        """Begin a conversation; no cookie or connection outlives it."""
        client = httpx.AsyncClient(
            headers={**self._headers, **trace_headers(request)},
            timeout=request.timeout_s,
            verify=self._ssl,
        )
        return _HttpSession(client, self._url, self._mapping, request.run_id)


class _HttpSession:
    def __init__(
        self, client: httpx.AsyncClient, url: str, mapping: HttpMapping, run_id: str
    ) -> None:
        self._client = client
        self._url = url
        self._mapping = mapping
        self._run_id = run_id

    async def say(self, message: str) -> str:
        mapping = self._mapping
        body = placed(mapping.constant, mapping.conversation, self._run_id)
        body = placed(body, mapping.message, message)
        try:
            async with self._client.stream("POST", self._url, json=body) as response:
                if response.status_code in NOBODYS_FAULT:
                    raise Ended("infrastructure", str(response.status_code))
                if response.status_code >= 300:
                    raise Ended("crashed", str(response.status_code))
                content = await _read(response)
        except httpx.TimeoutException:
            raise Ended("timed_out", "timeout") from None
        except httpx.TransportError as error:
            raise Ended("infrastructure", type(error).__name__) from None
        answer = found(content, mapping.answer)
        if not isinstance(answer, str):
            raise Ended("crashed", "no_answer")
        return answer

    async def close(self) -> None:
        await self._client.aclose()


def trace_headers(request: EpisodeRequest) -> Mapping[str, str]:
    """Return W3C Trace Context and Baggage of a run."""
    trace_id, span_id = trace_id_of(request.run_id), root_span_id_of(request.run_id)
    carried = {
        semconv.RUN_ID: request.run_id,
        semconv.CONFIGURATION: request.configuration.hash,
    }
    return {
        "traceparent": f"00-{trace_id}-{span_id}-01",
        "baggage": ",".join(f"{name}={quote(value, safe='')}" for name, value in carried.items()),
    }


def placed(body: Any, path: str, value: Any) -> Any:
    """Return ``body`` with ``value`` at a dotted path; what is missing on the way is made.

    >>> placed({"model": "a"}, "messages.0.content", "hello")
    {'model': 'a', 'messages': [{'content': 'hello'}]}
    """
    if not path:
        return value
    step, _, rest = path.partition(".")
    if step.isdecimal():
        made = [*items(body), *[None] * (int(step) + 1 - len(items(body)))]
        made[int(step)] = placed(made[int(step)], rest, value)
        return made
    return {**members(body), step: placed(members(body).get(step), rest, value)}


def found(body: Any, path: str) -> Any:
    """Return what is at a dotted path of ``body``; None if there is nothing.

    >>> found({"choices": [{"text": "hi"}]}, "choices.0.text")
    'hi'
    """
    for step in path.split("."):
        if step in members(body):
            body = members(body)[step]
        elif step.isdecimal() and int(step) < len(items(body)):
            body = items(body)[int(step)]
        else:
            return None
    return body


async def _read(response: httpx.Response) -> Any:
    content = bytearray()
    async for part in response.aiter_bytes():
        content += part
        if len(content) > MAX_BODY_BYTES:
            raise Ended("crashed", "answer_too_long")
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        raise Ended("crashed", "no_json") from None
