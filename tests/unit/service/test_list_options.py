"""What a list is narrowed by is checked before a store is opened: a typing error must not look like none."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from spanloop.processor.errors import ConfigError
from spanloop.service.cli import candidates, scenarios


@pytest.mark.parametrize("command", ["scenarios", "candidates"])
def test_an_unknown_state_is_refused_by_name(command: str) -> None:
    app = typer.Typer()
    scenarios.register(app)
    candidates.register(app)
    result = CliRunner().invoke(app, [command, "--state", "activ"])
    assert isinstance(result.exception, ConfigError)
    assert "--state 'activ' is none of " in str(result.exception)
