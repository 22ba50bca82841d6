"""The shipped Collector configuration: valid, durable, and without a loop."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.collector import build
from tests.collector.build import Tools
from tests.collector.normalizer import transform_processor
from tests.support.collector import collector_config

CONFIG = Path(__file__).parent.parent.parent / "otel-collector-config.yaml"


def content() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(CONFIG.read_text())
    return loaded


def validate(tools: Tools, path: Path) -> None:
    done = subprocess.run(
        [tools.otelcol, "validate", f"--config={path}"],
        capture_output=True,
        text=True,
        cwd=path.parent,
        env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
    )
    assert done.returncode == 0, done.stderr
    assert "deprecated" not in done.stderr


@pytest.mark.collector
def test_the_shipped_configuration_is_valid(otelcol: Tools) -> None:
    validate(otelcol, CONFIG)


@pytest.mark.collector
def test_the_emulated_normalizer_is_valid(otelcol: Tools, tmp_path: Path) -> None:
    config = collector_config(
        (0, 0), {"debug": {}}, {"transform": transform_processor()}, signals=("traces",)
    )
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    validate(otelcol, path)


def test_nothing_leads_from_the_return_path_to_spanloop() -> None:
    for name, pipeline in content()["service"]["pipelines"].items():
        if "otlp/annotations" in pipeline["receivers"]:
            assert pipeline["exporters"] == ["otlp_grpc/jaeger"], name
        elif "otlp_grpc/spanloop" in pipeline["exporters"] and name != "metrics":
            assert "filter/no_annotations" in pipeline["processors"], name


def test_spanloop_gets_every_signal_from_a_queue_on_disk_that_never_gives_up() -> None:
    config = content()
    exporter = config["exporters"]["otlp_grpc/spanloop"]
    assert exporter["sending_queue"]["storage"] == "file_storage"
    assert exporter["retry_on_failure"]["max_elapsed_time"] == "0s"
    assert config["extensions"]["file_storage"]["fsync"] is True
    assert config["service"]["extensions"] == ["file_storage"]
    for signal in ("traces", "logs", "metrics"):
        assert "otlp_grpc/spanloop" in config["service"]["pipelines"][signal]["exporters"]


def test_memory_is_limited_first_in_every_pipeline() -> None:
    for name, pipeline in content()["service"]["pipelines"].items():
        assert pipeline["processors"][0] == "memory_limiter", name


def test_the_build_says_what_is_wrong_with_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(build.BuildError, match=r"no Go found: install Go >= 1\.26"):
        build.check_go()
    old = tmp_path / "go"
    old.write_text("#!/bin/sh\necho go1.25.3\n")
    old.chmod(0o755)
    with pytest.raises(build.BuildError, match=r"'go1\.25\.3' is too old"):
        build.check_go()


def test_the_tools_are_kept_per_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPANLOOP_TOOLS", str(tmp_path))
    assert build.tools_folder().parent == tmp_path
    assert build.collector_version() == "0.161.0"
