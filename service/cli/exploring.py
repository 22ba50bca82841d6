"""``spanloop trajectories``, ``satisfaction`` and ``patterns``: what an analysis found."""

import contextlib
from collections.abc import Generator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from spanloop.processor.errors import ConfigError
from spanloop.service.access import client
from spanloop.service.cli import stories
from spanloop.service.cli.options import (
    ConfigOption,
    DataDirOption,
    JsonOption,
    print_json,
    settings_of,
)
from spanloop.service.cli.plots import bar
from spanloop.service.config import Settings
from spanloop.service.exploring import DIMENSIONS, Explorer, TrajectoryFilter
from spanloop.service.stores import make_renderer

trajectories = typer.Typer(help="Conversations, step by step.", invoke_without_command=True)
patterns = typer.Typer(help="Recurring failures.", invoke_without_command=True)

NOTHING_YET = "nothing yet: run `spanloop analyze` first"


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.add_typer(trajectories, name="trajectories")
    app.command("satisfaction")(satisfaction)
    app.add_typer(patterns, name="patterns")


@contextlib.contextmanager
def exploring(settings: Settings) -> Generator[Explorer, None, None]:
    """Yield an explorer of the configured store."""
    with client(settings) as connected:
        yield Explorer(client=connected, renderer=make_renderer(settings))


@trajectories.callback()
def list_trajectories(
    context: typer.Context,
    agent: Annotated[str, typer.Option(help="Only of this agent.")] = "",
    release: Annotated[str, typer.Option(help="Only of this release.")] = "",
    state: Annotated[str, typer.Option(help="open or closed.")] = "",
    pattern: Annotated[str, typer.Option(help="Only members of this pattern (its id).")] = "",
    below: Annotated[
        float | None, typer.Option(min=0, max=1, help="Probability of satisfaction at most.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Begun in the last so many days.")] = None,
    runs: Annotated[bool, typer.Option("--runs", help="Runs of experiments instead.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """List trajectories, newest first."""
    if context.invoked_subcommand is not None:
        return
    since = TrajectoryFilter().since if days is None else datetime.now(UTC) - timedelta(days=days)
    scope = {"agent": agent, "release": release, "state": state, "pattern": pattern}
    wanted = TrajectoryFilter(**scope, runs=runs, below=below, since=since, n=limit)
    with exploring(settings_of(config, data_dir)) as explorer:
        rows = explorer.trajectories(wanted)
    if as_json:
        print_json(rows)
        return
    _print_or_say_nothing(
        (
            "trajectory",
            "start",
            "agent",
            "turns",
            "tools",
            "errors",
            "complete",
            "satisfied",
            "opening",
        ),
        [
            (
                row["trajectory"][:12],
                f"{row['start']:%m-%d %H:%M}",
                row["agent"],
                row["turns"],
                row["tool_calls"],
                row["errors"] or "",
                bar(row["completeness"], width=5),
                stories.probability(row["satisfaction"]),
                stories.cut(row["opening"], 60),
            )
            for row in rows
        ],
        widest=8,
    )


@trajectories.command("show")
def show_trajectory(
    name: Annotated[
        str,
        typer.Argument(help="A trajectory, the beginning of its id, a conversation or a trace."),
    ],
    full: Annotated[bool, typer.Option("--full", help="Do not cut long texts.")] = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read one trajectory like the conversation it was, with what looks wrong beside each step."""
    with exploring(settings_of(config, data_dir)) as explorer:
        found = explorer.trajectory(name)
    if as_json:
        print_json(found)
        return
    stories.print_trajectory(found, full=full)


def satisfaction(
    by: Annotated[str, typer.Option(help=", ".join(DIMENSIONS))] = "all",
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what share of trajectories satisfied their users, with an interval and how it was measured."""
    if by not in DIMENSIONS:
        raise ConfigError(f"--by {by!r} is none of {', '.join(DIMENSIONS)}")
    with exploring(settings_of(config, data_dir)) as explorer:
        rows = explorer.rates(by)
    if as_json:
        print_json(rows)
        return
    _print_or_say_nothing(*stories.rates_table(by, rows), widest=0)


@patterns.callback()
def list_patterns(
    context: typer.Context,
    category: Annotated[str, typer.Option(help="Only of this category.")] = "",
    state: Annotated[str, typer.Option(help="new, open, mitigated, resolved, regressed")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1_000)] = 20,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """List failure patterns, the most harmful first.

    Lift: percentage points by which dissatisfaction rises where the pattern shows, among trajectories of the
    same intent and agent, with its 95 % interval; "unproven" where no outcome was observed to prove it.
    """
    if context.invoked_subcommand is not None:
        return
    with exploring(settings_of(config, data_dir)) as explorer:
        rows = explorer.patterns(category=category, state=state, n=limit)
    if as_json:
        print_json(rows)
        return
    _print_or_say_nothing(*stories.patterns_table(rows), widest=1)


@patterns.command("show")
def show_pattern(
    name: Annotated[str, typer.Argument(help="A pattern's id, or the beginning of it.")],
    examples: Annotated[int, typer.Option(min=0, max=1_000, help="Members to show.")] = 5,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one pattern: what it is, how sure that is, and members down to the step."""
    with exploring(settings_of(config, data_dir)) as explorer:
        found = explorer.pattern(name, n=examples)
    if as_json:
        print_json(found)
        return
    stories.print_pattern(found)


def _print_or_say_nothing(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], *, widest: int
) -> None:
    if not rows:
        typer.echo(NOTHING_YET)
        return
    stories.print_table(columns, rows, widest=widest)
