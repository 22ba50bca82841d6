"""The context of work on a store, as configured; loads nothing heavy."""

from clickhouse_connect.driver.client import Client

from spanloop.exporter.render import Renderer
from spanloop.optimizer.context import Context, Limits, Progress, unix_ms
from spanloop.service.config import Settings
from spanloop.service.jobs import OnEvent


class Reported(Progress):
    """Tells a callable how far the stages are."""

    def __init__(self, on_event: OnEvent) -> None:
        self._on_event = on_event
        self._stage = ""
        self._total: int | None = None
        self._done = 0

    def stage(self, name: str, total: int | None = None) -> None:
        """Begin a stage."""
        self._stage, self._total, self._done = name, total, 0
        self._on_event(name, total, 0)

    def advance(self, n: int = 1) -> None:
        """Say that ``n`` more are done."""
        self._done += n
        self._on_event(self._stage, self._total, self._done)


def make_context(
    client: Client, renderer: Renderer, settings: Settings, progress: Progress
) -> Context:
    """Return the context of work that begins now."""
    section = settings.analysis
    return Context(
        client=client,
        renderer=renderer,
        now_ms=unix_ms(),
        seed=section.seed,
        progress=progress,
        limits=Limits(
            trajectories_a_chunk=section.trajectories_a_chunk,
            query_memory_bytes=settings.store.memory_bytes * 3 // 4,
            threads=settings.store.threads,
            idle_s=section.idle_s,
        ),
    )
