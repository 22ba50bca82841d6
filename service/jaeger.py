"""Serve the store to a Jaeger: choose the engine, and open the port."""

import contextlib
import time

import grpc

from spanloop.exporter.jaeger_storage import (
    Answers,
    EmbeddedEngine,
    Engine,
    JaegerServer,
    JaegerSettings,
    ReadLimits,
    ServerEngine,
    Statements,
    TraceReader,
)
from spanloop.exporter.render import Renderer
from spanloop.exporter.sql_endpoint import ChdbEngine, token_check
from spanloop.exporter.store import EmbeddedStore, Store
from spanloop.service.config import Settings

STOP_GRACE_S = 5.0


async def start_jaeger(
    store: Store,
    renderer: Renderer,
    settings: Settings,
    *,
    tls: grpc.ServerCredentials | None,
    stack: contextlib.AsyncExitStack,
) -> str | None:
    """Serve ``jaeger.storage.v2`` until ``stack`` unwinds; return where, or None if it is off."""
    config = settings.jaeger
    if not config.enabled:
        return None
    engine = _engine(store, settings)
    stack.callback(engine.close)
    reader = TraceReader(engine, Statements(renderer), clock_ns=time.time_ns)
    tokens = [token.token.get_secret_value() for token in config.tokens]
    server = JaegerServer(
        Answers(reader),
        JaegerSettings(host=config.host, port=config.port, tls=tls),
        auth=token_check(tokens) if tokens else None,
    )
    stack.push_async_callback(server.stop, STOP_GRACE_S)
    return f"{config.host}:{await server.start()}"


def _engine(store: Store, settings: Settings) -> Engine:
    section = settings.store
    limits = ReadLimits(max_memory_bytes=section.memory_bytes // 3, max_threads=section.threads)
    if isinstance(store, EmbeddedStore):
        return EmbeddedEngine(ChdbEngine(store.open_handle), section.database, limits)
    return ServerEngine(store, limits)
