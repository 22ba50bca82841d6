"""Recorded runs that went well, one in five with a fault, through the receiver and as far as symptoms.

Each data set has a world of its own per kind of fault: ids of traces and conversations, and the name of the
agent, are its own, so that in no world a run is there twice or has two faults, and no world has peers in
another. As a program this analyses the store below a directory and prints what it then holds (an embedded
store has one path per process).
"""

import contextlib
import gzip
import hashlib
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from clickhouse_connect.driver.client import Client
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from benchmarks.truth.injector import Fault, inject
from benchmarks.truth.load import STORE_MEMORY_BYTES, recorded_files
from benchmarks.truth.recorded import CONVERSATION, split_runs
from spanloop.exporter.lock import DirectoryLock
from spanloop.optimizer.assembly import assemble
from spanloop.optimizer.context import Context, Limits
from spanloop.optimizer.symptoms import find_symptoms
from spanloop.service.config import load as load_settings
from spanloop.service.stores import make_renderer, open_store

FAULTY_SHARE = 0.2
"""1 faulty : 4 untouched."""

MOST_RUNS = 100
"""Of one data set, drawn by seed for each kind: receiving them takes most of the time."""

AGENT = "gen_ai.agent.name"

Requests = list[ExportTraceServiceRequest]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultySet:
    """The runs of one data set with faults of one kind.

    Attributes:
        name: folder of the data set.
        faults: what was planted; as many as the share asks for, fewer where the runs hold no more places.
        requests: all runs, faulty or not, as its world tells them.
        untouched: a trace id of each run that was left as it is; four for each faulty one.
    """

    name: str
    faults: Sequence[Fault]
    requests: Requests
    untouched: Sequence[str]


def successful_runs(directory: Path) -> dict[str, dict[str, Requests]]:
    """Return, per folder of ``directory``, the runs whose ground truth says ``success``, by their key."""
    sets: dict[str, dict[str, Requests]] = {}
    for path in recorded_files(directory):
        truth = path.parent / "ground_truth.jsonl"
        if not truth.exists():
            continue
        rows = [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]
        good = {row.get("conversation_id") or row["trace_id"] for row in rows if row.get("success")}
        if good:
            runs = split_runs(list(read_requests(path)))
            sets.setdefault(path.parent.name, {}).update(
                {key: runs[key] for key in sorted(good & runs.keys())}
            )
    return sets


def read_requests(path: Path) -> Iterator[ExportTraceServiceRequest]:
    """Yield the requests of a ``.otlp.gz`` file, each preceded by its length as a varint."""
    data = gzip.decompress(path.read_bytes())
    at = 0
    while at < len(data):
        length = shift = 0
        while True:
            byte = data[at]
            at += 1
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        yield ExportTraceServiceRequest.FromString(data[at : at + length])
        at += length


def plant(name: str, runs: Mapping[str, Requests], kind: str, *, seed: int) -> FaultySet:
    """Plant a fault of ``kind`` in one of five of at most `MOST_RUNS` of ``runs``, drawn by seed."""
    keys = sorted(runs)
    order = np.random.default_rng([seed, *kind.encode()]).permutation(len(keys))[:MOST_RUNS]
    wanted = int(len(order) * FAULTY_SHARE)
    world = f"{name}/{kind}"
    faults: list[Fault] = []
    requests: Requests = []
    untouched: list[str] = []
    for key in (keys[i] for i in order):
        planted = inject(runs[key], kind, seed=seed) if len(faults) < wanted else None
        told = in_world(planted.requests if planted else runs[key], world)
        requests += told
        if planted is None:
            untouched.append(_first_trace(told))
        else:
            trace_id = own_id(bytes.fromhex(planted.fault.trace_id), world).hex()
            faults.append(replace(planted.fault, trace_id=trace_id))
    counted = untouched[: round(len(faults) * (1 / FAULTY_SHARE - 1))]
    return FaultySet(name=name, faults=faults, requests=requests, untouched=counted)


def in_world(requests: Requests, world: str) -> Requests:
    """Return ``requests`` with ids of traces and conversations, and the agent's name, of ``world``."""
    told: Requests = []
    for request in requests:
        copy = ExportTraceServiceRequest()
        copy.CopyFrom(request)
        for span in _spans(copy):
            span.trace_id = own_id(span.trace_id, world)
            for attribute in span.attributes:
                if attribute.key == CONVERSATION:
                    own = own_id(attribute.value.string_value.encode(), world)
                    attribute.value.string_value = own.hex()
                elif attribute.key == AGENT:
                    attribute.value.string_value += f" of {world}"
        told.append(copy)
    return told


def own_id(identifier: bytes, world: str) -> bytes:
    """Return the 16 bytes that stand for ``identifier`` in ``world``."""
    return hashlib.sha256(identifier + world.encode()).digest()[:16]


def _spans(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for block in request.resource_spans:
        for scope in block.scope_spans:
            yield from scope.spans


def _first_trace(requests: Requests) -> str:
    return next(_spans(requests[0])).trace_id.hex()


def write_requests(path: Path, requests: Sequence[ExportTraceServiceRequest]) -> None:
    """Write a ``.otlp.gz`` file, in order of the ends of the requests' spans."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wb", compresslevel=1) as file:
        for request in sorted(requests, key=lambda r: max(s.end_time_unix_nano for s in _spans(r))):
            message = request.SerializeToString()
            file.write(_varint(len(message)) + message)


def analyse(work: Path, database: str) -> dict[str, Any]:
    """Assemble and find symptoms in ``database`` below ``work``; return what it then holds."""
    data_dir = work / "volume" / "data"
    with contextlib.ExitStack() as stack:
        stack.callback(DirectoryLock(data_dir).close)
        store_settings = {"database": database, "memory_bytes": STORE_MEMORY_BYTES}
        settings = load_settings(None, data_dir=data_dir, store=store_settings)
        store = open_store(settings)
        stack.callback(store.close)
        client = stack.enter_context(contextlib.closing(store.connect()))
        client.command(f"USE {database}")
        context = Context(
            client=client,
            renderer=make_renderer(settings),
            now_ms=time.time_ns() // 1_000_000,
            limits=Limits(query_memory_bytes=STORE_MEMORY_BYTES * 3 // 4, idle_s=0),
        )
        began = time.monotonic()
        assemble(context)
        assembled = time.monotonic()
        find_symptoms(context)
        seconds = {"assembly": assembled - began, "symptoms": time.monotonic() - assembled}
        return {**_found(client), "seconds": seconds}


def _found(client: Client) -> dict[str, Any]:
    """Return ``trajectories`` (trace id → trajectory), ``symptoms`` and ``steps`` of a database."""
    queries = {
        "trajectories": "SELECT TraceId, TrajectoryId FROM trajectory_traces FINAL",
        "symptoms": "SELECT TrajectoryId, Symptom, Detail, Step, Weight FROM trajectory_symptoms FINAL",
        "steps": """
            SELECT TrajectoryId, Step, CallId, SpanId, ifNull(Text, '')
            FROM trajectory_steps FINAL ORDER BY TrajectoryId, Step
        """,
    }
    return {
        name: [list(row) for row in client.query(sql).result_rows] for name, sql in queries.items()
    }


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    return bytes([*encoded, number])


if __name__ == "__main__":
    json.dump(analyse(Path(sys.argv[1]), sys.argv[2]), sys.stdout)
