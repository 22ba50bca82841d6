"""Insert a segment of the log so that every row is stored once, whatever happens in between.

The bytes of a segment go to the database under one random token; each target remembers tokens and
ignores a repeat, so an insert of unknown outcome is simply repeated. Every row carries the segment's
``BatchId``: the rows per target are counted and compared with what the log says. Counting is the proof,
the token only makes the repeat cheap. Where rows are missing although the token was taken (the engine's
record of tokens and its data need not survive a power loss together), the batch is deleted in every
target and inserted under a fresh token.
"""

import logging
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

from spanloop.exporter.render import Renderer, quote_string
from spanloop.exporter.store import Store, first_line
from spanloop.processor.errors import PermanentError, RetryableError, StoreUnavailable

logger = logging.getLogger(__name__)

LANDING: Mapping[str, str] = {
    "traces": "otlp_traces_in",
    "logs": "otlp_logs_in",
    "metrics": "otlp_metrics_in",
}
# Codes the engine raises while it reads the body, before a block reaches a target:
# CANNOT_PARSE_TEXT 6, CANNOT_READ_ALL_DATA 33, ATTEMPT_TO_READ_AFTER_EOF 32, INCORRECT_DATA 117,
# TOO_LARGE_STRING_SIZE 131, CANNOT_PARSE_INPUT_ASSERTION_FAILED 27, UNKNOWN_PROTOBUF_FORMAT 444,
# PROTOBUF_BAD_CAST 438, TOO_LARGE_ARRAY_SIZE 128.
PARSE_ERRORS = frozenset({6, 27, 32, 33, 117, 128, 131, 438, 444})
MEMORY_LIMIT_EXCEEDED = 241
ERASE_WITHIN_S = 15.0
ERASE_POLL_S = 0.1


class BodyRejected(PermanentError):
    """The database cannot read the body and stored nothing of it."""


class BatchTooLarge(RetryableError):
    """The database lacked the memory for this batch, and may have stored part of it; half may fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A segment to insert: a file of ``Protobuf`` records and the rows each target must get from it."""

    signal: str
    path: Path
    batch_id: str
    rows: Mapping[str, int]
    # The database may hold it already: ask first.
    doubtful: bool = False
    # An earlier process sent it, if anyone did: an embedded engine may have forgotten its token since.
    recovered: bool = False


class SegmentInserter:
    """Inserts batches of one lane through a client of its own.

    ``genai_filter`` is the condition under which a span is also a row of ``genai_spans``; None while that
    table does not exist.
    """

    def __init__(self, store: Store, renderer: Renderer, *, genai_filter: str | None) -> None:
        self._genai_filter = genai_filter
        self._store = store
        self._renderer = renderer
        self._client: Client | None = None

    def close(self) -> None:
        """Close the client; the next insert opens another."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def insert(self, batch: Batch) -> None:
        """Store every row of ``batch`` once.

        Raises:
            BodyRejected: the body cannot be read and no target holds a row of it.
            BatchTooLarge: memory was short; repeat the same batch, or withdraw and divide it.
            StoreUnavailable: it is unknown what is stored; repeat the same batch.
        """
        if batch.doubtful and self._is_complete(batch):
            return
        if batch.recovered and self._store.embedded and not self._holds_nothing(batch):
            # A repeat could double what is there, and a crash before the repair would leave it so.
            # (A server keeps its tokens, and may still be at work on the earlier process's insert.)
            self._repair(batch)
            return
        try:
            self._send(batch, token=batch.batch_id)
        except ClickHouseError as failure:
            self._raise_for(batch, failure)
        if self._is_complete(batch, exactly=True):
            return
        self._repair(batch)

    def _raise_for(self, batch: Batch, failure: ClickHouseError) -> None:
        code = failure.code if isinstance(failure, DatabaseError) else None
        self.close()
        if code == MEMORY_LIMIT_EXCEEDED:
            raise BatchTooLarge(f"insert failed: {first_line(failure)}") from failure
        if code in PARSE_ERRORS and self._holds_nothing(batch):
            raise BodyRejected(f"the database cannot read it: {first_line(failure)}") from failure
        raise StoreUnavailable(f"insert failed: {first_line(failure)}") from failure

    def _repair(self, batch: Batch) -> None:
        """Rows are missing under a token that is taken or forgotten: start this batch over."""
        logger.warning("batch %s is not stored once; inserting it anew", batch.batch_id)
        try:
            self._erase(batch)
            self._send(batch, token=f"{batch.batch_id}-{secrets.token_hex(8)}")
        except ClickHouseError as failure:
            self._raise_for(batch, failure)
        if not self._is_complete(batch, exactly=True):
            raise StoreUnavailable(
                f"batch {batch.batch_id} is still incomplete: {self._counts(batch)}"
            )

    def withdraw(self, batch: Batch) -> None:
        """Remove what targets hold of ``batch``, so that it can be divided.

        Raises:
            StoreUnavailable: it is unknown what they hold now.
        """
        try:
            self._erase(batch)
            left = self._counts(batch)
        except ClickHouseError as failure:
            self.close()
            raise StoreUnavailable(f"cannot withdraw a batch: {first_line(failure)}") from failure
        if any(left.values()):
            raise StoreUnavailable(f"batch {batch.batch_id} cannot be withdrawn: {left}")

    def _erase(self, batch: Batch) -> None:
        """Delete what targets hold of ``batch``.

        Raises:
            StoreUnavailable: the engine takes its time, for lack of memory, say; ask again later.
        """
        deadline = time.monotonic() + ERASE_WITHIN_S
        for target, count in self._counts(batch).items():
            if not count:
                continue  # a mutation rewrites a mark in every part of the table
            if not self._is_being_erased(target, batch):
                # Not waited for inside the engine, which would wait for ever.
                self._connected().command(
                    f"DELETE FROM {self._renderer.table(target)} {self._renderer.on_cluster} "  # noqa: S608  # names only
                    f"WHERE BatchId = {quote_string(batch.batch_id)}",
                    settings={"lightweight_deletes_sync": 0 if self._store.embedded else 2},
                )
            while self._count(target, batch):
                if time.monotonic() > deadline:
                    raise StoreUnavailable(f"batch {batch.batch_id} is not erased yet in {target}")
                time.sleep(ERASE_POLL_S)

    def _is_being_erased(self, target: str, batch: Batch) -> bool:
        running = self._connected().query(
            "SELECT count() FROM system.mutations WHERE NOT is_done AND database = {database:String} "
            "AND table = {target:String} AND position(command, {id:String}) > 0",
            parameters={
                "database": self._renderer.settings.database,
                "target": target,
                "id": batch.batch_id,
            },
        )
        return bool(running.result_rows[0][0])

    def _send(self, batch: Batch, *, token: str) -> None:
        """One statement, one block: no parallel parsing, no splitting by rows, bytes or partitions."""
        settings = {
            **_schema_settings(batch.signal, embedded=self._store.embedded),
            "insert_deduplication_token": token,
            "deduplicate_blocks_in_dependent_materialized_views": "1",
            "async_insert": "0",
            "max_insert_threads": "1",
            "max_threads": "1",
            "max_partitions_per_insert_block": "0",
            "min_insert_block_size_bytes": "0",
            "parallel_view_processing": "0",
            "input_format_parallel_parsing": "0",
        }
        table = self._renderer.table(LANDING[batch.signal])
        if self._store.embedded:
            # The views' plans are large; merging their expressions costs more than it saves (a third of
            # the analysis of an insert). Only here: an older server may not know the setting.
            settings["query_plan_merge_expressions"] = "0"
            # clickhouse-connect would copy the body to a temporary file first; the segment is one already.
            rendered = ", ".join(
                f"{name} = {quote_string(value)}" for name, value in settings.items()
            )
            self._connected().command(
                f"INSERT INTO {table} FROM INFILE {quote_string(str(batch.path))} "
                f"SETTINGS {rendered} FORMAT Protobuf"
            )
            return
        with batch.path.open("rb") as body:
            self._connected().raw_insert(
                table, insert_block=body, settings=settings, fmt="Protobuf"
            )

    def _is_complete(self, batch: Batch, *, exactly: bool = False) -> bool:
        """Count what the targets hold of ``batch``.

        Before it was sent, more than expected is enough: an older copy of the log, restored, knows less
        than the database. After it was sent, more is a double: a power loss can leave rows in some
        targets and take the engine's memory of their token.
        """
        try:
            counts = self._counts(batch)
        except ClickHouseError as failure:
            self.close()
            raise StoreUnavailable(f"cannot verify a batch: {first_line(failure)}") from failure
        expected = self._expected(batch, counts)
        for target, count in counts.items():
            if count > expected[target]:
                logger.error(
                    "batch %s has %d rows in %s, expected %d",
                    batch.batch_id,
                    count,
                    target,
                    expected[target],
                )
        if exactly:
            return counts == expected
        return all(counts[target] >= expected[target] for target in expected)

    def _expected(self, batch: Batch, counts: Mapping[str, int]) -> Mapping[str, int]:
        if batch.signal != "traces":
            return {target: batch.rows.get(target, 0) for target in counts}
        traces, genai = self._query_row(
            f"SELECT uniqExactIf(TraceId, TraceId != ''), countIf({self._genai_filter or '0'}) "  # noqa: S608  # names only
            f"FROM {self._renderer.table('otel_traces')} WHERE BatchId = {{id:String}}",
            batch,
        )
        expected = {
            "otel_traces": batch.rows.get("otel_traces", 0),
            "otel_traces_trace_id_ts": traces,
            "genai_spans": genai,
        }
        return {target: expected[target] for target in counts}

    def _holds_nothing(self, batch: Batch) -> bool:
        try:
            return not any(self._counts(batch).values())
        except ClickHouseError:
            return False  # unknown is not nothing: the same bytes are sent again

    def _counts(self, batch: Batch) -> Mapping[str, int]:
        return {target: self._count(target, batch) for target in self._targets(batch)}

    def _count(self, target: str, batch: Batch) -> int:
        return self._query_row(
            f"SELECT count() FROM {self._renderer.table(target)} WHERE BatchId = {{id:String}}",  # noqa: S608  # names only
            batch,
        )[0]

    def _query_row(self, sql: str, batch: Batch) -> tuple[int, ...]:
        rows = self._connected().query(sql, parameters={"id": batch.batch_id}).result_rows
        return tuple(int(value) for value in rows[0])

    def _targets(self, batch: Batch) -> list[str]:
        if batch.signal == "traces":
            genai = ["genai_spans"] if self._genai_filter else []
            return ["otel_traces", "otel_traces_trace_id_ts", *genai]
        return list(batch.rows)

    def _connected(self) -> Client:
        if self._client is None:
            self._client = self._store.connect()
        return self._client


def _schema_settings(signal: str, *, embedded: bool) -> Mapping[str, str]:
    """Say where the schema is.

    The embedded engine reads our file (it would keep a schema given as text in a file of its own in the
    working directory). A server, which cannot see our files, is given the text.
    """
    schema = files("spanloop.proto").joinpath(f"otlp_{signal}.proto")
    if embedded:
        return {"format_schema": f"{schema}:Request"}
    return {
        "format_schema_source": "string",
        "format_schema": schema.read_text(encoding="utf-8"),
        "format_schema_message_name": "Request",
    }
