"""``spanloop annotate``."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, cast

import typer

from spanloop.optimizer.annotations.note import KINDS, Kind
from spanloop.service.cli.analyzing import shown_progress
from spanloop.service.cli.options import (
    ConfigOption,
    DataDirOption,
    JsonOption,
    moment_ms,
    print_json,
    print_rows,
    settings_of,
)


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("annotate")(annotate_command)


def annotate_command(
    endpoint: Annotated[
        str | None, typer.Option(help="OTLP endpoint of your Collector, Jaeger or Tempo.")
    ] = None,
    http: Annotated[bool, typer.Option("--http", help="Speak OTLP/HTTP instead of gRPC.")] = False,
    kinds: Annotated[
        list[str] | None,
        typer.Option("--kind", help=f"{', '.join(KINDS)}; repeatable (default: as configured)."),
    ] = None,
    agents: Annotated[
        list[str] | None, typer.Option("--agent", help="Only traces of this agent; repeatable.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Days back (7d), or a time in ISO 8601 (UTC without a zone).")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")
    ] = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write what was found into the original traces, where Jaeger and its like show it."""
    from spanloop.service.annotating import Asked, annotate  # gRPC and requests take a moment

    asked = Asked(
        endpoint=endpoint,
        protocol="http" if http else None,
        kinds=cast("list[Kind]", kinds or []),  # checked where they are used
        agents=agents or [],
        since_ms=None if since is None else since_ms(since, datetime.now(UTC)),
        dry_run=dry_run,
    )
    with shown_progress(quiet=as_json) as on_event:
        answer = annotate(settings_of(config, data_dir), asked, on_event)
    if as_json:
        print_json(answer)
    else:
        print_annotations(answer)
    if answer["failed"]:
        raise typer.Exit(1)


def print_annotations(answer: Mapping[str, Any]) -> None:
    """Print what was written back, or why nothing was."""
    if "error" in answer:
        typer.echo(f"annotations were not written: {answer['error']}")
        return
    would = "would be sent" if answer["dry_run"] else "sent"
    counts = ("found", "unchanged", "sent", "retracted", "logged", "failed", "gone")
    print_rows(
        ("kind", "found", "unchanged", would, *counts[3:]),
        [[kind["kind"], *(kind[count] for count in counts)] for kind in answer["kinds"]],
        as_json=False,
        title=f"annotations at {answer['endpoint']}",
    )
    for note in answer["notes"]:
        typer.echo(f"note: {note}")


def since_ms(text: str, now: datetime) -> int:
    """Return the time that ``text`` means, Unix milliseconds.

    >>> since_ms("2d", datetime(1970, 1, 3, tzinfo=UTC))
    0

    Raises:
        typer.BadParameter: it means none.
    """
    try:
        if text.endswith("d"):
            return round((now - timedelta(days=float(text[:-1]))).timestamp() * 1_000)
        return moment_ms(text)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"--since {text!r} is neither a number of days (7d) nor a time (2026-01-31T12:00)"
        ) from None
