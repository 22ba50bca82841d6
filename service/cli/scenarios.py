"""``spanloop scenarios``: situations of production that can be played again."""

import contextlib
import sys
from collections.abc import Generator, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from spanloop.processor.errors import ConfigError
from spanloop.service.access import client
from spanloop.service.cli import stories
from spanloop.service.cli.options import (
    ConfigOption,
    DataDirOption,
    JsonOption,
    print_facts,
    print_json,
    printable,
    settings_of,
)
from spanloop.service.config import Settings
from spanloop.service.exploring import Row
from spanloop.service.scenarios import SPLITS, STATES, ScenarioExplorer, ScenarioFilter
from spanloop.service.stores import make_renderer

scenarios = typer.Typer(
    help="Situations of production that can be played again.", invoke_without_command=True
)

UnlockOption = Annotated[
    bool,
    typer.Option(
        "--unlock",
        help="Also what test and fresh scenarios hold. Whoever tunes an agent by that makes every later "
        "verdict on it worthless, until the locked set is rotated.",
    ),
]
SplitOption = Annotated[str, typer.Option(help=f"Only of this split: {', '.join(SPLITS)}.")]
AgentOption = Annotated[str, typer.Option(help="Only of this agent.")]
SHOWN_CALLS = 12
LOCKED_TEXT = "(locked: --unlock shows it)"


class Format(StrEnum):
    """How scenarios are exported."""

    JSONL = "jsonl"


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.add_typer(scenarios, name="scenarios")


@contextlib.contextmanager
def exploring(settings: Settings, *, unlocked: bool) -> Generator[ScenarioExplorer, None, None]:
    """Yield an explorer of the configured store."""
    with client(settings) as connected:
        renderer = make_renderer(settings)
        yield ScenarioExplorer(client=connected, renderer=renderer, unlocked=unlocked)


@scenarios.callback()
def list_scenarios(
    context: typer.Context,
    agent: AgentOption = "",
    split: SplitOption = "",
    state: Annotated[str, typer.Option(help=", ".join(STATES))] = "active",
    pattern: Annotated[str, typer.Option(help="Only aimed at this pattern (its id).")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
    unlock: UnlockOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """List scenarios, those that stand for most of their agent's traffic first."""
    if context.invoked_subcommand is not None:
        return
    if state and state not in STATES:
        raise ConfigError(f"--state {state!r} is none of {', '.join(STATES)}")
    wanted = ScenarioFilter(agent=agent, split=_known(split), state=state, pattern=pattern, n=limit)
    with exploring(settings_of(config, data_dir), unlocked=unlock) as explorer:
        rows = explorer.scenarios(wanted)
    if as_json:
        print_json(rows)
    elif rows:
        stories.print_table(*_table(rows), widest=8)
    else:
        typer.echo("nothing yet: run `spanloop optimize` first")


@scenarios.command("show")
def show_scenario(
    name: Annotated[str, typer.Argument(help="A scenario's id, or the beginning of it.")],
    unlock: UnlockOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one scenario: what the user says, what the tools answer, what success is."""
    with exploring(settings_of(config, data_dir), unlocked=unlock) as explorer:
        found = explorer.scenario(name)
    if as_json:
        print_json(found)
        return
    print_scenario(found)


@scenarios.command("export")
def export_scenarios(
    agent: AgentOption = "",
    split: SplitOption = "",
    form: Annotated[
        Format, typer.Option("--format", help="One JSON object a line.")
    ] = Format.JSONL,
    unlock: UnlockOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the active scenarios in full, train and validation unless unlocked."""
    del form  # the only one
    with exploring(settings_of(config, data_dir), unlocked=unlock) as explorer:
        rows = explorer.export(agent=agent, split=_known(split))
        if as_json:
            print_json(list(rows))
            return
        for row in rows:
            print_json(row)
    sys.stdout.flush()


def print_scenario(found: Row) -> None:
    """Print a scenario: facts, then what is played, as far as it is unlocked."""
    print_facts(_facts(found), as_json=False)
    if found["content"] is not None:
        _print_content(found["content"])


def _known(split: str) -> str:
    if split and split not in SPLITS:
        raise ConfigError(f"--split {split!r} is none of {', '.join(SPLITS)}")
    return split


def _table(rows: Sequence[Row]) -> stories.TableRows:
    columns = (
        "scenario",
        "agent",
        "split",
        "from",
        "traffic",
        "satisfied",
        "calls",
        "last seen",
        "what the user wants",
    )
    return columns, [
        (
            row["scenario"][:8],
            row["agent"],
            row["split"],
            row["origin"],
            stories.percent(row["weight"]),
            stories.probability(row["production_satisfied"]),
            row["tape_calls"],
            f"{row['last_seen']:%m-%d}",
            LOCKED_TEXT if row["goal"] is None else row["goal"],
        )
        for row in rows
    ]


def _facts(found: Row) -> dict[str, Any]:
    return {
        "scenario": found["scenario"],
        "agent": found["agent"] or None,
        "goal": LOCKED_TEXT if found["goal"] is None else found["goal"],
        "state": found["state"] + (f" into {found['merged_into']}" if found["merged_into"] else ""),
        "split": f"{found['split']}, generation {found['generation']}",
        "made from": f"{found['origin']}, {len(found['trajectories'])} recordings, "
        f"{found['first_seen']:%Y-%m-%d} to {found['last_seen']:%Y-%m-%d}",
        "stands for": f"{stories.percent(found['weight'])} of the traffic, as far as its split covers it",
        "patterns": ", ".join(pattern[:8] for pattern in found["patterns"]) or None,
        "satisfied": stories.probability(found["production_satisfied"]),
        "validity": f"{found['validity']} ({found['validity_runs']} replays)",
    }


def _print_content(content: Row) -> None:
    console = Console()
    console.print()
    console.print(Text(f"user ({content['persona']})", style=stories.STYLES["user"]))
    console.print(Text(_indented(content["opening"])))
    for turn in content["turns"]:
        note = " only if the same failure shows:" if turn["reaction"] else ""
        console.print(Text(f"user{note}", style=stories.STYLES["user"]))
        console.print(Text(_indented(turn["text"])))
        if turn["facts"]:
            console.print(
                Text(f"     tells first: {printable(', '.join(turn['facts']))}", style="dim")
            )
    console.print(Text(f"tape, {len(content['tape'])} calls", style=stories.STYLES["tool"]))
    for call in content["tape"][:SHOWN_CALLS]:
        wrote = " (changes something)" if call["writes"] else ""
        line = f"{call['tool']}({stories.cut(call['arguments'], 60)}){wrote} → {call['result']}"
        console.print(Text(f"     {printable(stories.cut(line, 130))}"))
    console.print(Text("success", style="bold"))
    for criterion in content["criteria"]:
        line = f"{criterion['kind']} {criterion['name']} {criterion['value']}"
        console.print(Text(f"     {criterion['support']:.2f}  {printable(stories.cut(line, 120))}"))


def _indented(text: str) -> str:
    return "\n".join(f"     {line}" for line in printable(text).splitlines())
