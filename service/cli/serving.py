"""``spanloop serve``."""

import asyncio
import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from spanloop.service.config import default_path, load
from spanloop.service.server import Endpoints, serve

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


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("serve")(serve_command)


def serve_command(
    config: ConfigOption = None, data_dir: DataDirOption = None, as_json: JsonOption = False
) -> None:
    """Receive OTLP and store it until stopped (SIGTERM drains what was acknowledged)."""
    settings = load(config or default_path(), data_dir=data_dir)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")

    def on_ready(endpoints: Endpoints) -> None:
        if as_json:
            typer.echo(json.dumps(asdict(endpoints)))
            return
        typer.echo(f"OTLP/gRPC {endpoints.grpc or 'off'}")
        typer.echo(f"OTLP/HTTP {endpoints.http or 'off'}")
        typer.echo(f"SQL       {endpoints.sql or 'off'}")

    asyncio.run(serve(settings, on_ready))
