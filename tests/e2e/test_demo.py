"""The first thing a newcomer runs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.conftest import SPANLOOP


def test_demo_stores_every_span_it_sent_and_tells_a_story(tmp_path: Path) -> None:
    short = ("--conversations", "108", "--no-second-agent", "--json")
    told = json.loads(run(tmp_path, "demo", *short))
    assert told["sent_spans"] == told["stored_spans"] > 0
    for title, rows in told["answers"].items():
        assert rows, title
    costs = told["answers"]["Tokens and cost by model (an unknown price is NULL, never free)"]
    assert costs[0]["usd"] is None
    titles = {pattern["title"] for pattern in told["patterns"]}
    assert {"The user corrected the agent", "A tool answered nothing"} <= titles
    assert told["example"]["steps"]
    (agent,) = told["satisfaction"]
    assert (agent["rate"], agent["method"]) == (None, "raters_bounded")
    assert agent["low"] < agent["rate_among_raters"] < agent["high"]
    loop = told["first"]
    assert loop["tokens"] > 0
    assert {"model_diff"} <= {candidate["engine"] for candidate in loop["candidates"]}
    assert all(row["verdict"] for row in loop["experiments"])  # each was decided
    # Few users make few scenarios: what these could not show is not tested, and that is said.
    told_so = [note for note in loop["notes"] if "more traffic is needed" in note]
    assert loop["experiments"] or told_so
    left = told["open"]
    assert [path.name for path in tmp_path.iterdir()] == [left["data_dir"]] == ["spanloop-demo"]
    page = (tmp_path / left["report"]).read_text(encoding="utf-8")
    assert told["patterns"][0]["title"] in page
    of = ("--json", "--data-dir", left["data_dir"])
    shown = json.loads(run(tmp_path, "trajectories", "show", left["trace"], *of))
    assert left["trace"] in shown["traces"]
    ids = "SELECT DISTINCT TraceId AS trace FROM otel_traces"
    assert left["trace"] in {row["trace"] for row in json.loads(run(tmp_path, "query", ids, *of))}


def test_it_leaves_nothing_behind_if_told_so(tmp_path: Path) -> None:
    run(tmp_path, "demo", "--conversations", "1", "--no-second-agent", "--discard")
    assert list(tmp_path.iterdir()) == []


def run(directory: Path, *command: str) -> str:
    """Run a command of spanloop's in ``directory``; return what it prints."""
    done = subprocess.run(
        [str(SPANLOOP), *command],
        capture_output=True,
        text=True,
        timeout=500,
        cwd=directory,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
