"""Files missing from a wheel do not show in an editable install: build it and compare with the tree."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

from tests.conftest import REPOSITORY

DATA = {".py", ".sql", ".json", ".yaml", ".html", ".css", ".proto", ".typed"}


def test_the_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    source = tmp_path / "source"
    archive = tmp_path / "tree.tar"
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, check=True, stdout=subprocess.PIPE
    )
    (tmp_path / "names").write_bytes(names.stdout)
    subprocess.run(
        ["tar", "--null", "-T", tmp_path / "names", "-cf", archive], cwd=REPOSITORY, check=True
    )
    with tarfile.open(archive) as tree:
        tree.extractall(source, filter="fully_trusted")
    built = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path / "dist", source],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr[-3000:] + built.stdout[-3000:]
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as content:
        held = {name for name in content.namelist() if name.startswith("spanloop/")}
    assert held == expected(source)


def expected(source: Path) -> set[str]:
    """Every file of the folders that are packages, and of the sub-folders that hold data."""
    directories: dict[str, str] = tomllib.loads((source / "pyproject.toml").read_text())["tool"][
        "setuptools"
    ]["package-dir"]
    roots = {name: folder for name, folder in directories.items() if name.count(".") == 1}
    return {
        f"{name.replace('.', '/')}/{path.relative_to(source / folder)}"
        for name, folder in roots.items()
        for path in (source / folder).rglob("*")
        if path.is_file() and path.suffix in DATA
    }
