"""What an analysis found, read from the store: the facts behind the commands and their ``--json``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from clickhouse_connect.driver.client import Client

from spanloop.exporter.render import Renderer
from spanloop.processor.errors import PermanentError

Row = dict[str, Any]

DIMENSIONS = ("all", "agent", "release", "intent", "day", "agent_day")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrajectoryFilter:
    """Which trajectories to list; '' means any.

    Attributes:
        runs: runs of experiments instead of production.
        below: only those whose probability of satisfaction is known and at most this.
    """

    agent: str = ""
    release: str = ""
    state: str = ""
    pattern: str = ""
    runs: bool = False
    below: float | None = None
    since: datetime = datetime(1970, 1, 2, tzinfo=UTC)
    n: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Explorer:
    """Answers about trajectories, satisfaction and patterns."""

    client: Client
    renderer: Renderer

    def trajectories(self, wanted: TrajectoryFilter) -> Sequence[Row]:
        """List trajectories, newest first."""
        return self._rows(
            "select_trajectories",
            agent=wanted.agent,
            release=wanted.release,
            state=wanted.state,
            pattern=wanted.pattern,
            runs=wanted.runs,
            least=-1.0 if wanted.below is None else 0.0,
            most=1.0 if wanted.below is None else wanted.below,
            since=wanted.since,
            n=wanted.n,
        )

    def trajectory(self, name: str) -> Row:
        """Return one trajectory with its steps and what is thought of it.

        Raises:
            PermanentError: none, or several, are called so.
        """
        found = self._one("select_trajectory", name, "trajectory")
        identity = found["trajectory"]
        return {
            **found,
            **self._rows("select_judgements", id=identity)[0],
            "steps": self._rows("select_steps", id=identity),
        }

    def rates(self, dimension: str) -> Sequence[Row]:
        """Return the newest estimates along ``dimension``."""
        return self._rows("select_rates", dimension=dimension)

    def patterns(self, *, category: str = "", state: str = "", n: int = 20) -> Sequence[Row]:
        """List patterns, the most harmful first, each with its counts of the last days."""
        daily = {row["pattern"]: row["counts"] for row in self._rows("select_daily_members")}
        listed = self._rows("select_patterns", category=category, state=state, n=n)
        return [{**row, "daily": daily.get(row["pattern"], [])} for row in listed]

    def pattern(self, name: str, *, n: int = 5) -> Row:
        """Return one pattern with its newest members and the step at which each went wrong.

        Raises:
            PermanentError: none, or several, are called so.
        """
        found = self._one("select_pattern", name, "pattern")
        return {**found, "examples": self._rows("select_members", id=found["pattern"], n=n)}

    def _one(self, query: str, name: str, kind: str) -> Row:
        rows = self._rows(query, id=name)
        if not rows:
            raise PermanentError(
                f"there is no {kind} {name!r}; list them with `spanloop {kind_command(kind)}` "
                "(after `spanloop analyze`)"
            )
        if len(rows) > 1 and rows[0][kind] != name:
            raise PermanentError(
                f"several {kind_command(kind)} begin with {name!r}; give more of it"
            )
        return rows[0]

    def _rows(self, query: str, **parameters: Any) -> list[Row]:
        result = self.client.query(
            self.renderer.render_text(_statement(query)), parameters=parameters
        )
        return [
            dict(zip(result.column_names, map(_in_utc, row), strict=True))
            for row in result.result_rows
        ]


def _in_utc(value: Any) -> Any:
    """Return a time without its zone, in UTC, whatever zone the database is in; anything else as it is.

    >>> _in_utc(datetime.fromisoformat("2026-01-01T09:00+09:00"))
    datetime.datetime(2026, 1, 1, 0, 0)
    """
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    return value


def kind_command(kind: str) -> str:
    """Return the command that lists things of ``kind``."""
    plurals = {"trajectory": "trajectories", "experiment": "experiment show"}
    return plurals.get(kind, f"{kind}s")


@cache
def _statement(name: str) -> str:
    return files("spanloop.service.queries").joinpath(f"{name}.sql").read_text(encoding="utf-8")


def lift_text(row: Mapping[str, Any]) -> str:
    """Say a lift in points with its interval, or why there is none.

    >>> lift_text({"lift": 0.213, "lift_low": 0.1, "lift_high": 0.32, "basis": "labels"})
    '+21 [+10, +32]'
    >>> lift_text({"lift": None, "lift_low": None, "lift_high": None, "basis": "score association"})
    'unproven'
    """
    if row["lift"] is None:
        return "unproven"
    low, high = row["lift_low"], row["lift_high"]
    bounds = "" if low is None or high is None else f" [{low * 100:+.0f}, {high * 100:+.0f}]"
    return f"{row['lift'] * 100:+.0f}{bounds}"
