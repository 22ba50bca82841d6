"""``spanloop doctor``."""

import typer

from spanloop.service.cli.options import (
    ConfigOption,
    DataDirOption,
    JsonOption,
    print_rows,
    settings_of,
)
from spanloop.service.doctor import examine


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("doctor")(doctor)


def doctor(
    config: ConfigOption = None, data_dir: DataDirOption = None, as_json: JsonOption = False
) -> None:
    """Check ports, disk, versions, configuration and clock; exit 1 if something must be fixed."""
    findings = examine(settings_of(config, data_dir))
    print_rows(
        ("check", "verdict", "detail", "advice"),
        [(f.check, f.verdict, f.detail, f.advice) for f in findings],
        as_json=as_json,
    )
    if any(f.verdict == "failure" for f in findings):
        raise typer.Exit(1)
