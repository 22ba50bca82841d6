"""The documentation says what the code does: tables, columns, settings, metrics, links."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import get_args

import pytest
import sqlglot
from pydantic import BaseModel
from sqlglot import expressions

from spanloop.exporter.render import Renderer, SchemaSettings, statement_names
from spanloop.receiver import telemetry
from spanloop.service import prometheus
from spanloop.service.config import Settings
from tests.conftest import REPOSITORY

TABLES_PAGE = (REPOSITORY / "docs" / "tables.md").read_text(encoding="utf-8")
OPERATIONS_PAGE = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
RENDERER = Renderer(settings=SchemaSettings(cluster="main"), extra={"genai_view_select": "SELECT"})
COMMON = "Metrics: common columns"
_ROW = re.compile(r"^\| `(?P<name>[^`]+)` \| `(?P<type>[^`]+)` \| .+ \|$", re.MULTILINE)


def sections(page: str) -> Mapping[str, str]:
    parts = re.split(r"^## (.+)$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def columns_of(path: str) -> dict[str, str]:
    """Return column → type of a CREATE TABLE, nested ones as the arrays that they are."""
    parsed = sqlglot.parse_one(RENDERER.render(path), read="clickhouse")
    listed = parsed.this.expressions
    return dict(
        pair for c in listed if isinstance(c, expressions.ColumnDef) for pair in _columns(c)
    )


def _columns(column: expressions.ColumnDef) -> Iterator[tuple[str, str]]:
    kind = column.args["kind"]
    if kind.this == expressions.DataType.Type.NESTED:
        for inner in kind.expressions:
            yield f"{column.name}.{inner.name}", f"Array({_type(inner.args['kind'])})"
    else:
        yield column.name, _type(kind)


def _type(kind: expressions.DataType) -> str:
    return kind.sql(dialect="clickhouse")


STORED = {
    re.sub(r".*/\d+_(\w+)\.sql", r"\1", path): path for path in statement_names("migrations")
} | {"spanloop_migrations": "ledger.sql"}


def documented(table: str) -> list[tuple[str, str]]:
    """Return what the page says, in its order; a metrics table has the common columns around its own."""
    page = sections(TABLES_PAGE)
    own = _ROW.findall(page[table])
    if not table.startswith("otel_metrics_"):
        return own
    common = _ROW.findall(page[COMMON])
    return [*common, *own]


@pytest.mark.parametrize("table", STORED)
def test_every_column_of_every_table_is_described_with_its_type(table: str) -> None:
    described = documented(table)
    assert dict(described) == columns_of(STORED[table])
    assert len(described) == len(dict(described))


@pytest.mark.parametrize("table", ["otel_traces", "otel_traces_trace_id_ts", "otel_logs"])
def test_ours_come_after_the_exporters(table: str) -> None:
    assert [name for name, _ in documented(table)] == list(columns_of(STORED[table]))
    theirs, ours = re.split(r"^Ours\b.*:$", sections(TABLES_PAGE)[table], flags=re.MULTILINE)
    assert "`BatchId` |" in ours
    assert "`BatchId` |" not in theirs


def test_only_tables_have_columns() -> None:
    with_columns = {name for name, text in sections(TABLES_PAGE).items() if _ROW.search(text)}
    assert with_columns == {*STORED, COMMON}


@pytest.mark.parametrize("path", [*statement_names("views"), *statement_names("cluster")])
def test_every_view_and_distributed_table_is_named(path: str) -> None:
    created = re.search(r"IF NOT EXISTS `default`\.`(\w+)`", RENDERER.render(path))
    assert created
    assert f"`{created[1]}`" in sections(TABLES_PAGE)["Landing tables and views"]


def settings_paths(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        kinds = [field.annotation, *get_args(field.annotation)]
        nested = [k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)]
        if nested:
            suffix = "[]" if re.match(r"(tuple|dict)\[", str(field.annotation)) else ""
            yield from settings_paths(nested[0], f"{prefix}{name}{suffix}.")
        else:
            yield prefix + name


def test_every_setting_is_described_and_no_other() -> None:
    described = re.findall(
        r"^\| `([a-z_.\[\]]+)` \|", sections(OPERATIONS_PAGE)["Configuration"], re.MULTILINE
    )
    assert sorted(described) == sorted(settings_paths(Settings))


def test_every_metric_is_described_and_no_other() -> None:
    described = re.findall(r"^\| `(spanloop_\w+)`", OPERATIONS_PAGE, re.MULTILINE)
    counters = {f"spanloop_{name}_total" for name in prometheus.COUNTERS}
    gauges = re.findall(r"^\s+\"(\w+)\": \(", _source_of_gauges(), re.MULTILINE)
    assert set(described) == counters | {f"spanloop_{name}" for name in gauges}
    assert telemetry.ACKED in prometheus.COUNTERS


def _source_of_gauges() -> str:
    import inspect

    return inspect.getsource(prometheus.gauges)


@pytest.mark.parametrize(
    "page", [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))], ids=str
)
def test_links_within_the_repository_lead_somewhere(page: object) -> None:
    from pathlib import Path

    assert isinstance(page, Path)
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_decisions_have_the_parts_that_they_should() -> None:
    pages = sorted((REPOSITORY / "docs" / "adr").glob("*.md"))
    numbers = [page.name[:4] for page in pages]
    assert numbers == [f"{n:04d}" for n in range(1, len(pages) + 1)]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert text.count("\n") <= 60, page.name
        for part in ("Context", "Options", "Choice", "Consequences", "What would change our mind"):
            assert f"\n## {part}\n" in text, (page.name, part)
