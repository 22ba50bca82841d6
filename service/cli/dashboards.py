"""``spanloop dashboards``."""

from pathlib import Path
from typing import Annotated

import typer

from spanloop.service.cli.options import ConfigOption, JsonOption, print_json, settings_of
from spanloop.service.dashboards import TOKEN, write_grafana


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("dashboards")(dashboards)


def dashboards(
    folder: Annotated[Path, typer.Argument(help="Where to write; files of before are replaced.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write dashboards and provisioning for a stock Grafana (docs/grafana.md)."""
    written = write_grafana(folder, settings_of(config))
    if as_json:
        print_json({"written": written})
        return
    typer.echo(f"{len(written)} files in {folder}. Start Grafana, with its ClickHouse plugin, so:")
    typer.echo(
        f"  GF_PATHS_PROVISIONING={folder.absolute() / 'provisioning'} {TOKEN}=… grafana server"
    )
