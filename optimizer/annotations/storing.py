"""The ledger and what findings are about, as the store has them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from spanloop.optimizer.annotations.findings import Row
from spanloop.optimizer.annotations.ledger import MOVABLE, RETRACTABLE, Entry
from spanloop.optimizer.annotations.note import Key, Kind, Target
from spanloop.optimizer.context import ALL_TIME_MS, Context, time_of
from spanloop.optimizer.statements import statement

TABLE = "annotations"
PAGE = 500
"""Findings that are looked up, sent and remembered together."""
WINDOW = 10_000
"""Findings that are read by one statement, and kept in memory: each statement reads its tables whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which findings are meant.

    Attributes:
        agents: empty = all.
        since_ms: what they are about happened since, Unix milliseconds.
    """

    agents: Sequence[str] = ()
    since_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Stored spans of some traces."""

    outermost: Mapping[str, Target]
    spans: Mapping[tuple[str, str], Target]

    def of(self, trace_id: str, span_id: str) -> Target | None:
        """Return the span, the outermost one where ``span_id`` is '' or not stored; None without a trace."""
        return self.spans.get((trace_id, span_id)) or self.outermost.get(trace_id)


class Place(NamedTuple):
    """Where a finding comes in the order in which findings are read."""

    moment_ms: int
    trace_id: str
    identifier: str


FIRST, LAST = Place(-ALL_TIME_MS, "", ""), Place(ALL_TIME_MS, "", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Findings of a stretch of time; windows follow one another without a gap.

    Attributes:
        rows: those that hold.
        after: the last place before it.
        until: its last place.
    """

    rows: Sequence[Row]
    after: Place
    until: Place


def read_windows(context: Context, kind: Kind, scope: Scope, *, most: int) -> Iterator[Window]:
    """Yield the findings of a kind by moment, at most ``most`` at a time, over all time since."""
    after = FIRST
    while True:
        found = _read_findings(context, kind, scope, after=after, page=most)
        until = LAST if len(found) < most else _place(found[-1])
        yield Window(rows=_held(found), after=after, until=until)
        if until == LAST:
            return
        after = until


def read_held(context: Context, kind: Kind, traces: Sequence[str]) -> Iterator[Sequence[Row]]:
    """Yield the findings of a kind that hold on ``traces``, whenever and of whichever agent, page by page."""
    after = FIRST
    while True:
        found = _read_findings(context, kind, Scope(), after=after, page=WINDOW, traces=traces)
        yield _held(found)
        if len(found) < WINDOW:
            return
        after = _place(found[-1])


def _read_findings(
    context: Context,
    kind: Kind,
    scope: Scope,
    *,
    after: Place,
    page: int,
    traces: Sequence[str] = (),
) -> Sequence[Row]:
    return read_rows(
        context,
        f"annotations/select_{kind}",
        agents=list(scope.agents),
        # What comes after a place is no earlier: so much is not joined again.
        since_ms=max(scope.since_ms, after.moment_ms - 1),
        traces=sorted(set(traces)),
        after_ms=after.moment_ms,
        after_trace=after.trace_id,
        after_id=after.identifier,
        page=page,
    )


def _held(rows: Sequence[Row]) -> Sequence[Row]:
    return [row for row in rows if row.get("Holds", True)]


def _place(row: Row) -> Place:
    return Place(int(row["MomentMs"]), row["TraceId"], row["Identifier"])


def read_standing(
    context: Context, kind: Kind, scope: Scope, endpoint: str, *, window: Window
) -> Iterator[Sequence[Key]]:
    """Yield what stands at ``endpoint`` and may have to be taken back after ``window``, page by page.

    That is what was written of the window's time and, of what moves with its evidence, what was written of
    the window's findings outside of the time that is asked for.
    """
    if kind in RETRACTABLE:
        yield from _standing(
            context,
            "annotations/select_standing",
            kind=kind,
            endpoint=endpoint,
            agents=list(scope.agents),
            since_ms=scope.since_ms,
            after_ms=window.after.moment_ms,
            after_trace=window.after.trace_id,
            after_id=window.after.identifier,
            until_ms=window.until.moment_ms,
            until_trace=window.until.trace_id,
            until_id=window.until.identifier,
        )
    named = sorted({row["Identifier"] for row in window.rows}) if kind in MOVABLE else []
    for begin in range(0, len(named), PAGE):
        yield from _standing(
            context,
            "annotations/select_elsewhere",
            kind=kind,
            endpoint=endpoint,
            identifiers=named[begin : begin + PAGE],
            before_ms=scope.since_ms if kind in RETRACTABLE else ALL_TIME_MS,
        )


def _standing(
    context: Context, path: str, *, kind: Kind, **parameters: Any
) -> Iterator[Sequence[Key]]:
    last: Key = (kind, "", "", "")
    while True:
        page = read_rows(
            context,
            path,
            kind=kind,
            **parameters,
            last_trace=last[1],
            last_span=last[2],
            last_id=last[3],
            page=WINDOW,
        )
        keys: list[Key] = [(kind, row["TraceId"], row["SpanId"], row["Identifier"]) for row in page]
        yield keys
        if len(keys) < WINDOW:
            return
        last = keys[-1]


def read_targets(context: Context, spans: Sequence[tuple[str, str]]) -> Targets:
    """Return the stored ones of ``spans`` (trace, span), and the outermost span of each of their traces."""
    wanted = set(spans)
    outermost: dict[str, Target] = {}
    found: dict[tuple[str, str], Target] = {}
    rows = context.rows(
        "annotations/select_targets",
        {
            "traces": sorted({trace for trace, _ in wanted}),
            "spans": sorted({span for _, span in wanted if span}),
        },
    )
    for trace_id, span_id, start_ns, end_ns, is_outermost in rows:
        target = Target(
            trace_id=trace_id, span_id=span_id, start_ns=int(start_ns), end_ns=int(end_ns)
        )
        if is_outermost:
            outermost[trace_id] = target
        elif (trace_id, span_id) in wanted:
            found[trace_id, span_id] = target
    return Targets(outermost=outermost, spans=found)


def read_entries(context: Context, kind: Kind, traces: Sequence[str]) -> Sequence[Entry]:
    """Return what the ledger holds of a kind on ``traces``, at every endpoint."""
    rows = context.rows("annotations/select_ledger", {"kind": kind, "traces": sorted(set(traces))})
    return [
        Entry(
            key=(kind, row[1], row[2], row[3]),
            endpoint=row[4],
            project=row[5],
            agent=row[6],
            version=int(row[7]),
            label=row[8],
            score=row[9],
            payload=row[10],
            verdict=row[11],
            retracted=bool(row[12]),
            state=row[13],
            found_ms=int(row[14]),
            moment_ms=int(row[15]),
            sent_ms=row[16],
            logged_ms=row[17],
        )
        for row in rows
    ]


def write_entries(context: Context, entries: Sequence[Entry], version: int) -> None:
    """Write ``entries`` as ``version`` of their rows."""
    context.insert(TABLE, [_row(entry, version) for entry in entries])


def read_rows(context: Context, path: str, **parameters: Any) -> Sequence[dict[str, Any]]:
    """Return the rows of a statement by column."""
    result = context.client.query(
        statement(context.renderer, path), parameters=parameters, settings=context.settings
    )
    return [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]


def _row(entry: Entry, version: int) -> Mapping[str, Any]:
    kind, trace_id, span_id, identifier = entry.key
    return {
        "Kind": kind,
        "TraceId": trace_id,
        "SpanId": span_id,
        "Identifier": identifier,
        "Endpoint": entry.endpoint,
        "Project": entry.project,
        "AgentName": entry.agent,
        "AnnotationVersion": entry.version,
        "AnnotationId": entry.span_id,
        "Label": entry.label,
        "Score": entry.score,
        "PayloadHash": entry.payload,
        "VerdictHash": entry.verdict,
        "Retracted": int(entry.retracted),
        "State": entry.state,
        "FoundAt": time_of(entry.found_ms),
        "Moment": time_of(entry.moment_ms),
        "SentAt": None if entry.sent_ms is None else time_of(entry.sent_ms),
        "LoggedAt": None if entry.logged_ms is None else time_of(entry.logged_ms),
        "Version": version,
    }
