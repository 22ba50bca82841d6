"""`spanloop strategies` on a data directory that nobody serves."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client
from typer.testing import CliRunner

from spanloop.exporter.migrate import migrate
from spanloop.exporter.store import with_client
from spanloop.optimizer.context import Context
from spanloop.optimizer.strategies import Strategy, Trial, record_trials, save_strategies
from spanloop.processor.errors import PermanentError
from spanloop.service.cli.main import app
from spanloop.service.config import load
from spanloop.service.owning import owned_store
from spanloop.service.stores import make_renderer

NOW = datetime(2026, 11, 25, tzinfo=UTC)
STRATEGY = Strategy(
    strategy_id="aaaa1111",
    title="Check before claiming",
    category="verification",
    intervention="verification",
    applies_when="Runs report what they did not check.",
    principle="What is read back is not made up.",
    origin_agent="support",
    created_at=NOW,
)
TRIALS = [
    Trial(
        trial_id=f"t{number}",
        strategy_id="aaaa1111",
        agent=agent,
        pattern_id="p",
        category="verification",
        intervention="verification",
        experiment_id=f"e{number}",
        verdict=verdict,
        effect=effect,
        effect_low=effect - 0.1,
        effect_high=effect + 0.1,
        n=120,
        harm=effect < 0,
        transferred=agent != "support",
        tokens=1_000,
        recorded_at=NOW,
    )
    for number, (agent, verdict, effect) in enumerate(
        [("support", "ship", 0.2), ("billing", "inconclusive", 0.0), ("sales", "reject", -0.1)]
    )
]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("library")
    settings = load(None, data_dir=path)
    renderer = make_renderer(settings)
    with owned_store(settings) as store:

        def fill(client: Client) -> None:
            migrate(client, renderer)
            context = Context(client=client, renderer=renderer, now_ms=1_780_000_000_000)
            save_strategies(context, [STRATEGY])
            record_trials(context, TRIALS)

        with_client(store, fill)
    return path


def run(directory: Path, *arguments: str) -> str:
    result = CliRunner(env={"COLUMNS": "160"}).invoke(
        app, ["strategies", *arguments, "--data-dir", str(directory)], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return result.output


def test_the_library_is_listed_shown_and_travels(directory: Path, tmp_path: Path) -> None:
    (listed,) = json.loads(run(directory, "--json"))
    assert (listed["trials"], listed["shipped"], listed["harmed"]) == (3, 1, 1)
    shown = json.loads(run(directory, "show", "aaaa", "--json"))
    assert [trial["verdict"] for trial in shown["trials"]] == ["ship", "inconclusive", "reject"]
    assert (shown["transferred"], shown["transfer_rate"]) == (2, 0.0)
    assert "+20 [+10, +30]" in run(directory, "show", "aaaa")
    file = tmp_path / "library.jsonl"
    run(directory, "export", str(file))
    assert "support" not in file.read_text(encoding="utf-8")
    assert json.loads(run(directory, "import", str(file), "--json")) == {"imported": 1, "known": 0}
    assert json.loads(run(directory, "import", str(file), "--json")) == {"imported": 0, "known": 1}
    states = {s["source"]: s["state"] for s in json.loads(run(directory, "--json"))}
    assert states["imported"] == "hypothesis"
    assert json.loads(run(directory, "--curve", "--json")) == []


def test_what_is_not_there_or_no_library_is_said_in_a_line(directory: Path, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="no strategy 'zzzz'"):
        run(directory, "show", "zzzz")
    hostile = tmp_path / "hostile.jsonl"
    hostile.write_bytes(b"\xff\xfe")
    with pytest.raises(PermanentError, match="not UTF-8"):
        run(directory, "import", str(hostile))
