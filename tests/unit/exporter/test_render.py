"""The schema as text, for each kind of deployment."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from spanloop.exporter.render import (
    Renderer,
    SchemaSettings,
    quote_identifier,
    quote_string,
    statement_names,
)
from spanloop.service.config import load
from spanloop.service.stores import make_renderer

PLAIN = make_renderer(load(None))
PATHS = [*statement_names("migrations"), *statement_names("views"), "ledger.sql"]
STORED = [path for path in statement_names("migrations") if "model_prices" not in path]
DERIVED = [
    path for path in STORED if path >= "migrations/0201"
]  # written by analyses, from what landed
TABLES = [path for path in STORED if path not in DERIVED]


def with_settings(**changes: object) -> Renderer:
    return replace(PLAIN, settings=SchemaSettings(**changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"database": "we`ird", "ttl_s": 86_400},
        {"cluster": "main", "replicated": True, "fsync": False},
    ],
)
def test_every_file_renders_to_one_statement(path: str, settings: dict[str, object]) -> None:
    sql = with_settings(**settings).render(path)
    assert "{{" not in sql.replace("{{uuid}}", "")
    assert "{%" not in sql
    assert not sql.rstrip().endswith(";")
    assert sql.count("CREATE ") == 1
    name = str(settings.get("database", "default"))
    assert quote_identifier(name) + "." in sql


@pytest.mark.parametrize("path", TABLES)
def test_every_target_remembers_tokens_and_is_durable(path: str) -> None:
    sql = PLAIN.render(path)
    assert "non_replicated_deduplication_window = 10000" in sql
    assert "fsync_after_insert = 1, fsync_part_directory = 1" in sql
    assert "BatchId" in sql
    assert "TTL" not in sql


@pytest.mark.parametrize("path", TABLES)
def test_the_retention_is_that_of_the_row(path: str) -> None:
    sql = with_settings(ttl_s=30 * 86_400).render(path)
    assert re.search(r"^TTL .+ \+ toIntervalSecond\(2592000\)$", sql, re.MULTILINE)
    assert "ttl_only_drop_parts = 1" in sql


@pytest.mark.parametrize("path", DERIVED)
def test_what_is_derived_is_durable_and_goes_with_what_it_tells_of(path: str) -> None:
    sql = PLAIN.render(path)
    assert "fsync_after_insert = 1, fsync_part_directory = 1" in sql
    assert "BatchId" not in sql
    retained = with_settings(ttl_s=86_400).render(path)
    of_a_trajectory = re.search(r"^    (Timestamp|Start|TrajectoryId) ", sql, re.MULTILINE)
    of_texts = re.search("0300_scenarios|0360_annotations", path)
    tells = (of_a_trajectory and "label_samples" not in path) or of_texts
    kept_for = re.search(r"^TTL .+ \+ toIntervalSecond\(86400\)$", retained, re.MULTILINE)
    assert bool(kept_for) == bool(tells)


@pytest.mark.parametrize("path", STORED)
def test_a_cluster_replicates(path: str) -> None:
    sql = with_settings(cluster="main", replicated=True, fsync=False).render(path)
    name = re.search(r"`default`\.`(\w+)`", sql)
    assert name
    assert "ON CLUSTER `main`" in sql
    kind = "ReplacingMergeTree" if "Version UInt64" in sql else "MergeTree"
    keeper = f"'/clickhouse/tables/{{uuid}}/{{shard}}/{name[1]}', '{{replica}}'"
    assert re.search(rf"Replicated{kind}\({re.escape(keeper)}(, Version(, IsDeleted)?)?\)", sql)
    assert " replicated_deduplication_window = 10000" in sql
    assert "fsync" not in sql


@pytest.mark.parametrize("path", statement_names("views"))
def test_views_store_nothing_themselves(path: str) -> None:
    sql = PLAIN.render(path)
    kept_nowhere = r"MATERIALIZED VIEW .* TO `default`|^CREATE VIEW "
    assert "ENGINE = Null" in sql or re.search(kept_nowhere, sql, re.MULTILINE)


def test_a_name_that_is_not_given_is_an_error_not_nothing() -> None:
    bare = Renderer(settings=SchemaSettings())
    needs_more = [path for path in PATHS if "genai_view_select" in _source(path)]
    for path in needs_more:
        with pytest.raises(UndefinedError):
            bare.render(path)


def _source(path: str) -> str:
    from spanloop.exporter.render import SQL_ROOT

    return SQL_ROOT.joinpath(path).read_text(encoding="utf-8")


@given(st.text())
def test_quoted_text_cannot_end_its_quotes(text: str) -> None:
    for quoted, mark in ((quote_string(text), "'"), (quote_identifier(text), "`")):
        inner = quoted[1:-1]
        assert quoted[0] == quoted[-1] == mark
        assert mark not in re.sub(r"\\.", "", inner, flags=re.DOTALL)
        assert re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL) == text
