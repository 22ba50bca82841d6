"""Settings a caller may give in the URL or a ``SETTINGS`` clause: listed, capped, dropped, refused.

A setting can open what the statement check closed (``additional_table_filters`` holds SQL text,
``dialect`` another grammar, ``implicit_table_at_top_level`` a table, ``format_schema`` a path),
so only names known to be harmless pass.
"""

import math
from collections.abc import Mapping

from spanloop.exporter.sql_endpoint.policy import SqlLimits
from spanloop.processor.errors import SqlRejected

# Consumed by the HTTP server, or of no meaning in an embedded engine: accepted and dropped.
IGNORED = frozenset(
    [
        "add_http_cors_header",
        "allow_introspection_functions",
        "async_insert",
        "async_insert_deduplicate",
        "async_insert_busy_timeout_ms",
        "async_insert_busy_timeout_max_ms",
        "async_insert_max_data_size",
        "buffer_size",
        "cancel_http_readonly_queries_on_client_close",
        "client_protocol_version",
        "compress",
        "connect_timeout",
        "database",
        "decompress",
        "default_format",
        "enable_http_compression",
        "http_headers_progress_interval_ms",
        "http_response_buffer_size",
        "http_write_exception_in_output_format",
        "http_zlib_compression_level",
        "log_comment",
        "log_queries",
        "network_compression_method",
        "network_zstd_compression_level",
        "password",
        "query",
        "query_id",
        "quota_key",
        "readonly",
        "receive_timeout",
        "role",
        "send_progress_in_http_headers",
        "send_timeout",
        "session_check",
        "session_id",
        "session_timeout",
        "stacktrace",
        "user",
        "wait_end_of_query",
        "wait_for_async_insert",
        "wait_for_async_insert_timeout",
    ]
)
# Exactly these, besides the families below.
_PASSED = frozenset(
    [
        "aggregate_functions_null_for_empty",
        "allow_experimental_dynamic_type",
        "allow_experimental_json_type",
        "allow_experimental_object_type",
        "allow_experimental_variant_type",
        "allow_suspicious_low_cardinality_types",
        "any_join_distinct_right_table_keys",
        "cast_keep_nullable",
        "cast_string_to_dynamic_use_inference",
        "deduplicate_insert",
        "deduplicate_blocks_in_dependent_materialized_views",
        "describe_compact_output",
        "describe_include_subcolumns",
        "do_not_merge_across_partitions_select_final",
        "enable_dynamic_type",
        "enable_json_type",
        "enable_named_columns_in_function_tuple",
        "enable_variant_type",
        "except_default_mode",
        "extremes",
        "final",
        "force_index_by_date",
        "force_primary_key",
        "group_by_use_nulls",
        "insert_deduplicate",
        "insert_deduplication_token",
        "insert_null_as_default",
        "intersect_default_mode",
        "join_algorithm",
        "join_default_strictness",
        "join_use_nulls",
        "limit",
        "low_cardinality_allow_in_native_format",
        "offset",
        "optimize_aggregation_in_order",
        "optimize_move_to_prewhere",
        "optimize_read_in_order",
        "prefer_column_name_to_alias",
        "session_timezone",
        "totals_mode",
        "transform_null_in",
        "union_default_mode",
        "use_skip_indexes",
        "use_skip_indexes_if_final",
    ]
)
_FAMILIES = (
    "bool_",
    "date_time_",
    "format_csv_",
    "format_tsv_",
    "input_format_allow_errors_",
    "input_format_arrow_",
    "input_format_binary_",
    "input_format_csv_",
    "input_format_defaults_",
    "input_format_json_",
    "input_format_native_",
    "input_format_null_",
    "input_format_parquet_",
    "input_format_skip_",
    "input_format_tsv_",
    "input_format_with_",
    "output_format_arrow_",
    "output_format_binary_",
    "output_format_csv_",
    "output_format_decimal_",
    "output_format_json_",
    "output_format_native_",
    "output_format_parquet_",
    "output_format_pretty_",
    "output_format_tsv_",
    "output_format_write_",
)
_LOWERED = frozenset(
    {
        "max_block_size",
        "max_bytes_to_read",
        "max_insert_block_size",
        "max_result_rows",
        "max_rows_to_group_by",
        "max_rows_to_read",
        "min_insert_block_size_bytes",
        "min_insert_block_size_rows",
    }
)
# Whatever the caller says. `Values` may otherwise evaluate expressions that no check has seen.
_FIXED = {
    "allow_introspection_functions": "0",
    "async_insert": "0",
    "input_format_values_deduce_templates_of_expressions": "0",
    "input_format_values_interpret_expressions": "0",
    "result_overflow_mode": "throw",
    "timeout_overflow_mode": "throw",
}


def effective_settings(
    requested: Mapping[str, str], limits: SqlLimits, *, buffered: bool
) -> dict[str, str]:
    """Settings to run a statement with.

    Args:
        requested: what the URL and the statement ask for, as text.
        limits: caps that a caller can lower, never raise.
        buffered: the result is built whole in memory, so its cap is the smaller one.

    Raises:
        SqlRejected: a setting is not on the list, or its value is not one.
    """
    result_bytes = limits.max_buffered_bytes if buffered else limits.max_result_bytes
    caps = {
        "max_execution_time": limits.max_execution_s,
        "max_memory_usage": float(limits.max_memory_bytes),
        "max_result_bytes": float(result_bytes),
        "max_threads": float(limits.max_threads),
    }
    settings: dict[str, str] = {}
    for name, value in requested.items():
        if name in IGNORED:
            continue
        if name in caps:
            caps[name] = min(caps[name], _number(name, value) or math.inf)
        elif name in _LOWERED:
            settings[name] = f"{_number(name, value):.0f}"
        elif name in _PASSED or name.startswith(_FAMILIES):
            settings[name] = value
        else:
            raise SqlRejected(f"Setting {name} is not allowed on this endpoint")
    settings.update((name, f"{value:.15g}") for name, value in caps.items())
    # What runs was written anew from the tree, with more brackets and quotes than were sent.
    settings["max_query_size"] = str(4 * limits.max_query_bytes)
    return settings | _FIXED


def _number(name: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        raise SqlRejected(f"Setting {name} must be a number") from None
    if not 0 <= number < 2**63:
        raise SqlRejected(f"Setting {name} is out of range")
    return number
