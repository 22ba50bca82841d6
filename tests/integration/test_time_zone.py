"""A database in another zone than UTC: what came after a run is read by the next, and days are UTC's."""

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
from spanloop.service.exploring import Explorer
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
late = "toDateTime64('2026-09-20 23:30:00', 9, 'UTC')"
store.client.command(
    "INSERT INTO trajectories (TrajectoryId, Start, State, Completeness, Version) "
    f"VALUES ('T', {late}, 'closed', 1, 1)"
)
store.client.command(
    "INSERT INTO pattern_members (PatternId, TrajectoryId, Timestamp, Version) "
    f"VALUES ('P', 'T', {late}, 1)"
)
daily = context.rows("patterns/select_daily", {"completeness": 0.6})
print([(row[0], str(row[3])) for row in daily if str(row[3]) < "2026-09-21"])
shown = Explorer(client=store.client, renderer=store.renderer)
print(shown._rows("select_daily_members")[0]["counts"][-1])
"""

DAYS = "[('', '2026-09-20'), ('P', '2026-09-20')]"


def test_a_second_run_reads_what_came_after_the_first(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TWICE, str(tmp_path / "db")],
        check=False,
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "TZ": "Europe/Berlin"},
    )
    assert done.stdout.splitlines() == ["1 1", "1 1", "{1}", DAYS, "1"], done.stderr
