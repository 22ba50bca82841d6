"""The statements of the assembly say what they do and stay within the database that they are given."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from spanloop.exporter.render import Renderer, SchemaSettings
from spanloop.optimizer.statements import statement

NAMES = sorted(
    entry.name.removesuffix(".sql")
    for entry in files("spanloop.optimizer.assembly.sql").iterdir()
    if entry.name.endswith(".sql")
)
RENDERER = Renderer(settings=SchemaSettings(database="elsewhere"))


@pytest.mark.parametrize("name", NAMES)
def test_a_statement_begins_with_its_purpose_and_is_one(name: str) -> None:
    sql = statement(RENDERER, f"assembly/{name}")
    assert sql.startswith("-- ")
    assert len(sql.splitlines()) < 120
    assert not re.search(r";\s*$", re.sub("--.*", "", sql), re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_every_table_is_named_with_its_database(name: str) -> None:
    code = re.sub(r"--.*|'(?:[^'\\]|\\.)*'", "", statement(RENDERER, f"assembly/{name}"))
    bare = re.findall(
        r"(?:FROM|JOIN|INTO|TABLE|VIEW) ((?:assembly|trajector|canonical|genai|otel)_?\w*)", code
    )
    assert not bare


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith("create_")])
def test_what_is_made_is_made_anew(name: str) -> None:
    assert "CREATE OR REPLACE" in statement(RENDERER, f"assembly/{name}")
