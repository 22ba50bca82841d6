"""What ``INSERT`` and ``CREATE`` may do: only into databases of the policy, only plain engines."""

from spanloop.exporter.sql_endpoint import syntax
from spanloop.exporter.sql_endpoint.guard import TableRef, Walker, nodes_of, text
from spanloop.exporter.sql_endpoint.syntax import Json, Node
from spanloop.processor.errors import SqlRejected


def check_insert_inplace(tree: Node, walker: Walker) -> None:
    """Check an INSERT head or ``INSERT … SELECT``."""
    if not walker.policy.allow_writes:
        raise SqlRejected("INSERT is not allowed: this endpoint only reads")
    walker.nodes = syntax.SELECT_NODES | syntax.INSERT_NODES
    walker.walk_inplace(tree, "root")
    walker.found.written.add(_target(tree.get("database"), tree.get("table")))


def check_create_inplace(tree: Node, walker: Walker) -> None:
    """Check CREATE DATABASE, TABLE, VIEW or MATERIALIZED VIEW … TO."""
    if not walker.policy.allow_writes:
        raise SqlRejected("CREATE is not allowed: this endpoint only reads")
    walker.nodes = syntax.SELECT_NODES | syntax.CREATE_NODES
    walker.walk_inplace(tree, "root")
    if tree.get("table_ast") is None:
        _check_database(tree, walker)
        return
    walker.found.written.add(_target(tree.get("database_ast"), tree.get("table_ast")))
    _check_storage(tree.get("storage"), syntax.TABLE_ENGINES)
    _check_targets(tree.get("targets"), walker)
    is_view = tree.get("is_ordinary_view") or tree.get("is_materialized_view")
    if not is_view and tree.get("storage") is None:
        raise SqlRejected("CREATE TABLE needs an engine of the MergeTree family, Null or Memory")
    if tree.get("is_materialized_view") and tree.get("targets") is None:
        raise SqlRejected("CREATE MATERIALIZED VIEW needs TO a table")


def _check_database(tree: Node, walker: Walker) -> None:
    name = _target(None, tree.get("database_ast")).table
    if name not in walker.policy.write_databases:
        raise SqlRejected(f"Database {name} may not be created on this endpoint")
    _check_storage(tree.get("storage"), syntax.DATABASE_ENGINES)


def _check_storage(storage: Json, engines: frozenset[str]) -> None:
    if storage is None:
        return
    engine = storage.get("engine") if isinstance(storage, dict) else None
    if not isinstance(engine, dict) or text(engine, "name") not in engines:
        raise SqlRejected("This engine is not allowed on this endpoint")
    ttl = storage.get("ttl_table") if isinstance(storage, dict) else None
    for element in nodes_of(ttl.get("children")) if isinstance(ttl, dict) else []:
        if element.get("mode") != "DELETE":
            raise SqlRejected("Only a TTL that deletes rows is allowed on this endpoint")


def _check_targets(targets: Json, walker: Walker) -> None:
    """A materialized view may only write ``TO`` a table of a database that may be written."""
    if targets is None:
        return
    listed = targets.get("targets") if isinstance(targets, dict) else None
    for target in listed if isinstance(listed, list) else []:
        match target:
            case {"kind": "To", "table_name": str(table), **rest} if table and not (
                set(rest) - {"table_database"}
            ):
                database = rest.get("table_database", "")
                walker.found.written.add(TableRef(str(database), table))
            case _:
                raise SqlRejected("A view may only write TO an existing table")


def _target(database: Json, table: Json) -> TableRef:
    if not isinstance(table, dict):
        raise SqlRejected("The statement names no table")
    name = text(table, "name")
    if not isinstance(database, dict):
        return TableRef("", name)
    return TableRef(text(database, "name"), name)
