"""``python -m benchmarks.scale --trajectories 1000000 --json``: what an analysis costs when much is stored.

Spans are generated into a store; then every stage runs over all of them, then over a cycle with 1 % new
data: most of it new trajectories, a fifth of it further turns of old ones. Each part runs in a process of
its own, so that its peak memory is its own. The aims are those of the issue: the full analysis in 180 s and
4 GB on two cores, the cycle in 5 % of that time.
"""

import argparse
import contextlib
import json
import resource
import tempfile
import time
from collections.abc import Generator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.ingest_processes import run_worker
from benchmarks.scale_spans import Wave, insert
from spanloop.exporter.lock import DirectoryLock
from spanloop.exporter.migrate import migrate
from spanloop.exporter.model_prices import load_model_prices
from spanloop.optimizer.analysis import run_analysis
from spanloop.optimizer.context import Context, Limits
from spanloop.processor.prices import load_prices
from spanloop.service.config import load
from spanloop.service.stores import make_renderer, open_store

STORE_MEMORY_BYTES = 3_000_000_000
FULL_NOW_MS = 1_791_200_000_000
"""Five days after the last stored trajectory: all are idle."""
CYCLE_AFTER_MS = 86_400_000
NEW_SHARE = 0.01
CONTINUED_SHARE = 0.2
"""Of what is new in the cycle: turns of conversations that exist."""
FULL_S, FULL_BYTES, CYCLE_SHARE = 180, 4 * 1024**3, 0.05


def main() -> None:
    """Run the benchmark, or one part of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--trajectories", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--work", type=Path, help="keep the store here")
    parser.add_argument(
        "--part", choices=PARTS, help="run this part only, in a store that --work has"
    )
    arguments = parser.parse_args()
    if arguments.part:
        print(json.dumps(_part(arguments.part, arguments.work, arguments.trajectories)))
        return
    with tempfile.TemporaryDirectory(prefix="spanloop-scale-") as folder:
        result = _all(arguments.work or Path(folder), arguments.trajectories)
    print(json.dumps(result) if arguments.json else _table(result))


def _all(work: Path, trajectories: int) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    for name in PARTS:
        options = ["--part", name, "--work", str(work), "--trajectories", str(trajectories)]
        parts[name] = run_worker("benchmarks.scale", options)
    full, cycle = parts["full"], parts["cycle"]
    share = cycle["seconds"] / full["seconds"]
    return {
        **parts,
        "aims": [
            _aim("full analysis, seconds", FULL_S, full["seconds"]),
            _aim("full analysis, peak bytes", FULL_BYTES, full["peak_rss_bytes"]),
            _aim("cycle with 1 % new, share of the full time", CYCLE_SHARE, round(share, 3)),
        ],
    }


def _aim(name: str, wanted: float, measured: float) -> dict[str, Any]:
    return {"aim": name, "wanted": f"<= {wanted}", "measured": measured, "met": measured <= wanted}


def _part(name: str, work: Path, trajectories: int) -> dict[str, Any]:
    new = max(round(trajectories * NEW_SHARE), 1)
    continued = round(new * CONTINUED_SHARE)
    began = time.monotonic()
    with _opened(work) as context:
        match name:
            case "generate":
                result = _generate(context, Wave(first=0, count=trajectories))
                time.sleep(Limits().overlap_s)  # stored well before the analysis
            case "generate_new":
                result = _generate(
                    context,
                    Wave(first=trajectories, count=new - continued, later=True),
                    Wave(first=0, count=continued, later=True, continued=True),
                )
            case _:
                result = _analyse(context)
    return {
        **result,
        "process_seconds": round(time.monotonic() - began, 1),
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def _generate(context: Context, *waves: Wave) -> dict[str, Any]:
    began = time.monotonic()
    for wave in waves:
        for _ in insert(context.client, wave):
            pass
    return {
        "trajectories": sum(wave.count for wave in waves),
        "spans_stored": _count(context, "genai_spans"),
        "seconds": round(time.monotonic() - began, 1),
    }


def _analyse(context: Context) -> dict[str, Any]:
    report = run_analysis(context)
    return {
        "seconds": round(sum(stage.seconds for stage in report.stages), 1),
        "cpu_seconds": round(sum(stage.cpu_seconds for stage in report.stages), 1),
        "stages": [asdict(stage) for stage in report.stages],
        "trajectories_stored": _count(context, "trajectories"),
        "steps_stored": _count(context, "trajectory_steps"),
    }


def _count(context: Context, table: str) -> int:
    sql = f"SELECT count() FROM {context.renderer.table(table)}"  # noqa: S608  # names only
    return int(context.client.query(sql).result_rows[0][0])


@contextlib.contextmanager
def _opened(work: Path) -> Generator[Context, None, None]:
    """Open the store below ``work``, made if need be; the second analysis comes a day after the first."""
    work.mkdir(parents=True, exist_ok=True)
    settings = load(None, data_dir=work / "data", store={"memory_bytes": STORE_MEMORY_BYTES})
    with contextlib.ExitStack() as stack:
        stack.callback(DirectoryLock(settings.data_dir).close)
        store = open_store(settings)
        stack.callback(store.close)
        client = stack.enter_context(contextlib.closing(store.connect()))
        renderer = make_renderer(settings)
        migrate(client, renderer)
        load_model_prices(client, renderer, load_prices())
        context = Context(client=client, renderer=renderer, now_ms=FULL_NOW_MS)
        if _count(context, "analyses"):
            context = Context(client=client, renderer=renderer, now_ms=FULL_NOW_MS + CYCLE_AFTER_MS)
        yield context


def _table(result: Mapping[str, Any]) -> str:
    lines = [f"{'part':<14}{'stage':<14}{'seconds':>9}{'CPU s':>9}{'peak MB':>9}"]
    for name in PARTS:
        part = result[name]
        peak = part["peak_rss_bytes"] // 1_000_000
        lines.append(f"{name:<28}{part['seconds']:>9}{part.get('cpu_seconds', ''):>9}{peak:>9}")
        lines += [
            f"{'':<14}{stage['stage']:<14}{stage['seconds']:>9.1f}{stage['cpu_seconds']:>9.1f}"
            for stage in part.get("stages", [])
        ]
    met = {True: "met", False: "MISSED"}
    lines += [
        f"{met[aim['met']]}: {aim['aim']}: {aim['wanted']}, measured {aim['measured']}"
        for aim in result["aims"]
    ]
    return "\n".join(lines)


PARTS = ("generate", "full", "generate_new", "cycle")

if __name__ == "__main__":
    main()
