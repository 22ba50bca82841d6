"""The embedded engine behind the endpoint: one chDB handle for each statement that runs.

A query on a handle whose stream is open silently returns nothing, and ``SET``/``USE`` belong to
the handle; opening one costs about a millisecond, so none is shared while it works.
"""

import json
import queue
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, cast

from spanloop.exporter.sql_endpoint.errors import EngineError, from_engine
from spanloop.exporter.sql_endpoint.native import native_header
from spanloop.exporter.sql_endpoint.statement import escape_param, quote_name
from spanloop.processor.errors import SqlRejected

# Formats whose blocks, put one after another, are a result: chDB's streaming gives each block as
# a document of its own, so the others are built whole.
STREAMED_FORMATS = frozenset(
    {
        "BSONEachRow",
        "CSV",
        "JSONCompactEachRow",
        "JSONCompactStringsEachRow",
        "JSONEachRow",
        "JSONStringsEachRow",
        "LineAsString",
        "MsgPack",
        "Native",
        "Protobuf",
        "RowBinary",
        "TSKV",
        "TabSeparated",
        "TabSeparatedRaw",
    }
)
_T = TypeVar("_T")
_SLICE_BYTES = 1 << 20
_ASK_SETTINGS = (
    "SET max_execution_time = 10, max_memory_usage = 1000000000, max_parser_depth = 400, "
    "max_query_size = 4194304, allow_introspection_functions = 0, log_comment = 'spanloop-check'"
)


class ChdbResult(Protocol):
    """What ``chdb.state.sqlitelike.Connection.query`` returns."""

    def bytes(self) -> bytes:
        """The encoded result."""
        ...

    def rows_read(self) -> int:
        """Rows of the result."""
        ...


class ChdbStream(Protocol):
    """What ``send_query`` returns."""

    def __iter__(self) -> Iterator[ChdbResult]: ...

    def __next__(self) -> ChdbResult: ...

    def cancel(self) -> None:
        """Stop the query."""
        ...


class ChdbWritten(Protocol):
    """What a finished insert returns."""

    rows_written: int
    bytes_written: int


class ChdbInserter(Protocol):
    """What ``send_insert`` returns."""

    def append(self, data: bytes) -> None:
        """Push encoded rows."""
        ...

    def finish(self) -> ChdbWritten:
        """Commit."""
        ...

    def cancel(self) -> None:
        """Give up without committing."""
        ...


class ChdbHandle(Protocol):
    """The part of ``chdb.state.sqlitelike.Connection`` that is used."""

    def query(
        self, query: str, format: str = "CSV", params: Mapping[str, str] | None = None
    ) -> ChdbResult:
        """Run and build the whole result."""
        ...

    def send_query(
        self, query: str, format: str = "CSV", params: Mapping[str, str] | None = None
    ) -> ChdbStream:
        """Run and give the result block by block."""
        ...

    def send_insert(self, query: str, format: str = "CSV") -> ChdbInserter:
        """Start an insert that is fed in pieces."""
        ...

    def close(self) -> None:
        """Give the handle back."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A statement that was allowed, with everything it needs to run.

    Attributes:
        marker: a name by which the running statement can be found and stopped.
        is_select: a SELECT, the only kind that can be streamed.
    """

    sql: str
    format: str
    database: str
    marker: str
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    readonly: bool = True
    is_select: bool = False

    @property
    def streams(self) -> bool:
        """Whether the result comes block by block rather than as a whole."""
        return self.is_select and self.format in STREAMED_FORMATS


class Result(Protocol):
    """A result in pieces; ``close`` stops the statement if it still runs."""

    def __iter__(self) -> Iterator[bytes]: ...

    def __next__(self) -> bytes: ...

    def close(self) -> None:
        """Stop and give everything back; may be called twice."""
        ...


class Insert(Protocol):
    """An insert that is fed in pieces; nothing counts before ``finish``."""

    def append(self, data: bytes) -> None:
        """Push encoded rows."""
        ...

    def finish(self) -> int:
        """Commit; returns the rows written."""
        ...

    def close(self) -> None:
        """Give up if not finished; may be called twice."""
        ...


class SqlEngine(Protocol):
    """The seam between the HTTP server and a database in this process. All calls block."""

    def ask(self, sql: str, params: Mapping[str, str]) -> list[list[str]]:
        """Run one of the endpoint's own statements; parameters are plain text."""
        ...

    def run(self, job: Job) -> Result:
        """Start a statement; raises before the first piece if it cannot start."""
        ...

    def insert(self, job: Job) -> Insert:
        """Start an insert of encoded rows."""
        ...

    def kill(self, marker: str) -> None:
        """Stop a running statement."""
        ...

    def close(self) -> None:
        """Give every handle back."""
        ...


class ChdbEngine:
    """``SqlEngine`` over chDB.

    Args:
        open_handle: opens a new handle on the data directory that this process owns, such as
            ``lambda: chdb.connect(path)``.
    """

    def __init__(self, open_handle: Callable[[], ChdbHandle]) -> None:
        self._open = open_handle
        self._askers: queue.SimpleQueue[ChdbHandle] = queue.SimpleQueue()

    def ask(self, sql: str, params: Mapping[str, str]) -> list[list[str]]:
        """Run one of the endpoint's own statements on a pooled read-only handle."""
        handle = self._asker()
        bound = {name: escape_param(value) for name, value in params.items()}
        try:
            data = _translated(lambda: handle.query(sql, "JSONCompactEachRow", bound).bytes())
        finally:
            self._askers.put(handle)
        try:
            rows = [json.loads(line) for line in data.splitlines()]
        except (ValueError, RecursionError):
            raise SqlRejected("Statements are UTF-8 text") from None
        return cast("list[list[str]]", rows)

    def run(self, job: Job) -> Result:
        """Start a statement on a handle of its own."""
        handle = self._prepared(job)
        try:
            if job.streams:
                stream = _translated(lambda: handle.send_query(job.sql, job.format, job.params))
                return _StreamedResult(handle, stream, job)
            whole = _translated(lambda: handle.query(job.sql, job.format, job.params).bytes())
        except BaseException:
            handle.close()
            raise
        handle.close()
        return _WholeResult(whole)

    def insert(self, job: Job) -> Insert:
        """Start an insert on a handle of its own."""
        handle = self._prepared(job)
        try:
            return _ChdbInsert(handle, _translated(lambda: handle.send_insert(job.sql, job.format)))
        except BaseException:
            handle.close()
            raise

    def kill(self, marker: str) -> None:
        """Stop the statement that carries the marker, if it still runs."""
        if not marker.isalnum():
            raise ValueError("markers are letters and digits")
        handle = self._open()
        try:
            handle.query(f"KILL QUERY WHERE Settings['log_comment'] = '{marker}' ASYNC", "Null")
        finally:
            handle.close()

    def close(self) -> None:
        """Close the pooled handles."""
        with suppress(queue.Empty):
            while True:
                self._askers.get_nowait().close()

    def _asker(self) -> ChdbHandle:
        with suppress(queue.Empty):
            return self._askers.get_nowait()
        handle = self._open()
        handle.query(_ASK_SETTINGS, "Null")
        handle.query("SET readonly = 1", "Null")
        return handle

    def _prepared(self, job: Job) -> ChdbHandle:
        handle = self._open()
        try:
            _translated(lambda: handle.query(f"USE {quote_name(job.database)}", "Null"))
            settings = {**job.settings, "log_comment": job.marker}
            pairs = ", ".join(f"{name} = {_quote(value)}" for name, value in settings.items())
            _translated(lambda: handle.query(f"SET {pairs}", "Null"))
            if job.readonly:
                handle.query("SET readonly = 1", "Null")
        except BaseException:
            handle.close()
            raise
        return handle


class _StreamedResult:
    def __init__(self, handle: ChdbHandle, stream: ChdbStream, job: Job) -> None:
        self._handle: ChdbHandle | None = handle
        self._stream = stream
        self._job = job
        self._empty = True

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        handle = self._handle
        if handle is None:
            raise StopIteration
        chunk = _translated(lambda: next(self._stream, None))
        if chunk is not None:
            self._empty = False
            return chunk.bytes()
        if self._empty and self._job.format == "Native":
            self._empty = False
            return _described(handle, self._job)
        self.close()
        raise StopIteration

    def close(self) -> None:
        handle, self._handle = self._handle, None
        if handle is None:
            return
        try:
            _translated(self._stream.cancel)
        finally:
            handle.close()


class _WholeResult:
    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._at >= len(self._data):
            raise StopIteration
        piece = bytes(self._data[self._at : self._at + _SLICE_BYTES])
        self._at += _SLICE_BYTES
        return piece

    def close(self) -> None:
        self._data = memoryview(b"")


class _ChdbInsert:
    def __init__(self, handle: ChdbHandle, inserter: ChdbInserter) -> None:
        self._handle: ChdbHandle | None = handle
        self._inserter = inserter

    def append(self, data: bytes) -> None:
        _translated(lambda: self._inserter.append(data))

    def finish(self) -> int:
        return _translated(self._inserter.finish).rows_written

    def close(self) -> None:
        handle, self._handle = self._handle, None
        if handle is None:
            return
        try:
            _translated(self._inserter.cancel)
        finally:
            handle.close()


def _described(handle: ChdbHandle, job: Job) -> bytes:
    """A block without rows: chDB's stream of an empty result leaves out even the columns."""
    sql = f"DESCRIBE TABLE ({job.sql})"
    data = _translated(lambda: handle.query(sql, "JSONCompactEachRow", job.params).bytes())
    columns = [cast("list[str]", json.loads(line)) for line in data.splitlines()]
    return native_header([(column[0], column[1]) for column in columns])


def _quote(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _translated(call: Callable[[], _T]) -> _T:
    """Run one call of chDB; it raises RuntimeError and its subclasses for every failure."""
    try:
        return call()
    except RuntimeError as error:
        raise EngineError(from_engine(str(error))) from error
