"""The reader of syntax trees: whatever the tree, only what is on a list gets through."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanloop.exporter.sql_endpoint import syntax
from spanloop.exporter.sql_endpoint.functions import allowed_functions
from spanloop.exporter.sql_endpoint.guard import Findings, TableRef
from spanloop.exporter.sql_endpoint.policy import SqlPolicy
from spanloop.exporter.sql_endpoint.syntax import Node
from spanloop.exporter.sql_endpoint.vet import Catalogue, Vetted, check_tables, vet
from spanloop.processor.errors import SqlRejected

POLICY = SqlPolicy(databases=frozenset({"default"}), write_databases=frozenset({"w"}))
CATALOGUE = Catalogue(
    databases=frozenset({"default", "w", "private", "system"}),
    tables=frozenset({TableRef("default", "t"), TableRef("w", "t"), TableRef("private", "t")}),
)


def listed(*children: Node) -> Node:
    return {"type": "ExpressionList", "children": list(children)}


def function(name: str, *arguments: Node, **fields: Any) -> Node:
    return {"type": "Function", "name": name, "arguments": listed(*arguments)} | fields


def select(*columns: Node, **fields: Any) -> Node:
    query: Node = {"type": "SelectQuery", "select": listed(*columns)} | fields
    return {
        "type": "SelectWithUnionQuery",
        "union_mode": "UNION_DEFAULT",
        "list_of_selects": listed(query),
        "is_outfile_append": False,
    }


def source(**fields: Any) -> Node:
    expression: Node = {"type": "TableExpression"} | fields
    element: Node = {"type": "TablesInSelectQueryElement", "table_expression": expression}
    return {"type": "TablesInSelectQuery", "children": [element]}


def table(*names: str) -> Node:
    node: Node = {"type": "TableIdentifier", "name": ".".join(names)}
    return node | ({"name_parts": list(names)} if len(names) > 1 else {})


ONE: Node = {"type": "Literal", "value": {"field_type": "UInt64", "value": 1}}
FILE = function("file", ONE)


def check(tree: Node, **params: str) -> Vetted:
    vetted = vet(tree, POLICY, allowed_functions(), params)
    check_tables(vetted.found, POLICY, CATALOGUE, database="default")
    return vetted


def test_a_plain_select_passes() -> None:
    tree = select(function("sumIf", ONE, ONE), tables=source(database_and_table_name=table("t")))
    vetted = check(tree)
    assert (vetted.kind, vetted.found.tables) == ("read", {TableRef("", "t")})


@pytest.mark.parametrize("place", sorted(syntax.SELECT_NODES["SelectQuery"] - {"distinct"}))
def test_a_function_is_found_wherever_it_stands(place: str) -> None:
    with pytest.raises(SqlRejected, match="file"):
        check(select(ONE, **{place: listed(FILE)}))
    with pytest.raises(SqlRejected, match="file"):
        check(select(ONE, **{place: FILE}))


@pytest.mark.parametrize("kind", sorted(syntax.SELECT_NODES))
def test_a_function_is_found_in_every_field_of_every_node(kind: str) -> None:
    for name in sorted(syntax.SELECT_NODES[kind] - syntax.MUST_BE_FALSE):
        node: Node = {"type": kind, "name": "a", name: [copy.deepcopy(FILE)]}
        with pytest.raises(SqlRejected):
            check(select(node))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "name", "children", "arguments", "value", "settings", "alias"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)
names = st.sampled_from(sorted(set().union(*syntax.SELECT_NODES.values())))
trees = st.recursive(
    st.just(ONE) | st.just(FILE),
    lambda inner: st.builds(
        lambda kind, fields: {"type": kind, "name": "sum", **fields},
        st.sampled_from(sorted(syntax.SELECT_NODES)),
        st.dictionaries(names, inner | st.lists(inner, max_size=3), max_size=3),
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(tree=trees)
def test_no_tree_with_a_refused_function_passes(tree: Node) -> None:
    hostile = '"file"' in str(tree).replace("'", '"')
    try:
        check(select(copy.deepcopy(tree)))
    except SqlRejected:
        return
    assert not hostile


@settings(max_examples=300, deadline=None)
@given(junk=json_values, place=names)
def test_junk_is_refused_or_harmless_and_never_breaks(junk: Any, place: str) -> None:
    try:
        check(select({"type": "Identifier", "name": "a"}, **{place: junk}))
        check({"type": "SelectWithUnionQuery", place: junk})
    except SqlRejected:
        pass


@pytest.mark.parametrize(
    "tree",
    [
        {"type": "KillQueryQuery"},
        {"type": "SelectWithUnionQuery", "out_file": ONE},
        {"type": "SelectWithUnionQuery", "is_into_outfile_with_stdout": True},
        {"type": "ExplainQuery", "kind": "EXPLAIN TABLE OVERRIDE", "table_function": FILE},
        {"type": "ExplainQuery", "kind": "EXPLAIN", "query": {"type": "InsertQuery"}},
        {"type": "ShowTablesQuery", "where_expression": FILE},
        {"type": "ShowTablesQuery", "from": {"type": "Identifier", "name": "private"}},
        {"type": "ShowColumnsQuery", "table": "secret.csv"},
        {"type": "InsertQuery", "table": {"type": "Identifier", "name": "t"}, "format": "CSV"},
        {"type": "NewThingOfNextYear"},
        {},
        select({"type": "Asterisk", "new_field": 1}),
        select({"type": "Literal", "value": FILE}),
        select(ONE, tables=source(table_function=FILE)),
        select(ONE, tables=source(database_and_table_name=table("secret.csv"))),
        select(ONE, tables=source(database_and_table_name=table("private", "t"))),
        select(ONE, tables=source(database_and_table_name=table("system", "processes"))),
        select(
            {"type": "Asterisk"}, tables=source(database_and_table_name=table("system", "tables"))
        ),
        select(
            function(
                "in",
                ONE,
                {"type": "Identifier", "name": "private.t", "name_parts": ["private", "t"]},
            )
        ),
        select({"type": "QueryParameter", "name": "missing", "param_type": "String"}),
        select(ONE, settings={"type": "SetQuery", "changes": [], "default_settings": ["x"]}),
    ],
)
def test_refuses(tree: Node) -> None:
    with pytest.raises(SqlRejected):
        check(tree)


def test_identifiers_are_put_in_before_the_check() -> None:
    named: Node = {
        "type": "TableIdentifier",
        "name": "",
        "name_parts": ["", ""],
        "children": [
            {"type": "QueryParameter", "name": "d", "param_type": "Identifier"},
            {"type": "QueryParameter", "name": "t", "param_type": "Identifier"},
        ],
    }
    tree = select(ONE, tables=source(database_and_table_name=named))
    assert check(copy.deepcopy(tree), d="default", t="t").found.tables == {TableRef("default", "t")}
    for values in ({"d": "private", "t": "t"}, {"d": "default"}, {"d": "default", "t": "a\\nb"}):
        with pytest.raises(SqlRejected):
            check(copy.deepcopy(tree), **values)


def test_settings_are_taken_out() -> None:
    change = {"name": "max_threads", "value": {"field_type": "UInt64", "value": 3}}
    tree = select(ONE, settings={"type": "SetQuery", "changes": [change]})
    vetted = check(tree)
    assert vetted.found.settings == {"max_threads": "3"}
    assert "SetQuery" not in str(vetted.tree)


def test_a_cte_hides_a_name_only_as_a_cte() -> None:
    found = Findings(tables={TableRef("", "c"), TableRef("", "t")}, ctes={"c"})
    check_tables(found, POLICY, CATALOGUE, database="default")
    found.tables.add(TableRef("default", "c"))
    with pytest.raises(SqlRejected, match="does not exist"):
        check_tables(found, POLICY, CATALOGUE, database="default")


@pytest.mark.parametrize(
    "structure",
    [
        "a UInt8",
        "a UInt8, b Array(Nullable(String))",
        "`a b` DateTime64(3, 'UTC')",
        "a Enum('x' = 1)",
    ],
)
def test_structures(structure: str) -> None:
    assert syntax.is_plain_structure(structure)


@pytest.mark.parametrize(
    "structure",
    [
        "a String ALIAS file('x')",
        "a ALIAS file('x')",
        "a ALIAS(file('x'))",
        "a String alias(file('x'))",
        "x UInt8, a Array(String) ALIAS [file('x')]",
        "a Tuple(b String) ALIAS (file('x'))",
        "a String DEFAULT 1",
        "a String MATERIALIZED 1",
        "a String EPHEMERAL 1",
        "a String CODEC(ZSTD)",
        "a String TTL now()",
        "a Enum('),b ALIAS file(' = 1)",
        "a UInt8, /* */ b ALIAS f()",
        "a UInt8 -- \n, b String",
        "INDEX i a TYPE minmax",
        "CONSTRAINT c CHECK f()",
        "a String, CONSTRAINT c CHECK (f())",
        "a (f())",
        "a UInt8)",
        "a 'x'",
        "a String ALIAS 'it\\'s'",
        "",
    ],
)
def test_structures_with_more_than_types(structure: str) -> None:
    assert not syntax.is_plain_structure(structure)
