"""The load generator, a process of its own: sends OTLP/gRPC and prints what was acknowledged, and when.

    python -m benchmarks.ingest_load --target 127.0.0.1:4317 --spans 20000

Without ``--rate`` it keeps ``--in-flight`` requests open all the time; with it, requests start on a
schedule whether or not earlier ones were answered, so a slow answer does not hide behind a late question.
"""

import argparse
import asyncio
import json
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import grpc
import grpc.aio
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from benchmarks.ingest_processes import run_worker
from benchmarks.ingest_spans import RequestPool

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
TIMEOUT_S = 120.0
RETRIES = 50
RETRY_PAUSE_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What to send. ``rate`` is in spans per second, 0 as fast as it is taken."""

    target: str
    spans: int
    batch: int = 1000
    in_flight: int = 8
    rate: int = 0
    nested: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of it. Seconds and milliseconds; ``refused`` counts answers that asked to retry."""

    spans: int
    requests: int
    seconds: float
    spans_per_s: float
    requests_per_s: float
    ack_p50_ms: float
    ack_p99_ms: float
    ack_max_ms: float
    refused: int
    late_starts_p99_ms: float
    generator_cpu_s: float
    bytes_per_span: float
    attributes_per_span: float


def send(load: Load) -> Sent:
    """Run ``load`` in a process of its own and return the result."""
    options = ["--nested"] if load.nested else []
    for name in ("target", "spans", "batch", "in_flight", "rate"):
        options += [f"--{name.replace('_', '-')}", str(getattr(load, name))]
    return Sent(**run_worker("benchmarks.ingest_load", options))


class _Generator:
    def __init__(self, load: Load, pool: RequestPool) -> None:
        self._load = load
        self._pool = pool
        self._latencies: list[float] = []
        self._lateness: list[float] = []
        self._refused = 0

    async def run(self) -> Sent:
        load = self._load
        n_requests = max(1, load.spans // load.batch)
        options = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
        async with grpc.aio.insecure_channel(load.target, options=options) as channel:
            export = channel.unary_unary(EXPORT, None, None)  # bytes in, bytes out
            await asyncio.wait_for(channel.channel_ready(), timeout=20)
            cpu, begun = time.process_time(), time.perf_counter()
            if load.rate:
                await self._paced(export, n_requests)
            else:
                await self._flat_out(export, n_requests)
            seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
        return self._result(n_requests, seconds, cpu)

    def _result(self, n_requests: int, seconds: float, cpu: float) -> Sent:
        spans = n_requests * self._load.batch
        return Sent(
            spans=spans,
            requests=n_requests,
            seconds=seconds,
            spans_per_s=spans / seconds,
            requests_per_s=n_requests / seconds,
            ack_p50_ms=percentile(self._latencies, 0.5) * 1e3,
            ack_p99_ms=percentile(self._latencies, 0.99) * 1e3,
            ack_max_ms=max(self._latencies) * 1e3,
            refused=self._refused,
            late_starts_p99_ms=percentile(self._lateness, 0.99) * 1e3,
            generator_cpu_s=cpu,
            bytes_per_span=self._pool.bytes_per_span,
            attributes_per_span=self._pool.attributes_per_span,
        )

    async def _flat_out(self, export: Callable[..., Awaitable[bytes]], n_requests: int) -> None:
        left = iter(range(n_requests))

        async def worker() -> None:
            for _ in left:
                await self._one(export, self._pool.draw(time.time_ns()))

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._load.in_flight, n_requests)):
                group.create_task(worker())

    async def _paced(self, export: Callable[..., Awaitable[bytes]], n_requests: int) -> None:
        pause = self._load.batch / self._load.rate
        begun = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(n_requests):
                body = self._pool.draw(time.time_ns())
                due = begun + number * pause
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                self._lateness.append(time.perf_counter() - due)
                group.create_task(self._one(export, body))

    async def _one(self, export: Callable[..., Awaitable[bytes]], body: bytes) -> None:
        """Send until acknowledged; the time counts from the first attempt."""
        begun = time.perf_counter()
        for attempt in range(RETRIES):
            try:
                answer = await export(body, timeout=TIMEOUT_S)
            except grpc.aio.AioRpcError as refusal:
                if refusal.code() is not grpc.StatusCode.UNAVAILABLE or attempt == RETRIES - 1:
                    raise
                self._refused += 1
                await asyncio.sleep(RETRY_PAUSE_S)
            else:
                self._latencies.append(time.perf_counter() - begun)
                rejected = ExportTraceServiceResponse.FromString(answer).partial_success
                if rejected.rejected_spans:
                    raise RuntimeError(f"spans were rejected: {rejected.error_message}")
                return


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of ``values`` that ``share`` of them do not exceed; 0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def main() -> None:
    """Send what the command line says and print the result as a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", required=True)
    for name, default in (("spans", 20_000), ("batch", 1000), ("in-flight", 8), ("rate", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--nested", action="store_true", help="one nested attribute a span")
    load = Load(**vars(parser.parse_args()))
    pool = RequestPool(load.batch, nested=load.nested)
    result: Mapping[str, object] = asdict(asyncio.run(_Generator(load, pool).run()))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
