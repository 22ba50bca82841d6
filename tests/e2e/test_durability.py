"""The durability benchmark in small: a few kills, and every scenario in its short form.

By default the three that say most in half a minute; all of them with ``--slow``. The figures come from
``python -m benchmarks.durability --kills 50``.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.durability.__main__ import SCENARIOS
from benchmarks.durability.kills import kill_loop
from benchmarks.durability.stage import Scale

QUICK = ("kill_between_sync_and_ack", "torn_and_corrupted")


@pytest.mark.parametrize(
    ("sender", "kills"),
    [("sdk", 2), pytest.param("rotel", 3, marks=pytest.mark.slow)],
)
def test_kill_nine_under_load_loses_and_doubles_nothing(
    tmp_path: Path, sender: str, kills: int
) -> None:
    facts = kill_loop(tmp_path, "rotel" if sender == "rotel" else "sdk", kills)
    assert facts["passed"], json.dumps(facts, indent=1)
    assert facts["kills_with_unstored_segments"]


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=() if n in QUICK else (pytest.mark.slow,)) for n in SCENARIOS],
)
def test_nothing_acknowledged_is_lost_or_doubled_by(name: str, tmp_path: Path) -> None:
    facts = SCENARIOS[name](tmp_path, Scale(quick=True))
    assert facts["passed"], json.dumps(facts, indent=1)
