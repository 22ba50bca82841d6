"""Grafana Labs' own types read the dashboards strictly: an option that Grafana does not know is a fault."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

DASHBOARDS = sorted((REPOSITORY / "dashboards" / "grafana" / "dashboards").glob("*.json"))


@pytest.fixture(scope="module")
def grafana_go(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built program; without Go a desk skips and CI fails."""
    go = shutil.which("go")
    if go is None:
        if os.environ.get("CI"):
            pytest.fail("Go is missing")
        pytest.skip("NO GO: install Go to check dashboards against Grafana's types")
    program = tmp_path_factory.mktemp("go") / "grafana_go"
    source = REPOSITORY / "tests" / "grafana_go"
    subprocess.run([go, "build", "-o", program, "."], cwd=source, check=True, timeout=600)
    return program


def read(program: Path, *paths: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, *paths], capture_output=True, text=True, timeout=60, check=False
    )


def test_grafanas_types_know_every_field(grafana_go: Path) -> None:
    done = read(grafana_go, *DASHBOARDS)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_field_that_they_do_not_know_is_named(grafana_go: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text(DASHBOARDS[0].read_text().replace('"showHeader"', '"showsHeader"'))
    done = read(grafana_go, wrong)
    assert done.returncode == 1
    assert "showsHeader" in done.stdout
