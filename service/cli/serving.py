"""``spanloop serve``."""

import asyncio
import logging
import os
from dataclasses import asdict

import typer

from spanloop.service.cli.options import (
    ConfigOption,
    DataDirOption,
    JsonOption,
    print_json,
    settings_of,
)
from spanloop.service.server import Endpoints, serve

# Exit status: acknowledged data is safe in the log but not in the tables yet; the next start stores it.
STOPPED_WITH_LOG = 3


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("serve")(serve_command)


def serve_command(
    config: ConfigOption = None, data_dir: DataDirOption = None, as_json: JsonOption = False
) -> None:
    """Receive OTLP and store it until stopped (SIGTERM drains what was acknowledged)."""
    settings = settings_of(config, data_dir)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")

    def on_ready(endpoints: Endpoints) -> None:
        if as_json:
            print_json(asdict(endpoints))
            return
        typer.echo(f"OTLP/gRPC {endpoints.grpc or 'off'}")
        typer.echo(f"OTLP/HTTP {endpoints.http or 'off'}")
        typer.echo(f"SQL       {endpoints.sql or 'off'}")

    if not asyncio.run(serve(settings, on_ready)):
        # An insert still runs on a thread that would keep the process. Ending it now is what the log is for.
        logging.shutdown()
        os._exit(STOPPED_WITH_LOG)
