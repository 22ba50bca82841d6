"""Decides from the syntax tree whether a statement may run; pure, default deny.

Three nets, each on its own enough for what was tried in ``tests/integration``:

1. this one: every node, field, function, table, setting and format of the tree is on a list;
2. the statement that runs is written anew from the tree that was read, and must parse back to
   it (``statement.py``), so nothing can be hidden in the text;
3. a statement that only reads runs with ``readonly=1`` (``engine.py``), which alone is not enough
   in chDB: scalar ``file()``, ``INTO OUTFILE``, ``KILL QUERY`` and ``merge()`` pass it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from spanloop.exporter.sql_endpoint import syntax
from spanloop.exporter.sql_endpoint.functions import FunctionList
from spanloop.exporter.sql_endpoint.policy import SqlPolicy
from spanloop.exporter.sql_endpoint.syntax import Json, Node
from spanloop.processor.errors import SqlRejected

Kind = Literal["read", "insert", "create"]
_STARS = frozenset(
    {
        "Asterisk",
        "ColumnsListMatcher",
        "ColumnsRegexpMatcher",
        "QualifiedAsterisk",
        "QualifiedColumnsListMatcher",
        "QualifiedColumnsRegexpMatcher",
    }
)
_LASTING_ROLES = frozenset({"codec", "count", "index_type"})


class TableRef(NamedTuple):
    """A table as the statement names it; ``database`` is "" where it names none."""

    database: str
    table: str


@dataclass(kw_only=True)
class Findings:
    """What the walk found; the tree itself is changed in place (clauses taken out)."""

    tables: set[TableRef] = field(default_factory=set[TableRef])
    written: set[TableRef] = field(default_factory=set[TableRef])
    maybe_tables: set[TableRef] = field(default_factory=set[TableRef])
    ctes: set[str] = field(default_factory=set[str])
    words: set[str] = field(default_factory=set[str])
    settings: dict[str, str] = field(default_factory=dict[str, str])
    asks_revision: bool = False
    shows_all_columns: bool = False  # a column can be read without being named


@dataclass(kw_only=True)
class Walker:
    """Walks one tree. ``inplace``: parameters of type Identifier are put in, settings taken out."""

    policy: SqlPolicy
    functions: FunctionList
    params: Mapping[str, str]
    nodes: Mapping[str, frozenset[str]]
    found: Findings = field(default_factory=Findings)

    def walk_inplace(self, node: Node, role: str) -> None:
        """Check a node and everything under it.

        Args:
            node: a tree, or part of it.
            role: the field of the parent that holds it; a function in ``codec`` is a codec.
        """
        kind = text(node, "type")
        self._bind_identifiers_inplace(node)
        self._take_settings_inplace(node, kind)
        allowed = self.nodes.get(kind)
        if allowed is None:
            raise SqlRejected(f"{kind} is not allowed on this endpoint")
        for name, value in node.items():
            if name != "type" and name not in allowed:
                raise SqlRejected(f"{kind} with {name} is not allowed on this endpoint")
            if name in syntax.MUST_BE_FALSE and value:
                raise SqlRejected(f"{kind} with {name} is not allowed on this endpoint")
            if has_untyped(value) and (kind, name) not in syntax.UNTYPED_FIELDS:
                raise SqlRejected(f"{name} of {kind} is not understood")
        self._note(node, kind, role)
        for child_role, child in children(node, kind):
            keeps = role in _LASTING_ROLES and child_role in ("arguments", "children")
            self.walk_inplace(child, role if keeps else child_role)

    def _note(self, node: Node, kind: str, role: str) -> None:
        notes: dict[str, Callable[[Node], None]] = {
            "ColumnsApplyTransformer": self._apply,
            "Identifier": lambda found: self.found.words.update(parts(found)),
            "QueryParameter": self._parameter,
            "TableIdentifier": lambda found: self.found.tables.add(table_ref(found)),
            "WithElement": lambda found: self.found.ctes.add(text(found, "name")),
        }
        if kind == "Function":
            self._function(node, role)
        elif kind in notes:
            notes[kind](node)
        self.found.shows_all_columns |= (
            (kind in _STARS and role != "count")
            or bool(node.get("is_natural"))
            or "column_aliases" in node
        )
        alias = node.get("alias")
        if isinstance(alias, str):
            self.found.words.add(alias)

    def _apply(self, node: Node) -> None:
        name = node.get("func_name", "lambda")
        if not isinstance(name, str) or not self.functions.allows(name):
            raise SqlRejected(f"Function {name} is not allowed on this endpoint")

    def _parameter(self, node: Node) -> None:
        if text(node, "name") not in self.params:
            raise SqlRejected(f"Substitution {text(node, 'name')!r} is not set")

    def _function(self, node: Node, role: str) -> None:
        name = text(node, "name")
        match role:
            case "table_function":
                allowed = self.functions.allows_table(name)
            case "codec":
                allowed = name.lower() in syntax.CODECS
            case "index_type":
                allowed = name in syntax.INDEX_TYPES
            case "engine":
                allowed = name in syntax.TABLE_ENGINES | syntax.DATABASE_ENGINES
            case _:
                allowed = self.functions.allows(name)
        if not allowed:
            what = {"table_function": "Table function", "engine": "Engine"}.get(role, "Function")
            raise SqlRejected(f"{what} {name} is not allowed on this endpoint")
        if role == "table_function" and name == "values":
            check_values(node)
        if name.lower() == "revision":
            self.found.asks_revision = True
            answer_revision_inplace(node)
        if name.lower() in syntax.IN_FUNCTIONS:
            right = arguments(node)[1:2]
            if right and right[0].get("type") == "Identifier":
                self._bind_identifiers_inplace(right[0])
                self.found.maybe_tables.add(table_ref(right[0]))

    def _bind_identifiers_inplace(self, node: Node) -> None:
        """Put ``{name:Identifier}`` in, so that what it names is checked like any other name."""
        if node.get("type") not in ("Identifier", "TableIdentifier") or "children" not in node:
            return
        values = iter([self._identifier(child) for child in nodes_of(node.pop("children"))])
        names = [name or next(values, "") for name in parts(node)]
        if next(values, None) is not None or not all(names):
            raise SqlRejected("An Identifier parameter is used in a way that is not understood")
        node["name"] = ".".join(names)
        if len(names) > 1:
            node["name_parts"] = list(names)

    def _identifier(self, node: Node) -> str:
        name = text(node, "name")
        if node.get("type") != "QueryParameter" or node.get("param_type") != "Identifier":
            raise SqlRejected("Only a parameter of type Identifier can name something")
        if name not in self.params:
            raise SqlRejected(f"Substitution {name!r} is not set")
        return plain_name(self.params[name])

    def _take_settings_inplace(self, node: Node, kind: str) -> None:
        """Move every SETTINGS clause to ``found.settings``; only a table's own stay."""
        for name in ("settings_ast", "settings"):
            clause = node.get(name)
            if not isinstance(clause, dict):
                continue
            changes = list(setting_changes(clause))
            if kind == "ExplainQuery" and name == "settings":
                require_all(changes, syntax.EXPLAIN_SETTINGS)
            elif kind == "Storage":
                require_all(changes, syntax.STORAGE_SETTINGS)
            elif kind in ("SelectQuery", "SelectWithUnionQuery", "InsertQuery", "ExplainQuery"):
                self.found.settings.update(changes)
                del node[name]
            else:
                raise SqlRejected(f"SETTINGS are not allowed in {kind}")


def children(node: Node, kind: str) -> Iterator[tuple[str, Node]]:
    """Child nodes with the role each plays."""
    counts = kind == "Function" and text(node, "name").lower() == "count"
    for name, value in node.items():
        if name == "settings" and kind in ("Storage", "ExplainQuery"):
            continue
        role = "count" if counts and name == "arguments" else name
        for child in nodes_of(value):
            yield role, child


def nodes_of(value: Json) -> list[Node]:
    """The nodes that a field holds directly: none, one, or a list; view targets are untyped."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict) and "type" in item]


def has_untyped(value: Json) -> bool:
    """Whether a field holds an object without a type, which the walk would not enter."""
    items = value if isinstance(value, list) else [value]
    return any(
        isinstance(item, list) or (isinstance(item, dict) and "type" not in item) for item in items
    )


def text(node: Node, name: str) -> str:
    """A field that must hold text."""
    value = node.get(name)
    if not isinstance(value, str):
        raise SqlRejected(f"{node.get('type')} without {name} is not understood")
    return value


def parts(node: Node) -> list[str]:
    """The parts of a compound name."""
    listed = node.get("name_parts")
    if isinstance(listed, list):
        return [part if isinstance(part, str) else "" for part in listed]
    return [text(node, "name")]


def table_ref(node: Node) -> TableRef:
    """Read ``table`` or ``database.table`` (longer names are columns, never tables)."""
    names = parts(node)
    if len(names) == 1:
        return TableRef("", names[0])
    return TableRef(names[0], ".".join(names[1:]))


def arguments(node: Node) -> list[Node]:
    """The arguments of a function."""
    listed = node.get("arguments")
    return nodes_of(listed.get("children")) if isinstance(listed, dict) else []


def check_values(node: Node) -> None:
    """Refuse ``values('a String ALIAS file(…)', …)``: a structure is SQL in a text.

    A first argument that is text is taken for the structure, so it must be columns and types and
    nothing else; one that only becomes text when it is evaluated cannot be checked.
    """
    for first in arguments(node)[:1]:
        match first:
            case {"type": "Literal", "value": {"field_type": "String", "value": str(structure)}}:
                if not syntax.is_plain_structure(structure):
                    raise SqlRejected("The structure in values() must be columns and their types")
            case {"type": "Literal"} | {"type": "Function", "name": "tuple" | "array"}:
                pass
            case _:
                raise SqlRejected("values() of anything but literals is not allowed here")


def answer_revision_inplace(node: Node) -> None:
    """``revision()`` answers 0, the revision of every Native block that chDB writes."""
    zero: Node = {"type": "Literal", "value": {"field_type": "UInt64", "value": 0}}
    node["name"] = "toUInt32"
    node["arguments"] = {"type": "ExpressionList", "children": [zero]}
    node.setdefault("alias", "revision()")


def plain_name(value: str) -> str:
    """The value of an Identifier parameter; escapes and control characters have no use in one."""
    if not value or "\\" in value or not value.isprintable():
        raise SqlRejected("An Identifier parameter must be a plain name")
    return value


def setting_changes(clause: Node) -> Iterator[tuple[str, str]]:
    """The ``name = value`` pairs of a SETTINGS clause."""
    changes = clause.get("changes", [])
    if set(clause) - {"type", "changes"} or not isinstance(changes, list):
        raise SqlRejected("This form of SETTINGS is not allowed on this endpoint")
    for change in changes:
        match change:
            case {"name": str(name), "value": {"field_type": str(kind), "value": value}} if (
                kind in ("UInt64", "Int64", "Float64", "String", "Bool")
                and isinstance(value, str | int | float)
            ):
                yield name, str(int(value)) if isinstance(value, bool) else str(value)
            case _:
                raise SqlRejected("A setting must be a number or text")


def require_all(changes: list[tuple[str, str]], allowed: frozenset[str]) -> None:
    """Refuse settings that are not on a list."""
    for name, _ in changes:
        if name not in allowed:
            raise SqlRejected(f"Setting {name} is not allowed on this endpoint")
