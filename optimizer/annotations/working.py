"""Reads our own work from the store as notes (`spanloop.optimizer.annotations.work`), a cycle at a time."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from spanloop.optimizer.annotations.findings import Row
from spanloop.optimizer.annotations.note import Note, Target
from spanloop.optimizer.annotations.storing import PAGE, read_rows, read_targets
from spanloop.optimizer.annotations.work import (
    MOST_LINKS,
    CycleRows,
    Evidence,
    cycle_notes,
    experiment_alone,
    run_notes,
)
from spanloop.optimizer.context import Context


def read_work(context: Context, since_ms: int) -> Iterator[Sequence[Note]]:
    """Yield the spans of what ended since, parents before children, at most `PAGE` or so at a time."""
    cycles = read_rows(context, "annotations/select_cycles", since_ms=since_ms)
    for _, rows in groupby(cycles, key=itemgetter("CycleId")):
        yield from _cycle(context, list(rows))
    for row in _experiments(context, "", since_ms):
        yield from _with_runs(context, experiment_alone(row), row)


def _cycle(context: Context, rows: Sequence[Row]) -> Iterator[Sequence[Note]]:
    whole = next(row for row in rows if row["Stage"] == "")
    cycle = whole["CycleId"]
    candidates = read_rows(context, "annotations/select_work_candidates", cycle=cycle)
    experiments = _experiments(context, cycle, 0)
    found = CycleRows(
        whole=whole,
        stages=[row for row in rows if row["Stage"] != ""],
        candidates=candidates,
        experiments=experiments,
        releases=read_rows(context, "annotations/select_work_releases", cycle=cycle),
    )
    traces = [trace for row in candidates for trace in row["Traces"]]
    members = _members(context, sorted({row["PatternId"] for row in candidates}))
    notes = cycle_notes(found, Evidence(roots=_roots(context, traces), members=members))
    for begin in range(0, len(notes), PAGE):
        yield notes[begin : begin + PAGE]
    by_identifier = {note.identifier: note for note in notes}
    for row in experiments:
        yield from _runs(context, by_identifier[f"experiment/{row['ExperimentId']}"], row)


def _with_runs(context: Context, experiment: Note, row: Row) -> Iterator[Sequence[Note]]:
    yield [experiment]
    yield from _runs(context, experiment, row)


def _runs(context: Context, experiment: Note, row: Row) -> Iterator[Sequence[Note]]:
    rows = read_rows(context, "annotations/select_work_runs", experiment=row["ExperimentId"])
    for begin in range(0, len(rows), PAGE):
        page = rows[begin : begin + PAGE]
        roots = _roots(context, [trace for run in page for trace in run["TraceIds"]])
        yield list(run_notes(experiment, page, Evidence(roots=roots, members={})))


def _experiments(context: Context, cycle: str, since_ms: int) -> Sequence[Row]:
    return read_rows(context, "annotations/select_work_experiments", cycle=cycle, since_ms=since_ms)


def _members(context: Context, patterns: Sequence[str]) -> dict[str, list[Target]]:
    """Return, of each pattern, where the first trajectories that showed it went wrong."""
    rows = read_rows(
        context, "annotations/select_work_members", patterns=list(patterns), most=MOST_LINKS
    )
    spans = [(row["TraceId"], row["SpanId"]) for row in rows]
    targets = read_targets(context, spans) if spans else None
    found: dict[str, list[Target]] = {}
    for row in rows:
        target = targets.of(row["TraceId"], row["SpanId"]) if targets else None
        if target is not None:
            found.setdefault(row["PatternId"], []).append(target)
    return found


def _roots(context: Context, traces: Sequence[str]) -> dict[str, Target]:
    if not traces:
        return {}
    return dict(read_targets(context, [(trace, "") for trace in traces]).outermost)
