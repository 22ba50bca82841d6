"""A folder with which a stock Grafana shows the store: data source, dashboard provider, dashboards."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import cast
from urllib.parse import unquote

import yaml

from spanloop.dashboards.build import rendered
from spanloop.exporter.store import parse_dsn
from spanloop.service.config import ANYWHERE, Settings

PROVISIONING = ("datasources/spanloop.yaml", "dashboards/spanloop.yaml")
TOKEN = "SPANLOOP_SQL_TOKEN"
"""Environment variable of Grafana that holds the token or password; no secret is written to a file."""


def write_grafana(folder: Path, settings: Settings) -> list[Path]:
    """Write provisioning and dashboards into ``folder`` and return the files, absolute."""
    folder = folder.absolute()
    values = {**_address(settings), "SPANLOOP_DASHBOARDS": str(folder / "dashboards")}
    source = files("spanloop.dashboards") / "grafana" / "provisioning"
    contents = {folder / "dashboards" / name: text for name, text in rendered().items()}
    for name in PROVISIONING:
        filled = _filled(yaml.safe_load((source / name).read_text("utf-8")), values)
        contents[folder / "provisioning" / name] = yaml.safe_dump(filled, sort_keys=False)
    for path, text in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(contents)


def _filled(content: object, values: Mapping[str, str]) -> object:
    """Return ``content`` with ``$NAME`` replaced where ``values`` has it; Grafana reads ``$$`` as ``$``."""
    match content:
        case dict():
            fields = cast("dict[str, object]", content)
            return {key: _filled(value, values) for key, value in fields.items()}
        case list():
            return [_filled(value, values) for value in cast("list[object]", content)]
        case str() if content.startswith("$") and content[1:] in values:
            return values[content[1:]].replace("$", "$$")
        case _:
            return content


def _address(settings: Settings) -> dict[str, str]:
    """Return what the data source says of the server: our SQL endpoint, or ClickHouse at ``store.dsn``."""
    database = settings.store.database
    if settings.store.dsn is None:
        host = "localhost" if settings.sql.host in ANYWHERE else settings.sql.host
        port, user = settings.sql.port, "default"
        secure = settings.receiver.tls is not None  # the server's own ports share a certificate
    else:
        server = parse_dsn(settings.store.dsn.get_secret_value())
        secure = server.scheme == "https"
        host, user = server.hostname or "localhost", unquote(server.username or "default")
        port = server.port or (8443 if secure else 8123)
    return {
        "SPANLOOP_SQL_HOST": host,
        "SPANLOOP_SQL_PORT": str(port),
        "SPANLOOP_SQL_USER": user,
        "SPANLOOP_SQL_SECURE": str(secure).lower(),
        "SPANLOOP_SQL_DATABASE": database,
    }
