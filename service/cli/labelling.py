"""``spanloop label``: draw an audit sample, look at it, say what you think."""

import getpass
from typing import Annotated, Any

import typer

from spanloop.service.assessing import label
from spanloop.service.cli import stories
from spanloop.service.cli.exploring import exploring
from spanloop.service.cli.options import (
    ConfigOption,
    DataDirOption,
    JsonOption,
    print_facts,
    print_json,
    print_rows,
    settings_of,
)
from spanloop.service.config import Settings

labelling = typer.Typer(
    help="Label a random sample, so that rates hold for everyone.", no_args_is_help=True
)
SampleOption = Annotated[str, typer.Option("--sample", help="Default: the newest.")]
ReviewerOption = Annotated[
    str | None, typer.Option(help="Who judges; default: your name on this machine.")
]
FullOption = Annotated[bool, typer.Option("--full", help="Do not cut long texts.")]

DONE = "every trajectory of this sample has a label"
ANSWERS = {"y": "yes", "n": "no", "u": "unsure"}


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.add_typer(labelling, name="label")


@labelling.command("draw")
def draw(
    n: Annotated[int, typer.Option("--n", min=1, max=100_000, help="How many.")] = 50,
    agent: Annotated[str, typer.Option(help="Only of this agent.")] = "",
    release: Annotated[str, typer.Option(help="Only of this release.")] = "",
    since: Annotated[str | None, typer.Option(help="Begun then or later: 2026-11-25.")] = None,
    by_agent: Annotated[
        bool, typer.Option("--by-agent", help="In proportion within each agent.")
    ] = False,
    seed: Annotated[int | None, typer.Option(min=0, help="Default: the time.")] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw a random sample of closed, complete trajectories to be labelled."""
    drawn = label(
        settings_of(config, data_dir),
        "draw",
        seed=seed,
        n=n,
        agent=agent,
        release=release,
        since=since,
        stratified=by_agent,
    )
    print_facts(drawn, as_json=as_json)


@labelling.command("next")
def show_next(
    sample: SampleOption = "",
    full: FullOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the next trajectory of the sample that has no label."""
    settings = settings_of(config, data_dir)
    place = label(settings, "next", sample=sample)
    if as_json:
        print_json(place and {**place, "steps": _read(settings, place["trajectory"])["steps"]})
        return
    if place is None:
        typer.echo(DONE)
        return
    _show(settings, place, full=full)
    typer.echo(f"spanloop label set {place['trajectory']} --satisfied yes|no|unsure")


@labelling.command("show")
def show(
    trajectory: Annotated[
        str, typer.Argument(help="A trajectory, the beginning of its id, a conversation or trace.")
    ],
    full: FullOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Read a trajectory without what spanloop thinks of it, so that your label is your own."""
    stories.print_trajectory(_read(settings_of(config, data_dir), trajectory), full=full)


@labelling.command("set")
def set_label(
    trajectory: Annotated[
        str, typer.Argument(help="A trajectory, the beginning of its id, a conversation or trace.")
    ],
    satisfied: Annotated[str, typer.Option(help="yes, no or unsure")],
    note: Annotated[str, typer.Option(help="Why.")] = "",
    reviewer: ReviewerOption = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether the user of a trajectory got what they came for; a later word replaces yours."""
    said = {"reviewer": reviewer or getpass.getuser(), "note": note}
    done = label(
        settings_of(config, data_dir), "set", name=trajectory, verdict=satisfied, said=said
    )
    print_facts(done, as_json=as_json)


@labelling.command("status")
def status(
    config: ConfigOption = None, data_dir: DataDirOption = None, as_json: JsonOption = False
) -> None:
    """Show how far each sample is; only a complete one is what chance drew."""
    rows: list[dict[str, Any]] = label(settings_of(config, data_dir), "status")
    columns = (
        "sample",
        "drawn_at",
        "size",
        "labelled",
        "unsure",
        "disagreeing",
        "gone",
        "left",
        "complete",
    )
    print_rows(columns, [[row[name] for name in columns] for row in rows], as_json=as_json)


@labelling.command("review")
def review(
    sample: SampleOption = "",
    reviewer: ReviewerOption = None,
    full: FullOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Show one trajectory after the other and ask."""
    settings = settings_of(config, data_dir)
    name = reviewer or getpass.getuser()
    while (place := label(settings, "next", sample=sample)) is not None:
        _show(settings, place, full=full)
        answer = typer.prompt("Did the user get what they came for? y/n/u(nsure)/q(uit)")
        verdict = ANSWERS.get(answer.strip().lower()[:1])
        if answer.strip().lower().startswith("q"):
            return
        if verdict is None:
            typer.echo("y, n, u or q")
            continue
        said = {"reviewer": name, "note": ""}
        label(settings, "set", name=place["trajectory"], verdict=verdict, said=said)
    typer.echo(DONE)


def _show(settings: Settings, place: dict[str, Any], *, full: bool) -> None:
    typer.echo(
        f"sample {place['sample']}, {place['position']} of {place['size']}, {place['left']} left\n"
    )
    stories.print_trajectory(_read(settings, place["trajectory"]), full=full)


def _read(settings: Settings, trajectory: str) -> dict[str, Any]:
    """Return the trajectory without scores, symptoms and patterns: a reviewer must not be led."""
    with exploring(settings) as explorer:
        found = explorer.trajectory(trajectory)
    return {
        **found,
        "satisfaction": None,
        "patterns": [],
        "steps": [{**step, "symptoms": []} for step in found["steps"]],
    }
