"""Options and output shared by the commands."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from spanloop.service.config import Settings, default_path, load

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="YAML configuration (default: ./spanloop.yaml if present)."
    ),
]
DataDirOption = Annotated[
    Path | None, typer.Option("--data-dir", help="Where the log and the embedded store live.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def settings_of(config: Path | None, data_dir: Path | None = None) -> Settings:
    """Read the configuration a command was given."""
    return load(config or default_path(), data_dir=data_dir)


def moment_ms(text: str) -> int:
    """Return a time in ISO 8601 as Unix milliseconds; without a zone it is UTC.

    >>> moment_ms("2026-11-25T12:00:00")
    1795608000000

    Raises:
        ValueError: it is none.
    """
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000)


def print_json(content: object) -> None:
    """Print ``content`` as one line of JSON; what JSON has no type for becomes text."""
    typer.echo(json.dumps(content, default=_plain, ensure_ascii=False))


def print_rows(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    as_json: bool,
    title: str | None = None,
) -> None:
    """Print rows as a table for people or as a JSON list of objects for programs."""
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
        return
    table = Table(title=title, title_justify="left", header_style="bold", row_styles=["", "dim"])
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(cell(value) for value in row))
    Console(soft_wrap=False).print(table)


def print_facts(facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Print name-value pairs."""
    if as_json:
        print_json(dict(facts))
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in facts.items():
        table.add_row(f"[bold]{escape(name)}[/bold]", cell(value))
    Console().print(table)


def cell(value: Any) -> str:
    """Show NULL as such, and nothing that a terminal would obey."""
    if value is None:
        return "[dim]NULL[/dim]"
    text = (
        value if isinstance(value, str) else json.dumps(value, default=_plain, ensure_ascii=False)
    )
    return escape(printable(text))


def printable(text: str) -> str:
    """Keep control characters of hostile text off the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else str(value)
