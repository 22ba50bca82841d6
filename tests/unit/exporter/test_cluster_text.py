"""The schema of a cluster, as text: no cluster can be had in a test, its statements can be parsed."""

from __future__ import annotations

import re

import pytest
import sqlglot
from sqlglot import expressions

from spanloop.exporter.migrate import plan
from spanloop.exporter.render import Renderer, SchemaSettings, statement_names
from spanloop.processor.tagging import genai_view_select

CLUSTER = Renderer(
    settings=SchemaSettings(
        database="otel", cluster="main", replicated=True, fsync=False, ttl_s=86_400
    ),
    extra={"genai_view_select": genai_view_select("otel")},
)
SHARDS_ONLY = Renderer(
    settings=SchemaSettings(cluster="it's", replicated=False),
    extra={"genai_view_select": genai_view_select("default")},
)
STATEMENTS = {statement.path: statement.sql for statement in plan(CLUSTER)}
STATEMENTS["ledger.sql"] = CLUSTER.render("ledger.sql")
STORED = [
    path for path in STATEMENTS if path.startswith("migrations/") and "model_prices" not in path
]


@pytest.mark.parametrize("path", STATEMENTS)
def test_every_statement_parses_and_goes_to_every_server(path: str) -> None:
    sql = STATEMENTS[path]
    parsed = sqlglot.parse_one(sql, read="clickhouse")
    assert isinstance(parsed, expressions.Create)
    assert re.search(r"^CREATE .* `otel`\.`\w+` ON CLUSTER `main` ", sql, re.MULTILINE)


@pytest.mark.parametrize("path", [*STORED, "ledger.sql"])
def test_every_stored_table_is_replicated_under_a_path_of_its_own(path: str) -> None:
    sql = STATEMENTS[path]
    table = _created(sql)
    keeper = f"'/clickhouse/tables/{{uuid}}/{{shard}}/{table}', '{{replica}}'"
    assert re.search(rf"ENGINE = Replicated(Replacing)?MergeTree\({re.escape(keeper)}[),]", sql)
    assert "fsync" not in sql


def test_prices_are_a_join_table_of_each_server() -> None:
    (sql,) = (sql for path, sql in STATEMENTS.items() if "model_prices" in path)
    assert "ENGINE = Join(ANY, LEFT, Key)" in sql


def test_every_stored_table_can_be_read_over_all_shards() -> None:
    read = {
        match[1]: match[0]
        for path, sql in STATEMENTS.items()
        if path.startswith("cluster/")
        if (match := re.search(r"ENGINE = Distributed\('main', 'otel', '(\w+)'\)$", sql))
    }
    assert sorted(read) == sorted(_created(STATEMENTS[path]) for path in STORED)


@pytest.mark.parametrize("path", statement_names("cluster"))
def test_a_distributed_table_has_the_columns_of_its_own_and_takes_no_rows(path: str) -> None:
    sql = STATEMENTS[path]
    read = re.search(r" AS `otel`\.`(\w+)`\nENGINE = Distributed\('main', 'otel', '(\w+)'\)$", sql)
    assert read
    assert read[1] == read[2]
    assert _created(sql) == path.removeprefix("cluster/").removesuffix(".sql")
    # As of the last migration of its table: a newer one must change the text, so that it is made anew.
    number = re.search(r"columns as of migration (\d{4})", sql)
    assert number
    migrations = [p for p in statement_names("migrations") if _creates(p, read[1])]
    assert migrations[-1].startswith(f"migrations/{number[1]}_")


def test_without_a_cluster_nothing_is_distributed() -> None:
    single = Renderer(settings=SchemaSettings(), extra=CLUSTER.extra)
    assert not [s.path for s in plan(single) if s.path.startswith("cluster/")]
    assert not [s.path for s in plan(single) if "ON CLUSTER" in s.sql or "Replicated" in s.sql]


def test_shards_without_replicas() -> None:
    statements = plan(SHARDS_ONLY)
    assert not [s.path for s in statements if "Replicated" in s.sql]
    assert [s.path for s in statements if "Distributed('it\\'s', 'default', " in s.sql] == [
        s.path for s in statements if s.path.startswith("cluster/")
    ]
    durable = [s.sql for s in statements if "fsync_after_insert = 1" in s.sql]
    assert len(durable) == len(STORED)


def _created(sql: str) -> str:
    name = re.search(r"IF NOT EXISTS `\w+`\.`(\w+)`", sql)
    assert name
    return name[1]


def _creates(path: str, table: str) -> bool:
    return f"`otel`.`{table}`" in STATEMENTS[path]
