"""Reach the store from a command: through the server that owns it, or by opening it."""

import contextlib
from collections.abc import Generator

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from spanloop.exporter.lock import DirectoryLock, read_owner
from spanloop.exporter.store import first_line
from spanloop.processor.errors import PermanentError
from spanloop.service.config import Settings
from spanloop.service.stores import open_store


@contextlib.contextmanager
def client(settings: Settings) -> Generator[Client, None, None]:
    """Yield a client on the configured store.

    A running server's SQL endpoint is preferred; a directory that nobody owns is opened here.

    Raises:
        PermanentError: a running server owns the directory and serves no SQL.
    """
    owner = read_owner(settings.data_dir) if settings.store.dsn is None else {}
    if owner:
        with contextlib.closing(_through_endpoint(settings, owner.get("sql"))) as connected:
            yield connected
        return
    if settings.store.dsn is None and not (settings.data_dir / "db").is_dir():
        raise PermanentError(
            f"there is no store in {settings.data_dir}; name it with --data-dir or -c"
        )
    with contextlib.ExitStack() as stack:
        if settings.store.dsn is None:
            stack.callback(DirectoryLock(settings.data_dir).close)
        store = open_store(settings)
        stack.callback(store.close)
        yield stack.enter_context(contextlib.closing(store.connect()))


def _through_endpoint(settings: Settings, endpoint: str | None) -> Client:
    if not endpoint:
        raise PermanentError(
            f"{settings.data_dir} is in use by a server without an SQL endpoint (sql.enabled)"
        )
    scheme, _, address = endpoint.partition("://")
    host, _, port = address.rpartition(":")
    host = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(
        host, host
    )  # a wildcard is no address to call
    token = settings.sql.tokens[0].token.get_secret_value() if settings.sql.tokens else ""
    try:
        connected: Client = clickhouse_connect.get_client(
            interface=scheme,
            host=host,
            port=int(port),
            password=token,
            database=settings.store.database,
            autogenerate_session_id=False,
        )
    except ClickHouseError as failure:
        raise PermanentError(
            f"the SQL endpoint {endpoint} does not answer: {first_line(failure)}"
        ) from None
    return connected
