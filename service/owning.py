"""Reach what owns a data directory from a command: the running server's socket, or the directory itself."""

import contextlib
from collections.abc import Generator

from spanloop.exporter.lock import DirectoryLock, read_owner
from spanloop.exporter.store import Store
from spanloop.processor.errors import PermanentError
from spanloop.service.config import Settings
from spanloop.service.stores import open_store


@contextlib.contextmanager
def owned_store(settings: Settings) -> Generator[Store, None, None]:
    """Own the data directory for a moment and open its store."""
    with contextlib.ExitStack() as stack:
        stack.callback(DirectoryLock(settings.data_dir).close)
        store = open_store(settings)
        stack.callback(store.close)
        yield store


@contextlib.contextmanager
def opened_store(settings: Settings) -> Generator[Store, None, None]:
    """Open the store, and own the data directory if it is in there; a database server has many clients."""
    with contextlib.ExitStack() as stack:
        if settings.store.dsn is None:
            store = stack.enter_context(owned_store(settings))
        else:
            store = open_store(settings)
            stack.callback(store.close)
        yield store


def admin_socket(settings: Settings) -> str | None:
    """Return the admin socket of the server that owns the data directory, None if there is none.

    Raises:
        PermanentError: another process owns it, or the server is still starting.
    """
    owner = read_owner(settings.data_dir)
    if not owner:
        return None
    if "admin" not in owner:
        raise PermanentError(
            f"{settings.data_dir} is in use by process {owner.get('pid')}, which is no spanloop server "
            "or is still starting; try again"
        )
    return str(owner["admin"])


def need_store(settings: Settings) -> None:
    """Refuse to make a store where none is: a mistyped directory must not look like an empty one.

    Raises:
        PermanentError: there is none.
    """
    if settings.store.dsn is None and not (settings.data_dir / "db").is_dir():
        raise PermanentError(
            f"there is no store in {settings.data_dir}; name it with --data-dir or -c"
        )
