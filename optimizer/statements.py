"""The optimizer's statements, rendered by the deployment's `spanloop.exporter.render.Renderer`."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from spanloop.exporter.render import Renderer

_CREATES = re.compile(
    r"CREATE (?:OR REPLACE )?(TABLE|VIEW) (?:IF NOT EXISTS )?\{\{ table\('(\w+)'\) \}\}"
)

RUNS_PREFIX = "runs_"
"""In front of the working tables of whoever judges runs of experiments beside an analysis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsRenderer(Renderer):
    """Gives stages working tables of their own, so that an analysis under way does not share them."""

    def table(self, name: str) -> str:
        """Return ``name`` qualified by the database; working tables and views under `RUNS_PREFIX`."""
        apart = name in _created("TABLE") | _created("VIEW")
        return Renderer.table(self, RUNS_PREFIX + name if apart else name)


def statement(renderer: Renderer, path: str) -> str:
    """Return ``<stage>/<name>`` (``assembly/insert_steps``) rendered; values stay parameters.

    The file is ``optimizer/<stage>/sql/<name>.sql``.
    """
    return renderer.render_text(_read(path))


@cache
def working_tables() -> frozenset[str]:
    """Return the names of tables that stages make for themselves: an analysis makes each of them anew.

    Those for runs of experiments are among them.
    """
    names = _created("TABLE")
    return names | {RUNS_PREFIX + name for name in names}


@cache
def _created(kind: str) -> frozenset[str]:
    folders = (folder for folder in files("spanloop.optimizer").iterdir() if folder.is_dir())
    texts = (
        entry.read_text(encoding="utf-8")
        for folder in folders
        if (sql := folder.joinpath("sql")).is_dir()
        for entry in sql.iterdir()
        if entry.name.endswith(".sql")
    )
    return frozenset(
        name for text in texts for made, name in _CREATES.findall(text) if made == kind
    )


@cache
def _read(path: str) -> str:
    stage, _, name = path.partition("/")
    return (
        files(f"spanloop.optimizer.{stage}.sql").joinpath(f"{name}.sql").read_text(encoding="utf-8")
    )
