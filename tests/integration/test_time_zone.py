"""A database in another time zone than UTC: what arrives after a run is read by the next one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

TWICE = """
import sys
from pathlib import Path

from spanloop.optimizer.assembly import assemble
from spanloop.optimizer.feedback import extract_feedback
from tests.support.analysis import open_analysis_store

T0_NS = 1_790_000_000_000_000_000
store = open_analysis_store(Path(sys.argv[1]))
context = store.context(overlap_s=0)
assert store.rows("SELECT timezone() AS zone") == [{"zone": "Europe/Berlin"}]
for n in (1, 2):
    told = {"user_feedback": "good", "gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    store.insert_spans([{
        "traceId": f"{n:032x}", "spanId": f"{n:016x}", "name": "op", "attributes": told,
        "startTimeUnixNano": str(T0_NS), "endTimeUnixNano": str(T0_NS + 1),
    }], batch_id=str(n))
    print(assemble(context).traces, extract_feedback(context).found)
behind = "SELECT now64(3) - Cursor BETWEEN -1 AND 60 AS near FROM analyses WHERE Cursor > 0"
print({row["near"] for row in store.rows(behind)})
"""


def test_a_second_run_reads_what_came_after_the_first(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TWICE, str(tmp_path / "db")],
        check=False,
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "TZ": "Europe/Berlin"},
    )
    assert done.stdout.splitlines() == ["1 1", "1 1", "{1}"], done.stderr
