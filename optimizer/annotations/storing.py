"""The ledger and what findings are about, as the store has them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spanloop.optimizer.annotations.findings import Row
from spanloop.optimizer.annotations.ledger import Entry
from spanloop.optimizer.annotations.note import Key, Kind, Target
from spanloop.optimizer.context import Context, time_of
from spanloop.optimizer.statements import statement

TABLE = "annotations"
PAGE = 500
"""Findings that are read, sent and remembered together."""


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


def read_findings(context: Context, kind: Kind, scope: Scope) -> Iterator[Sequence[Row]]:
    """Yield the rows of a kind that hold, page by page, by moment."""
    after: Row = {"MomentMs": -(2**62), "TraceId": "", "Identifier": ""}
    while True:
        page = read_rows(
            context,
            f"annotations/select_{kind}",
            agents=list(scope.agents),
            since_ms=scope.since_ms,
            after_ms=after["MomentMs"],
            after_trace=after["TraceId"],
            after_id=after["Identifier"],
            page=PAGE,
        )
        found = [row for row in page if row.get("Holds", True)]
        if found:
            yield found
        if len(page) < PAGE:
            return
        after = page[-1]


def read_standing(
    context: Context, kind: Kind, scope: Scope, endpoint: str
) -> Iterator[Sequence[Key]]:
    """Yield the findings of a kind that stand at ``endpoint``, page by page."""
    after: Key = (kind, "", "", "")
    while True:
        page = read_rows(
            context,
            "annotations/select_standing",
            kind=kind,
            endpoint=endpoint,
            agents=list(scope.agents),
            since_ms=scope.since_ms,
            after_trace=after[1],
            after_span=after[2],
            after_id=after[3],
            page=PAGE,
        )
        keys: list[Key] = [(kind, row["TraceId"], row["SpanId"], row["Identifier"]) for row in page]
        if keys:
            yield keys
        if len(keys) < PAGE:
            return
        after = keys[-1]


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
