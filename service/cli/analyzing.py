"""``spanloop analyze``."""

import contextlib
from collections.abc import Generator

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from spanloop.service.cli.options import (
    ConfigOption,
    DataDirOption,
    JsonOption,
    print_json,
    print_rows,
    settings_of,
)
from spanloop.service.jobs import OnEvent


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("analyze")(analyze_command)


def analyze_command(
    config: ConfigOption = None, data_dir: DataDirOption = None, as_json: JsonOption = False
) -> None:
    """Turn what arrived into trajectories, satisfaction and failure patterns. Costs no tokens unless told."""
    from spanloop.service.analyzing import analyze  # numpy and scikit-learn take a second to load

    settings = settings_of(config, data_dir)
    with shown_progress(quiet=as_json) as on_event:
        answer = analyze(settings, on_event)
    if as_json:
        print_json(answer)
        return
    print_rows(
        ("stage", "seconds", "cpu_seconds", "tokens", "did"),
        [
            (
                stage["stage"],
                f"{stage['seconds']:.1f}",
                f"{stage['cpu_seconds']:.1f}",
                stage["tokens"],
                ", ".join(f"{n:,} {name}" for name, n in stage["counts"].items()),
            )
            for stage in answer["stages"]
        ],
        as_json=False,
    )
    for note in (note for stage in answer["stages"] for note in stage["notes"]):
        typer.echo(f"note: {note}")
    typer.echo("Next: spanloop patterns, spanloop satisfaction --by agent, spanloop trajectories")


@contextlib.contextmanager
def shown_progress(*, quiet: bool) -> Generator[OnEvent, None, None]:
    """Yield a callable that shows progress on a terminal, and nothing elsewhere."""
    console = Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description:<24}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    )
    with progress:
        task = progress.add_task("starting", total=None)

        def on_event(stage: str, total: int | None, done: int) -> None:
            progress.update(task, description=stage, total=total, completed=done)

        yield on_event
