"""Build the store and the schema renderer from configuration."""

from spanloop.exporter.render import Renderer, SchemaSettings
from spanloop.exporter.store import EmbeddedStore, EngineLimits, ServerStore, Store
from spanloop.processor import tagging
from spanloop.service.config import Settings

SECONDS_PER_DAY = 86_400


def open_store(settings: Settings) -> Store:
    """Return the configured store; for the embedded one the caller holds the directory's lock."""
    section = settings.store
    if section.dsn is not None:
        return ServerStore(section.dsn.get_secret_value())
    limits = EngineLimits(
        max_memory=section.memory_bytes,
        max_query_memory=section.memory_bytes * 3 // 4,
        mark_cache=section.memory_bytes // 16,
        max_threads=section.threads,
    )
    return EmbeddedStore(settings.data_dir, limits, database=section.database)


def make_renderer(settings: Settings) -> Renderer:
    """Return what renders the schema for this deployment."""
    section = settings.store
    return Renderer(
        settings=SchemaSettings(
            database=section.database,
            ttl_s=section.ttl_days * SECONDS_PER_DAY,
            cluster=section.cluster,
            replicated=section.replicated,
            fsync=not section.replicated,
        ),
        extra={"genai_view_select": tagging.genai_view_select(section.database)},
    )
