"""A stand-in for a ClickHouse server: chDB behind just enough of ClickHouse's HTTP interface.

No ClickHouse server can be installed from PyPI; this lets ``store.dsn``, the code path of a server, be
tried, and lets the database die apart from spanloop. It checks nothing and guards nothing.
``python -m benchmarks.durability.database DIRECTORY PORT``
"""

import gzip
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import chdb
import lz4.frame
import zstandard

from benchmarks.durability.server import free_port

START_WITHIN_S = 30.0
# Parameters of the HTTP interface that are no settings of a query.
NOT_SETTINGS = frozenset(
    {
        *(
            "query",
            "database",
            "default_format",
            "session_id",
            "query_id",
            "compress",
            "decompress",
        ),
        *("client_protocol_version", "enable_http_compression", "buffer_size", "wait_end_of_query"),
        *("http_zlib_compression_level", "quota_key", "role", "session_timeout", "session_check"),
        *("cancel_http_readonly_queries_on_client_close", "send_progress_in_http_headers"),
        *("http_headers_progress_interval_ms", "user", "password"),
    }
)
_CODE = re.compile(r"Code: (\d+)")
_INSERT = re.compile(rb"\s*INSERT\s[^\n]*\bFORMAT\s+\w+[^\n]*\n", re.IGNORECASE)
_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)


class Database:
    """The stand-in in its own process, on a port that stays the same over its lives."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._port = free_port()
        self.dsn = f"http://127.0.0.1:{self._port}/default"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers."""
        with (self.directory / "database.log").open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __spec__.name, str(self.directory / "db"), str(self._port)],
                stdout=log,
                stderr=log,
                cwd=Path(__file__).parents[2],
            )
        deadline = time.monotonic() + START_WITHIN_S
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self._port}/ping", timeout=1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def kill(self) -> None:
        """SIGKILL; nothing if it is not running."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    path_of_store = ""

    def do_GET(self) -> None:
        self._answer(b"Ok.\n") if self.path == "/ping" else self._run(b"")

    def do_POST(self) -> None:
        self._run(self._body())

    def log_message(self, format: str, *args: Any) -> None:  # the base class names it
        """Nothing: requests are not worth a line."""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            return _plain(content, self.headers.get("Content-Encoding", ""))
        pieces: list[bytes] = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return _plain(b"".join(pieces), self.headers.get("Content-Encoding", ""))

    def _run(self, body: bytes) -> None:
        given = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        sql = given.get("query", "")
        if not sql:  # in front of the rows, if there are any
            head = _INSERT.match(body)
            cut = head.end() if head else len(body)
            sql, body = body[:cut].decode(), body[cut:]
        try:
            self._answer(self._execute(sql, body, given))
        except RuntimeError as failure:
            code = _CODE.search(str(failure))
            self._answer(str(failure).encode(), code=code[1] if code else "1000")

    def _execute(self, sql: str, body: bytes, given: dict[str, str]) -> bytes:
        handle: Any = chdb.connect(self.path_of_store)
        try:
            if database := given.get("database"):
                handle.query(f"USE `{database}`")
            for name, value in given.items():
                if name not in NOT_SETTINGS and not name.startswith("param_"):
                    handle.query(f"SET {name} = {_quoted(value)}")
            parameters = {
                k.removeprefix("param_"): v for k, v in given.items() if k[:6] == "param_"
            }
            if body:
                return self._insert(handle, sql, body)
            named = _FORMAT.search(sql)
            output = named[1] if named else given.get("default_format", "TabSeparated")
            plain = sql[: named.start()] if named else sql
            result: bytes = handle.query(plain, output, params=parameters or None).bytes()
            return result
        finally:
            handle.close()

    @staticmethod
    def _insert(handle: Any, sql: str, body: bytes) -> bytes:
        with tempfile.NamedTemporaryFile() as file:
            file.write(body)
            file.flush()
            head, _, rest = sql.rpartition("FORMAT")
            handle.query(f"{head} FROM INFILE {_quoted(file.name)} FORMAT {rest}")
        return b""

    def _answer(self, content: bytes, *, code: str | None = None) -> None:
        self.send_response(500 if code else 200)
        if code:
            self.send_header("X-ClickHouse-Exception-Code", code)
        self.send_header("X-ClickHouse-Summary", "{}")
        self.send_header("X-ClickHouse-Server-Display-Name", "stand-in")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _plain(content: bytes, encoding: str) -> bytes:
    if encoding == "lz4":
        plain: bytes = lz4.frame.LZ4FrameDecompressor().decompress(content)
        return plain
    if encoding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(content)
    return gzip.decompress(content) if encoding == "gzip" else content


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def main(directory: str, port: int) -> None:
    """Serve until killed."""
    _Handler.path_of_store = directory
    keeper: Any = chdb.connect(directory)
    keeper.query("SELECT 1")
    ThreadingHTTPServer(("127.0.0.1", port), _Handler).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
