"""The embedded store without a server in front: what the peers insert into, and what a run left on disk.

    python -m benchmarks.ingest_store --config spanloop.yaml

prints the rows and bytes of each table and the indexes. The store is opened as ``spanloop serve`` opens it.
"""

import argparse
import json
import resource
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from clickhouse_connect.driver.client import Client

from benchmarks.ingest_processes import run_worker
from spanloop.exporter.lock import DirectoryLock
from spanloop.service.config import load
from spanloop.service.stores import open_store


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSize:
    """A table's active parts. Bytes on disk; ``index_bytes`` of it are skip indexes."""

    rows: int
    parts: int
    bytes_on_disk: int
    index_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a stopped server left behind, and its engine's version."""

    tables: Mapping[str, TableSize]
    indexes: list[str]
    engine: str

    @property
    def bytes_per_span(self) -> float:
        """Bytes on disk of all tables for each row of ``otel_traces``."""
        return sum(t.bytes_on_disk for t in self.tables.values()) / self.tables["otel_traces"].rows


def inspect(config: Path) -> Left:
    """Look at the tables that a stopped server left behind, in a process of its own."""
    found = run_worker("benchmarks.ingest_store", ["--config", str(config)])
    return Left(
        tables={table: TableSize(**size) for table, size in found["tables"].items()},
        indexes=found["indexes"],
        engine=found["engine"],
    )


@contextmanager
def opened(config: Path) -> Iterator[Client]:
    """Open the embedded store of ``config``, whose server must not be running."""
    settings = load(config)
    lock = DirectoryLock(settings.data_dir)
    try:
        store = open_store(settings)
        client = store.connect()
        try:
            yield client
        finally:
            client.close()
            store.close()
    finally:
        lock.close()


def own_cpu_seconds() -> float:
    """Return user plus system time of this process, all threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _indexes(client: Client) -> list[str]:
    """Return the skip indexes of the tables of spans, as ``table.index type``."""
    rows = client.query(
        "SELECT table, name, type_full FROM system.data_skipping_indices "
        "WHERE database = currentDatabase() AND (table LIKE 'otel_traces%' OR table = 'genai_spans') "
        "ORDER BY table, name"
    ).result_rows
    return [f"{table}.{name} {kind}" for table, name, kind in rows]


def _sizes(client: Client) -> Mapping[str, TableSize]:
    rows = client.query(
        "SELECT table, sum(rows), count(), sum(bytes_on_disk), "
        "sum(secondary_indices_compressed_bytes + secondary_indices_marks_bytes) FROM system.parts "
        "WHERE active AND database = currentDatabase() GROUP BY table ORDER BY table"
    ).result_rows
    return {
        str(table): TableSize(
            rows=int(n), parts=int(parts), bytes_on_disk=int(size), index_bytes=int(index)
        )
        for table, n, parts, size, index in rows
    }


def main() -> None:
    """Print the sizes as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    with opened(parser.parse_args().config) as client:
        left = Left(
            tables=_sizes(client), indexes=_indexes(client), engine=str(client.server_version)
        )
    print(json.dumps(asdict(left)))


if __name__ == "__main__":
    main()
