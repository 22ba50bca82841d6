"""What ``spanloop dashboards`` writes for a stock Grafana."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from spanloop.service.config import Settings
from spanloop.service.dashboards import write_grafana


def source(folder: Path) -> dict[str, Any]:
    text = (folder / "provisioning" / "datasources" / "spanloop.yaml").read_text(encoding="utf-8")
    (found,) = yaml.safe_load(text)["datasources"]
    return dict(found)


def test_grafana_finds_dashboards_and_the_sql_endpoint(tmp_path: Path) -> None:
    folder = tmp_path / "a folder: $HOME"
    written = write_grafana(folder, Settings(data_dir=tmp_path, sql={"port": 9123}))  # type: ignore[arg-type]
    assert set(written) == {path for path in folder.rglob("*") if path.is_file()}
    provider = yaml.safe_load(
        (folder / "provisioning" / "dashboards" / "spanloop.yaml").read_text(encoding="utf-8")
    )
    path = provider["providers"][0]["options"]["path"]
    assert path == str(folder / "dashboards").replace("$", "$$")  # Grafana would expand $HOME
    uids = [json.loads(each.read_text())["uid"] for each in (folder / "dashboards").iterdir()]
    assert "spanloop-satisfaction" in uids
    reached = source(folder)["jsonData"]
    assert (reached["host"], reached["port"], reached["protocol"]) == ("127.0.0.1", "9123", "http")
    assert source(folder)["secureJsonData"] == {"password": "$SPANLOOP_SQL_TOKEN"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_server_that_listens_everywhere_with_tls_is_asked_here_with_tls(
    tmp_path: Path, host: str
) -> None:
    tls = {"certificate": "own.pem", "key": "own.key"}
    sql = {"host": host, "tokens": [{"token": "t"}]}
    write_grafana(tmp_path, Settings(receiver={"tls": tls}, sql=sql))  # type: ignore[arg-type]
    reached = source(tmp_path)["jsonData"]
    assert (reached["host"], reached["secure"]) == ("localhost", "true")


def test_a_server_is_asked_itself_and_its_password_is_not_written(tmp_path: Path) -> None:
    dsn = "https://reader:s3cret@db.example:8444/agents"
    write_grafana(tmp_path, Settings(store={"dsn": dsn, "database": "agents"}))  # type: ignore[arg-type]
    reached = source(tmp_path)["jsonData"]
    assert (reached["host"], reached["port"]) == ("db.example", "8444")
    assert (reached["username"], reached["secure"]) == ("reader", "true")
    assert reached["defaultDatabase"] == reached["traces"]["defaultDatabase"] == "agents"
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and "s3cret" in p.read_text()]
