"""Configuration: layered, strict, and explained in one readable message."""

from __future__ import annotations

from pathlib import Path

import pytest

from spanloop.processor.errors import ConfigError
from spanloop.service.config import default_path, load

FIXTURES = Path(__file__).parents[2] / "fixtures" / "config"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("SPANLOOP_"):
            monkeypatch.delenv(name)


def test_the_defaults_listen_on_localhost_only() -> None:
    settings = load(None)
    hosts = {settings.receiver.grpc.host, settings.receiver.http.host, settings.sql.host}
    assert hosts == {"127.0.0.1"}
    ports = [settings.receiver.grpc.port, settings.receiver.http.port, settings.sql.port]
    assert ports == [4317, 4318, 8123]
    assert (settings.jaeger.enabled, settings.jaeger.host) == (False, "127.0.0.1")
    assert settings.data_dir == Path("spanloop-data")
    assert settings.sql.write_databases == ()


def test_a_whole_file() -> None:
    settings = load(FIXTURES / "good.yaml")
    assert settings.data_dir == Path("/var/lib/spanloop")
    assert settings.receiver.grpc.port == 14317
    assert settings.receiver.http.cors_origins == ("https://app.example",)
    assert settings.receiver.log.segment_max_age_s == 0.5
    assert settings.receiver.tokens[0].token.get_secret_value() == "not-a-secret"
    assert settings.store.ttl_days == 30
    assert settings.sql.databases == ("other",)


BAD = {
    "typo": "receiver.grcp: Extra inputs are not permitted",
    "unknown_section": "reciever: Extra inputs are not permitted",
    "port": "receiver.grpc.port: Input should be less than or equal to 65535",
    "projects": "an embedded store keeps one project per data_dir",
    "cluster": "store.cluster needs store.dsn",
    "replicated": "store.replicated needs store.cluster",
    "database": "store.database: String should match pattern",
    "empty_token": "receiver.tokens.0.token: ",
    "list": "must be a mapping of sections",
    "yaml": "is not YAML at line",
    "retention": "store.ttl_days: Input should be less than or equal to 18250",
    "type": "receiver.log.max_bytes: Input should be a valid integer",
    "reachable": "jaeger.host 0.0.0.0 is reachable by others: configure jaeger.tokens too",
}


@pytest.mark.parametrize(("name", "message"), BAD.items())
def test_a_mistake_is_named_with_its_place(name: str, message: str) -> None:
    path = FIXTURES / f"bad_{name}.yaml"
    with pytest.raises(ConfigError) as raised:
        load(path)
    assert message in str(raised.value)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_every_bad_fixture_is_tried() -> None:
    assert {path.stem.removeprefix("bad_") for path in FIXTURES.glob("bad_*.yaml")} == set(BAD)


@pytest.mark.parametrize("name", BAD)
def test_no_message_shows_a_secret(name: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load(FIXTURES / f"bad_{name}.yaml")
    assert "hush" not in str(raised.value)
    assert "not-a-secret" not in str(raised.value)


def test_secrets_are_not_shown() -> None:
    assert "not-a-secret" not in repr(load(FIXTURES / "good.yaml"))


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPANLOOP_RECEIVER__GRPC__PORT", "24317")
    settings = load(FIXTURES / "good.yaml")
    assert settings.receiver.grpc.port == 24317
    assert settings.receiver.grpc.host == "0.0.0.0"
    assert settings.receiver.http.port == 14318


def test_the_command_line_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPANLOOP_DATA_DIR", "/from/environment")
    assert load(None).data_dir == Path("/from/environment")
    assert load(FIXTURES / "good.yaml", data_dir=Path("/given")).data_dir == Path("/given")
    assert load(None, data_dir=None).data_dir == Path("/from/environment")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SPANLOOP_STORE__DSNN", "x", "store.dsnn: Extra inputs"),
        (
            "SPANLOOP_SHUTDOWN_TIMEOUT_S",
            "soon",
            "shutdown_timeout_s: Input should be a valid number",
        ),
        ("SPANLOOP_STORE", "{not json", "SPANLOOP_"),
    ],
)
def test_a_mistake_in_the_environment_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as raised:
        load(None)
    assert message in str(raised.value)


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read configuration .*No such file"):
        load(tmp_path / "none.yaml")
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"project: caf\xe9")
    with pytest.raises(ConfigError, match="is not UTF-8"):
        load(latin)


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text("")
    assert load(path).model_dump() == load(None).model_dump()


def test_the_default_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert default_path() is None
    (tmp_path / "spanloop.yaml").write_text("")
    assert default_path() == Path("spanloop.yaml")
    monkeypatch.setenv("SPANLOOP_CONFIG", "/etc/spanloop.yaml")
    assert default_path() == Path("/etc/spanloop.yaml")


def test_sql_that_others_reach_needs_a_token(tmp_path: Path) -> None:
    path = tmp_path / "spanloop.yaml"
    path.write_text("sql: {host: 0.0.0.0}")
    with pytest.raises(ConfigError, match=r"configure sql\.tokens"):
        load(path)
    path.write_text("sql: {host: 0.0.0.0, tokens: [{token: t}]}")
    assert load(path).sql.host == "0.0.0.0"
