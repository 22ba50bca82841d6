"""One statement's tree → what it does, or a refusal. Pure; looked-up names come in as values."""

from collections.abc import Mapping
from dataclasses import dataclass

from spanloop.exporter.sql_endpoint import syntax, writes
from spanloop.exporter.sql_endpoint.errors import UnknownTable
from spanloop.exporter.sql_endpoint.functions import FunctionList
from spanloop.exporter.sql_endpoint.guard import Findings, Kind, TableRef, Walker, text
from spanloop.exporter.sql_endpoint.policy import SqlPolicy
from spanloop.exporter.sql_endpoint.syntax import Node
from spanloop.processor.errors import SqlRejected

_INFORMATION_SCHEMA = ("information_schema", "INFORMATION_SCHEMA")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vetted:
    """A tree that may run, and what must still hold in the catalogue when it does."""

    kind: Kind
    tree: Node
    found: Findings
    format: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Names that exist in the engine at the time of asking."""

    databases: frozenset[str]
    tables: frozenset[TableRef]


def vet(
    tree: Node, policy: SqlPolicy, functions: FunctionList, params: Mapping[str, str]
) -> Vetted:
    """Check a tree; it is changed in place (FORMAT and SETTINGS taken out, identifiers put in).

    Args:
        tree: what ``parseQueryToJSON`` returned.
        policy: databases that may be read and written.
        functions: functions that may be called.
        params: query parameters by name, as text.

    Raises:
        SqlRejected: anything in it is not on a list.
    """
    walker = Walker(policy=policy, functions=functions, params=params, nodes={})
    output = _take_format_inplace(tree)
    kind: Kind = "read"
    match text(tree, "type"):
        case "SelectWithUnionQuery":
            walker.nodes = syntax.SELECT_NODES
            walker.walk_inplace(tree, "root")
        case "ExplainQuery":
            output = _check_explain_inplace(tree, walker) or output
        case "ShowTablesQuery" | "ShowColumnsQuery":
            walker.nodes = syntax.SELECT_NODES | syntax.SHOW_NODES
            walker.walk_inplace(tree, "root")
            _note_shown(tree, walker)
        case "InsertQuery":
            kind = "insert"
            writes.check_insert_inplace(tree, walker)
        case "CreateQuery":
            kind = "create"
            writes.check_create_inplace(tree, walker)
        case other:
            raise SqlRejected(f"{other} is not allowed on this endpoint")
    return Vetted(kind=kind, tree=tree, found=walker.found, format=output)


def check_tables(
    found: Findings, policy: SqlPolicy, catalogue: Catalogue, *, database: str
) -> None:
    """Check every table that a statement names against policy and catalogue.

    A name without a table behind it is refused here: chDB's default database would read a file
    of that name.

    Args:
        found: what ``vet`` found.
        policy: databases that may be read and written.
        catalogue: what exists.
        database: where names without a database are looked up.
    """
    for ref in found.tables:
        if not ref.database and ref.table in found.ctes:
            continue
        _check_read(TableRef(ref.database or database, ref.table), found, policy, catalogue)
    for ref in found.maybe_tables:
        foreign = catalogue.databases - policy.readable
        if ref.database and ref.database in foreign | {"system", *_INFORMATION_SCHEMA}:
            raise SqlRejected(f"Table {ref.database}.{ref.table} is not readable here")
    for ref in found.written:
        if (ref.database or database) not in policy.write_databases:
            raise SqlRejected(f"Database {ref.database or database} is not writable here")
        if not ref.table.replace("_", "").replace(".", "").replace("-", "").isalnum():
            raise SqlRejected(f"Table name {ref.table!r} is not allowed here")


def _check_read(ref: TableRef, found: Findings, policy: SqlPolicy, catalogue: Catalogue) -> None:
    if ref.database == "system" and ref.table in syntax.SYSTEM_TABLES:
        hidden = syntax.SYSTEM_TABLES[ref.table]
        if hidden & found.words or (hidden and found.shows_all_columns):
            raise SqlRejected(
                f"Name the columns you want of system.{ref.table}; "
                f"{', '.join(sorted(hidden))} are not readable here"
            )
        return
    if ref.database in _INFORMATION_SCHEMA and ref.table in syntax.INFORMATION_SCHEMA_TABLES:
        return
    if ref.database not in policy.readable:
        raise SqlRejected(f"Table {ref.database}.{ref.table} is not readable here")
    if ref not in catalogue.tables:
        raise UnknownTable(ref.database, ref.table)


def _check_explain_inplace(tree: Node, walker: Walker) -> str | None:
    inner = tree.get("query")
    if tree.get("kind") not in syntax.EXPLAIN_KINDS or not isinstance(inner, dict):
        raise SqlRejected("This EXPLAIN is not allowed on this endpoint")
    if inner.get("type") != "SelectWithUnionQuery":
        raise SqlRejected("Only SELECT can be explained on this endpoint")
    output = _take_format_inplace(inner)
    walker.nodes = syntax.SELECT_NODES | syntax.EXPLAIN_NODES
    walker.walk_inplace(tree, "root")
    return output


def _note_shown(tree: Node, walker: Walker) -> None:
    if tree["type"] == "ShowColumnsQuery":
        database = tree.get("database")
        named = database if isinstance(database, str) else ""
        walker.found.tables.add(TableRef(named, text(tree, "table")))
        return
    source = tree.get("from")
    if isinstance(source, dict):
        name = text(source, "name")
        if name not in walker.policy.readable | {"system", *_INFORMATION_SCHEMA}:
            raise SqlRejected(f"Database {name} is not readable here")


def _take_format_inplace(tree: Node) -> str | None:
    clause = tree.pop("format_ast", None)
    return text(clause, "name") if isinstance(clause, dict) else None
