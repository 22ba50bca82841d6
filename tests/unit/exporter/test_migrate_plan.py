"""Which statements a database still needs."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from spanloop.exporter import migrate
from spanloop.exporter.migrate import Statement, outstanding, plan
from spanloop.exporter.render import Renderer, SchemaSettings, statement_names

TABLE = Statement("migrations/1.sql", "CREATE TABLE a", repeatable=False)
VIEW = Statement("views/1.sql", "CREATE VIEW b", repeatable=True)


def known(*statements: Statement) -> dict[str, str]:
    return {statement.path: statement.digest for statement in statements}


def test_a_new_database_needs_everything_in_order() -> None:
    assert outstanding([TABLE, VIEW], {}) == [TABLE, VIEW]


def test_a_current_database_needs_nothing() -> None:
    assert outstanding([TABLE, VIEW], known(TABLE, VIEW)) == []


def test_a_changed_view_is_made_anew_a_changed_migration_is_not() -> None:
    changed = [replace(TABLE, sql="CREATE TABLE a2"), replace(VIEW, sql="CREATE VIEW b2")]
    assert outstanding(changed, known(TABLE, VIEW)) == [changed[1]]


def test_what_only_an_older_version_had_is_left_alone() -> None:
    assert outstanding([TABLE], known(TABLE, VIEW)) == []


def renderer() -> Renderer:
    pytest.importorskip("spanloop.service.stores")
    from spanloop.service.config import load
    from spanloop.service.stores import make_renderer

    return make_renderer(load(None))


def test_tables_come_before_views() -> None:
    statements = plan(renderer())
    kinds = [statement.repeatable for statement in statements]
    assert kinds == sorted(kinds)
    assert [s.path for s in statements] == [
        *statement_names("migrations"),
        *statement_names("views"),
    ]


def test_every_statement_can_be_repeated_after_a_crash() -> None:
    for statement in plan(renderer()):
        assert re.search(r"\bIF NOT EXISTS\b|^ALTER TABLE|^INSERT", statement.sql, re.MULTILINE), (
            statement.path
        )


def test_every_view_names_what_it_replaces() -> None:
    creates = migrate._CREATES  # pyright: ignore[reportPrivateUsage]
    for statement in plan(renderer()):
        if statement.repeatable:
            assert creates.search(statement.sql), statement.path


def test_numbers_are_unique() -> None:
    numbers = [path.split("/")[1].split("_")[0] for path in statement_names("migrations")]
    assert len(set(numbers)) == len(numbers)
    assert all(re.fullmatch(r"\d{4}", number) for number in numbers)


def test_the_digest_is_that_of_the_rendered_text() -> None:
    other = Renderer(settings=SchemaSettings(database="other"), extra=renderer().extra)
    assert plan(renderer())[0].digest != plan(other)[0].digest
    assert plan(renderer())[0].digest == plan(renderer())[0].digest
