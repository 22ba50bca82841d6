"""The statements of this package, rendered for a deployment and bound to their parameters. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal, TypeAlias

from spanloop.exporter.render import Renderer, quote_string

Array: TypeAlias = tuple[str, ...]
Format: TypeAlias = Literal["Protobuf", "JSONCompactEachRow"]

MOST_SEARCHES = 128
"""Kinds of searches whose statements are kept."""
_SQL = files("spanloop.exporter.jaeger_storage.sql")
_TEXT = "string_value Nullable(String)"
_VALUE = f"{_TEXT}, array_value Tuple(values Array(Tuple({_TEXT})))"
_ATTRIBUTES = f"Array(Tuple(key String, value Tuple({_VALUE})))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """SQL with its ``{name:Type}`` parameters."""

    sql: str
    parameters: Mapping[str, str | Array]
    format: Format = "JSONCompactEachRow"


class Statements:
    """Renders the files of ``sql/``; on a cluster they read the tables of all shards."""

    def __init__(self, renderer: Renderer) -> None:
        """Take the renderer of the schema."""
        on_cluster = renderer.settings.cluster is not None
        self._extra = {
            **renderer.extra,
            "traces": "otel_traces_all" if on_cluster else "otel_traces",
            "globally": "GLOBAL " if on_cluster else "",
            "attributes": _ATTRIBUTES,
        }
        self._renderer = renderer
        self._rendered: dict[str, str] = {}
        # Rendering takes some milliseconds, and a search is asked once for each of its windows.
        self._finding = lru_cache(MOST_SEARCHES)(self._render_finding)

    def bound(
        self,
        name: str,
        parameters: Mapping[str, str | Array],
        *,
        form: Format = "JSONCompactEachRow",
    ) -> Statement:
        """Return the statement of file ``name`` with its parameters."""
        if name not in self._rendered:
            self._rendered[name] = self._render(name, {})
        return Statement(sql=self._rendered[name], parameters=parameters, format=form)

    def finding(
        self, alternatives: Sequence[Sequence[str]], parameters: Mapping[str, str | Array]
    ) -> Statement:
        """Return the search for one or two ``alternatives``, lists of conditions (`search.conditions`)."""
        first, *others = ("".join(f"\n        AND {one}" for one in each) for each in alternatives)
        sql = self._finding(first, "".join(others))
        return Statement(sql=sql, parameters=parameters)

    def _render_finding(self, first: str, second: str) -> str:
        return self._render("find_traces", {"first": first, "second": second})

    def _render(self, name: str, more: Mapping[str, str]) -> str:
        return replace(self._renderer, extra={**self._extra, **more}).render_text(_read(name))


def as_text(parameters: Mapping[str, str | Array]) -> Mapping[str, str]:
    """Return parameters as ClickHouse reads them."""
    return {
        name: value if isinstance(value, str) else f"[{','.join(map(quote_string, value))}]"
        for name, value in parameters.items()
    }


@cache
def _read(name: str) -> str:
    return _SQL.joinpath(f"{name}.sql").read_text(encoding="utf-8")
