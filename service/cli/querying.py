"""``spanloop query``: SQL against the store, whoever owns it."""

from typing import Annotated

import typer
from clickhouse_connect.driver.exceptions import ClickHouseError

from spanloop.exporter.store import first_line
from spanloop.processor.errors import PermanentError
from spanloop.service.access import client
from spanloop.service.cli.options import (
    ConfigOption,
    DataDirOption,
    JsonOption,
    print_rows,
    settings_of,
)


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("query")(query)


def query(
    sql: Annotated[str, typer.Argument(help="One ClickHouse statement.")],
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run one SQL statement against the store and print its rows."""
    settings = settings_of(config, data_dir)
    with client(settings) as connected:
        try:
            result = connected.query(sql)
        except ClickHouseError as failure:
            raise PermanentError(
                f"the database refused the statement: {first_line(failure)}"
            ) from None
    print_rows(result.column_names, result.result_rows, as_json=as_json)
