"""A server that is asked to stop while long work runs."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from spanloop.exporter.lock import read_owner
from spanloop.service.config import Settings
from spanloop.service.jobs import OnEvent
from spanloop.service.server import Endpoints, Server


def test_ports_serve_until_a_running_job_has_ended(tmp_path: Path) -> None:
    reached: list[int] = []
    url = ""
    ports = {"grpc": {"enabled": False}, "http": {"port": 0}}
    settings = Settings.model_validate(
        {"data_dir": tmp_path, "receiver": ports, "sql": {"enabled": False}}
    )

    def last_words(on_event: OnEvent, _: Mapping[str, Any]) -> Mapping[str, Any]:
        on_event("begun", None, 0)
        time.sleep(1.0)  # the stop is asked for meanwhile
        reached.append(httpx.get(f"{url}/healthz", trust_env=False).status_code)
        on_event("after", None, 0)
        return {}

    async def scenario() -> list[str]:
        nonlocal url
        server = Server(settings, more_jobs={"last_words": last_words})
        ready: asyncio.Future[Endpoints] = asyncio.get_running_loop().create_future()
        running = asyncio.create_task(server.run(ready.set_result))
        url = str((await ready).http)
        transport = httpx.AsyncHTTPTransport(uds=str(read_owner(tmp_path)["admin"]))
        async with (
            httpx.AsyncClient(transport=transport) as client,
            client.stream("POST", "http://admin/last_words", json={}) as reply,
        ):
            lines = reply.aiter_lines()
            said = [await anext(lines)]
            server.request_stop()
            said += [line async for line in lines]
        assert await running
        return said

    said = asyncio.run(scenario())
    assert reached == [200]
    assert "the server stops" in json.loads(said[-1])["error"]
