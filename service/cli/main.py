"""The command line: parse, call a function, print. Domain errors are one line and exit status 2."""

import sys

import typer
from clickhouse_connect.driver.exceptions import ClickHouseError

from spanloop.exporter.store import engine_message
from spanloop.processor.errors import SpanloopError
from spanloop.service.cli import (
    analyzing,
    annotating,
    candidates,
    dashboards,
    demonstrating,
    examining,
    experiments,
    exploring,
    feedback,
    labelling,
    operating,
    optimizing,
    querying,
    releases,
    replaying,
    reporting,
    scenarios,
    serving,
    strategies,
)

app = typer.Typer(
    name="spanloop",
    help="Make AI agents better from their own production traces.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def root() -> None:
    """Make AI agents better from their own production traces."""


for _commands in (
    demonstrating,
    serving,
    replaying,
    analyzing,
    optimizing,
    annotating,
    exploring,
    scenarios,
    candidates,
    experiments,
    strategies,
    feedback,
    labelling,
    releases,
    reporting,
    querying,
    dashboards,
    operating,
    examining,
):
    _commands.register(app)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except SpanloopError as error:
        typer.echo(f"spanloop: {error}", err=True)
        sys.exit(2)
    except ClickHouseError as error:
        typer.echo(f"spanloop: the database failed: {engine_message(error)}", err=True)
        sys.exit(2)
