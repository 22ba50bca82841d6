"""Text of a statement → the statement that runs, by way of the engine's own parser.

The text reaches the engine only as a *bound parameter* of ``parseQueryToJSON``, which parses and
runs nothing, and refuses several statements at once (``EXPLAIN AST <text>`` would run what follows
a semicolon, and leaves out APPLY, SETTINGS, TTL … SET and SHOW … WHERE). What runs later is
written by ``formatQueryFromJSON`` from the checked tree and must parse back to that very tree.

DESCRIBE, EXISTS and SHOW CREATE have no JSON form; they are read from the text that
``formatQuerySingleLine`` gives back, by patterns that allow a table's name and nothing else.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, cast

from spanloop.exporter.sql_endpoint.errors import EngineError, SqlError
from spanloop.exporter.sql_endpoint.functions import FunctionList
from spanloop.exporter.sql_endpoint.guard import Findings, Kind, TableRef, plain_name
from spanloop.exporter.sql_endpoint.policy import SqlPolicy
from spanloop.exporter.sql_endpoint.syntax import Json, Node
from spanloop.exporter.sql_endpoint.vet import Catalogue, Vetted, check_tables, vet
from spanloop.processor.errors import SqlRejected

_PARSE = (
    "SELECT parseQueryToJSON({q:String}) AS tree, formatQueryFromJSON(tree), "
    "formatQuerySingleLine({q:String})"
)
_LINE = "SELECT formatQuerySingleLine({q:String})"
_RENDER = "SELECT formatQueryFromJSON({tree:String}) AS sql, parseQueryToJSON(sql)"
_DATABASES = "SELECT name FROM system.databases"
_TABLES = (
    "SELECT database, name FROM system.tables WHERE has({databases:Array(String)}, database) "
    "AND has({tables:Array(String)}, name)"
)
_NO_FIELD_DUMP = 536  # CANNOT_RESTORE_FROM_FIELD_DUMP: a setting such as disk(…)
_NO_JSON = "does not support JSON serialization"

_IN_SCOPE = re.compile(r": In scope SELECT parseQueryToJSON\(.*\((\w+)\)$", re.DOTALL)

_NAME = r"(?:`(?:[^`\\]|\\[\\`])*`|[A-Za-z_][A-Za-z0-9_]*)"
_TAIL = r"(?P<tail>(?: FORMAT \w+)?(?: SETTINGS .*)?)"
_ONE_TABLE = re.compile(
    rf"(?P<verb>DESCRIBE TABLE|EXISTS(?: TABLE| VIEW)|SHOW CREATE (?:TABLE|VIEW)) "
    rf"(?:(?P<database>{_NAME})\.)?(?P<table>{_NAME}){_TAIL}"
)
_DESCRIBE_SELECT = re.compile(rf"DESCRIBE TABLE \((?P<select>.*?)\)(?: AS {_NAME})?{_TAIL}")
_TAIL_PARTS = re.compile(r"(?: FORMAT (?P<format>\w+))?(?: SETTINGS (?P<settings>.*))?")
_SETTING = re.compile(r"(\w+) = (?:'([\w ./:+-]*)'|(-?[\w.]+))(?:, |$)")
_HEAD_END = re.compile(rb"\b(?:VALUES\b|FORMAT\s+[A-Za-z_][A-Za-z0-9_]*)", re.IGNORECASE)
_LEADING = re.compile(rb"(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)
_MAX_HEAD_BYTES = 256 << 10
_MAX_HEAD_TRIES = 16


class Asker(Protocol):
    """Runs one of this module's own constant statements and returns its rows."""

    def ask(self, sql: str, params: Mapping[str, str]) -> list[list[str]]:
        """Run a statement with bound parameters (plain text, not escaped)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement that was allowed.

    Attributes:
        kind: what it does.
        sql: the text to run, without FORMAT and SETTINGS; for an insert of data, its head.
        format: format named in the text; for an insert, the format of the data.
        settings: settings named in the text, not yet checked.
        select: for a statement that writes from a query, that query: it must pass read-only.
        asks_revision: it calls ``revision()``: the greeting of clickhouse-go.
        has_data: an insert whose rows follow the text.
    """

    kind: Kind
    sql: str
    format: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    select: str | None = None
    asks_revision: bool = False
    has_data: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads statements for one endpoint."""

    engine: Asker
    policy: SqlPolicy
    functions: FunctionList
    max_query_bytes: int

    def read(self, sql: str, params: Mapping[str, str], *, database: str) -> Statement:
        """Check a statement.

        Args:
            sql: one statement; of an INSERT with data, its head up to and with ``FORMAT x``.
            params: query parameters as the URL gives them (escaped as in TSV).
            database: where tables without a database are looked up.

        Raises:
            SqlRejected: it is not allowed.
            EngineError: it does not parse.
        """
        if len(sql.encode()) > self.max_query_bytes or "\0" in sql:
            raise SqlRejected(f"A statement is text of at most {self.max_query_bytes} bytes")
        try:
            tree_text, rendered, line = self.engine.ask(_PARSE, {"q": sql})[0]
        except EngineError as error:
            if error.error.code == _NO_FIELD_DUMP:
                raise SqlRejected("This form of SETTINGS is not allowed here") from error
            if _NO_JSON not in error.error.message:
                raise EngineError(_without_scope(error.error)) from error
            return self._read_line(self.engine.ask(_LINE, {"q": sql})[0][0], params, database)
        if _letters(rendered) != _letters(line):
            raise SqlRejected("This statement cannot be checked in full; write it more plainly")
        try:
            return self._checked(_tree(tree_text), params, database)
        except RecursionError:
            raise SqlRejected("This statement is nested too deeply") from None

    def split_insert(self, body: bytes) -> tuple[str, bytes] | None:
        """Part ``INSERT … FORMAT x`` or ``INSERT … VALUES`` from the rows that follow it.

        Returns:
            The head and what follows, or None if this is no insert with data.
        """
        start = _LEADING.match(body)
        begin = start.end() if start else 0
        if body[begin : begin + 6].upper() != b"INSERT":
            return None
        candidates = _HEAD_END.finditer(body, begin, _MAX_HEAD_BYTES)
        for _, match in zip(range(_MAX_HEAD_TRIES), candidates, strict=False):
            head = body[begin : match.end()].decode("utf-8", "replace")
            if self._is_data_head(head):
                rest = body[match.end() :]
                if not head.upper().endswith("VALUES"):
                    rest = re.sub(rb"^[ \t]*;?[ \t]*\r?\n?", b"", rest, count=1)
                return head, rest
        return None

    def _is_data_head(self, head: str) -> bool:
        try:
            tree = _tree(self.engine.ask(_PARSE, {"q": head})[0][0])
        except EngineError:
            return False
        return tree.get("type") == "InsertQuery" and "format" in tree and "select" not in tree

    def _checked(self, tree: Node, params: Mapping[str, str], database: str) -> Statement:
        vetted = vet(tree, self.policy, self.functions, params)
        check_tables(
            vetted.found, self.policy, self._catalogue(vetted.found, database), database=database
        )
        sql = self._render(vetted.tree)
        data_format = vetted.tree.get("format") if vetted.kind == "insert" else None
        has_data = isinstance(data_format, str) and "select" not in vetted.tree
        if has_data:
            sql = sql.removesuffix(f" FORMAT {data_format}")
        return Statement(
            kind=vetted.kind,
            sql=sql,
            format=str(data_format) if has_data else vetted.format,
            settings=vetted.found.settings,
            select=self._select_of(vetted),
            asks_revision=vetted.found.asks_revision,
            has_data=has_data,
        )

    def _select_of(self, vetted: Vetted) -> str | None:
        select = vetted.tree.get("select")
        if vetted.kind == "read" or not isinstance(select, dict):
            return None
        return self._render(select)

    def _render(self, tree: Node) -> str:
        """Write the statement from the tree; what is written must mean that tree."""
        sql, again = self.engine.ask(_RENDER, {"tree": json.dumps(tree)})[0]
        if _meaning(_tree(again)) != _meaning(tree):
            raise SqlRejected("This statement cannot be checked in full; write it more plainly")
        return sql

    def _catalogue(self, found: Findings, database: str) -> Catalogue:
        refs = found.tables
        tables: set[TableRef] = set()
        if refs:
            wanted = {
                "databases": _array({ref.database or database for ref in refs}),
                "tables": _array({ref.table for ref in refs}),
            }
            tables = {TableRef(row[0], row[1]) for row in self.engine.ask(_TABLES, wanted)}
        databases = self.engine.ask(_DATABASES, {}) if found.maybe_tables else []
        return Catalogue(databases=frozenset(row[0] for row in databases), tables=frozenset(tables))

    def _read_line(self, line: str, params: Mapping[str, str], database: str) -> Statement:
        """DESCRIBE, EXISTS and SHOW CREATE of one table, or DESCRIBE of a query."""
        if match := _DESCRIBE_SELECT.fullmatch(line):
            inner = self.read(match["select"], params, database=database)
            if inner.kind != "read" or not inner.sql.startswith(("SELECT", "WITH", "(")):
                raise SqlRejected("Only a table or a SELECT can be described on this endpoint")
            sql = f"DESCRIBE TABLE ({inner.sql})"
        elif match := _ONE_TABLE.fullmatch(_put_identifiers(line, params)):
            named = _unquote(match["database"]) if match["database"] else database
            ref = TableRef(named, _unquote(match["table"]))
            self._check_named(ref, must_exist=not match["verb"].startswith("EXISTS"))
            sql = f"{match['verb']} {quote_name(ref.database)}.{quote_name(ref.table)}"
        else:
            raise SqlRejected("This statement is not allowed on this endpoint")
        output, settings = _read_tail(match["tail"])
        return Statement(kind="read", sql=sql, format=output, settings=settings)

    def _check_named(self, ref: TableRef, *, must_exist: bool) -> None:
        if ref.database == "system" and not must_exist:
            raise SqlRejected("Tables of system may only be read and described")
        found = Findings(tables={ref})
        catalogue = self._catalogue(found, ref.database)
        if not must_exist:
            catalogue = Catalogue(databases=frozenset(), tables=frozenset({ref}))
            plain_name(ref.table)
            if re.search(r"[./\\]", ref.table):
                raise SqlRejected(f"Table name {ref.table!r} is not allowed here")
        check_tables(found, self.policy, catalogue, database=ref.database)


def _without_scope(error: SqlError) -> SqlError:
    """A syntax error without the statement of ours in which it came up."""
    return SqlError(error.code, _IN_SCOPE.sub(r". (\1)", error.message))


def quote_name(name: str) -> str:
    """A name in back quotes."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def escape_param(value: str) -> str:
    """Text as the value of a String parameter (ClickHouse reads parameters as TSV fields)."""
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def _array(values: set[str]) -> str:
    quoted = (value.replace("\\", "\\\\").replace("'", "\\'") for value in sorted(values))
    return "[" + ",".join(f"'{value}'" for value in quoted) + "]"


def _tree(text: str) -> Node:
    try:
        tree: Json = json.loads(text)
    except (ValueError, RecursionError):
        raise SqlRejected("This statement is nested too deeply") from None
    if not isinstance(tree, dict):
        raise SqlRejected("This statement is not understood")
    return tree


def _letters(sql: str) -> str:
    """Text without brackets and spaces: two ways of writing one tree differ only in those."""
    return re.sub(r"[()\s]", "", sql)


def _meaning(value: Json) -> Json:
    """A tree without the mark that an operator was written as one."""
    if isinstance(value, list):
        return [_meaning(item) for item in value]
    if isinstance(value, dict):
        return {key: _meaning(item) for key, item in value.items() if key != "is_operator"}
    return value


def _put_identifiers(line: str, params: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] not in params:
            raise SqlRejected(f"Substitution {match[1]!r} is not set")
        return quote_name(plain_name(params[match[1]]))

    return re.sub(r"\{(\w+):Identifier\}", value, line)


def _unquote(name: str) -> str:
    if not name.startswith("`"):
        return name
    return re.sub(r"\\([\\`])", r"\1", name[1:-1])


def _read_tail(tail: str) -> tuple[str | None, dict[str, str]]:
    match = _TAIL_PARTS.fullmatch(tail)
    if match is None:
        raise SqlRejected("This statement is not allowed on this endpoint")
    settings = cast("str | None", match["settings"]) or ""
    found = _SETTING.findall(settings)
    if "".join(m.group(0) for m in _SETTING.finditer(settings)) != settings:
        raise SqlRejected("A setting must be a number or plain text")
    return match["format"], {name: quoted or bare for name, quoted, bare in found}
