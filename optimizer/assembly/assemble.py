"""Makes trajectories and their steps of the spans that arrived since the last assembly.

Statements do the work: a trace is mapped to its trajectory, then every changed trajectory is told anew from
all of its traces, a chunk at a time. Intermediate results are Memory tables named ``assembly_…``, dropped at
the end. ``trajectory_traces`` and the cursor are written last, so that a run that was killed is repeated by
the next one as if it had not been.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from spanloop.optimizer.assembly.canonical import canonicalise
from spanloop.optimizer.context import Context, unix_text

SPANS_A_CHUNK = 300_000
"""Spans of the trajectories that are told at a time; bounds memory where trajectories are long."""

FEW_TRACES = 1_000
"""Below, a second thread costs more than it does."""

MAPPING_TABLES = (
    "arrivals",
    "traces",
    "wanted",
    "histories",
    "links",
    "mapping",
    "members",
    "idle",
)
MAPPING_VIEWS = ("content", "elements")
CHUNK_TABLES = (
    "chunk",
    "spans",
    "calls",
    "orphans",
    "parents",
    "messages",
    "streams",
    "alone",
    "told",
    "matches",
    "echoes",
    "items",
    "numbered",
    "heads",
    "refs",
    "bodies",
    "steps",
    "span_totals",
    "step_totals",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssemblyResult:
    """What an assembly did.

    Attributes:
        traces: with new spans or logs.
        trajectories: written, from all of their spans.
        closed: for idleness, without a new span.
        rewritten: spans whose content was brought to canonical form.
    """

    traces: int
    trajectories: int
    closed: int
    rewritten: int


def assemble(context: Context) -> AssemblyResult:
    """Bring ``trajectories``, ``trajectory_steps`` and ``trajectory_traces`` up to date.

    Leaves the ids of what was written in ``changed_trajectories``.
    """
    assembly = _Assembly(context)
    try:
        return assembly.run()
    finally:
        assembly.clean()


def assemble_runs(context: Context, run_ids: Sequence[str], *, anew: bool = True) -> None:
    """Bring the trajectories of these runs of experiments up to date, and nothing else: no cursor moves.

    Leaves their ids in ``changed_trajectories``, and working tables empty but standing, for the next call
    of the same process to use unless it asks for them ``anew``: making them costs a sixth of it all.
    """
    _Assembly(context).run_of(run_ids, anew=anew)


class _Assembly:
    """One run, over the tables that it makes."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._version: Mapping[str, Any] = {"version": context.now_ms}
        self._idle: Mapping[str, Any] = {
            "version": context.now_ms,
            "idle_s": context.limits.idle_s,
        }

    def run(self) -> AssemblyResult:
        started = datetime.fromtimestamp(self._context.now_ms / 1000, UTC)
        self._create()
        cursor = self._arrivals()
        rewritten = self._tell_arrived()
        self._close_idle()
        self._run("insert_trajectory_traces", self._version)
        traces, trajectories, closed = self._context.rows("assembly/select_counts")[0]
        result = AssemblyResult(
            traces=traces, trajectories=trajectories, closed=closed, rewritten=rewritten
        )
        self._run(
            "insert_analysis",
            {
                "id": f"{self._context.now_ms}-{self._context.seed}",
                "started": started,
                "cursor": cursor,
                "traces": traces,
                "trajectories": trajectories,
                "closed": closed,
            },
        )
        return result

    def run_of(self, run_ids: Sequence[str], *, anew: bool) -> None:
        """Tell runs; their traces name them, so no history has to be compared."""
        if anew or not self._exist():
            self._create()
        self._run("insert_arrivals_runs", {"runs": list(run_ids)})
        self._tell_arrived(histories=False)
        self._run("insert_trajectory_traces", self._version)
        for name in ("days", *MAPPING_TABLES, *CHUNK_TABLES):
            self._empty(name)

    def clean(self) -> None:
        """Drop what only this run needs."""
        for name in (*MAPPING_VIEWS, "days", *MAPPING_TABLES, *CHUNK_TABLES, "links_followed"):
            kind = "VIEW" if name in MAPPING_VIEWS else "TABLE"
            self._context.client.command(f"DROP {kind} IF EXISTS {self._table(name)} SYNC")

    def _create(self) -> None:
        for name in ("changed", *(("days", *MAPPING_TABLES, *CHUNK_TABLES, *MAPPING_VIEWS))):
            self._run(f"create_{name}")

    def _exist(self) -> bool:
        """Empty ``changed_trajectories`` and say that all working tables stand, or that they do not."""
        names = ("days", *MAPPING_TABLES, *CHUNK_TABLES, *MAPPING_VIEWS)
        changed = self._context.renderer.table("changed_trajectories")
        tables = [changed, *map(self._table, names)]
        if not all(self._context.client.command(f"EXISTS TABLE {table}") == 1 for table in tables):
            return False
        self._context.client.command(f"TRUNCATE TABLE {changed}")
        return True

    def _table(self, name: str) -> str:
        return self._context.renderer.table(f"assembly_{name}")

    def _tell_arrived(self, *, histories: bool = True) -> int:
        """Tell the trajectories that arrivals belong to; return how many spans were rewritten for it."""
        arrived = self._count("count_arrivals")
        if not arrived:
            return 0
        if arrived < FEW_TRACES:
            limits = replace(self._context.limits, threads=1)
            self._context = replace(self._context, limits=limits)
        rewritten = canonicalise(self._context).rows
        self._map(histories=histories)
        self._tell()
        self._run("insert_steps_lost", self._version)
        self._run("insert_trajectories_lost", self._version)
        return rewritten

    def _arrivals(self) -> str:
        """Note which traces have news; return the cursor of the next run, as text."""
        last, now = self._context.rows("assembly/select_cursor")[0]
        if last is None:
            self._run("insert_arrivals_all")
        else:
            since = unix_text(last - self._context.limits.overlap_s * 1000)
            self._run("insert_arrivals_since", {"since": since})
        return unix_text(now)

    def _map(self, *, histories: bool) -> None:
        """Say which trajectory each arrived trace belongs to, and which traces the changed ones have."""
        self._run("insert_days_arrived")
        self._run("insert_traces")
        if histories:
            self._follow_histories()
        for name in ("mapping", "changed", "members"):
            self._run(f"insert_{name}")
        for name in ("arrivals", "traces", "histories", "links"):
            self._empty(name)  # their memory is needed

    def _follow_histories(self) -> None:
        """Find the trace that each trace without a conversation continues."""
        for name in ("wanted_histories", "histories", "links"):
            self._run(f"insert_{name}")
        while self._count("count_unfinished_links"):
            self._run("create_followed")
            self._empty("links")
            self._run("insert_links_followed")

    def _tell(self) -> None:
        """Write the changed trajectories and their steps, a chunk at a time."""
        limits = self._context.limits
        chunks = self._context.rows(
            "assembly/select_chunks",
            {"trajectories": limits.trajectories_a_chunk, "spans": SPANS_A_CHUNK},
        )
        self._context.progress.stage(
            "trajectories", sum(last - first + 1 for first, last in chunks)
        )
        for first, last in chunks:
            self._tell_chunk({"first": first, "last": last})
            self._context.progress.advance(last - first + 1)

    def _tell_chunk(self, chunk: Mapping[str, int]) -> None:
        for name in ("days", *CHUNK_TABLES):
            self._empty(name)
        self._run("insert_chunk", chunk)
        self._run("insert_days_chunk", chunk)
        for name in ("spans", "calls", "orphans"):
            self._run(f"insert_{name}")
        if self._count("count_orphans"):
            self._run("insert_parents")
        self._want("wanted_told")
        for name in ("messages", "streams", "alone", "told", "told_endings"):
            self._run(f"insert_{name}")
        self._match_tools()
        for name in ("said", "asked", "ran", "answered"):
            self._run(f"insert_items_{name}")
        for name in ("numbered", "heads", "refs"):
            self._run(f"insert_{name}")
        self._want("wanted_refs")
        self._run("insert_bodies_messages")
        self._want("wanted_ran")
        self._run("insert_bodies_ran")
        self._run("insert_steps")
        self._run("insert_trajectory_steps", {**chunk, **self._version})
        self._run("insert_steps_beyond", {**chunk, **self._version})
        self._run("insert_span_totals")
        self._run("insert_step_totals")
        self._run("insert_trajectories", {**chunk, **self._idle})

    def _match_tools(self) -> None:
        """Find the span that ran each call; results that no call asked for may come again as messages."""
        self._run("insert_matches_id")
        asked, ran = self._context.rows("assembly/count_unmatched")[0]
        if asked and ran:
            self._want("wanted_unmatched")
            self._run("insert_matches_arguments")
            self._run("insert_matches_name")
            ran = self._context.rows("assembly/count_unmatched")[0][1]
        if ran:
            self._want("wanted_unmatched")
            self._run("insert_echoes")

    def _close_idle(self) -> None:
        self._run("insert_idle", self._idle)
        self._run("insert_changed_idle")
        self._run("insert_trajectories_idle", self._version)

    def _want(self, name: str) -> None:
        self._empty("wanted")
        self._run(f"insert_{name}")

    def _empty(self, name: str) -> None:
        self._context.client.command(f"TRUNCATE TABLE {self._table(name)}")

    def _count(self, name: str) -> int:
        return int(self._context.rows(f"assembly/{name}")[0][0])

    def _run(self, name: str, parameters: Mapping[str, Any] | None = None) -> None:
        self._context.run(f"assembly/{name}", parameters)
