"""Where annotations may go, and what goes with them."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from clickhouse_connect.driver.client import Client

from spanloop.optimizer.annotations.note import KINDS
from spanloop.processor.errors import ConfigError, Stopping, StoreUnavailable
from spanloop.service.annotating import (
    Asked,
    annotate_after,
    make_destination,
    make_wish,
    refuse_own,
)
from spanloop.service.cli import annotating as command
from spanloop.service.config import AnnotationKind, Settings
from spanloop.service.stores import make_renderer


def settings(tmp_path: Path, **section: Any) -> Settings:
    return Settings(data_dir=tmp_path, annotations=section)  # type: ignore[arg-type]


def test_nothing_goes_anywhere_unless_an_endpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"annotations\.endpoint"):
        make_destination(settings(tmp_path), Asked())
    with pytest.raises(ValueError, match="after_cycle needs"):
        settings(tmp_path, after_cycle=True)


def test_headers_and_our_certificate_go_to_the_configured_endpoint_alone(tmp_path: Path) -> None:
    configured = settings(
        tmp_path,
        endpoint="https://collector:4317",
        headers={"authorization": "Bearer t"},
        tls={"ca": "ca.pem", "certificate": "own.pem", "key": "own.key"},
    )
    trusted = make_destination(configured, Asked())
    assert (trusted.headers, trusted.key) == ({"authorization": "Bearer t"}, Path("own.key"))
    assert "Bearer" not in repr(trusted)
    other = make_destination(configured, Asked(endpoint="https://elsewhere:4317"))
    assert (other.headers, other.certificate, other.key) == ({}, None, None)
    assert other.ca == Path("ca.pem")


def test_a_bare_address_of_once_is_plain_whatever_certificates_are_configured(
    tmp_path: Path,
) -> None:
    configured = settings(tmp_path, endpoint="collector:4317", tls={"ca": "ca.pem"})
    assert make_destination(configured, Asked()).secure
    other = make_destination(configured, Asked(endpoint="localhost:4317"))
    assert (other.secure, other.ca) == (False, None)


@pytest.mark.parametrize(
    ("endpoint", "protocol", "address"),
    [
        ("jaeger:4317", "grpc", ("jaeger", 4317)),
        ("http://jaeger", "grpc", ("jaeger", 4317)),
        ("https://tempo/otlp", "http", ("tempo", 443)),
        ("http://tempo", "http", ("tempo", 80)),
        ("[::1]:4317", "grpc", ("::1", 4317)),
    ],
)
def test_an_endpoint_is_a_host_and_a_port(
    tmp_path: Path, endpoint: str, protocol: Any, address: tuple[str, int]
) -> None:
    asked = Asked(endpoint=endpoint, protocol=protocol)
    assert make_destination(settings(tmp_path), asked).address == address


@pytest.mark.parametrize(
    ("endpoint", "protocol", "name"),
    [
        ("jaeger:4317", "grpc", "jaeger:4317"),
        ("http://jaeger:4317/", "grpc", "jaeger:4317"),
        ("http://jaeger:4317/ignored", "grpc", "jaeger:4317"),
        ("https://tempo/", "http", "tempo:443"),
        ("https://tempo/tenant-a", "http", "tempo:443/tenant-a"),
        ("https://tempo/tenant-b/", "http", "tempo:443/tenant-b"),
        ("tempo:4318/tenant-b", "http", "tempo:4318/tenant-b"),
    ],
)
def test_the_ledger_tells_paths_of_an_endpoint_apart(
    tmp_path: Path, endpoint: str, protocol: Any, name: str
) -> None:
    configured = settings(tmp_path, endpoint=endpoint, protocol=protocol)
    wish = make_wish(configured, Asked(), make_destination(configured, Asked()))
    assert wish.endpoint == name


@pytest.mark.parametrize("endpoint", ["", "ftp://jaeger", "jaeger:port", "http://"])
def test_what_is_no_endpoint_is_refused(tmp_path: Path, endpoint: str) -> None:
    destination = make_destination(settings(tmp_path, endpoint=endpoint), Asked())
    with pytest.raises(ConfigError, match="no OTLP endpoint"):
        _ = destination.address


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.1.2.3"])
@pytest.mark.parametrize("port", [4317, 4318])
def test_an_endpoint_that_is_this_server_is_refused(tmp_path: Path, host: str, port: int) -> None:
    own = settings(tmp_path, endpoint=f"{host}:{port}")
    with pytest.raises(ConfigError, match="is this server"):
        refuse_own(make_destination(own, Asked()), own)


def test_another_port_or_a_port_that_is_off_is_not_this_server(tmp_path: Path) -> None:
    other = settings(tmp_path, endpoint="localhost:14317")
    refuse_own(make_destination(other, Asked()), other)
    off = Settings(
        data_dir=tmp_path,
        receiver={"grpc": {"enabled": False}, "http": {"enabled": False}},  # type: ignore[arg-type]
        annotations={"endpoint": "localhost:4317"},  # type: ignore[arg-type]
    )
    refuse_own(make_destination(off, Asked()), off)


class BrokenStore:
    """A store that cannot be connected to, for the reason given."""

    embedded = False

    def __init__(self, error: Exception) -> None:
        self.error = error

    def connect(self) -> Client:
        raise self.error

    def make_durable(self) -> None: ...

    def close(self) -> None: ...


def test_a_cycle_is_answered_whatever_becomes_of_its_annotations(tmp_path: Path) -> None:
    configured = settings(tmp_path, endpoint="jaeger:4317")
    renderer = make_renderer(configured)

    def after(error: Exception) -> object:
        return annotate_after(BrokenStore(error), renderer, configured, lambda *_: None)

    told = after(ValueError("Value out of range: -5"))
    assert told == {"error": "it failed: ValueError; see the server's log"}
    assert after(StoreUnavailable("it is away")) == {"error": "it is away"}
    with pytest.raises(Stopping):
        after(Stopping("the server stops"))


def test_kinds_are_those_asked_for_else_the_configured_ones(tmp_path: Path) -> None:
    configured = settings(tmp_path, endpoint="jaeger:4317")
    destination = make_destination(configured, Asked())
    assert make_wish(configured, Asked(), destination).kinds == ["satisfaction", "pattern"]
    asked = Asked(kinds=["cycle", "pattern"], agents=["shop"], since_ms=5)
    wish = make_wish(configured, asked, destination)
    assert (wish.kinds, wish.scope.agents, wish.scope.since_ms) == (
        ["pattern", "cycle"],
        ("shop",),
        5,
    )
    with pytest.raises(ConfigError, match="no kind nonsense; there are satisfaction"):
        make_wish(configured, Asked(kinds=["nonsense"]), destination)  # type: ignore[list-item]


def test_every_kind_can_be_configured() -> None:
    assert set(KINDS) == set(get_args(AnnotationKind))


def test_since_is_a_number_of_days_or_a_time() -> None:
    assert doctest.testmod(command).failed == 0
    now = datetime(2026, 1, 8, tzinfo=UTC)
    week_ago = command.since_ms("7d", now)
    assert week_ago == command.since_ms("2026-01-01", now)
    assert week_ago == command.since_ms("2026-01-01T01:00+01:00", now)
    for text in ("", "d", "soon", "1e99d"):
        with pytest.raises(typer.BadParameter, match="neither"):
            command.since_ms(text, now)


def test_what_was_written_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    counts = {
        "found": 7,
        "unchanged": 1,
        "sent": 5,
        "retracted": 2,
        "logged": 0,
        "failed": 0,
        "gone": 1,
    }
    answer = {"endpoint": "jaeger:4317", "dry_run": False, "notes": ["takes no log events"]}
    command.print_annotations({**answer, "kinds": [{"kind": "pattern", **counts}]})
    told = capsys.readouterr().out
    assert "jaeger:4317" in told
    assert "note: takes no log events" in told
    command.print_annotations({"error": "it is this server"})
    assert capsys.readouterr().out == "annotations were not written: it is this server\n"
