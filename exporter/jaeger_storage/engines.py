"""Run a statement, embedded or on a ClickHouse server, under caps; its bytes are read as they come."""

import contextlib
import queue
import secrets
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import IO, Protocol, cast

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

from spanloop.exporter.jaeger_storage.statements import Statement, as_text
from spanloop.exporter.sql_endpoint.engine import Job, SqlEngine
from spanloop.exporter.sql_endpoint.errors import EngineError
from spanloop.exporter.sql_endpoint.statement import escape_param
from spanloop.exporter.store import Store, engine_message
from spanloop.processor.errors import Overloaded, RetryableError, StoreUnavailable

_SCHEMA = files("spanloop.proto").joinpath("otlp_spans_out.proto")
_READ_BYTES = 1 << 18
_TIMEOUT_EXCEEDED, _TOO_SLOW, _MEMORY_LIMIT_EXCEEDED = 159, 160, 241


class TookTooLong(RetryableError):
    """A statement reached its cap on time: ask for less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLimits:
    """Caps on one statement: bytes, threads, seconds."""

    max_memory_bytes: int = 330_000_000
    max_threads: int = 2
    max_execution_s: int = 30

    def settings(self) -> Mapping[str, str]:
        """Return them as settings of the engine; large sorts go to disk before memory is short."""
        return {
            "max_memory_usage": str(self.max_memory_bytes),
            "max_bytes_before_external_sort": str(self.max_memory_bytes // 3),
            "max_threads": str(self.max_threads),
            "max_execution_time": str(self.max_execution_s),
            "timeout_overflow_mode": "throw",
            "output_format_json_validate_utf8": "1",
        }


class Engine(Protocol):
    """Where statements run. Calls block."""

    def read(self, statement: Statement) -> contextlib.AbstractContextManager[Iterator[bytes]]:
        """Run it and give its result in pieces; leaving the context stops what still runs.

        Raises:
            Overloaded: it needs more memory than it may have.
            TookTooLong: it needs more time.
            StoreUnavailable: the database does not answer, or fails.
        """
        ...

    def close(self) -> None:
        """Give back what is held."""
        ...


class EmbeddedEngine:
    """Statements on chDB in this process, each read-only on a handle of its own."""

    def __init__(self, engine: SqlEngine, database: str, limits: ReadLimits) -> None:
        """Take an engine on the directory that this process owns."""
        self._engine = engine
        self._database = database
        self._settings = {
            **limits.settings(),
            # A file of ours: given as text, the engine would write it into the working directory.
            "format_schema": f"{_SCHEMA}:Row",
            # Bloom filters are read before the data: rare values cost half as much to look for. (Not for
            # a server, which may be older than the setting.)
            "use_skip_indexes_on_data_read": "0",
        }

    @contextlib.contextmanager
    def read(self, statement: Statement) -> Generator[Iterator[bytes]]:
        """See `Engine.read`."""
        job = Job(
            sql=statement.sql,
            format=statement.format,
            database=self._database,
            marker=secrets.token_hex(8),
            params={
                name: escape_param(value) for name, value in as_text(statement.parameters).items()
            },
            settings=self._settings,
            is_select=True,
        )
        try:
            with contextlib.closing(self._engine.run(job)) as result:
                yield result
        except EngineError as failure:
            raise _failure(failure.error.code, failure) from failure

    def close(self) -> None:
        """Give back the engine's handles."""
        self._engine.close()


class ServerEngine:
    """Statements on a ClickHouse server, through a few clients that are used again."""

    def __init__(self, store: Store, limits: ReadLimits) -> None:
        """Take the store; clients are opened when they are needed."""
        self._store = store
        self._settings = {
            **limits.settings(),
            "format_schema_source": "string",
            "format_schema": _SCHEMA.read_text(encoding="utf-8"),
            "format_schema_message_name": "Row",
        }
        self._idle: queue.SimpleQueue[Client] = queue.SimpleQueue()

    @contextlib.contextmanager
    def read(self, statement: Statement) -> Generator[Iterator[bytes]]:
        """See `Engine.read`."""
        client = self._client()
        try:
            body = cast(
                "IO[bytes]",
                client.raw_stream(
                    statement.sql,
                    parameters={
                        name: value if isinstance(value, str) else list(value)
                        for name, value in statement.parameters.items()
                    },
                    settings=dict(self._settings),
                    fmt=statement.format,
                ),
            )
            with contextlib.closing(body):
                yield _pieces(body)
        except ClickHouseError as failure:
            client.close()
            code = failure.code if isinstance(failure, DatabaseError) else None
            raise _failure(code, failure) from failure
        except BaseException:  # whatever ended it left an answer half read: not to be used again
            client.close()
            raise
        self._idle.put(client)

    def _client(self) -> Client:
        with contextlib.suppress(queue.Empty):
            return self._idle.get_nowait()
        return self._store.connect()

    def close(self) -> None:
        """Close the idle clients."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()


def _pieces(body: IO[bytes]) -> Iterator[bytes]:
    while piece := body.read(_READ_BYTES):
        yield piece


def _failure(code: int | None, failure: Exception) -> RetryableError:
    if code == _MEMORY_LIMIT_EXCEEDED:
        return Overloaded("the query needs more memory than it may have: ask for less")
    if code in (_TIMEOUT_EXCEEDED, _TOO_SLOW):
        return TookTooLong("the query took too long: ask for less")
    return StoreUnavailable(f"the database failed: {engine_message(failure)}")
