"""The server that a cycle starts for itself."""

from __future__ import annotations

from spanloop.service.config import load
from spanloop.service.optimizing import for_the_loop


def test_a_cycle_alone_opens_no_port() -> None:
    settings = for_the_loop(load(None))
    assert not settings.receiver.grpc.enabled
    assert not settings.receiver.http.enabled
    assert not settings.sql.enabled


def test_agents_outside_reach_the_configured_ports() -> None:
    agents = {"desk": {"target": "http", "url": "http://127.0.0.1:9/chat"}}
    settings = load(None, optimizer={"agents": agents})
    assert for_the_loop(settings) == settings
