"""``spanloop releases``: what agents run under, who let it in, and taking it out again."""

import getpass
from pathlib import Path
from typing import Annotated, Any

import typer

from spanloop.service.cli.options import (
    ConfigOption,
    DataDirOption,
    JsonOption,
    print_facts,
    print_json,
    print_rows,
    settings_of,
)
from spanloop.service.releasing import live_settings, read_configuration, releases

commands = typer.Typer(
    help="Versioned configurations: list, approve, refuse, roll back (docs/releases.md).",
    invoke_without_command=True,
)
ReleaseArgument = Annotated[str, typer.Argument(help="A release id, or the beginning of it.")]
ShareOption = Annotated[
    float, typer.Option(min=0.001, max=1.0, help="Of conversations; below 1: as a canary.")
]
ReasonOption = Annotated[str, typer.Option(help="Why; kept in the audit trail.")]
ActorOption = Annotated[
    str | None, typer.Option(help="Who decides; default: your name on this machine.")
]

LISTED = ("release", "agent", "number", "state", "share", "effect", "live_effect", "activated_at")
CHECKED = ("agent", "decision", "release_id", "reason")
FIGURES = ("effect", "low", "high", "n", "n_other", "e_worse")
EVENT_COLUMNS = ("at", "action", "actor", "reason", "evidence")


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.add_typer(commands, name="releases")


@commands.callback()
def list_releases(
    context: typer.Context,
    agent: Annotated[str, typer.Option(help="Only of this agent.")] = "",
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """List releases by agent and number."""
    if context.invoked_subcommand is not None:
        return
    found: list[dict[str, Any]] = releases(settings_of(config, data_dir), "list", agent=agent)
    if as_json:
        print_json(found)
        return
    print_rows(LISTED, [[row[name] for name in LISTED] for row in found], as_json=False)


@commands.command("show")
def show(
    release: ReleaseArgument,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a release: its configuration, what live traffic says, who did what and why."""
    found: dict[str, Any] = releases(settings_of(config, data_dir), "show", release=release)
    if as_json:
        print_json(found)
        return
    print_facts({name: v for name, v in found.items() if name != "events"}, as_json=False)
    events = [[event[name] for name in EVENT_COLUMNS] for event in found["events"]]
    print_rows(EVENT_COLUMNS, events, as_json=False, title="\nAudit trail")


@commands.command("register")
def register_configuration(
    agent: Annotated[str, typer.Argument(help="gen_ai.agent.name of the agent.")],
    file: Annotated[Path, typer.Argument(help="YAML or JSON: components, tools, parameters.")],
    share: ShareOption = 1.0,
    reason: ReasonOption = "",
    actor: ActorOption = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what production runs: FILE becomes the current release of AGENT, or its canary."""
    settings = settings_of(config, data_dir)
    done = releases(
        settings,
        "register",
        agent=agent,
        configuration=read_configuration(file).model_dump(mode="json"),
        project=settings.project,
        share=share,
        **_who(actor, reason),
    )
    print_facts(done, as_json=as_json)


@commands.command("approve")
def approve(
    release: ReleaseArgument,
    share: ShareOption = 1.0,
    reason: ReasonOption = "",
    actor: ActorOption = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a proposed release or a canary into production, for all conversations or a share."""
    who = _who(actor, reason)
    settings = settings_of(config, data_dir)
    print_facts(releases(settings, "approve", release=release, share=share, **who), as_json=as_json)


@commands.command("refuse")
def refuse(
    release: ReleaseArgument,
    reason: ReasonOption = "",
    actor: ActorOption = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say no to a proposed release."""
    who = _who(actor, reason)
    settings = settings_of(config, data_dir)
    print_facts(releases(settings, "refuse", release=release, **who), as_json=as_json)


@commands.command("roll-back")
def roll_back(
    release: ReleaseArgument,
    reason: ReasonOption = "",
    actor: ActorOption = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a canary or the current release out of production."""
    who = _who(actor, reason)
    settings = settings_of(config, data_dir)
    print_facts(releases(settings, "roll_back", release=release, **who), as_json=as_json)


@commands.command("check")
def check(
    agent: Annotated[str, typer.Option(help="Only this agent.")] = "",
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at the live traffic of canaries and new releases, and roll back or promote by it."""
    settings = settings_of(config, data_dir)
    found: list[dict[str, Any]] = releases(
        settings, "check", agent=agent, live=live_settings(settings)
    )
    if as_json:
        print_json(found)
        return
    rows = [[row[name] for name in CHECKED] + _figures(row["evidence"]) for row in found]
    print_rows((*CHECKED, *FIGURES), rows, as_json=False)


def _figures(evidence: dict[str, Any]) -> list[Any]:
    values = (evidence.get(name) for name in FIGURES)
    return [round(v, 3) if isinstance(v, float) else v for v in values]


def _who(actor: str | None, reason: str) -> dict[str, str]:
    return {"actor": actor or getpass.getuser(), "reason": reason}
