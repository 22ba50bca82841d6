"""``spanloop report``: the state of agents as one page, or as data."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from spanloop.processor.errors import ConfigError, PermanentError
from spanloop.service.access import client
from spanloop.service.cli.options import (
    ConfigOption,
    DataDirOption,
    JsonOption,
    moment_ms,
    settings_of,
)
from spanloop.service.stores import make_renderer


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("report")(report)


def report(
    html: Annotated[
        Path | None, typer.Option(help="Write the page to this file; it holds all it needs.")
    ] = None,
    agent: Annotated[str, typer.Option(help="Only this agent.")] = "",
    days: Annotated[int, typer.Option(min=1, max=3650, help="How far back.")] = 30,
    until: Annotated[
        str,
        typer.Option(
            help="End of these days, ISO 8601 (UTC); default: when something last happened."
        ),
    ] = "",
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell the state of agents: satisfaction, what fails, experiments, releases, cost (docs/report.md)."""
    if html is None and not as_json:
        raise ConfigError("name a file for the page (--html FILE), or ask for --json")
    from spanloop.service.report.model import Asked  # what reads strategies takes seconds to load
    from spanloop.service.report.page import render
    from spanloop.service.report.reading import ReportReader

    settings = settings_of(config, data_dir)
    asked = Asked(agent=agent, days=days, until_ms=_milliseconds(until) if until else None)
    with client(settings) as connected:
        reader = ReportReader(client=connected, renderer=make_renderer(settings))
        found = reader.report(asked)
    if html is not None:
        _write(html, render(found))
    if as_json:
        typer.echo(json.dumps(asdict(found), default=_plain, ensure_ascii=False))
    elif html is not None:
        n = len(found.agents)
        typer.echo(f"{html}: {n} agent{'' if n == 1 else 's'}; open it in a browser")


def _write(path: Path, page: str) -> None:
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as failure:
        raise PermanentError(f"cannot write {path}: {failure.strerror}") from None


def _milliseconds(text: str) -> int:
    try:
        return moment_ms(text)
    except ValueError:
        raise ConfigError(f"--until {text!r} is no time such as 2026-11-25T12:00") from None


def _plain(value: object) -> str:
    """Return a time or a day as ISO 8601; a time without a zone is UTC, as the store means it."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    return str(value)
