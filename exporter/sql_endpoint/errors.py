"""ClickHouse's error numbers, their HTTP status, and our refusals in the same shape.

Clients recognise errors by ``Code: N. DB::Exception: text. (NAME)`` in the body, the header
``X-ClickHouse-Exception-Code`` and the status. Numbers: ``src/Common/ErrorCodes.cpp``; statuses:
``exceptionCodeToHTTPStatus`` in ``src/Server/HTTP/exceptionCodeToHTTPStatus.cpp`` (ClickHouse).
"""

import re
from typing import NamedTuple

from spanloop.processor.errors import InvalidRequest, SpanloopError, SqlRejected

BAD_ARGUMENTS = 36
UNKNOWN_TABLE = 60
UNKNOWN_FORMAT = 73
TIMEOUT_EXCEEDED = 159
SOCKET_TIMEOUT = 209
QUERY_IS_TOO_LARGE = 223
READONLY = 164
REQUIRED_PASSWORD = 194
TOO_MANY_SIMULTANEOUS_QUERIES = 202
ACCESS_DENIED = 497
AUTHENTICATION_FAILED = 516

_NAMES = {
    36: "BAD_ARGUMENTS",
    60: "UNKNOWN_TABLE",
    73: "UNKNOWN_FORMAT",
    159: "TIMEOUT_EXCEEDED",
    164: "READONLY",
    194: "REQUIRED_PASSWORD",
    202: "TOO_MANY_SIMULTANEOUS_QUERIES",
    209: "SOCKET_TIMEOUT",
    223: "QUERY_IS_TOO_LARGE",
    497: "ACCESS_DENIED",
    516: "AUTHENTICATION_FAILED",
}
_BAD_REQUEST = {
    6,
    26,
    27,
    33,
    36,
    38,
    41,
    43,
    53,
    62,
    69,
    70,
    72,
    117,
    130,
    167,
    168,
    306,
    456,
    457,
}
_FORBIDDEN = {164, 192, 193, 497, 516}
_NOT_FOUND = {46, 47, 50, 56, 60, 63, 73, 78, 81, 82, 115}
_STATUS = {
    48: 501,
    159: 408,
    194: 401,
    202: 503,
    209: 408,
    210: 503,
    223: 413,
    241: 500,
    439: 503,
}
_CODE = re.compile(r"Code:\s*(\d+)\.\s*DB::")


class SqlError(NamedTuple):
    """An error as ClickHouse's clients expect it."""

    code: int
    message: str

    @property
    def status(self) -> int:
        """HTTP status for this error."""
        if self.code in _FORBIDDEN:
            return 403
        if self.code in _BAD_REQUEST:
            return 400
        if self.code in _NOT_FOUND:
            return 404
        return _STATUS.get(self.code, 500)


class EngineError(SpanloopError):
    """The engine refused or failed a statement; ``error`` carries its number and text."""

    def __init__(self, error: SqlError) -> None:
        super().__init__(error.message)
        self.error = error


class UnknownTable(SqlRejected):
    """A table that does not exist, in a database that may be read."""

    def __init__(self, database: str, table: str) -> None:
        super().__init__(f"Table {database}.{table} does not exist")


def from_engine(text: str) -> SqlError:
    """Read number and text of an exception raised by the engine."""
    match = _CODE.search(text)
    if match is None:
        return SqlError(1001, f"Code: 1001. DB::Exception: {text.strip()} (STD_EXCEPTION)")
    return SqlError(int(match[1]), text[match.start() :].strip())


def refusal(code: int, reason: str) -> SqlError:
    """An error of ours, in ClickHouse's words."""
    return SqlError(code, f"Code: {code}. DB::Exception: {reason} ({_NAMES[code]})")


def from_exception(error: SpanloopError) -> SqlError:
    """The one translation of our errors to ClickHouse's."""
    match error:
        case EngineError():
            return error.error
        case UnknownTable():
            return refusal(UNKNOWN_TABLE, str(error))
        case SqlRejected():
            return refusal(ACCESS_DENIED, str(error))
        case InvalidRequest():
            return refusal(BAD_ARGUMENTS, str(error))
        case _:
            return SqlError(1001, f"Code: 1001. DB::Exception: {error} (STD_EXCEPTION)")
