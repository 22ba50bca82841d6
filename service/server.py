"""The composition root of ``spanloop serve``: builds everything, starts it in order, stops it in reverse."""

import asyncio
import contextlib
import logging
import signal as os_signal
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import grpc
from opentelemetry.sdk.trace.export import SpanExporter

from spanloop.exporter.insert import SegmentInserter
from spanloop.exporter.lock import DirectoryLock
from spanloop.exporter.migrate import migrate
from spanloop.exporter.model_prices import load_model_prices
from spanloop.exporter.render import Renderer
from spanloop.exporter.sql_endpoint import ChdbEngine, SqlLimits, SqlPolicy, token_check
from spanloop.exporter.sql_endpoint import create_app as create_sql_app
from spanloop.exporter.store import EmbeddedStore, Store, with_client
from spanloop.processor.errors import ConfigError
from spanloop.processor.prices import load_prices
from spanloop.processor.redaction import redact
from spanloop.processor.tagging import genai_filter
from spanloop.receiver.auth import Tokens
from spanloop.receiver.grpc_server import GrpcServer, GrpcSettings
from spanloop.receiver.http_server import HttpSettings, Probes, create_app
from spanloop.receiver.intake import Intake
from spanloop.receiver.log import Log, LogSettings
from spanloop.receiver.telemetry import Telemetry
from spanloop.receiver.wal import SegmentLimits
from spanloop.service import prometheus
from spanloop.service.admin import Owned, start_admin
from spanloop.service.asgi import serve_tcp
from spanloop.service.config import Settings, Tls, Token
from spanloop.service.config_api import ConfigApi
from spanloop.service.erasing import REPLIES
from spanloop.service.jaeger import start_jaeger
from spanloop.service.jobs import Job, Jobs, OnEvent
from spanloop.service.own_spans import IntakeExporter
from spanloop.service.releasing import StoreReleases
from spanloop.service.self_metrics import start_self_metrics
from spanloop.service.stores import make_renderer, open_store

if TYPE_CHECKING:
    from spanloop.service.optimizing import Place

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Where a running server is reached; None where a port is off."""

    grpc: str | None
    http: str | None
    sql: str | None
    jaeger: str | None


class Server:
    """A whole spanloop server."""

    def __init__(self, settings: Settings, *, more_jobs: Mapping[str, Job] | None = None) -> None:
        self._settings = settings
        self._more_jobs = more_jobs or {}
        self._stop_requested = asyncio.Event()

    def request_stop(self) -> None:
        """Begin a graceful shutdown."""
        self._stop_requested.set()

    async def run(self, on_ready: Callable[[Endpoints], None]) -> bool:
        """Serve until asked to stop; return whether everything acknowledged reached the database.

        Raises:
            SpanloopError: something cannot be started; what had been is stopped again.
        """
        settings = self._settings
        with contextlib.ExitStack() as stack:
            lock = DirectoryLock(settings.data_dir)
            stack.callback(lock.close)
            store = open_store(settings)
            closing = stack.enter_context(contextlib.ExitStack())
            closing.callback(store.close)
            renderer = make_renderer(settings)
            applied = with_client(store, lambda client: migrate(client, renderer))
            prices = load_prices(settings.prices.file)
            with_client(store, lambda client: load_model_prices(client, renderer, prices))
            store.make_durable()
            logger.info("schema is current; %d statements applied", len(applied))
            telemetry = Telemetry()
            log = self._make_log(store, renderer, telemetry)
            log.start()
            intake = Intake(
                log, telemetry, redact=redact if settings.redact_before_storage else None
            )
            loop = asyncio.get_running_loop()
            owned = Owned(
                directory=settings.data_dir,
                store=store,
                renderer=renderer,
                log=log,
                intake=intake,
                jobs=Jobs(
                    {
                        **_jobs(
                            store,
                            renderer,
                            settings,
                            spans=IntakeExporter(intake, loop, project=settings.project),
                        ),
                        **self._more_jobs,
                    }
                ),
            )
            emptied = False
            try:
                await self._serve(owned, telemetry, lock, on_ready)
            finally:
                emptied = await asyncio.to_thread(log.stop, timeout_s=settings.shutdown_timeout_s)
            if not emptied:
                logger.warning(
                    "stopped with %d log bytes not stored yet; the next start stores them",
                    log.n_bytes,
                )
                closing.pop_all()  # an insert still runs, and closing the engine would wait for its end
            return emptied

    def _make_log(self, store: Store, renderer: Renderer, telemetry: Telemetry) -> Log:
        wal = self._settings.receiver.log
        return Log(
            self._settings.data_dir,
            LogSettings(
                segment=SegmentLimits(
                    max_bytes=wal.segment_max_bytes,
                    max_rows=wal.segment_max_rows,
                    max_age_s=wal.segment_max_age_s,
                ),
                max_bytes=wal.max_bytes,
                min_free_bytes=wal.min_free_bytes,
                max_pending_bytes=wal.max_pending_bytes,
                retry_window_s=wal.retry_window_s,
            ),
            make_inserter=lambda: SegmentInserter(store, renderer, genai_filter=genai_filter()),
            telemetry=telemetry,
        )

    async def _serve(
        self,
        owned: Owned,
        telemetry: Telemetry,
        lock: DirectoryLock,
        on_ready: Callable[[Endpoints], None],
    ) -> None:
        async with contextlib.AsyncExitStack() as stack:
            admin = await start_admin(owned, stack)
            endpoints = Endpoints(
                sql=await self._start_sql(owned.store, stack),
                grpc=await self._start_grpc(owned.intake, stack),
                http=await self._start_http(owned, telemetry, stack),
                jaeger=await start_jaeger(
                    owned.store,
                    owned.renderer,
                    self._settings,
                    tls=_grpc_credentials(self._settings.receiver.tls),
                    stack=stack,
                ),
            )
            lock.describe({**asdict(endpoints), "admin": admin})
            self._start_self_metrics(owned.log, telemetry, stack)
            # Last in, first out: a run may end while the agents that it plays still reach the ports.
            stack.push_async_callback(owned.jobs.stop)
            on_ready(endpoints)
            await self._stop_requested.wait()

    def _start_self_metrics(
        self, log: Log, telemetry: Telemetry, stack: contextlib.AsyncExitStack
    ) -> None:
        section = self._settings.telemetry
        if section.otlp_endpoint is None:
            return
        provider = start_self_metrics(
            telemetry, log, endpoint=section.otlp_endpoint, interval_s=section.interval_s
        )
        stack.push_async_callback(asyncio.to_thread, provider.shutdown)

    async def _start_sql(self, store: Store, stack: contextlib.AsyncExitStack) -> str | None:
        """Serve the embedded engine; a ClickHouse server has an endpoint of its own."""
        config, section = self._settings.sql, self._settings.store
        if not config.enabled or not isinstance(store, EmbeddedStore):
            return None
        tokens = [token.token.get_secret_value() for token in config.tokens]
        app = create_sql_app(
            ChdbEngine(store.open_handle),
            SqlPolicy(
                databases=frozenset({section.database, *config.databases}),
                write_databases=frozenset(config.write_databases),
                default_database=section.database,
            ),
            auth=token_check(tokens) if tokens else None,
            limits=SqlLimits(
                max_memory_bytes=section.memory_bytes // 3, max_threads=section.threads
            ),
        )
        tls = self._settings.receiver.tls
        return await serve_tcp(app, config.host, config.port, stack, tls=tls)

    async def _start_grpc(self, intake: Intake, stack: contextlib.AsyncExitStack) -> str | None:
        config, receiver = self._settings.receiver.grpc, self._settings.receiver
        if not config.enabled:
            return None
        server = GrpcServer(
            intake,
            _tokens(receiver.tokens, self._settings.project),
            GrpcSettings(
                host=config.host,
                port=config.port,
                max_request_bytes=receiver.max_request_bytes,
                max_concurrent_requests=config.max_concurrent_requests,
                max_connection_age_s=config.max_connection_age_s,
                max_connection_idle_s=config.max_connection_idle_s,
                keepalive_s=config.keepalive_s,
                tls=_grpc_credentials(receiver.tls),
            ),
        )
        port = await server.start()
        stack.push_async_callback(server.stop, grace_s=5.0)
        return f"{config.host}:{port}"

    async def _start_http(
        self, owned: Owned, telemetry: Telemetry, stack: contextlib.AsyncExitStack
    ) -> str | None:
        config, receiver = self._settings.receiver.http, self._settings.receiver
        if not config.enabled:
            return None
        tokens = _tokens(receiver.tokens, self._settings.project)
        app = create_app(
            owned.intake,
            tokens,
            HttpSettings(
                max_request_bytes=receiver.max_request_bytes, cors_origins=config.cors_origins
            ),
            Probes(
                not_ready=lambda: _not_ready(owned.log),
                metrics_text=lambda: prometheus.render(telemetry, owned.log),
            ),
            more=[
                ConfigApi(
                    StoreReleases(owned.store, owned.renderer),
                    tokens,
                    unit=self._settings.optimizer.releases.unit,
                ).route
            ],
        )
        return await serve_tcp(
            app,
            config.host,
            config.port,
            stack,
            tls=receiver.tls,
            keep_alive_s=config.idle_timeout_s,
        )


def _jobs(
    store: Store, renderer: Renderer, settings: Settings, *, spans: SpanExporter
) -> Mapping[str, Job]:
    """Return long work by name; what it needs (numpy, scikit-learn) is loaded only when it is asked for."""

    def analyze(on_event: OnEvent, _: Mapping[str, Any]) -> Mapping[str, Any]:
        from spanloop.service import analyzing

        return analyzing.as_answer(analyzing.analyze_store(store, renderer, settings, on_event))

    def place() -> "Place":
        from spanloop.service import optimizing

        doors = optimizing.Doors(exporter=spans, replies=settings.data_dir / REPLIES)
        return optimizing.Place(store=store, renderer=renderer, doors=doors)

    def optimize(on_event: OnEvent, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        from spanloop.service import annotating, optimizing

        report = optimizing.optimize_store(
            place(), settings, arguments.get("agents", ()), on_event=on_event
        )
        answer = optimizing.as_answer(report)
        if settings.annotations.after_cycle:
            answer["annotations"] = annotating.annotate_after(store, renderer, settings, on_event)
        return answer

    def annotate(on_event: OnEvent, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        from spanloop.service import annotating

        asked = annotating.Asked(**arguments)
        return annotating.annotate_store(store, renderer, settings, asked, on_event)

    def experiment(on_event: OnEvent, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        from spanloop.service import experimenting

        asked = experimenting.ByHand(**arguments)
        return experimenting.experiment_store(place(), settings, asked, on_event=on_event)

    return {
        "analyze": analyze,
        "optimize": optimize,
        "experiment": experiment,
        "annotate": annotate,
    }


def _not_ready(log: Log) -> str | None:
    """Say why a request would be refused now; a database that is down is what the log is for."""
    refusal = log.refusal()
    return None if refusal is None else str(refusal)


def _tokens(tokens: tuple[Token, ...], project: str) -> Tokens:
    return Tokens.of(
        {t.token.get_secret_value(): t.project for t in tokens}, default_project=project
    )


def _grpc_credentials(tls: Tls | None) -> grpc.ServerCredentials | None:
    if tls is None:
        return None
    try:
        pair = (tls.key.read_bytes(), tls.certificate.read_bytes())
        client_ca = tls.client_ca.read_bytes() if tls.client_ca else None
    except OSError as failure:
        raise ConfigError(
            f"receiver.tls: cannot read {failure.filename}: {failure.strerror}"
        ) from None
    return grpc.ssl_server_credentials([pair], client_ca, require_client_auth=client_ca is not None)


async def serve(settings: Settings, on_ready: Callable[[Endpoints], None]) -> bool:
    """Run a server until SIGTERM or SIGINT; a second one is left to end the process."""
    server = Server(settings)
    loop = asyncio.get_running_loop()
    for number in (os_signal.SIGTERM, os_signal.SIGINT):
        loop.add_signal_handler(number, _stop_once, loop, server)
    return await server.run(on_ready)


def _stop_once(loop: asyncio.AbstractEventLoop, server: Server) -> None:
    for number in (os_signal.SIGTERM, os_signal.SIGINT):
        loop.remove_signal_handler(number)
    server.request_stop()
