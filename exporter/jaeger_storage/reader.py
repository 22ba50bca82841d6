"""What ``jaeger.storage.v2`` reads, from the tables. Calls block; results that can be long come in pieces."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from spanloop.exporter.jaeger_storage.chunks import trace_chunks
from spanloop.exporter.jaeger_storage.engines import Engine
from spanloop.exporter.jaeger_storage.search import Search, conditions, windows
from spanloop.exporter.jaeger_storage.statements import Array, Statement, Statements

MOST_NAMES = 10_000
LARGE_SPAN_BYTES = 3_000_000
"""Spans with more text are cut: Jaeger's client refuses a message over 4 MiB, and with it the whole trace."""
CUT_BYTES = 16_384
_AHEAD_NS = 86_400 * 10**9
"""Stored spans start at most a day after they were received."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceTime:
    """A trace and when its spans started, in seconds since 1970; ``end_s`` is not included."""

    trace_id: str
    start_s: int
    end_s: int


class TraceReader:
    """Reads traces of a store."""

    def __init__(
        self, engine: Engine, statements: Statements, *, clock_ns: Callable[[], int]
    ) -> None:
        """``clock_ns`` is asked where a search does not say when it ends."""
        self._engine = engine
        self._statements = statements
        self._clock_ns = clock_ns

    def traces(self, ids: Sequence[str]) -> Iterator[bytes]:
        """Yield the traces as ``TracesData`` messages, in the order of ``ids``; unknown ids have none."""
        if not ids:
            return
        parameters: dict[str, str | Array] = {
            "ids": tuple(dict.fromkeys(ids)),
            "too_large": str(LARGE_SPAN_BYTES),
            "cut": str(CUT_BYTES),
        }
        statement = self._statements.bound("select_spans", parameters, form="Protobuf")
        with self._engine.read(statement) as stream:
            yield from trace_chunks(stream)

    def find(self, search: Search) -> list[str]:
        """Return ids of traces, the one with the newest matching span first."""
        end_ns = search.end_ns if search.end_ns is not None else self._clock_ns() + _AHEAD_NS
        alternatives, values = conditions(search)
        found: list[str] = []
        for start, end in windows(search.start_ns, end_ns):
            parameters: dict[str, str | Array] = {
                **values,
                "start": str(start),
                "end": str(end),
                "found": tuple(found),
                "most": str(search.most - len(found)),
            }
            found += [
                row[0] for row in self._rows(self._statements.finding(alternatives, parameters))
            ]
            if len(found) >= search.most:
                break
        return found

    def times(self, ids: Sequence[str]) -> list[TraceTime]:
        """Return when traces began and ended, in the order of ``ids``."""
        return [
            TraceTime(trace_id=trace_id, start_s=start, end_s=end)
            for trace_id, start, end in self._named("select_times", ids=tuple(ids))
        ]

    def summaries(self, ids: Sequence[str]) -> list[list[Any]]:
        """Return the rows of ``select_summaries.sql``."""
        return self._named("select_summaries", ids=tuple(ids))

    def services(self) -> list[str]:
        """Return the names of all services."""
        return [row[0] for row in self._named("select_services", most=str(MOST_NAMES))]

    def operations(self, service: str, kind: str) -> list[tuple[str, str]]:
        """Return names and kinds of a service's spans; ``kind`` is ``''`` for all."""
        rows = self._named("select_operations", service=service, kind=kind, most=str(MOST_NAMES))
        return [(name, kind) for name, kind in rows]

    def dependencies(self, start_ns: int, end_ns: int) -> list[tuple[str, str, int]]:
        """Return calling service, called service and how often, for spans started in the time given."""
        rows = self._named(
            "select_dependencies", start=str(start_ns), end=str(end_ns), most=str(MOST_NAMES)
        )
        return [(parent, child, int(calls)) for parent, child, calls in rows]

    def _named(self, name: str, **parameters: str | Array) -> list[list[Any]]:
        if parameters.get("ids") == ():
            return []
        return self._rows(self._statements.bound(name, parameters))

    def _rows(self, statement: Statement) -> list[list[Any]]:
        with self._engine.read(statement) as stream:
            return [orjson.loads(line) for line in b"".join(stream).splitlines()]
