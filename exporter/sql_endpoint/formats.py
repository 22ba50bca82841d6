"""Formats that results may be asked for and rows may be sent in; the rest is refused.

Left out: formats that read a schema or template file, that name a table or a server to register
with, that exist only inside chDB's process, and those for debugging.
"""

from spanloop.exporter.sql_endpoint.errors import UNKNOWN_FORMAT, EngineError, refusal

_ALIASES = {
    "JSONL": "JSONEachRow",
    "JSONLines": "JSONEachRow",
    "NDJSON": "JSONEachRow",
    "Raw": "TabSeparatedRaw",
    "TSV": "TabSeparated",
    "TSVRaw": "TabSeparatedRaw",
    "TSVWithNames": "TabSeparatedWithNames",
    "TSVWithNamesAndTypes": "TabSeparatedWithNamesAndTypes",
}
_TEXT = "text/tab-separated-values; charset=UTF-8"
_CSV = "text/csv; charset=UTF-8; header=absent"
_CSV_NAMES = "text/csv; charset=UTF-8; header=present"
_JSON = "application/json; charset=UTF-8"
_JSON_LINES = "application/x-ndjson; charset=UTF-8"
_BINARY = "application/octet-stream"
_PLAIN = "text/plain; charset=UTF-8"

OUTPUT = {
    "Arrow": _BINARY,
    "ArrowStream": _BINARY,
    "Avro": _BINARY,
    "BSONEachRow": _BINARY,
    "CSV": _CSV,
    "CSVWithNames": _CSV_NAMES,
    "CSVWithNamesAndTypes": _CSV_NAMES,
    "JSON": _JSON,
    "JSONColumns": _JSON,
    "JSONColumnsWithMetadata": _JSON,
    "JSONCompact": _JSON,
    "JSONCompactColumns": _JSON,
    "JSONCompactEachRow": _JSON_LINES,
    "JSONCompactEachRowWithNames": _JSON_LINES,
    "JSONCompactEachRowWithNamesAndTypes": _JSON_LINES,
    "JSONCompactStrings": _JSON,
    "JSONCompactStringsEachRow": _JSON_LINES,
    "JSONEachRow": _JSON_LINES,
    "JSONObjectEachRow": _JSON,
    "JSONStrings": _JSON,
    "JSONStringsEachRow": _JSON_LINES,
    "LineAsString": _PLAIN,
    "Markdown": _PLAIN,
    "MsgPack": _BINARY,
    "Native": _BINARY,
    "Null": _PLAIN,
    "ORC": _BINARY,
    "Parquet": _BINARY,
    "Pretty": _PLAIN,
    "PrettyCompact": _PLAIN,
    "PrettyCompactMonoBlock": _PLAIN,
    "PrettyJSONEachRow": _JSON_LINES,
    "PrettyNoEscapes": _PLAIN,
    "PrettySpace": _PLAIN,
    "RowBinary": _BINARY,
    "RowBinaryWithNames": _BINARY,
    "RowBinaryWithNamesAndTypes": _BINARY,
    "TSKV": _TEXT,
    "TabSeparated": _TEXT,
    "TabSeparatedRaw": _TEXT,
    "TabSeparatedRawWithNames": _TEXT,
    "TabSeparatedRawWithNamesAndTypes": _TEXT,
    "TabSeparatedWithNames": _TEXT,
    "TabSeparatedWithNamesAndTypes": _TEXT,
    "Values": _PLAIN,
    "Vertical": _PLAIN,
    "XML": "application/xml; charset=UTF-8",
}
INPUT = frozenset(
    {
        "Arrow",
        "ArrowStream",
        "Avro",
        "BSONEachRow",
        "CSV",
        "CSVWithNames",
        "CSVWithNamesAndTypes",
        "JSON",
        "JSONAsObject",
        "JSONAsString",
        "JSONColumns",
        "JSONCompact",
        "JSONCompactColumns",
        "JSONCompactEachRow",
        "JSONCompactEachRowWithNames",
        "JSONCompactEachRowWithNamesAndTypes",
        "JSONEachRow",
        "JSONObjectEachRow",
        "JSONStringsEachRow",
        "LineAsString",
        "MsgPack",
        "Native",
        "ORC",
        "Parquet",
        "RawBLOB",
        "RowBinary",
        "RowBinaryWithDefaults",
        "RowBinaryWithNames",
        "RowBinaryWithNamesAndTypes",
        "TSKV",
        "TabSeparated",
        "TabSeparatedRaw",
        "TabSeparatedWithNames",
        "TabSeparatedWithNamesAndTypes",
        "Values",
    }
)


def output_format(name: str) -> str:
    """The full name of a format that results may be asked for."""
    full = _ALIASES.get(name, name)
    if full not in OUTPUT:
        raise EngineError(refusal(UNKNOWN_FORMAT, f"Format {name} is not served here"))
    return full


def input_format(name: str) -> str:
    """The full name of a format that rows may be sent in."""
    full = _ALIASES.get(name, name)
    if full not in INPUT:
        raise EngineError(refusal(UNKNOWN_FORMAT, f"Format {name} is not taken here"))
    return full
