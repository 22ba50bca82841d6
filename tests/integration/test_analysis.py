"""An analysis as a whole: what it survives, and who may run one."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from spanloop.optimizer.analysis import run_analysis
from spanloop.optimizer.context import NoProgress
from spanloop.service.admin_calls import stream
from spanloop.service.asgi import serve_unix
from spanloop.service.jobs import Jobs
from tests.support.analysis import LATER_MS, AnalysisStore, open_analysis_store

START_NS = 1_790_000_000_000_000_000
SECOND_NS = 1_000_000_000


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    opened = open_analysis_store(tmp_path_factory.mktemp("analysis") / "db")
    yield opened
    opened.client.close()


def said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def chat(trace: int, *, end_ns: int = START_NS + SECOND_NS) -> dict[str, Any]:
    return {
        "traceId": f"{trace:032x}",
        "spanId": f"{trace:016x}",
        "name": "chat m",
        "startTimeUnixNano": str(START_NS),
        "endTimeUnixNano": str(end_ns),
        "attributes": {
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": [said("user", f"Where is order {trace}?")],
            "gen_ai.output.messages": [said("assistant", "It is on its way.")],
        },
    }


class KilledAt(NoProgress):
    """Ends the analysis when it comes to a stage, as a kill would."""

    def __init__(self, stage: str) -> None:
        self._stage = stage

    def stage(self, name: str, total: int | None = None) -> None:
        if name == self._stage:
            raise KeyboardInterrupt


def scored(store: AnalysisStore) -> set[str]:
    rows = store.rows("SELECT TrajectoryId FROM trajectory_satisfaction FINAL")
    return {row["TrajectoryId"] for row in rows}


@pytest.mark.parametrize("stage", ["symptoms", "satisfaction", "patterns"])
def test_what_a_killed_analysis_had_assembled_is_scored_by_the_next(
    store: AnalysisStore, stage: str
) -> None:
    trace = {"symptoms": 1, "satisfaction": 2, "patterns": 3}[stage]
    store.insert_spans([chat(trace)], batch_id=stage)
    first = store.context(LATER_MS + trace * 10_000, overlap_s=0)
    with pytest.raises(KeyboardInterrupt):
        run_analysis(replace(first, progress=KilledAt(stage)))
    store.client.command("TRUNCATE TABLE trace_arrivals")  # however long ago it was
    run_analysis(store.context(LATER_MS + trace * 10_000 + 5_000, overlap_s=0))
    assert f"{trace:032x}" in scored(store)
    changed = store.rows("SELECT count() AS n FROM changed_trajectories")
    run_analysis(store.context(LATER_MS + trace * 10_000 + 6_000, overlap_s=0))
    assert changed == [{"n": 1}]
    assert store.rows("SELECT count() AS n FROM changed_trajectories") == [{"n": 0}]


def test_a_span_that_claims_centuries_stops_nothing(store: AnalysisStore) -> None:
    store.insert_spans([chat(9, end_ns=2**64 - 1)], batch_id="centuries")
    run_analysis(store.context(LATER_MS + 200_000, overlap_s=0))
    (row,) = store.rows(
        "SELECT State, End - Start < 8 * 86400 AS near FROM trajectories FINAL "
        "WHERE TrajectoryId = {id:String}",
        id=f"{9:032x}",
    )
    assert row == {"State": "closed", "near": 1}


def test_an_analysis_keeps_its_turn_when_its_caller_goes_away(tmp_path: Path) -> None:
    release, begun = threading.Event(), threading.Event()
    running: list[int] = []

    def analyze(on_event: Any, _: Mapping[str, Any]) -> dict[str, Any]:
        running.append(1)
        on_event("assembly", None, 0)
        begun.set()
        assert release.wait(20)
        return {"runs": len(running)}

    async def scenario() -> tuple[str, dict[str, Any]]:
        path = str(tmp_path / "admin.sock")
        runs = Jobs({"analyze": analyze})
        async with contextlib.AsyncExitStack() as stack:
            await serve_unix(Starlette(routes=runs.routes), path, stack)
            transport = httpx.AsyncHTTPTransport(uds=path)
            async with httpx.AsyncClient(transport=transport) as client:
                async with client.stream("POST", "http://admin/analyze", json={}) as reply:
                    await anext(reply.aiter_lines())  # and away
                assert await asyncio.to_thread(begun.wait, 10)
                refused = (await client.post("http://admin/analyze", json={})).text
                release.set()
                while runs.turn.locked():
                    await asyncio.sleep(0.01)
                last = (await client.post("http://admin/analyze", json={})).text.splitlines()[-1]
            return refused, json.loads(last)

    refused, last = asyncio.run(scenario())
    assert "under way" in refused
    assert last == {"result": {"runs": 2}}


def test_a_silent_job_beats_and_callers_do_not_see_it(tmp_path: Path) -> None:
    heard = threading.Event()

    def analyze(on_event: Any, _: Mapping[str, Any]) -> dict[str, Any]:
        on_event("assembly", None, 0)
        assert heard.wait(20)
        return {"done": True}

    async def scenario() -> tuple[list[str], list[dict[str, Any]]]:
        path = str(tmp_path / "admin.sock")
        runs = Jobs({"analyze": analyze}, beat_s=0.05)
        raw: list[str] = []
        async with contextlib.AsyncExitStack() as stack:
            await serve_unix(Starlette(routes=runs.routes), path, stack)
            transport = httpx.AsyncHTTPTransport(uds=path)
            async with (
                httpx.AsyncClient(transport=transport) as client,
                client.stream("POST", "http://admin/analyze", json={}) as reply,
            ):
                async for line in reply.aiter_lines():
                    raw.append(line)
                    if "beat" in line:
                        heard.set()
            heard.clear()
            while runs.turn.locked():
                await asyncio.sleep(0.01)
            asking = asyncio.create_task(asyncio.to_thread(lambda: list(stream(path, "analyze"))))
            await asyncio.sleep(0.5)
            heard.set()
            return raw, await asking

    raw, events = asyncio.run(scenario())
    assert json.loads(raw[1]) == {"beat": True}
    assert events == [
        {"stage": "assembly", "total": None, "done": 0},
        {"result": {"done": True}},
    ]
