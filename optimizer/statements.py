"""The optimizer's statements, rendered by the deployment's `spanloop.exporter.render.Renderer`."""

import re
from functools import cache
from importlib.resources import files

from spanloop.exporter.render import Renderer

_CREATES = re.compile(r"CREATE (?:OR REPLACE )?TABLE (?:IF NOT EXISTS )?\{\{ table\('(\w+)'\) \}\}")


def statement(renderer: Renderer, path: str) -> str:
    """Return ``<stage>/<name>`` (``assembly/insert_steps``) rendered; values stay parameters.

    The file is ``optimizer/<stage>/sql/<name>.sql``.
    """
    return renderer.render_text(_read(path))


@cache
def working_tables() -> frozenset[str]:
    """Return the names of tables that stages make for themselves: an analysis makes each of them anew."""
    folders = (folder for folder in files("spanloop.optimizer").iterdir() if folder.is_dir())
    texts = (
        entry.read_text(encoding="utf-8")
        for folder in folders
        if (sql := folder.joinpath("sql")).is_dir()
        for entry in sql.iterdir()
        if entry.name.endswith(".sql")
    )
    return frozenset(name for text in texts for name in _CREATES.findall(text))


@cache
def _read(path: str) -> str:
    stage, _, name = path.partition("/")
    return (
        files(f"spanloop.optimizer.{stage}.sql").joinpath(f"{name}.sql").read_text(encoding="utf-8")
    )
