"""SQL files rendered by configuration.

Every statement lives in a ``.sql`` file of ``spanloop.exporter.sql``; jinja2 fills in what a deployment
decides (database, cluster, engine, retention) and the macros that the decoding views share. Values of
queries are never rendered: they are bound as ``{name:Type}`` parameters.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal

from jinja2 import Environment, FunctionLoader, StrictUndefined

SQL_ROOT = files("spanloop.exporter.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaSettings:
    """What a deployment decides about the tables.

    ``ttl_s`` is the retention in seconds, 0 for none. ``cluster`` renders ``ON CLUSTER`` and the Distributed
    tables that read all shards; with ``replicated`` the MergeTree family becomes its Replicated form.
    ``fsync`` asks the engine to make every part durable before an insert is acknowledged (an embedded store;
    a replicated one has its replicas).
    """

    database: str = "default"
    ttl_s: int = 0
    cluster: str | None = None
    replicated: bool = False
    fsync: bool = True
    dedup_window: int = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Renderer:
    """Renders the package's SQL files for one deployment."""

    settings: SchemaSettings
    extra: Mapping[str, str] = field(default_factory=dict[str, str])

    def render(self, path: str) -> str:
        """Return the statement in ``path`` (relative to ``exporter/sql``), rendered."""
        return self.render_text(_read(path))

    def render_text(self, text: str) -> str:
        """Return a statement of another package's SQL file, rendered."""
        template = _environment().from_string(_PRELUDE + text, globals=self._names())
        return template.render().strip()

    def _names(self) -> dict[str, object]:
        return {
            "ttl_seconds": self.settings.ttl_s,
            "on_cluster": self.on_cluster,
            "table_settings": self._table_settings(),
            "database": quote_identifier(self.settings.database),
            "table": self.table,
            "merge_tree": self._merge_tree,
            "distributed": self._distributed,
            "ttl": self._ttl,
            **self.extra,
        }

    def table(self, name: str) -> str:
        """Return ``name`` qualified by the database."""
        return f"{quote_identifier(self.settings.database)}.{quote_identifier(name)}"

    @property
    def on_cluster(self) -> str:
        """``ON CLUSTER …`` where a cluster is configured."""
        cluster = self.settings.cluster
        return f"ON CLUSTER {quote_identifier(cluster)}" if cluster else ""

    def _merge_tree(
        self, name: str, kind: Literal["", "Replacing", "Aggregating"] = "", arguments: str = ""
    ) -> str:
        if not self.settings.replicated:
            return f"{kind}MergeTree({arguments})"
        # {uuid} in the Keeper path lets a table be dropped and created again without a stale replica.
        path = f"'/clickhouse/tables/{{uuid}}/{{shard}}/{name}', '{{replica}}'"
        return f"Replicated{kind}MergeTree({', '.join(filter(None, [path, arguments]))})"

    def _distributed(self, name: str) -> str:
        # No sharding key: an INSERT through it, which would divide a segment among shards, is refused.
        cluster = self.settings.cluster
        if cluster is None:
            raise AssertionError(f"{name} is distributed only where a cluster is configured")
        arguments = (cluster, self.settings.database, name)
        return f"Distributed({', '.join(map(quote_string, arguments))})"

    def _ttl(self, expression: str) -> str:
        ttl_s = self.settings.ttl_s
        return f"TTL {expression} + toIntervalSecond({ttl_s})" if ttl_s else ""

    def _table_settings(self) -> str:
        window = (
            "replicated_deduplication_window"
            if self.settings.replicated
            else ("non_replicated_deduplication_window")
        )
        rendered = [
            f"{window} = {self.settings.dedup_window}",
            # Column by column from the first row: a third less CPU and far less memory for wide rows.
            "vertical_merge_algorithm_min_rows_to_activate = 1",
        ]
        if self.settings.fsync:
            # Without the last two a merge replaces synced parts by one that is not.
            rendered += [
                "fsync_after_insert = 1",
                "fsync_part_directory = 1",
                "min_rows_to_fsync_after_merge = 1",
                "min_compressed_bytes_to_fsync_after_merge = 1",
            ]
        return "".join(f", {setting}" for setting in rendered)


def statement_names(folder: Literal["migrations", "views", "cluster"]) -> list[str]:
    """Return the paths of the statements in ``folder``, in the order in which they apply."""
    return sorted(
        f"{folder}/{entry.name}" for entry in _folder(folder) if entry.name.endswith(".sql")
    )


def quote_identifier(name: str) -> str:
    """Quote ``name`` as a ClickHouse identifier."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def quote_string(text: str) -> str:
    """Quote ``text`` as a ClickHouse string literal (for the few places that take no parameter)."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


@cache
def _environment() -> Environment:
    """Return the one environment, which keeps the compiled macros."""
    return Environment(
        loader=FunctionLoader(_read),
        undefined=StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
    )


_PRELUDE = "{%- import 'macros.sql' as otlp with context -%}"


def _read(path: str) -> str:
    return SQL_ROOT.joinpath(path).read_text(encoding="utf-8")


def _folder(name: str) -> list[Traversable]:
    return list(SQL_ROOT.joinpath(name).iterdir())
