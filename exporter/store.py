"""The store: chDB in this process or a ClickHouse server, through one clickhouse-connect client.

chDB allows one engine and one path per process, and one process per path (`spanloop.exporter.lock`).
"""

import contextlib
import ctypes
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import SplitResult, urlencode, urlsplit

import chdb
import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from spanloop.processor.errors import (
    ConfigError,
    StoreUnavailable,
)

# Servers older than these lose or crash on tokens with partitioned targets and materialized views:
# ClickHouse#111031 (fixed by #111049, backported to the first three) and #112649 (2026-07-30).
MINIMUM_SERVER = (25, 8)
FIXED_IN: Mapping[tuple[int, int], tuple[int, int]] = {
    (26, 3): (17, 65),
    (26, 5): (6, 63),
    (26, 6): (2, 98),
}
FIRST_RELEASE_WITH_FIXES = (26, 7)


T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineLimits:
    """Bounds of the embedded engine, whose defaults are sized for a whole machine. Bytes."""

    max_memory: int = 1_000_000_000
    max_query_memory: int = 600_000_000
    mark_cache: int = 64_000_000
    max_threads: int = 2


class Store(Protocol):
    """A place that clients connect to. A client serialises its calls: one per thread."""

    @property
    def embedded(self) -> bool:
        """Whether the engine runs in this process (and reads local files)."""
        ...

    def connect(self) -> Client:
        """Return a new client; the caller closes it."""
        ...

    def make_durable(self) -> None:
        """Put tables just created on disk; rows are durable by the settings of their tables."""
        ...

    def close(self) -> None:
        """Release what the store holds."""
        ...


class EmbeddedStore:
    """chDB in this process, on ``directory``."""

    embedded = True

    def __init__(self, directory: Path, limits: EngineLimits, *, database: str = "default") -> None:
        """Start the engine; the caller holds the directory's `DirectoryLock`."""
        self._directory = directory
        self._limits = limits
        # The first client holds the engine open; later ones come and go.
        self._keeper = self.connect()
        if database != "default":
            self._keeper.command(f"CREATE DATABASE IF NOT EXISTS `{database}`")

    def connect(self) -> Client:
        """Return a new client on the engine."""
        client: Client = clickhouse_connect.get_client(
            interface="chdb",
            path=self.path,
            chdb_options=self.options,
            settings={
                "max_memory_usage": self._limits.max_query_memory,
                "max_threads": self._limits.max_threads,
            },
        )
        return client

    @property
    def path(self) -> str:
        """The engine's directory, spelt as it must be for every handle of this process."""
        return str((self._directory / "db").resolve())

    @property
    def options(self) -> Mapping[str, int | str]:
        """Server settings of the engine, given by whoever opens it first."""
        limits = self._limits
        return {
            "max_server_memory_usage": limits.max_memory,
            "mark_cache_size": limits.mark_cache,
            "index_mark_cache_size": limits.mark_cache,
            "uncompressed_cache_size": 0,
            "primary_index_cache_size": limits.mark_cache,
            "query_condition_cache_size": limits.mark_cache // 4,
            "background_pool_size": limits.max_threads,
            # Who may run BACKUP at all is decided above: the SQL endpoint refuses it.
            "backups.allowed_path": "/",
        }

    def make_durable(self) -> None:
        """Sync the volume: the engine does not sync the directories of new tables."""
        sync_volume(self._directory)

    def open_handle(self) -> Any:
        """Return a raw chDB handle (for the SQL endpoint, which streams the engine's own bytes)."""
        return chdb.connect(f"{self.path}?{urlencode(self.options)}")

    def close(self) -> None:
        """Stop the engine; safe to call twice."""
        self._keeper.close()


class ServerStore:
    """A ClickHouse server at ``dsn`` (``http(s)://user:password@host:port/database``)."""

    embedded = False

    def __init__(self, dsn: str) -> None:
        """Take the address; nothing is connected yet.

        Raises:
            ConfigError: it is none.
        """
        parse_dsn(dsn)
        self._dsn = dsn

    def connect(self) -> Client:
        """Return a new client; many receivers may write at once, so it carries no session.

        Raises:
            StoreUnavailable: the server does not answer.
            ConfigError: its version has a known fault that loses or doubles rows.
        """
        try:
            client: Client = clickhouse_connect.get_client(
                dsn=self._dsn, autogenerate_session_id=False
            )
        except (ClickHouseError, OSError) as failure:
            raise StoreUnavailable(
                f"the ClickHouse server does not answer: {first_line(failure)}"
            ) from failure
        refuse_faulty_version(str(client.server_version))
        return client

    def make_durable(self) -> None:
        """Nothing to do: it is the server's affair."""

    def close(self) -> None:
        """Nothing is held."""


def parse_dsn(dsn: str) -> SplitResult:
    """Return the parts of a server's address.

    Raises:
        ConfigError: it is none. Its text is not repeated, nor the parser's, which quotes of the password.
    """
    with contextlib.suppress(ValueError):
        parts = urlsplit(dsn)
        if parts.hostname and parts.port != 0:  # asked for the port, the parser reads it
            return parts
    raise ConfigError(
        "store.dsn is no http(s)://user:password@host:port/database; in a password, %-encode what is "
        "neither letter nor digit"
    )


def sync_volume(directory: Path) -> None:
    """Make everything on the volume of ``directory`` durable (``syncfs``; Python has only ``sync``)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "syncfs"):
        os.sync()
        return
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if libc.syncfs(fd) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(directory))
    finally:
        os.close(fd)


def refuse_faulty_version(version: str) -> None:
    """Raise ConfigError for servers whose insert deduplication is known to lose or double rows."""
    found = [int(number) for number in re.findall(r"\d+", version)[:4]]
    major, minor, *patch = (*found, 0, 0) if len(found) < 2 else found
    release = (major, minor)
    if release >= FIRST_RELEASE_WITH_FIXES or (
        release in FIXED_IN and tuple(patch) >= FIXED_IN[release]
    ):
        return
    if MINIMUM_SERVER <= release < (26, 0):
        return  # before async inserts became the default, and before the fault of #112649
    raise ConfigError(
        f"ClickHouse {version} has faults in insert deduplication (ClickHouse#111031, #112649) or is "
        f"too old; use {FIRST_RELEASE_WITH_FIXES[0]}.{FIRST_RELEASE_WITH_FIXES[1]} or later, "
        "26.6.2.98, 26.5.6.63, 26.3.17.65 or 25.8"
    )


def first_line(error: BaseException) -> str:
    """Return the first line of an engine's message, without the stack that may follow."""
    return str(error).strip().partition("\n")[0][:500]


def engine_message(error: BaseException) -> str:
    """Return what the engine says went wrong, without the statement, which may quote stored values."""
    return first_line(error).partition(": In scope ")[0].partition(": while ")[0]


def with_client(store: Store, use: Callable[[Client], T]) -> T:
    """Call ``use`` with a client of its own."""
    client = store.connect()
    try:
        return use(client)
    finally:
        client.close()
