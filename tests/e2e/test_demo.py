"""The first thing a newcomer runs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.conftest import SPANLOOP


def test_demo_stores_every_span_it_sent_and_tells_a_story(tmp_path: Path) -> None:
    done = subprocess.run(
        [SPANLOOP, "demo", "--conversations", "108", "--no-second-agent", "--json"],
        capture_output=True,
        text=True,
        timeout=500,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
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
    verdicts = [row["verdict"] for row in loop["experiments"]]
    assert verdicts
    assert all(verdicts)  # each was decided
    assert list(tmp_path.iterdir()) == []  # it leaves nothing behind
