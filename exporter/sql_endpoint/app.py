"""The ASGI application: ClickHouse's HTTP interface over a ``SqlEngine``.

    app = create_app(ChdbEngine(lambda: chdb.connect(path)), SqlPolicy(), auth=token_check(tokens))

Source for parameters, headers and error bodies: ClickHouse docs, "HTTP Interface", and
``src/Server/HTTPHandler.cpp``.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TypeVar

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from spanloop.exporter.sql_endpoint import errors
from spanloop.exporter.sql_endpoint.answer import Answer, Wrapping, common_headers, error_response
from spanloop.exporter.sql_endpoint.auth import TokenCheck, refuse
from spanloop.exporter.sql_endpoint.engine import STREAMED_FORMATS, Job, SqlEngine
from spanloop.exporter.sql_endpoint.errors import EngineError, refusal
from spanloop.exporter.sql_endpoint.formats import input_format, output_format
from spanloop.exporter.sql_endpoint.functions import allowed_functions
from spanloop.exporter.sql_endpoint.policy import HttpPolicy, SqlLimits, SqlPolicy
from spanloop.exporter.sql_endpoint.request import SqlRequest, parse_request, take, unwrapped_body
from spanloop.exporter.sql_endpoint.settings import effective_settings
from spanloop.exporter.sql_endpoint.statement import Reader, Statement
from spanloop.processor.errors import SpanloopError

_T = TypeVar("_T")
_PREFIX_BYTES = 256 << 10
_PIECE_BYTES = 1 << 20


def create_app(
    engine: SqlEngine,
    policy: SqlPolicy,
    *,
    auth: TokenCheck | None = None,
    limits: SqlLimits | None = None,
    http: HttpPolicy | None = None,
) -> Starlette:
    """Build the application.

    Args:
        engine: the database in this process.
        policy: databases that may be read and written.
        auth: checks tokens; None serves anyone who reaches the port, but no web page.
        limits: caps.
        http: host names that are served without a token.
    """
    endpoint = Endpoint(
        engine, policy, auth=auth, limits=limits or SqlLimits(), http=http or HttpPolicy()
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        yield
        endpoint.close()

    return Starlette(
        routes=[
            Route("/", endpoint.handle, methods=["GET", "POST"]),
            Route("/ping", ping, methods=["GET"]),
            Route("/replicas_status", ping, methods=["GET"]),
        ],
        lifespan=lifespan,
    )


async def ping(_: Request) -> Response:
    """What load balancers and clients ask before anything else; needs no token."""
    return PlainTextResponse("Ok.\n")


class Endpoint:
    """Everything the requests share: engine, caps, threads and turns."""

    def __init__(
        self,
        engine: SqlEngine,
        policy: SqlPolicy,
        *,
        auth: TokenCheck | None,
        limits: SqlLimits,
        http: HttpPolicy,
    ) -> None:
        self.engine = engine
        self.limits = limits
        self._policy = policy
        self._auth = auth
        self._http = http
        self._reader = Reader(
            engine=engine,
            policy=policy,
            functions=allowed_functions(),
            max_query_bytes=limits.max_query_bytes,
        )
        # Every turn may block one thread; stopping a statement must not wait for one of those.
        self._timezone = engine.ask("SELECT timezone()", {})[0][0]
        self._threads = ThreadPoolExecutor(limits.max_concurrent + 4, "sql-endpoint")
        self._turns = asyncio.Semaphore(limits.max_concurrent)

    def close(self) -> None:
        """Let running statements end, then give the handles back."""
        self._threads.shutdown(wait=True)
        self.engine.close()

    async def blocking(self, call: Callable[[], _T]) -> _T:
        """Run a blocking call of the engine in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    @property
    def send_timeout_s(self) -> float:
        """Longest wait for a reader that does not read, seconds."""
        return self.limits.send_timeout_s

    def release_turn(self) -> None:
        """Let the next statement run."""
        self._turns.release()

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        query_id = request.query_params.get("query_id") or secrets.token_hex(16)
        refused = refuse(request.headers, auth=self._auth, policy=self._http)
        if refused is not None:
            return error_response(refused, query_id, self._timezone)
        try:
            return await self._answer(request, query_id)
        except SpanloopError as error:
            return error_response(errors.from_exception(error), query_id, self._timezone)
        except ClientDisconnect:
            return Response(status_code=499)

    async def _answer(self, request: Request, query_id: str) -> Response:
        sql = parse_request(request)
        if request.method == "GET" and not sql.query:
            return PlainTextResponse("Ok.\n")
        body = unwrapped_body(request, self.limits)
        database = sql.database or self._policy.default_database
        statement, data = await self._read(sql, body, database)
        job = self._job(sql, statement, database)
        await self._take_turn()
        try:
            if statement.kind == "read":
                greets = statement.asks_revision and job.format == "Native"
                wrapping = Wrapping(
                    steps=sql.steps,
                    encoding=sql.encoding,
                    greeting_revision=sql.revision if greets else 0,
                )
                headers = common_headers(query_id, self._timezone)
                answer = Answer(self, job, wrapping=wrapping, headers=headers)
                await answer.start(request.receive)
                return answer
            written = 0
            if statement.has_data:
                written = await self._insert(job, data, body)
            else:
                await self._write(job, statement)
        except BaseException:
            self.release_turn()
            raise
        self.release_turn()
        return Response(headers=common_headers(query_id, self._timezone, written_rows=written))

    async def _take_turn(self) -> None:
        try:
            async with asyncio.timeout(self.limits.queue_timeout_s):
                await self._turns.acquire()
        except TimeoutError:
            busy = "Too many simultaneous queries; try again later"
            raise EngineError(refusal(errors.TOO_MANY_SIMULTANEOUS_QUERIES, busy)) from None

    async def _read(
        self, sql: SqlRequest, body: AsyncIterator[bytes], database: str
    ) -> tuple[Statement, bytes]:
        """Statement, and the first bytes of its data if it is an insert that carries data."""
        if sql.query:
            split = await self._split(sql.query.encode())
            if split is not None:
                head, rest = split
                data = rest + b"\n" if rest else b""
                return await self._check(head, sql, database), data
        text = sql.query.encode() + (b"\n" if sql.query else b"")
        text += await self._take(body, _PREFIX_BYTES)
        split = None if sql.query else await self._split(text)
        if split is not None:
            return await self._check(split[0], sql, database), split[1]
        while piece := await self._take(body, 1):
            text += piece
            if len(text) > self.limits.max_query_bytes:
                raise EngineError(refusal(errors.QUERY_IS_TOO_LARGE, "The statement is too long"))
        return await self._check(_utf8(text), sql, database), b""

    async def _take(self, body: AsyncIterator[bytes], at_least: int) -> bytes:
        try:
            async with asyncio.timeout(self.limits.send_timeout_s):
                return await take(body, at_least)
        except TimeoutError:
            slow = "The body did not arrive in time"
            raise EngineError(refusal(errors.SOCKET_TIMEOUT, slow)) from None

    async def _split(self, text: bytes) -> tuple[str, bytes] | None:
        return await self.blocking(lambda: self._reader.split_insert(text))

    async def _check(self, text: str, sql: SqlRequest, database: str) -> Statement:
        if database not in self._policy.readable | {"system"}:
            raise EngineError(refusal(errors.ACCESS_DENIED, "This database is not served here"))
        statement = await self.blocking(
            lambda: self._reader.read(text, sql.params, database=database)
        )
        if sql.reads_only and statement.kind != "read":
            raise EngineError(refusal(errors.READONLY, "GET may only read; use POST"))
        return statement

    def _job(self, sql: SqlRequest, statement: Statement, database: str) -> Job:
        if statement.has_data:
            name = input_format(statement.format or "")
        elif statement.kind != "read":
            name = "Null"
        else:
            name = output_format(statement.format or sql.format or "TabSeparated")
        requested: Mapping[str, str] = {**sql.settings, **statement.settings}
        is_select = statement.sql.startswith(("SELECT", "WITH", "("))
        streamed = is_select and name in STREAMED_FORMATS
        return Job(
            sql=statement.sql,
            format=name,
            database=database,
            marker=secrets.token_hex(16),
            params=sql.params,
            settings=effective_settings(requested, self.limits, buffered=not streamed),
            readonly=statement.kind == "read",
            is_select=is_select,
        )

    async def _insert(self, job: Job, first: bytes, body: AsyncIterator[bytes]) -> int:
        insert = await self.blocking(lambda: self.engine.insert(job))
        try:
            if first:
                await self.blocking(lambda: insert.append(first))
            while piece := await self._take(body, _PIECE_BYTES):
                await self.blocking(partial(insert.append, piece))
            return await self.blocking(insert.finish)
        finally:
            await self.blocking(insert.close)

    async def _write(self, job: Job, statement: Statement) -> None:
        """CREATE, or INSERT … SELECT; the query in it must first pass as a read-only one."""
        if statement.select is not None:
            sql = f"DESCRIBE TABLE ({statement.select})"
            check = replace(job, sql=sql, readonly=True)
            await self.blocking(lambda: self.engine.run(check).close())
        await self.blocking(lambda: self.engine.run(job).close())


def _utf8(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise EngineError(refusal(errors.BAD_ARGUMENTS, "Statements are UTF-8 text")) from None
