"""The optimizer's statements, rendered by the deployment's `spanloop.exporter.render.Renderer`."""

from functools import cache
from importlib.resources import files

from spanloop.exporter.render import Renderer


def statement(renderer: Renderer, path: str) -> str:
    """Return ``<stage>/<name>`` (``assembly/insert_steps``) rendered; values stay parameters.

    The file is ``optimizer/<stage>/sql/<name>.sql``.
    """
    return renderer.render_text(_read(path))


@cache
def _read(path: str) -> str:
    stage, _, name = path.partition("/")
    return (
        files(f"spanloop.optimizer.{stage}.sql").joinpath(f"{name}.sql").read_text(encoding="utf-8")
    )
