"""Read every target table from outside and compare with the ledger.

Runs in a process of its own (chDB: one data path a process), on the directory of a stopped server, with
the engine alone: nothing of the product takes part.
``python -m benchmarks.durability.audit DATA LEDGER [LOG_LEDGER] <<< {}``
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import clickhouse_connect

from benchmarks.durability.ledger import read_ledger

BY_SPAN = ("otel_traces", "genai_spans")
TRACE_TIMES = "otel_traces_trace_id_ts"


@dataclass(frozen=True, slots=True)
class TableVerdict:
    """One table: ``lost`` acknowledged rows, keys found ``twice``, ``extra`` rows nobody was promised.

    ``extra`` is allowed: a request can be stored although its acknowledgement never arrived.
    """

    rows: int
    lost: int
    twice: int
    extra: int


@dataclass(frozen=True, slots=True)
class Audit:
    """All tables; ``missing`` are targets that this build does not have."""

    acknowledged: int
    tables: dict[str, TableVerdict]
    missing: list[str] = field(default_factory=list[str])

    @property
    def lost(self) -> int:
        """Acknowledged rows that are nowhere."""
        return sum(table.lost for table in self.tables.values())

    @property
    def twice(self) -> int:
        """Keys that are stored more than once."""
        return sum(table.twice for table in self.tables.values())


def audit(
    data: Path,
    ledger: Path,
    log_ledger: Path | None = None,
    *,
    doubled: Mapping[str, int] | None = None,
) -> Audit:
    """Audit a stopped server's data directory in a process of its own.

    Args:
        data: the directory that holds the database's ``db``.
        ledger: acknowledged spans.
        log_ledger: acknowledged log records, if any were sent.
        doubled: spans that came in several different requests, and in how many: so often they may be
            stored.
    """
    ledgers = [str(path) for path in (ledger, log_ledger) if path is not None]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.durability.audit", str(data), *ledgers],
        input=json.dumps(dict(doubled or {})),
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    if done.returncode != 0:
        raise RuntimeError(f"the audit failed:\n{done.stderr[-3000:]}")
    content = json.loads(done.stdout)
    tables = {name: TableVerdict(**verdict) for name, verdict in content["tables"].items()}
    return Audit(content["acknowledged"], tables, content["missing"])


def compare(
    stored: Iterable[tuple[str, int]],
    promised: set[str],
    doubled: Mapping[str, int] = MappingProxyType({}),
) -> TableVerdict:
    """Compare the stored keys and their counts with the promised keys.

    A key is found twice when it is there more than once, or more often than ``doubled`` has it.

    >>> compare([("a", 1), ("b", 2), ("x", 1)], {"a", "b", "c"})
    TableVerdict(rows=4, lost=1, twice=1, extra=1)
    """
    counts: Counter[str] = Counter()
    for key, count in stored:
        counts[key] += count
    return TableVerdict(
        rows=counts.total(),
        lost=len(promised - counts.keys()),
        twice=sum(1 for key, count in counts.items() if count > doubled.get(key, 1)),
        extra=len(counts.keys() - promised),
    )


def _read(
    doubled: Mapping[str, int], data: Path, ledger: Path, log_ledger: Path | None = None
) -> Audit:
    pairs = read_ledger(ledger)
    client: Any = clickhouse_connect.get_client(interface="chdb", path=str(data / "db"))
    spans = {span_id for _, span_id in pairs}
    names = {row[0] for row in client.query("SHOW TABLES").result_rows}
    tables: dict[str, TableVerdict] = {}
    for table in BY_SPAN:
        if table in names:
            promised = spans if table == "otel_traces" else _promised_genai(client, spans)
            sql = f"SELECT SpanId, count() FROM {table} GROUP BY SpanId"  # noqa: S608  # constants
            tables[table] = compare(client.query(sql).result_rows, promised, doubled)
    tables[TRACE_TIMES] = _trace_times(client, {trace_id for trace_id, _ in pairs})
    if log_ledger is not None:
        logs = {log_id for _, log_id in read_ledger(log_ledger)}
        sql = "SELECT LogAttributes['durability.id'], count() FROM otel_logs GROUP BY 1"
        tables["otel_logs"] = compare(client.query(sql).result_rows, logs)
    return Audit(len(spans), tables, sorted(set(BY_SPAN) - names))


def _promised_genai(client: Any, spans: set[str]) -> set[str]:
    """Acknowledged spans that are GenAI by any reading: those with an operation name."""
    sql = "SELECT DISTINCT SpanId FROM otel_traces WHERE SpanAttributes['gen_ai.operation.name'] != ''"
    return spans & {row[0] for row in client.query(sql).result_rows}


def _trace_times(client: Any, traces: set[str]) -> TableVerdict:
    """One row for each trace of each batch: as many as an insert of every batch, once, makes."""
    stored = client.query(
        "SELECT concat(TraceId, ' ', BatchId), count() FROM otel_traces_trace_id_ts GROUP BY 1"
    ).result_rows
    wanted = client.query("SELECT DISTINCT concat(TraceId, ' ', BatchId) FROM otel_traces")
    verdict = compare(stored, {row[0] for row in wanted.result_rows})
    known = {str(key).partition(" ")[0] for key, _ in stored}
    lost = verdict.lost + len(traces - known)
    return TableVerdict(verdict.rows, lost, verdict.twice, verdict.extra)


def execute(data: Path, *statements: str) -> list[list[list[Any]]]:
    """Run statements on a stopped server's database in a process of its own; return their rows."""
    script = (
        "import json, sys, clickhouse_connect as c\n"
        "client = c.get_client(interface='chdb', path=sys.argv[1])\n"
        "rows = [client.query(s).result_rows for s in sys.argv[2:]]\n"
        "print(json.dumps(rows, default=str))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(data / "db"), *statements],
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{statements} failed:\n{done.stderr[-3000:]}")
    rows: list[list[list[Any]]] = json.loads(done.stdout)
    return rows


if __name__ == "__main__":
    print(json.dumps(asdict(_read(json.load(sys.stdin), *map(Path, sys.argv[1:])))))
