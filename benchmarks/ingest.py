"""What it costs to take in GenAI spans, all in, beside two other ways to do it.

    python -m benchmarks.ingest --spans 1000000 --json     # the full run: minutes
    python -m benchmarks.ingest --spans 20000              # a small one for CI, as a table

Load comes from a process of its own over OTLP/gRPC; only the CPU of the server process is counted, until
everything it acknowledged is stored, verified and merged. See docs/benchmarks-ingest.md.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.ingest_load import Load
from benchmarks.ingest_peers import Naive, Relay, naive, rotel
from benchmarks.ingest_phases import PACED_RATE, SMALL_BATCH, measure, throughput, with_readers
from benchmarks.ingest_processes import filesystem
from benchmarks.ingest_report import Ours, Result, as_json, as_text
from benchmarks.ingest_server import ServerUnderTest
from benchmarks.ingest_store import inspect

WARM_UP_SPANS = 2_000
IDLE_S = 2.0
PACED_S = 30
QUICK_BELOW = (
    100_000  # spans; below it a run waits 1 s instead of 5 s for the last segment to be sealed
)
MAX_PEER_SPANS = 1_000_000  # three times their data is on disk at once


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print; 0 whether or not a target was met (a busy machine is no fault of the code)."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--spans", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=1000, help="spans a request")
    parser.add_argument("--in-flight", type=int, default=8, help="open requests when flat out")
    parser.add_argument("--no-peers", action="store_true", help="leave (a) and (b) out")
    parser.add_argument("--segment-bytes", type=int, help="other than as shipped")
    parser.add_argument("--folder", type=Path, help="where to work (default: a temporary folder)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="spanloop-ingest-", dir=options.folder))
    try:
        result = run(folder, options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(as_json(result), indent=1) if options.json else as_text(result))
    return 0


def run(folder: Path, options: argparse.Namespace) -> Result:
    """Measure the server, then the peers."""
    overrides: dict[str, int] = {"segment_max_age_s": 1} if options.spans < QUICK_BELOW else {}
    if options.segment_bytes is not None:
        overrides["segment_max_bytes"] = options.segment_bytes
    ours = _measure_server(folder / "ours", options, overrides)
    a: Naive | None = None
    b: Relay | None = None
    if not options.no_peers:
        spans = min(ours.spans, MAX_PEER_SPANS)
        _say("naive Python")
        a = naive(folder / "naive", spans=spans, rows=ours.rows_an_insert)
        shutil.rmtree(folder / "naive", ignore_errors=True)
        _say("rotel and the database")
        b = rotel(folder / "rotel", spans=spans, rows=ours.rows_an_insert, batch=options.batch)
    return Result(
        ours=ours, naive=a, rotel=b, log_overrides=overrides, filesystem=filesystem(folder)
    )


def _measure_server(
    folder: Path, options: argparse.Namespace, overrides: Mapping[str, int]
) -> Ours:
    with ServerUnderTest(folder, overrides) as server:
        server.settle()
        start_cpu = server.cpu()
        time.sleep(IDLE_S)
        idle_cores = (server.cpu() - start_cpu) / IDLE_S
        spans = max(options.batch, options.spans)
        load = Load(
            target=server.grpc, spans=spans, batch=options.batch, in_flight=options.in_flight
        )
        _say("warm-up")
        measure(server, replace(load, spans=max(options.batch, WARM_UP_SPANS)))
        _say("flat out")
        slices = throughput(server, load)
        _say("paced")
        paced = replace(load, spans=min(spans, PACED_S * PACED_RATE), rate=PACED_RATE)
        paced_phase = measure(server, paced)
        _say("small requests")
        small = replace(load, spans=min(spans // 2, 80_000), batch=SMALL_BATCH, in_flight=64)
        small_phase = measure(server, small)
        _say("nested values")
        nested_phase = measure(server, replace(load, spans=min(spans, 50_000), nested=True))
        _say("with readers")
        readers = with_readers(server, replace(load, spans=min(spans, 300_000)))
    left = inspect(server.config)
    shutil.rmtree(folder, ignore_errors=True)
    return Ours(
        slices=slices,
        paced=paced_phase,
        small=small_phase,
        nested=nested_phase,
        readers=readers,
        left=left,
        start_cpu_s=start_cpu,
        idle_cores=idle_cores,
    )


def _say(step: str) -> None:
    print(f"ingest: {step} …", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
