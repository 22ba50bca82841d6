"""Run the benchmark of looking at traces: ``python -m benchmarks.view [--json] [--spans N] [--work DIR]``.

A month of spans is generated (twenty minutes for five million; ``--work`` keeps it for the next run).
Then a stock Jaeger over spanloop answers 100 traces by id and 200 searches: first by a new server with the
files out of the page cache (again before every fiftieth question), then again; 2,000 spans a second are
received meanwhile. Last, the same is asked of spanloop without Jaeger.
"""

import argparse
import contextlib
import json
import os
import random
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.ingest_load import Load, percentile, send
from benchmarks.ingest_processes import memory_bytes, run_worker
from benchmarks.ingest_server import ServerUnderTest
from benchmarks.printing import print_measures
from benchmarks.view.asking import Ask, through_jaeger, through_storage
from benchmarks.view.questions import Known, Question, searches, traces
from benchmarks.view.spans import Stored, generate
from tests.support.jaeger import running_jaeger

TRACES, SEARCHES = 100, 200
INGEST_SPANS_PER_S = 2_000
INGEST_BATCH = 200
TRACE_P95_MS, SEARCH_P95_MS = 100, 500
INGEST_SECONDS = 30
"""Of one run of the load generator, whose start costs a second of CPU."""
EVICT_EVERY = 50
"""Questions: leaving the page cache takes seconds, with thousands of files."""
SEED = 7


@dataclass(frozen=True, slots=True)
class _Answer:
    question: Question
    seconds: float
    size: int
    right: bool


def main() -> None:
    """Run the benchmark, or only make the store."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.view", description=__doc__)
    parser.add_argument("--spans", type=int, default=5_000_000)
    parser.add_argument("--work", type=Path, help="keep the store here, and use it again")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--part", choices=("generate",), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="spanloop-view-") as folder:
        work: Path = arguments.work or Path(folder)
        if arguments.part:
            print(json.dumps(generate(work, arguments.spans)))
            return
        results = _run(work, arguments.spans)
    if arguments.json:
        print(json.dumps(results))
    else:
        print_measures(results)


def _run(work: Path, spans: int) -> dict[str, dict[str, Any]]:
    # In a process of its own: the engine belongs to one process, and the server needs it next.
    options = ["--part", "generate", "--work", str(work), "--spans", str(spans)]
    size = run_worker("benchmarks.view", options)
    asked = _questions(size.pop("known"), Stored.of(spans))
    results: dict[str, dict[str, Any]] = {"store": {**size, "cores": os.cpu_count()}}
    with _serving(work) as server, _ingesting(server) as sent:
        address = str(server.endpoints["jaeger"])
        backend = {"grpc": {"endpoint": address, "tls": {"insecure": True}}}
        with (
            running_jaeger(work / "jaeger", backend) as jaeger,
            through_jaeger(jaeger.query_url) as ask,
        ):
            results["cold"] = _measured(ask, asked, server, evict=work / "data")
            results["warm"] = _measured(ask, asked, server)
        with through_storage(address) as ask:
            results["warm, spanloop alone"] = _measured(ask, asked, server)
        results["server"] = {"peak_rss_bytes": memory_bytes(server.pid)[0], "sent": sent}
    return results


@contextlib.contextmanager
def _serving(work: Path) -> Generator[ServerUnderTest]:
    server = ServerUnderTest(work)
    content = yaml.safe_load(server.config.read_text())
    server.config.write_text(yaml.safe_dump({**content, "jaeger": {"enabled": True, "port": 0}}))
    with server:
        yield server


@contextlib.contextmanager
def _ingesting(server: ServerUnderTest) -> Generator[dict[str, Any]]:
    """Send spans at a constant rate, half a minute at a time, until left; then tell what was sent."""
    stop, said = threading.Event(), dict[str, Any]()
    parts = list[Any]()
    load = Load(
        target=server.grpc,
        spans=INGEST_SPANS_PER_S * INGEST_SECONDS,
        batch=INGEST_BATCH,
        rate=INGEST_SPANS_PER_S,
    )

    def run() -> None:
        while not stop.is_set():
            parts.append(send(load))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield said
    finally:
        stop.set()
        thread.join()
        seconds = sum(part.seconds for part in parts)
        said |= {
            "ingested_spans_per_s": round(sum(part.spans for part in parts) / seconds),
            "ingest_ack_p99_ms": round(max(part.ack_p99_ms for part in parts), 1),
        }


def _questions(known: Sequence[Sequence[Any]], stored: Stored) -> Sequence[Question]:
    rnd = random.Random(SEED)
    asked = [*traces(stored, TRACES, rnd), *searches([Known.of(row) for row in known], rnd)]
    rnd.shuffle(asked)
    return asked


def _ask_all(ask: Ask, asked: Sequence[Question], *, evict: Path | None) -> list[_Answer]:
    answers: list[_Answer] = []
    for number, question in enumerate(asked):
        if evict is not None and number % EVICT_EVERY == 0:
            _evict(evict)
        answers.append(_Answer(question, *ask(question)))
    return answers


def _evict(folder: Path) -> None:
    """Drop the files of ``folder`` from the page cache."""
    for parent, _, names in os.walk(folder):  # which passes over what a merge has removed
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                file = os.open(Path(parent) / name, os.O_RDONLY)
                try:
                    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
                finally:
                    os.close(file)


def _measured(
    ask: Ask, asked: Sequence[Question], server: ServerUnderTest, *, evict: Path | None = None
) -> dict[str, Any]:
    load, cpu = os.getloadavg()[0], server.cpu()
    answers = _ask_all(ask, asked, evict=evict)
    cpu = server.cpu() - cpu
    by_trace = [one for one in answers if one.question.kind in ("trace", "absent trace")]
    by_search = [one for one in answers if not one.question.trace_id]
    kinds: defaultdict[str, list[_Answer]] = defaultdict(list)
    for one in answers:
        kinds[one.question.kind].append(one)
    trace_p95, search_p95 = _p95_ms(by_trace), _p95_ms(by_search)
    measured = {
        "aims": [
            _aim("trace by id, p95 ms", TRACE_P95_MS, trace_p95),
            _aim("search, p95 ms", SEARCH_P95_MS, search_p95),
        ],
        "questions": len(answers),
        "wrong_answers": sum(not one.right for one in answers),
        "milliseconds": {
            kind: {
                "asked": len(some),
                "p50": _ms(percentile([one.seconds for one in some], 0.5)),
                "p95": _p95_ms(some),
                "most_bytes": max(one.size for one in some),
            }
            for kind, some in sorted(kinds.items())
        },
        "server_cpu_ms_a_question": _ms(cpu / len(answers)),  # what it receives meanwhile included
        "load_before_and_after": [round(load, 1), round(os.getloadavg()[0], 1)],
    }
    print(json.dumps(measured), file=sys.stderr, flush=True)  # a pass takes minutes
    return measured


def _p95_ms(answers: Sequence[_Answer]) -> float:
    return _ms(percentile([one.seconds for one in answers], 0.95))


def _ms(seconds: float) -> float:
    return round(seconds * 1e3, 1)


def _aim(name: str, wanted: float, measured: float) -> dict[str, Any]:
    return {"aim": name, "wanted": f"<= {wanted}", "measured": measured, "met": measured <= wanted}


if __name__ == "__main__":
    main()
