"""Agents that poll: requests a second and the server's CPU for one, on a real server process.

With connections kept, as an HTTP client library does, and with a new one for each request, as the one-file
client does. The load generator runs beside the server and shares its processor; the CPU figure is the
server's own.
"""

import asyncio
import json
import os
import subprocess
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

SPANLOOP = Path(sysconfig.get_path("scripts")) / "spanloop"
CONFIGURATION = {"components": {"instructions": "Be brief. " * 800}, "tools": {"search": True}}
PATH = "/v1/agents/support/config"


def measure(seconds: float, connections: int) -> dict[str, Any]:
    """Return figures of unchanged (304), whole (200) and assigned answers."""
    with tempfile.TemporaryDirectory() as name:
        return _on_server(Path(name), seconds, connections)


def _on_server(directory: Path, seconds: float, connections: int) -> dict[str, Any]:
    config = directory / "spanloop.yaml"
    ports = {"grpc": {"port": 0}, "http": {"port": 0}, "log": {"min_free_bytes": 0}}
    content = {"data_dir": str(directory / "data"), "receiver": ports, "sql": {"port": 0}}
    config.write_text(yaml.safe_dump(content))
    file = directory / "configuration.json"
    file.write_text(json.dumps(CONFIGURATION))
    server = subprocess.Popen(
        [SPANLOOP, "serve", "--json", "-c", config], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        http = json.loads(server.stdout.readline())["http"]
        subprocess.run(
            [SPANLOOP, "releases", "register", "support", file, "-c", config],
            check=True,
            capture_output=True,
        )
        time.sleep(2.5)  # what was read before may be served for 2 s
        port = int(http.rpartition(":")[2])
        return asyncio.run(_measure(server.pid, port, seconds, connections))
    finally:
        server.terminate()
        server.wait()


async def _measure(pid: int, port: int, seconds: float, connections: int) -> dict[str, Any]:
    first = await _ask(port, _request(PATH))
    etag = next(
        line[6:] for line in first.decode().split("\r\n") if line.lower().startswith("etag:")
    )
    cases = {
        "unchanged": _request(PATH, etag),
        "whole": _request(PATH),
        "assigned": _request(f"{PATH}?conversation=c-1"),
    }
    found: dict[str, Any] = {"connections": connections, "bytes": len(first)}
    for name, request in cases.items():
        for kept in (True, False):
            figures = await _load(
                pid, port, request, seconds=seconds, connections=connections, kept=kept
            )
            found[f"{name}, {'kept' if kept else 'new'} connections"] = figures
    return found


async def _load(
    pid: int, port: int, request: bytes, *, seconds: float, connections: int, kept: bool
) -> dict[str, float]:
    until = time.monotonic() + seconds
    cpu = _cpu_s(pid)
    began = time.monotonic()
    ask = _ask_on_one if kept else _ask_on_many
    done = sum(await asyncio.gather(*(ask(port, request, until) for _ in range(connections))))
    took = time.monotonic() - began
    return {
        "requests_a_second": round(done / took, 1),
        "server_cpu_ms": round((_cpu_s(pid) - cpu) * 1_000 / done, 3),
    }


async def _ask_on_one(port: int, request: bytes, until: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    done = 0
    while time.monotonic() < until:
        writer.write(request)
        await _read(reader)
        done += 1
    writer.close()
    await writer.wait_closed()
    return done


async def _ask_on_many(port: int, request: bytes, until: float) -> int:
    done = 0
    while time.monotonic() < until:
        await _ask(port, request)
        done += 1
    return done


async def _ask(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await _read(reader)
    writer.close()
    await writer.wait_closed()
    return answer


async def _read(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
    not_modified = head.startswith(b"HTTP/1.1 304")
    return head if not_modified else head + await reader.readexactly(length)


def _request(path: str, etag: str = "") -> bytes:
    condition = f"If-None-Match: {etag.strip()}\r\n" if etag else ""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{condition}\r\n".encode()


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
