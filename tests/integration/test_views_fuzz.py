"""Whatever passes the check is stored: the views refuse nothing, at any time stamp or number."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("views_fuzz.py")


@pytest.mark.parametrize(("seed", "ttl_days"), [(1, 0), (2, 30), (3, 18_250)])
def test_no_view_refuses_what_the_check_accepted(tmp_path: Path, seed: int, ttl_days: int) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, tmp_path, str(seed), "6"],
        env={**os.environ, "SPANLOOP_STORE__TTL_DAYS": str(ttl_days)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
