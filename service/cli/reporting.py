"""``spanloop report``: the state of agents as one page, or as data."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from spanloop.service.config import Settings
from spanloop.service.stores import make_renderer

if TYPE_CHECKING:
    from spanloop.service.report.model import Asked, Report


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

    asked = Asked(agent=agent, days=days, until_ms=_milliseconds(until) if until else None)
    found = _read(settings_of(config, data_dir), asked)
    if html is not None:
        _write(html, found)
    if as_json:
        typer.echo(json.dumps(asdict(found), default=_plain, ensure_ascii=False))
    elif html is not None:
        n = len(found.agents)
        typer.echo(f"{html}: {n} agent{'' if n == 1 else 's'}; open it in a browser")


def write_page(settings: Settings, path: Path) -> None:
    """Write the page of all agents' last thirty days.

    Raises:
        PermanentError: it cannot be written there.
    """
    from spanloop.service.report.model import Asked

    _write(path, _read(settings, Asked()))


def _read(settings: Settings, asked: "Asked") -> "Report":
    from spanloop.service.report.reading import ReportReader

    with client(settings) as connected:
        return ReportReader(client=connected, renderer=make_renderer(settings)).report(asked)


def _write(path: Path, found: "Report") -> None:
    from spanloop.service.report.page import render

    try:
        path.write_text(render(found), encoding="utf-8")
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
