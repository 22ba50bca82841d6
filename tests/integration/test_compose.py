"""docker-compose.yaml as far as it can be checked without an engine: by the parsers that will read it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from spanloop.service.config import load
from tests.collector.build import Tools
from tests.conftest import REPOSITORY
from tests.support.collector import otelcol
from tests.support.jaeger import jaeger

__all__ = ["jaeger", "otelcol"]
DEPLOY = REPOSITORY / "deploy"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The compose file as compose-go, the library of `docker compose`, understands it."""
    go = shutil.which("go")
    if go is None:
        if os.environ.get("CI"):
            pytest.fail("Go is missing")
        pytest.skip("NO GO: install Go to check docker-compose.yaml")
    program = tmp_path_factory.mktemp("go") / "compose_go"
    source = REPOSITORY / "tests" / "compose_go"
    subprocess.run([go, "build", "-o", program, "."], cwd=source, check=True, timeout=600)
    done = subprocess.run(
        [program, REPOSITORY / "docker-compose.yaml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


def test_every_port_is_on_this_machine_alone(project: dict[str, Any]) -> None:
    ports = [port for service in project["services"].values() for port in service.get("ports", [])]
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}
    published = [port["published"] for port in ports]
    assert len(set(published)) == len(published) > 5


def test_images_are_pinned(project: dict[str, Any]) -> None:
    images = [service["image"] for service in project["services"].values() if "image" in service]
    assert len(images) == 4
    for image in images:
        version = image.partition(":")[2]
        assert version.count(".") >= 2, image
    assert "FROM python:3.11-slim" in (REPOSITORY / "Dockerfile").read_text()


def test_mounted_files_exist(project: dict[str, Any]) -> None:
    mounts = [
        volume["source"]
        for service in project["services"].values()
        for volume in service.get("volumes", [])
        if volume["type"] == "bind"
    ]
    assert len(mounts) == 6
    assert all(Path(path).exists() for path in mounts)


def test_spanloop_takes_the_settings_that_it_is_given(
    project: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = project["services"]["spanloop"]["environment"]
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = load(None)
    assert settings.store.dsn is not None
    password = project["services"]["clickhouse"]["environment"]["CLICKHOUSE_PASSWORD"]
    assert f":{password}@clickhouse:8123/" in settings.store.dsn.get_secret_value()
    assert (settings.receiver.grpc.host, settings.receiver.grpc.port) == ("0.0.0.0", 4317)
    assert settings.annotations.endpoint == "collector:5327"
    assert (settings.jaeger.enabled, settings.jaeger.port) == (True, 17271)
    token = project["services"]["collector"]["environment"]["SPANLOOP_TOKEN"]
    assert [each.token.get_secret_value() for each in settings.receiver.tokens] == [token]
    assert [each.token.get_secret_value() for each in settings.jaeger.tokens] == [token]


def test_grafana_is_given_all_that_its_provisioning_asks_for(project: dict[str, Any]) -> None:
    asked: set[str] = set()
    for path in (REPOSITORY / "dashboards" / "grafana" / "provisioning").rglob("*.yaml"):
        words = path.read_text(encoding="utf-8").split()
        asked |= {word[1:] for word in words if word.startswith("$SPANLOOP_")}
    given = project["services"]["grafana"]["environment"]
    assert asked == {name for name in given if name.startswith("SPANLOOP_")}
    assert given["SPANLOOP_DASHBOARDS"] in {
        volume["target"] for volume in project["services"]["grafana"]["volumes"]
    }


@pytest.mark.collector
def test_the_collector_takes_its_configuration(otelcol: Tools) -> None:
    shipped = REPOSITORY / "otel-collector-config.yaml"
    validate(otelcol.otelcol, shipped, DEPLOY / "collector.yaml")


def test_jaeger_takes_its_configuration(jaeger: Path) -> None:
    validate(jaeger, DEPLOY / "jaeger.yaml")


def validate(program: Path, *configs: Path) -> None:
    done = subprocess.run(
        [program, "validate", *(f"--config={config}" for config in configs)],
        env={**os.environ, "SPANLOOP_TOKEN": "t"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
