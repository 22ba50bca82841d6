"""What the SQL endpoint may read, write and spend: plain values, built by the composition root."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlPolicy:
    """Which databases a caller may read and, if any, which it may write.

    Attributes:
        databases: databases whose tables and views may be read; a database that may be written
            may also be read.
        write_databases: databases in which ``CREATE DATABASE/TABLE/VIEW IF NOT EXISTS`` and
            ``INSERT`` are allowed. Empty, the default, means the endpoint only reads.
        default_database: where a table without a database is looked up.
    """

    databases: frozenset[str] = frozenset({"default"})
    write_databases: frozenset[str] = frozenset()
    default_database: str = "default"

    @property
    def readable(self) -> frozenset[str]:
        """Every database that may be read."""
        return self.databases | self.write_databases

    @property
    def allow_writes(self) -> bool:
        """Whether any statement that writes can pass."""
        return bool(self.write_databases)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlLimits:
    """Caps of one request and of the endpoint as a whole.

    Attributes:
        max_query_bytes: longest statement, bytes (ClickHouse's ``max_query_size`` is 256 KiB).
        max_execution_s: longest run of one statement, seconds.
        max_memory_bytes: memory of one statement in the engine, bytes.
        max_threads: threads of one statement.
        max_result_bytes: largest streamed result, uncompressed bytes in the engine.
        max_buffered_bytes: largest result in a format that must be built whole (JSON, Parquet …).
        max_insert_bytes: largest body of one insert after decompression, bytes.
        max_concurrent: statements that run or stream at the same time; others wait.
        queue_timeout_s: longest wait for a turn, seconds; then "too many queries".
        send_timeout_s: longest wait for a client that does not read or does not send, seconds.
    """

    max_query_bytes: int = 1 << 20
    max_execution_s: float = 60.0
    max_memory_bytes: int = 2 << 30
    max_threads: int = 4
    max_result_bytes: int = 8 << 30
    max_buffered_bytes: int = 256 << 20
    max_insert_bytes: int = 1 << 30
    max_concurrent: int = 8
    queue_timeout_s: float = 30.0
    send_timeout_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpPolicy:
    """Who may speak to the port at all.

    Attributes:
        allowed_hosts: values of the ``Host`` header (without port) that are answered when there
            is no token: a web page that has re-bound its own name to 127.0.0.1 sends its name.
            Empty means any.
    """

    allowed_hosts: frozenset[str] = field(
        default_factory=lambda: frozenset({"localhost", "127.0.0.1", "::1"})
    )
