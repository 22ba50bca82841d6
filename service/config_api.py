"""``GET /v1/agents/{agent}/config``: what an agent runs under, on the OTLP/HTTP port (docs/releases.md).

Agents poll, so answers come from memory: what is served is read again at most every `TTL_S`, whole, and only
if something changed. While the engine does not answer, the last known is served. A configuration under test
(``?hash=``) never changes under its hash, so it is kept; that there is none is kept for `MISSED_S`.
Looking one up never holds up those that poll.
"""

import asyncio
import hashlib
import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import grpc
import orjson
from clickhouse_connect.driver.exceptions import ClickHouseError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from spanloop.exporter.store import engine_message
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.releases.document import (
    Unit,
    agent_document,
    assigned_document,
    tested_document,
)
from spanloop.optimizer.releases.release import Release
from spanloop.processor.errors import RetryableError, StoreUnavailable
from spanloop.receiver.auth import Tokens
from spanloop.receiver.http_requests import JSON, error_response, unauthorised

logger = logging.getLogger(__name__)

PATH = "/v1/agents/{agent:path}/config"
TTL_S = 2.0
"""Seconds for which answers may be old: also how long a roll-back takes to reach an agent that asks."""

MAX_TESTED = 256
"""Configurations under test that are kept in memory."""

MISSED_S = 5.0
"""Seconds for which it is remembered that no configuration has a hash."""

MAX_MISSED = 256
"""Hashes of no configuration that are remembered."""

_HASH = re.compile(r"[0-9a-f]{32}")

Key = tuple[str, str]
"""Project and agent."""


class ReleaseSource(Protocol):
    """Where releases are read; called on threads, `tested` also while another of its methods runs."""

    def mark(self) -> object:
        """Return what differs once any release has changed."""
        ...

    def served(self) -> Sequence[Release]:
        """Return every current release and canary."""
        ...

    def tested(self, project: str, agent: str, hash_: str) -> AgentConfiguration | None:
        """Return a configuration that is released or under test."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A body and its strong entity tag."""

    body: bytes
    etag: str

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Answer":
        """Encode ``document`` in its order: that of the components is their order in the prompt."""
        body = orjson.dumps(document)
        return cls(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


@dataclass(frozen=True, slots=True)
class _Served:
    """What was read last: releases and whole answers by project and agent."""

    mark: object
    lines: Mapping[Key, Sequence[Release]]
    answers: Mapping[Key, Answer]


class ConfigApi:
    """The endpoint and its memory."""

    def __init__(
        self,
        source: ReleaseSource,
        tokens: Tokens,
        *,
        unit: Unit = "conversation",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._tokens = tokens
        self._unit: Unit = unit
        self._clock = clock
        self._served: _Served | None = None
        self._fresh_until = float("-inf")
        self._tested: OrderedDict[tuple[str, str, str], Answer] = OrderedDict()
        self._missed: OrderedDict[tuple[str, str, str], float] = OrderedDict()  # until when
        # Held while the engine is asked: a crowd of agents whose time has come asks it once.
        self._asking = asyncio.Lock()
        self._looking_up = asyncio.Lock()  # the same for configurations under test

    @property
    def route(self) -> Route:
        """Where it is mounted."""
        return Route(PATH, self.handle, methods=["GET"])

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        project = self._tokens.project_of(request.headers.get("authorization"))
        if project is None:
            return unauthorised(JSON)
        agent = request.path_params["agent"]
        query = request.query_params
        try:
            if (hash_ := query.get("hash")) is not None:
                answer = await self._answer_tested(project, agent, hash_)
                return _respond(request, answer, agent, "private, max-age=86400, immutable")
            served = await self._current()
        except RetryableError as failure:
            response = error_response(503, grpc.StatusCode.UNAVAILABLE, JSON, str(failure))
            response.headers["Retry-After"] = "5"
            return response
        key = (project, agent)
        unit_id = query.get(self._unit)
        if unit_id is None:
            answer = served.answers.get(key)
        else:
            document = assigned_document(served.lines.get(key, ()), unit_id)
            answer = Answer.of(document) if document else None
        return _respond(request, answer, agent, f"private, max-age={TTL_S:.0f}")

    async def _current(self) -> _Served:
        if self._served is None or self._clock() >= self._fresh_until:
            async with self._asking:
                if self._served is None or self._clock() >= self._fresh_until:
                    await self._read_again()
        assert self._served is not None
        return self._served

    async def _read_again(self) -> None:
        """Read what is served if it changed.

        Raises:
            StoreUnavailable: the engine does not answer, and nothing was ever read.
        """
        try:
            self._served = await asyncio.to_thread(self._load, self._served)
        except (ClickHouseError, RetryableError) as failure:
            if self._served is None:
                raise StoreUnavailable("releases cannot be read now; try again") from failure
            logger.warning("serving the releases last read: %s", engine_message(failure))
        self._fresh_until = self._clock() + TTL_S

    def _load(self, known: _Served | None) -> _Served:
        mark = self._source.mark()
        if known is not None and known.mark == mark:
            return known
        lines: dict[Key, list[Release]] = {}
        for release in self._source.served():
            lines.setdefault((release.project, release.agent), []).append(release)
        documents = {key: agent_document(line, self._unit) for key, line in lines.items()}
        answers = {key: Answer.of(document) for key, document in documents.items() if document}
        return _Served(mark, lines, answers)

    async def _answer_tested(self, project: str, agent: str, hash_: str) -> Answer | None:
        key = (project, agent, hash_)
        if _HASH.fullmatch(hash_) is None:
            return None
        if not self._is_remembered(key):
            async with self._looking_up:
                if not self._is_remembered(key):
                    await self._look_up(key)
        return self._tested.get(key)

    def _is_remembered(self, key: tuple[str, str, str]) -> bool:
        if key in self._tested:
            self._tested.move_to_end(key)
            return True
        return self._clock() < self._missed.get(key, float("-inf"))

    async def _look_up(self, key: tuple[str, str, str]) -> None:
        """Find a configuration under test, or remember that there is none.

        Raises:
            StoreUnavailable: the engine does not answer.
        """
        try:
            found = await asyncio.to_thread(self._source.tested, *key)
        except ClickHouseError as failure:
            raise StoreUnavailable("configurations cannot be read now; try again") from failure
        self._missed.pop(key, None)
        if found is None:
            self._missed[key] = self._clock() + MISSED_S
            if len(self._missed) > MAX_MISSED:
                self._missed.popitem(last=False)
            return
        self._tested[key] = Answer.of(tested_document(key[1], found))
        if len(self._tested) > MAX_TESTED:
            self._tested.popitem(last=False)


def _respond(request: Request, answer: Answer | None, agent: str, caching: str) -> Response:
    if answer is None:
        message = f"no configuration is released for agent {agent!r}"
        if "hash" in request.query_params:
            message = f"agent {agent!r} has no configuration of that hash"
        response = error_response(404, grpc.StatusCode.NOT_FOUND, JSON, message)
        response.headers["Cache-Control"] = "no-store"
        return response
    headers = {"ETag": answer.etag, "Cache-Control": caching, "Vary": "Authorization"}
    if is_match(request.headers.get("if-none-match"), answer.etag):
        return Response(status_code=304, headers=headers)
    return Response(answer.body, media_type=JSON, headers=headers)


def is_match(if_none_match: str | None, etag: str) -> bool:
    """Return whether ``If-None-Match`` names ``etag``, by weak comparison (RFC 9110, 13.1.2).

    >>> is_match('W/"a", "b"', '"a"'), is_match("*", '"a"'), is_match('"b"', '"a"')
    (True, True, False)
    """
    if if_none_match is None:
        return False
    named = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in named or etag in named
