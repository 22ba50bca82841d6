"""Promises about the tree itself."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY

FOLDERS = {
    "receiver",
    "processor",
    "exporter",
    "optimizer",
    "service",
    "proto",
    "dashboards",
    "examples",
    "client",
}


def tracked(pattern: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", pattern], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return [REPOSITORY / name for name in listed.stdout.splitlines()]


def test_nothing_imports_our_folders_by_their_bare_names() -> None:
    """Such a name may be another distribution's (proto-plus has `proto`), or a second copy of ours."""
    bare = [
        f"{path.relative_to(REPOSITORY)}: {name}"
        for path in tracked("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in imported(node)
        if name.partition(".")[0] in FOLDERS
    ]
    assert bare == []


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        return [node.module]
    return []


def test_the_scan_sees_a_bare_import() -> None:
    tree = ast.parse("import exporter.store\nfrom proto import x\nfrom spanloop.proto import y")
    names = [name for node in ast.walk(tree) for name in imported(node)]
    assert [n for n in names if n.partition(".")[0] in FOLDERS] == ["exporter.store", "proto"]


def test_no_tracked_file_names_a_package_index_or_a_home_directory() -> None:
    hosts = [
        "py" + "pi.org",
        "python" + "hosted.org",
        "proxy." + "golang.org",
        "/ro" + "ot/",
        "/wo" + "rk/",
    ]
    found = [
        f"{path.relative_to(REPOSITORY)}: {host}"
        for path in tracked("*")
        if path.is_file() and not path.is_symlink() and path.suffix not in (".sum",)
        for host in hosts
        if host in path.read_text(errors="ignore")
    ]
    assert found == []


def test_the_view_is_the_same_text_in_every_process() -> None:
    """Else each start would replace it."""
    program = (
        "import hashlib; from spanloop.processor.tagging import genai_view_select as text; "
        "print(hashlib.sha256(text('db').encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(digests) == 1
