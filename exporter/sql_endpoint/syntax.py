"""The part of ClickHouse's syntax tree that the endpoint knows; every other node or field is refused.

The tree is the JSON that ``parseQueryToJSON`` returns (ClickHouse 26.8+). ``NODES`` names, for each
node type, the fields that may occur. The lists were gathered by parsing a corpus of statements
with chDB 26.9; what a later engine adds stays refused until it is added here.
"""

import re
from typing import TypeAlias

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
Node: TypeAlias = "dict[str, Json]"


def _fields(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Fields that are always there and may only be false (or 0, or empty).
MUST_BE_FALSE = _fields(
    """
    is_outfile_append is_outfile_truncate is_into_outfile_with_stdout attach is_time_series_table
    is_populate is_create_empty is_clone_as has_uuid has_uuid_clause has_inner_uuid_clause
    is_dictionary has_attach_from_path replace_table create_or_replace replace_view
    """
)
UNTYPED_FIELDS = frozenset({("Literal", "value"), ("ViewTargets", "targets")})
_OUTFILE = _fields("is_outfile_append is_outfile_truncate is_into_outfile_with_stdout")

SELECT_NODES: dict[str, frozenset[str]] = {
    "ArrayJoin": _fields("kind expression_list"),
    "Asterisk": _fields("transformers"),
    "ColumnsApplyTransformer": _fields("func_name parameters lambda lambda_arg"),
    "ColumnsExceptTransformer": _fields("children pattern"),
    "ColumnsListMatcher": _fields("column_list transformers"),
    "ColumnsRegexpMatcher": _fields("pattern transformers"),
    "ColumnsReplaceTransformer": _fields("children"),
    "ColumnsReplaceTransformerReplacement": _fields("name children"),
    "ColumnsTransformerList": _fields("children"),
    "ExpressionList": _fields("children separator"),
    "Function": _fields(
        """
        name arguments parameters alias is_operator window_definition window_name nulls_action
        is_window_function is_lambda_function kind no_empty_args
        """
    ),
    "Identifier": _fields("name name_parts alias"),
    "InterpolateElement": _fields("column expr"),
    "Literal": _fields("value alias"),
    "OrderByElement": _fields(
        """
        direction nulls_direction nulls_direction_was_explicitly_specified expression collation
        with_fill fill_from fill_to fill_step fill_staleness
        """
    ),
    "QualifiedAsterisk": _fields("qualifier transformers"),
    "QualifiedColumnsListMatcher": _fields("qualifier column_list transformers"),
    "QualifiedColumnsRegexpMatcher": _fields("pattern qualifier transformers"),
    "QueryParameter": _fields("name param_type alias"),
    "SampleRatio": _fields("numerator denominator"),
    "SelectQuery": _fields(
        """
        distinct select tables prewhere where group_by group_by_all group_by_with_rollup
        group_by_with_cube group_by_with_totals group_by_with_grouping_sets having order_by
        order_by_all limit_offset limit_length limit_with_ties limit_by limit_by_all
        limit_by_offset limit_by_length window qualify interpolate with cte_aliases recursive_with
        """
    ),
    "SelectWithUnionQuery": _fields("union_mode list_of_modes list_of_selects") | _OUTFILE,
    "Subquery": _fields("children alias"),
    "TableExpression": _fields(
        """
        database_and_table_name table_function subquery final sample_size sample_offset
        column_aliases
        """
    ),
    "TableIdentifier": _fields("name name_parts alias"),
    "TableJoin": _fields("locality strictness kind on_expression using_expression_list is_natural"),
    "TablesInSelectQuery": _fields("children"),
    "TablesInSelectQueryElement": _fields("table_expression array_join table_join"),
    "WindowDefinition": _fields(
        """
        parent_window_name partition_by order_by frame_is_default frame_type frame_begin_type
        frame_begin_offset frame_begin_preceding frame_end_type frame_end_offset
        frame_end_preceding
        """
    ),
    "WindowListElement": _fields("name definition"),
    "WithElement": _fields("name subquery aliases is_materialized"),
}
EXPLAIN_NODES = {"ExplainQuery": _fields("kind query settings") | _OUTFILE}
SHOW_NODES = {
    "ShowTablesQuery": _fields(
        "full like not_like case_insensitive_like databases from limit_length where_expression"
    )
    | _OUTFILE,
    "ShowColumnsQuery": _fields(
        "full extended database table like not_like case_insensitive_like limit_length "
        "where_expression"
    )
    | _OUTFILE,
}
INSERT_NODES = {"InsertQuery": _fields("database table format columns select")}
CREATE_NODES = {
    "ColumnDeclaration": _fields(
        """
        name data_type codec default_specifier default_expression comment null_modifier ttl
        ephemeral_default primary_key_specifier
        """
    ),
    "Columns definition": _fields("columns indices projections constraints primary_key"),
    "ConstraintDeclaration": _fields("name constraint_type expr"),
    "CreateQuery": _fields(
        """
        database table database_ast table_ast if_not_exists is_ordinary_view is_materialized_view
        columns_list storage select targets comment aliases_list
        """
    )
    | MUST_BE_FALSE,
    "DataType": _fields("name arguments"),
    "IndexDeclaration": _fields("name granularity expression index_type"),
    "NameTypePair": _fields("name name_type"),
    "ProjectionDeclaration": _fields("name query"),
    "ProjectionSelectQuery": _fields("with select group_by order_by"),
    "Storage": _fields("engine partition_by primary_key order_by sample_by ttl_table settings"),
    "TTLElement": _fields("mode destination_type if_exists ttl_expr"),
    "ViewTargets": _fields("targets"),
}
EXPLAIN_KINDS = frozenset(
    {
        "EXPLAIN",
        "EXPLAIN AST",
        "EXPLAIN ESTIMATE",
        "EXPLAIN PIPELINE",
        "EXPLAIN PLAN",
        "EXPLAIN QUERY TREE",
        "EXPLAIN SYNTAX",
    }
)
EXPLAIN_SETTINGS = _fields(
    """
    actions compact column_structure distributed dump_ast dump_passes dump_tree graph header
    indexes input_headers json oneline optimize passes pretty projections query_tree_passes
    run_passes run_query_tree_passes sorting
    """
)
# `x IN name` reads a table when no column has the name.
IN_FUNCTIONS = frozenset(
    prefix + suffix
    for prefix in ("in", "notin", "globalin", "globalnotin", "nullin", "notnullin")
    for suffix in ("", "ignoreset")
) | frozenset(
    {"globalnullin", "globalnotnullin", "globalnullinignoreset", "globalnotnullinignoreset"}
)

TABLE_ENGINES = frozenset(
    {
        "AggregatingMergeTree",
        "CoalescingMergeTree",
        "CollapsingMergeTree",
        "Memory",
        "MergeTree",
        "Null",
        "ReplacingMergeTree",
        "SummingMergeTree",
        "VersionedCollapsingMergeTree",
    }
)
DATABASE_ENGINES = frozenset({"Atomic"})
CODECS = _fields("codec default delta doubledelta fpc gcd gorilla lz4 lz4hc none t64 zstd")
INDEX_TYPES = _fields("bloom_filter minmax ngrambf_v1 set text tokenbf_v1 equals tuple array")
STORAGE_SETTINGS = _fields(
    """
    enable_block_number_column enable_block_offset_column fsync_after_insert fsync_part_directory
    index_granularity index_granularity_bytes map_serialization_version
    map_serialization_version_for_zero_level_parts merge_with_ttl_timeout min_bytes_for_wide_part
    min_rows_for_wide_part non_replicated_deduplication_window ratio_of_defaults_for_sparse_serialization
    ttl_only_drop_parts
    """
)

# Tables of `system` that clients and dashboards ask for, with the columns kept from them: paths
# of the machine, and definitions that may hold another service's credentials. `parts` shows sizes.
SYSTEM_TABLES: dict[str, frozenset[str]] = {
    "aggregate_function_combinators": frozenset(),
    "columns": frozenset(),
    "data_skipping_indices": frozenset(),
    "data_type_families": frozenset(),
    "databases": _fields("data_path metadata_path engine_full"),
    "formats": frozenset(),
    "functions": frozenset(),
    "numbers": frozenset(),
    "numbers_mt": frozenset(),
    "one": frozenset(),
    "parts": _fields("path disk_name"),
    "settings": frozenset(),
    "table_engines": frozenset(),
    "table_functions": frozenset(),
    "tables": _fields(
        """
        data_paths metadata_path create_table_query engine_full as_select storage_policy
        parameterized_view_parameters definer
        """
    ),
    "time_zones": frozenset(),
}
INFORMATION_SCHEMA_TABLES = _fields("columns schemata tables")

# `name Type`, where the type is one word and brackets with nothing after them. What is not a type
# would make it a column with an expression: `a String ALIAS f()`, `a ALIAS (f())`.
_TYPE = re.compile(
    r"(?:U?Int(?:8|16|32|64|128|256)|Float(?:32|64)|BFloat16|Decimal(?:32|64|128|256)?|Bool|String|"
    r"FixedString|UUID|IPv[46]|Date(?:32)?|DateTime(?:32|64)?|Time(?:64)?|Enum(?:8|16)?|Array|Map|"
    r"Tuple|Nullable|LowCardinality|Nested|JSON|Dynamic|Variant)"
)
_COLUMN = re.compile(
    r"\s*(?:[A-Za-z_][A-Za-z0-9_.]*|`[A-Za-z0-9_. -]+`)\s+(\w+)\s*(\(.*\))?\s*", re.S
)


def is_plain_structure(structure: str) -> bool:
    """Whether a text is only columns and their types, such as ``a UInt8, b Array(String)``.

    >>> is_plain_structure("a UInt8, `b c` Map(String, DateTime64(3, 'UTC')), e Enum('x' = 1)")
    True
    >>> is_plain_structure("a UInt8, b String ALIAS file('x')")
    False
    """
    depth, begin = 0, 0
    columns: list[str] = []
    if structure.count("'") % 2 or "\\" in structure:
        return False
    bare = re.sub(r"'[\w /:+.-]*'", "0", structure)  # quoted words hold no brackets or commas
    for at, char in enumerate(bare):
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return False
        if char == "," and depth == 0:
            columns.append(bare[begin:at])
            begin = at + 1
    columns.append(bare[begin:])
    return depth == 0 and "'" not in bare and all(map(_is_plain_column, columns))


def _is_plain_column(column: str) -> bool:
    match = _COLUMN.fullmatch(column)
    if match is None or not _TYPE.fullmatch(match[1]):
        return False
    inner = match[2] or ""
    # The brackets must be one pair: `Array(x) y (z)` would hide words between two.
    depth = 0
    for at, char in enumerate(inner):
        depth += (char == "(") - (char == ")")
        if depth == 0 and at < len(inner) - 1:
            return False
    return re.search(r"alias|default|materialized|ephemeral|ttl|codec", inner, re.I) is None
