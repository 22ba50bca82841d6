"""What the demo's server is configured with."""

from __future__ import annotations

from pathlib import Path

import pytest

from spanloop.examples.support_agent.traffic import SCRIPTED
from spanloop.service.config import load
from spanloop.service.demo import demo_settings

OPERATORS = {
    "SPANLOOP_STORE__DSN": "http://spanloop:secret@clickhouse:8123/default",
    "SPANLOOP_ANNOTATIONS__ENDPOINT": "collector:4317",
    "SPANLOOP_ANNOTATIONS__AFTER_CYCLE": "true",
    "SPANLOOP_RECEIVER__TOKENS": '[{"token": "t"}]',
    "SPANLOOP_SQL__TOKENS": '[{"token": "t"}]',
    "SPANLOOP_NO_SUCH_SECTION__KEY": "1",
}


def test_the_operators_environment_has_no_say_in_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    untouched = demo_settings(tmp_path, SCRIPTED)
    for name, value in OPERATORS.items():
        monkeypatch.setenv(name, value)
    settings = demo_settings(tmp_path, SCRIPTED)
    assert settings.model_dump() == untouched.model_dump()
    assert (settings.store.dsn, settings.annotations.endpoint) == (None, None)
    assert (settings.receiver.tokens, settings.sql.tokens) == ((), ())
    assert load(None).store.dsn is not None  # a server's own it is
