"""Bring a database to the schema of this version.

``exporter/sql/migrations`` holds numbered, idempotent, append-only statements, each applied once.
``exporter/sql/views`` holds what can be made anew from its text: the Null tables that segments are inserted
into and the views that explode them. A view whose rendered text changed is replaced. ``exporter/sql/cluster``
holds the Distributed tables that read every shard, made only where a cluster is configured and replaced like
views. All are recorded in ``spanloop_migrations`` with the digest of the text that was applied.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from spanloop.exporter.render import Renderer, statement_names

LEDGER = "spanloop_migrations"
_CREATES = re.compile(
    r"CREATE (?P<kind>TABLE|MATERIALIZED VIEW|VIEW|DICTIONARY) IF NOT EXISTS (?P<name>`[^`]+`\.`[^`]+`)"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A rendered statement and whether it may be applied again when its text changes."""

    path: str
    sql: str
    repeatable: bool

    @property
    def digest(self) -> str:
        """Digest of the rendered text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()[:32]


def plan(renderer: Renderer) -> list[Statement]:
    """Return every statement of the schema, rendered, in order."""
    paths = [(path, False) for path in statement_names("migrations")]
    paths += [(path, True) for path in statement_names("views")]
    if renderer.settings.cluster:
        paths += [(path, True) for path in statement_names("cluster")]
    return [Statement(path, renderer.render(path), repeatable) for path, repeatable in paths]


def outstanding(statements: Iterable[Statement], known: Mapping[str, str]) -> list[Statement]:
    """Return what is to be applied where ``known`` maps the applied paths to their digests.

    A migration applied in another form stays: configuration changed since (TTL, cluster), not the schema.
    """
    return [
        statement
        for statement in statements
        if statement.path not in known
        or (statement.repeatable and known[statement.path] != statement.digest)
    ]


def migrate(
    client: Client, renderer: Renderer, on_applied: Callable[[str], None] = lambda _: None
) -> list[str]:
    """Apply what is missing or changed and return the paths that were applied."""
    database = renderer.settings.database
    client.command(renderer.render("ledger.sql"))
    known = applied_digests(client, database)
    applied: list[str] = []
    for statement in outstanding(plan(renderer), known):
        if statement.repeatable:
            _drop_view(client, statement, renderer)
        client.command(statement.sql)
        client.insert(
            LEDGER,
            [[statement.path, statement.digest]],
            column_names=["Path", "Digest"],
            database=database,
        )
        applied.append(statement.path)
        on_applied(statement.path)
    return applied


def pending(client: Client, renderer: Renderer) -> list[str]:
    """Return the paths that `migrate` would apply."""
    database = renderer.settings.database
    exists = client.command(f"EXISTS TABLE {renderer.table(LEDGER)}")
    known = applied_digests(client, database) if exists == 1 else {}
    return [statement.path for statement in outstanding(plan(renderer), known)]


def applied_digests(client: Client, database: str) -> dict[str, str]:
    """Return path → digest of what the ledger says was applied last."""
    rows = client.query(
        "SELECT Path, argMax(Digest, AppliedAt) FROM {db:Identifier}.spanloop_migrations GROUP BY Path",
        parameters={"db": database},
    ).result_rows
    return {str(path): str(digest) for path, digest in rows}


def _drop_view(client: Client, statement: Statement, renderer: Renderer) -> None:
    """Drop what a repeatable statement creates; it holds no data (view, Null or Distributed table)."""
    created = _CREATES.search(statement.sql)
    if created is None:
        raise AssertionError(f"{statement.path} creates nothing that can be replaced")
    kind = "DICTIONARY" if created["kind"] == "DICTIONARY" else "TABLE"
    on_cluster = renderer.on_cluster
    client.command(f"DROP {kind} IF EXISTS {created['name']} {on_cluster} SYNC")
