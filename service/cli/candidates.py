"""``spanloop candidates``: edits that were proposed, what was found in them, what became of them."""

import contextlib
from collections.abc import Generator, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from spanloop.processor.errors import ConfigError
from spanloop.service.access import client
from spanloop.service.candidates import STATES, CandidateExplorer, CandidateFilter
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
from spanloop.service.stores import make_renderer

candidates = typer.Typer(
    help="Edits proposed to an agent's configuration.", invoke_without_command=True
)

_STYLES = {"---": "bold", "+++": "bold", "-": "red", "+": "green"}


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.add_typer(candidates, name="candidates")


@contextlib.contextmanager
def exploring(settings: Settings) -> Generator[CandidateExplorer, None, None]:
    """Yield an explorer of the configured store."""
    with client(settings) as connected:
        yield CandidateExplorer(client=connected, renderer=make_renderer(settings))


@candidates.callback()
def list_candidates(
    context: typer.Context,
    agent: Annotated[str, typer.Option(help="Only of this agent.")] = "",
    state: Annotated[str, typer.Option(help=", ".join(STATES))] = "",
    pattern: Annotated[str, typer.Option(help="Only aimed at this pattern (its id).")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """List candidates, the newest first."""
    if context.invoked_subcommand is not None:
        return
    if state and state not in STATES:
        raise ConfigError(f"--state {state!r} is none of {', '.join(STATES)}")
    wanted = CandidateFilter(agent=agent, state=state, pattern=pattern, n=limit)
    with exploring(settings_of(config, data_dir)) as explorer:
        rows = explorer.candidates(wanted)
    if as_json:
        print_json(rows)
    elif rows:
        stories.print_table(*_table(rows), widest=6)
    else:
        typer.echo("nothing yet: run `spanloop optimize` first")


@candidates.command("show")
def show_candidate(
    name: Annotated[str, typer.Argument(help="A candidate's id, or the beginning of it.")],
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one candidate: what it changes, why it should help, what the scans found."""
    with exploring(settings_of(config, data_dir)) as explorer:
        found = explorer.candidate(name)
    if as_json:
        print_json(found)
        return
    print_candidate(found)


def print_candidate(found: Row) -> None:
    """Print a candidate: facts, then its edits as a diff."""
    # Imported when asked for: what knows edits loads what knows scenarios, which takes seconds.
    from spanloop.optimizer.candidates.candidate import Edit
    from spanloop.optimizer.candidates.edits import diff

    console = Console()
    print_facts(_facts(found), as_json=False)
    for reason in found["reasons"]:
        console.print(Text(f"  ✗ {printable(reason)}", style="red"))
    console.print()
    edits = [Edit.model_validate(edit) for edit in found["edits"]]
    for line in printable(diff(edits)).splitlines():
        style = next((style for mark, style in _STYLES.items() if line.startswith(mark)), "")
        console.print(Text(line, style=style))


def _table(rows: Sequence[Row]) -> stories.TableRows:
    columns = ("candidate", "made", "agent", "state", "engine", "intervention", "why", "tokens")
    return columns, [
        (
            row["candidate"][:8],
            f"{row['created_at']:%m-%d %H:%M}",
            row["agent"],
            row["state"],
            row["engine"],
            row["intervention"],
            "; ".join(row["reasons"]) or row["rationale"],
            row["tokens"],
        )
        for row in rows
    ]


def _facts(found: Row) -> dict[str, Any]:
    return {
        "candidate": found["candidate"],
        "agent": found["agent"],
        "state": found["state"],
        "aimed at": f"pattern {found['pattern'][:16]} ({found['category']})",
        "intervention": f"{found['intervention'] or 'none'}, by {found['engine']}"
        + (f", strategy {found['strategy'][:8]}" if found["strategy"] else ""),
        "why": found["rationale"] or None,
        "configuration": f"{found['baseline'][:12]} → {found['result'][:12] or 'cannot be applied'}",
        "evidence": f"{len(found['scenarios'])} train scenarios",
        "cost": f"{found['tokens']} tokens, "
        + ("price unknown" if found["cost_usd"] is None else f"{found['cost_usd']:.4f} USD"),
        "made": f"{found['created_at']:%Y-%m-%d %H:%M}, cycle {found['cycle'][:8] or 'none'}",
    }
