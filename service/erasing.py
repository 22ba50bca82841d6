"""Erase what a store holds of a person or a conversation: what they sent, and all that was made of it.

Rows are rewritten, not marked, before an erasure returns. It may be repeated after a fault: the tables that
tell what belongs to a subject are erased last.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from clickhouse_connect.driver.client import Client

from spanloop.exporter.render import Renderer, quote_string
from spanloop.optimizer.context import unix_ms
from spanloop.optimizer.statements import working_tables
from spanloop.processor.errors import PermanentError

BY_TRAJECTORY = (
    "pattern_members",
    "trajectory_symptoms",
    "trajectory_features",
    "trajectory_satisfaction",
    "trajectory_steps",
    "label_samples",
)
BY_TRACE = (
    "pattern_members",
    "trajectory_symptoms",
    "trajectory_steps",
    "assessments",
    "annotations",
    "canonical_messages",
    "trace_arrivals",
    "otel_logs",
    "otel_traces_trace_id_ts",
    "otel_traces",
    "genai_spans",
)
NAMING = ("trajectory_traces", "trajectories")
"""Erased last: by them a repeat finds what is left of a trajectory."""

TABLES = tuple(dict.fromkeys((*BY_TRAJECTORY, *BY_TRACE, "candidates", "scenarios", *NAMING)))
REPLIES = "replies.sqlite"
"""In the data directory: replies of models, so that none is paid for twice."""
# Ids in one statement: the engine reads at most 256 KiB of SQL.
IDS_A_STATEMENT = 2_000
BYTES_A_STATEMENT = 128 * 1024
# Where a person or conversation is named outside genai_spans.
USER_KEYS = ("user.id", "enduser.id", "enduser.pseudo.id", "langfuse.user.id")
CONVERSATION_KEYS = ("gen_ai.conversation.id", "session.id", "langfuse.session.id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose data is meant: exactly one of the two."""

    user: str | None = None
    conversation: str | None = None

    def __post_init__(self) -> None:
        """Refuse an empty or doubled subject: deleting nothing or too much must not look like success."""
        if (self.user is None) == (self.conversation is None) or not (
            self.user or self.conversation
        ):
            raise PermanentError("name exactly one of --user and --conversation, not empty")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Involved:
    """What belongs to a subject; ``played`` are traces of runs of its scenarios, also among ``traces``."""

    traces: Sequence[str]
    trajectories: Sequence[str]
    conversations: Sequence[str]
    scenarios: Sequence[str]
    played: Sequence[str]


class _Eraser:
    """Erases on one store and counts what went."""

    def __init__(self, client: Client, renderer: Renderer) -> None:
        self._client = client
        self._renderer = renderer
        found = client.query(
            "SELECT name FROM system.tables WHERE database = {db:String}",
            parameters={"db": renderer.settings.database},
        )
        # A store that an older version made lacks the newer ones.
        self._existing = {str(row[0]) for row in found.result_rows}
        self.erased = Counter(dict.fromkeys((t for t in TABLES if t in self._existing), 0))

    def ids(self, table: str, column: str, condition: str) -> list[str]:
        """Return the distinct non-empty values of ``column`` where ``condition`` holds."""
        if table not in self._existing:
            return []
        final = "FINAL" if table in NAMING else ""
        rows = self._client.query(
            f"SELECT DISTINCT {column} FROM {self._renderer.table(table)} {final} WHERE {condition}"  # noqa: S608  # quoted
        ).result_rows
        return [str(row[0]) for row in rows if row[0]]

    def among(self, table: str, column: str, key: str, values: Sequence[str]) -> list[str]:
        """Return the distinct values of ``column`` in rows whose ``key`` is one of ``values``."""
        conditions = (f"{key} IN ({listed})" for listed in _listed(values))
        found = (value for c in conditions for value in self.ids(table, column, c))
        return list(dict.fromkeys(found))

    def erase(self, table: str, condition: str) -> None:
        """Rewrite ``table`` without the rows of ``condition``."""
        if table not in self._existing:
            return
        qualified = self._renderer.table(table)
        counted = self._client.query(f"SELECT count() FROM {qualified} WHERE {condition}")  # noqa: S608  # quoted
        rows = int(counted.result_rows[0][0])
        if rows:
            self._client.command(
                f"ALTER TABLE {qualified} {self._renderer.on_cluster} DELETE WHERE {condition}",
                settings={"mutations_sync": 2},
            )
        self.erased[table] += rows

    def drop_working_tables(self) -> None:
        """Drop what the last analysis left of its working: it may tell of anybody; the next makes it anew."""
        for table in sorted(working_tables() & self._existing):
            self._client.command(
                f"DROP TABLE IF EXISTS {self._renderer.table(table)} {self._renderer.on_cluster} SYNC"
            )


def delete(client: Client, renderer: Renderer, subject: Subject) -> dict[str, int]:
    """Erase every trace, log record and trajectory that names ``subject``; return rows erased per table.

    Whole traces go, and whole trajectories with all their traces: a person's words stand in more spans than
    the one that names them.
    """
    eraser = _Eraser(client, renderer)
    involved = _involved(eraser, subject)
    eraser.drop_working_tables()
    for listed in _listed(involved.trajectories):
        for table in BY_TRAJECTORY:
            eraser.erase(table, f"TrajectoryId IN ({listed})")
    for listed in _listed(involved.conversations):
        eraser.erase("assessments", f"ConversationId IN ({listed})")
        eraser.erase("otel_logs", _any_key("LogAttributes", CONVERSATION_KEYS, f"IN ({listed})"))
    if subject.user:
        eraser.erase("assessments", f"Assessor = {quote_string(subject.user)}")
    for listed in _listed(involved.traces):
        for table in BY_TRACE:
            eraser.erase(table, f"TraceId IN ({listed})")
    eraser.erase("otel_logs", _attribute_condition("LogAttributes", subject))
    # In this order: a repeat finds runs by their scenarios, and scenarios by whom they are of.
    _erase_naming(eraser, involved.played, ())
    for listed in _listed(involved.scenarios):
        # What a scan refused may quote them; what passed the scans quotes nobody.
        eraser.erase("candidates", f"State = 'refused' AND hasAny(Scenarios, [{listed}])")
        eraser.erase("scenarios", f"ScenarioId IN ({listed})")  # derived anew of what is left
    _erase_naming(eraser, involved.traces, involved.trajectories)
    return dict(eraser.erased)


def forget_replies(directory: Path) -> None:
    """Forget every model reply kept in a data directory: keyed by hashes, any may quote anybody.

    Only for who knows that no cycle runs.

    Raises:
        PermanentError: they cannot be erased.
    """
    path = directory / REPLIES
    if not path.exists():
        return
    from spanloop.optimizer.models.cache import ReplyCache  # takes a third of a second to load

    try:
        cache = ReplyCache(path, now_ms=unix_ms)
        try:
            cache.clear()
        finally:
            cache.close()
    except sqlite3.Error as error:
        raise PermanentError(
            f"{path} may hold their data and cannot be cleared ({error}): "
            f"remove it, then delete again"
        ) from error


def _erase_naming(eraser: _Eraser, traces: Sequence[str], trajectories: Sequence[str]) -> None:
    for listed in _listed(traces):
        eraser.erase("trajectory_traces", f"TraceId IN ({listed})")
        eraser.erase("trajectories", f"hasAny(TraceIds, [{listed}])")  # earlier versions too
    for listed in _listed(trajectories):
        for table in NAMING:
            eraser.erase(table, f"TrajectoryId IN ({listed})")


def _involved(eraser: _Eraser, subject: Subject) -> _Involved:
    value = quote_string(subject.user or subject.conversation or "")
    column = "UserId" if subject.user else "ConversationId"
    named = [
        *eraser.ids("genai_spans", "TraceId", f"{column} = {value}"),
        *eraser.ids("otel_traces", "TraceId", _attribute_condition("SpanAttributes", subject)),
    ]
    trajectories = [
        *eraser.ids("trajectories", "TrajectoryId", f"{column} = {value}"),
        *eraser.among("trajectory_traces", "TrajectoryId", "TraceId", list(dict.fromkeys(named))),
    ]
    scenarios = _scenarios_of(eraser, named, trajectories)
    # What a scenario holds of somebody was said again in every run of it.
    played = eraser.among("experiment_runs", "arrayJoin(TraceIds)", "ScenarioId", scenarios)
    named += played
    trajectories += eraser.among("trajectory_traces", "TrajectoryId", "TraceId", played)
    trajectories = list(dict.fromkeys(trajectories))
    traces = [*named, *eraser.among("trajectory_traces", "TraceId", "TrajectoryId", trajectories)]
    conversations = eraser.among("trajectories", "ConversationId", "TrajectoryId", trajectories)
    if subject.conversation:
        conversations = [subject.conversation, *conversations]
    return _Involved(
        traces=list(dict.fromkeys(traces)),
        trajectories=trajectories,
        conversations=list(dict.fromkeys(conversations)),
        scenarios=scenarios,
        played=played,
    )


def _scenarios_of(eraser: _Eraser, traces: Sequence[str], trajectories: Sequence[str]) -> list[str]:
    """Return the scenarios any version of which is made of one of ``traces`` or ``trajectories``."""
    made_of = [
        *(f"hasAny(TraceIds, [{listed}])" for listed in _listed(traces)),
        *(f"hasAny(Trajectories, [{listed}])" for listed in _listed(trajectories)),
    ]
    found = (name for made in made_of for name in eraser.ids("scenarios", "ScenarioId", made))
    return list(dict.fromkeys(found))


def _listed(ids: Sequence[str]) -> Iterator[str]:
    """Yield ``ids`` quoted, as many at a time as fit into a statement."""
    batch: list[str] = []
    size = 0
    for quoted in map(quote_string, ids):
        length = len(quoted.encode()) + 2
        if batch and (len(batch) == IDS_A_STATEMENT or size + length > BYTES_A_STATEMENT):
            yield ", ".join(batch)
            batch, size = [], 0
        batch.append(quoted)
        size += length
    if batch:
        yield ", ".join(batch)


def _attribute_condition(column: str, subject: Subject) -> str:
    keys = USER_KEYS if subject.user else CONVERSATION_KEYS
    return _any_key(column, keys, f"= {quote_string(subject.user or subject.conversation or '')}")


def _any_key(column: str, keys: Sequence[str], test: str) -> str:
    return "(" + " OR ".join(f"{column}[{quote_string(key)}] {test}" for key in keys) + ")"
