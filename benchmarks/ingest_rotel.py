"""Peer (b): rotel, a Rust relay, receives the same requests and writes ClickHouse's RowBinary.

Counted are rotel's own CPU, from /proc, and what the database then spends on the very bodies rotel wrote:
inserted with as many rows per insert as ours, into the same tables with the same indexes and views, each
insert under a token. rotel answers from memory and keeps no log, so it does less than spanloop; the HTTP
sink that takes its inserts is not counted, nor is compression (switched off, to rotel's advantage).
"""

import argparse
import http.server
import json
import os
import subprocess
import threading
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import grpc

from benchmarks.durability.relay import rotel_binary
from benchmarks.durability.server import free_port
from benchmarks.ingest_load import Load, Sent, send
from benchmarks.ingest_processes import WorkerError, cpu_seconds, memory_bytes, wait_quiet
from benchmarks.ingest_store import opened, own_cpu_seconds


@dataclass(slots=True)
class Capture:
    """The bodies of rotel's inserts, one file each, in order, and the statement they belong to."""

    folder: Path
    statement: str = ""
    files: list[Path] = field(default_factory=list[Path])
    n_bytes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)  # handlers run in threads

    def keep(self, statement: str, chunks: list[bytes]) -> None:
        """Write one body."""
        with self.lock:
            path = self.folder / f"{len(self.files):06d}.bin"
            self.files.append(path)
            self.statement = statement
            self.n_bytes += sum(map(len, chunks))
        with path.open("wb") as out:
            out.writelines(chunks)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    capture: Capture

    def do_POST(self) -> None:
        """Take an insert."""
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        self.capture.keep(query.get("query", [""])[0], self._body())
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _body(self) -> list[bytes]:
        if (length := self.headers.get("Content-Length")) is not None:
            return [self.rfile.read(int(length))]
        chunks: list[bytes] = []
        while size := int(self.rfile.readline().strip() or b"0", 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return chunks


class RotelWriter:
    """rotel with its ClickHouse exporter pointed at a sink that keeps what it writes."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.capture = Capture(folder)
        handler = type("Handler", (_Handler,), {"capture": self.capture})
        self._sink = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._sink.serve_forever, daemon=True)
        self.address = f"127.0.0.1:{free_port()}"
        self._log = folder / "rotel.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        command = [
            str(rotel_binary()),
            "start",
            f"--otlp-grpc-endpoint={self.address}",
            f"--otlp-http-endpoint=127.0.0.1:{free_port()}",
            "--otlp-grpc-max-recv-msg-size-mib=64",
            "--exporter=clickhouse",
            f"--clickhouse-exporter-endpoint=http://127.0.0.1:{self._sink.server_address[1]}",
            "--clickhouse-exporter-database=default",
            "--clickhouse-exporter-compression=none",
            "--clickhouse-exporter-async-insert=false",
        ]
        with self._log.open("a") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        with grpc.insecure_channel(self.address) as channel:
            grpc.channel_ready_future(channel).result(timeout=20)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=30)
        self._sink.shutdown()
        self._sink.server_close()

    @property
    def pid(self) -> int:
        """Process id of rotel."""
        assert self._process is not None
        return self._process.pid


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What rotel did with a load."""

    sent: Sent
    cpu_s: float
    peak_memory_bytes: int
    inserts: int
    bytes_per_span: float


def receive(writer: RotelWriter, load: Load) -> Written:
    """Send ``load`` to rotel and wait until it has written everything."""
    cpu = cpu_seconds(writer.pid)
    sent = send(load)
    wait_quiet(writer.pid)
    capture = writer.capture
    if not capture.files:
        raise WorkerError("rotel wrote nothing")
    return Written(
        sent=sent,
        cpu_s=cpu_seconds(writer.pid) - cpu,
        peak_memory_bytes=memory_bytes(writer.pid)[0],
        inserts=len(capture.files),
        bytes_per_span=capture.n_bytes / sent.spans,
    )


def store(config: Path, folder: Path, statement: str, *, bytes_an_insert: int) -> dict[str, float]:
    """Insert the captured bodies, put together to ``bytes_an_insert``; return what it cost."""
    into = statement.partition(" FORMAT ")[0]  # INSERT INTO otel_traces (columns)
    inserts, cpu = 0, 0.0
    pending = sorted(folder.glob("*.bin"))
    with opened(config) as client:
        while pending:
            joined = folder / "insert.rows"
            _join(pending, joined, bytes_an_insert)
            begun = own_cpu_seconds()
            token = os.urandom(16).hex()
            client.command(
                f"{into} FROM INFILE '{joined}' SETTINGS insert_deduplication_token = '{token}', "
                "async_insert = 0, max_insert_threads = 1, max_threads = 1, "
                "max_partitions_per_insert_block = 0, min_insert_block_size_bytes = 0, "
                "max_insert_block_size = 1000000, parallel_view_processing = 0, "
                "deduplicate_blocks_in_dependent_materialized_views = 1, "
                "input_format_parallel_parsing = 0 FORMAT RowBinary"
            )
            cpu += own_cpu_seconds() - begun
            inserts += 1
        begun = own_cpu_seconds()
        wait_quiet(os.getpid())
        cpu += own_cpu_seconds() - begun
        rows = int(str(client.command("SELECT count() FROM otel_traces")))
    return {"spans": rows, "inserts": inserts, "cpu_s": cpu, "cpu_s_per_million": cpu / rows * 1e6}


def _join(pending: list[Path], joined: Path, size: int) -> None:
    """Move bodies from the front of ``pending`` into ``joined`` until it holds about ``size`` bytes."""
    taken = 0
    with joined.open("wb") as out:
        while pending and (not taken or taken + pending[0].stat().st_size / 2 < size):
            path = pending.pop(0)
            taken += out.write(path.read_bytes())
            path.unlink()


def main() -> None:
    """Insert what was captured and print the cost as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--statement", required=True)
    parser.add_argument("--bytes", type=int, required=True, help="bytes per insert")
    o = parser.parse_args()
    print(json.dumps(store(o.config, o.folder, o.statement, bytes_an_insert=o.bytes)))


if __name__ == "__main__":
    main()
