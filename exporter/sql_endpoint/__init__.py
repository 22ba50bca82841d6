"""The embedded store as a ClickHouse server: its HTTP interface, guarded."""

from spanloop.exporter.sql_endpoint.app import create_app
from spanloop.exporter.sql_endpoint.auth import TokenCheck, token_check
from spanloop.exporter.sql_endpoint.engine import ChdbEngine, SqlEngine
from spanloop.exporter.sql_endpoint.policy import HttpPolicy, SqlLimits, SqlPolicy

__all__ = [
    "ChdbEngine",
    "HttpPolicy",
    "SqlEngine",
    "SqlLimits",
    "SqlPolicy",
    "TokenCheck",
    "create_app",
    "token_check",
]
