"""Writes findings back to the configured endpoint, in the process that owns the store.

Never to this server: its own annotations would come back as traffic. The processor would know and leave them
alone, but they would be stored, and nobody would see them where they look.
"""

import contextlib
import ipaddress
import logging
import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from spanloop.exporter.lock import read_owner
from spanloop.exporter.migrate import migrate
from spanloop.exporter.otlp_sender import Destination, OtlpSender
from spanloop.exporter.render import Renderer
from spanloop.exporter.store import Store, engine_message, with_client
from spanloop.optimizer.annotations.note import KINDS, Kind
from spanloop.optimizer.annotations.storing import Scope
from spanloop.optimizer.annotations.writing import Report, Wish, write_back
from spanloop.optimizer.context import unix_ms
from spanloop.processor.errors import ConfigError, SpanloopError, Stopping
from spanloop.service.admin_calls import follow
from spanloop.service.config import ANYWHERE, LOOPBACK, Settings
from spanloop.service.contexts import Reported, make_context
from spanloop.service.jobs import OnEvent
from spanloop.service.owning import admin_socket, need_store, opened_store
from spanloop.service.stores import make_renderer

logger = logging.getLogger(__name__)

MS_A_DAY = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a command asks beside the configuration; None, or empty, = as configured.

    Attributes:
        since_ms: Unix milliseconds.
    """

    endpoint: str | None = None
    protocol: Literal["grpc", "http"] | None = None
    kinds: Sequence[Kind] = ()
    agents: Sequence[str] = ()
    since_ms: int | None = None
    dry_run: bool = False


def annotate_store(
    store: Store, renderer: Renderer, settings: Settings, asked: Asked, on_event: OnEvent
) -> Mapping[str, Any]:
    """Write back from a store that this process owns; return the report as JSON types.

    Raises:
        ConfigError: no endpoint is named, it is none, or it is this server.
    """
    destination = make_destination(settings, asked)
    wish = make_wish(settings, asked, destination)
    refuse_own(destination, settings)
    sender = OtlpSender(destination)

    def work(client: Client) -> Report:
        context = make_context(client, renderer, settings, Reported(on_event))
        return write_back(context, sender, wish, clock_ms=unix_ms)

    with contextlib.closing(sender):
        return as_answer(with_client(store, work))


def annotate(settings: Settings, asked: Asked, on_event: OnEvent) -> Mapping[str, Any]:
    """Write back wherever the store is: in the server that owns it, or here if nobody does.

    Raises:
        ConfigError: as `annotate_store`.
        PermanentError: there is no store, or its owner refuses.
    """
    # In the server, where there is one: two at once would number versions alike.
    socket = admin_socket(settings)
    if socket is not None:
        return follow(socket, "annotate", on_event, **asdict(asked))
    need_store(settings)
    renderer = make_renderer(settings)
    with opened_store(settings) as store:
        with_client(store, lambda client: migrate(client, renderer))
        return annotate_store(store, renderer, settings, asked, on_event)


def annotate_after(
    store: Store, renderer: Renderer, settings: Settings, on_event: OnEvent
) -> Mapping[str, Any]:
    """Write back after a cycle; that it cannot be done must not undo the cycle, so it is told beside it."""
    try:
        return annotate_store(store, renderer, settings, Asked(), on_event)
    except Stopping:
        raise
    except (SpanloopError, ClickHouseError) as error:
        told = engine_message(error) if isinstance(error, ClickHouseError) else str(error)
        logger.warning("the cycle ended, its annotations were not written: %s", told)
        return {"error": told}
    except Exception as error:  # a bug: it must not cost the answer of a cycle that took hours
        logger.exception("the cycle ended, its annotations were not written")
        return {"error": f"it failed: {type(error).__name__}; see the server's log"}


def as_answer(report: Report) -> dict[str, Any]:
    """Return a report as JSON types."""
    return {**asdict(report), "failed": report.failed}


def make_destination(settings: Settings, asked: Asked) -> Destination:
    """Return where to send.

    Headers and our own certificate go to the configured endpoint only: they may hold what opens it.

    Raises:
        ConfigError: none is named.
    """
    section = settings.annotations
    endpoint = asked.endpoint or section.endpoint
    if endpoint is None:
        raise ConfigError(
            "name where to write annotations: --endpoint, or annotations.endpoint in the configuration"
        )
    trusted = endpoint == section.endpoint
    headers = {key: value.get_secret_value() for key, value in section.headers.items()}
    return Destination(
        endpoint=endpoint,
        protocol=asked.protocol or section.protocol,
        headers=headers if trusted else {},
        # A bare host:port named for once is plain: the CA that makes TLS of one is of another endpoint.
        ca=section.tls.ca if trusted or "://" in endpoint else None,
        certificate=section.tls.certificate if trusted else None,
        key=section.tls.key if trusted else None,
        timeout_s=section.timeout_s,
    )


def make_wish(settings: Settings, asked: Asked, destination: Destination) -> Wish:
    """Return what to send to ``destination``.

    Raises:
        ConfigError: a kind is asked for that there is not.
    """
    section = settings.annotations
    kinds = tuple(asked.kinds or section.kinds)
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        raise ConfigError(f"there is no kind {', '.join(unknown)}; there are {', '.join(KINDS)}")
    since_ms = unix_ms() - int(section.days * MS_A_DAY)
    return Wish(
        endpoint=ledger_name(destination),
        kinds=[kind for kind in KINDS if kind in kinds],
        scope=Scope(
            agents=tuple(asked.agents or section.agents),
            since_ms=since_ms if asked.since_ms is None else asked.since_ms,
        ),
        max_chars=section.max_chars,
        log_events=section.log_events,
        dry_run=asked.dry_run,
    )


def ledger_name(destination: Destination) -> str:
    """Return what the ledger knows ``destination`` by: its address and, of HTTP, its path.

    Behind one address a path may lead to another tenant; gRPC has none.
    """
    host, port = destination.address
    path = urlsplit(destination.url).path if destination.protocol == "http" else ""
    return f"{host}:{port}{path}"


def refuse_own(destination: Destination, settings: Settings) -> None:
    """Refuse an endpoint that is this server's own.

    Raises:
        ConfigError: it is.
    """
    host, port = destination.address
    for own_host, own_port in _own_addresses(settings):
        if port == own_port and _addresses(host) & _addresses(own_host):
            raise ConfigError(
                f"{destination.endpoint} is this server: annotations go where your traces are looked at "
                "(your Collector, Jaeger or Tempo)"
            )


def _own_addresses(settings: Settings) -> list[tuple[str, int]]:
    """Return where this server receives: as configured and, where it runs, the ports that it got."""
    ports = (settings.receiver.grpc, settings.receiver.http)
    addresses = [(port.host, port.port) for port in ports if port.enabled]
    owner = read_owner(settings.data_dir) if settings.store.dsn is None else {}
    for name in ("grpc", "http"):
        host, _, port = str(owner.get(name) or "").rpartition("://")[2].rpartition(":")
        if port.isdecimal():
            addresses.append((host, int(port)))
    return addresses


def _addresses(host: str) -> set[str]:
    """Return the addresses of ``host``; of a wildcard, every one of this machine that has a name."""
    names = (*LOOPBACK, socket.gethostname()) if host in ANYWHERE else (host.strip("[]"),)
    found: set[str] = set()
    for name in names:
        with contextlib.suppress(OSError):  # a name that nothing knows is nobody's address
            found |= {str(entry[4][0]) for entry in socket.getaddrinfo(name, None)}
    # Whatever of 127.0.0.0/8 and ::1 is named, it is this machine.
    return {"loopback" if ipaddress.ip_address(a.split("%")[0]).is_loopback else a for a in found}
