"""From a recording to what fails: `spanloop analyze` beside a running server, and on a store nobody owns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ServerProcess

N_TRAJECTORIES, N_SPANS = 45, 1394
STAGES = ["assembly", "feedback", "symptoms", "features", "satisfaction", "rates", "patterns"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[ServerProcess]:
    directory = tmp_path_factory.mktemp("analyze")
    started = ServerProcess(directory, {"analysis": {"idle_s": 0}}, {}).start()
    recorded = data_dir / "agentrx_tau_retail" / "dev.otlp.gz"
    started.run_plain("replay", "--endpoint", started.grpc, str(recorded))
    started.wait_until("SELECT count() FROM genai_spans", N_SPANS)
    yield started
    started.close()


def told(server: ServerProcess, *arguments: str) -> Any:
    return json.loads(server.run(*arguments, "--json").stdout)


@pytest.fixture(scope="module")
def analysis(server: ServerProcess) -> dict[str, Any]:
    answer: dict[str, Any] = told(server, "analyze")
    return answer


def test_every_stage_runs_inside_the_server_and_is_reported(
    server: ServerProcess, analysis: dict[str, Any]
) -> None:
    assert [stage["stage"] for stage in analysis["stages"]] == STAGES
    assert all(stage["tokens"] == 0 for stage in analysis["stages"])
    stored = server.query(
        "SELECT count(DISTINCT Stage) FROM analyses WHERE startsWith(Stage, 'report/')"
    )
    assert list(stored[0].values()) == [len(STAGES)]


def test_trajectories_are_listed_and_told(server: ServerProcess, analysis: dict[str, Any]) -> None:
    listed = told(server, "trajectories", "--limit", "100")
    assert len(listed) == N_TRAJECTORIES
    assert all(row["state"] == "closed" and row["turns"] > 0 for row in listed)
    story = told(server, "trajectories", "show", listed[0]["trajectory"])
    assert [step["step"] for step in story["steps"]] == list(range(1, len(story["steps"]) + 1))
    assert {"user", "assistant"} <= {step["kind"] for step in story["steps"]}
    by_trace = told(server, "trajectories", "show", story["traces"][0])
    assert by_trace["trajectory"] == story["trajectory"]
    for arguments in (("trajectories",), ("trajectories", "show", story["trajectory"][:12])):
        assert story["trajectory"][:12] in server.run(*arguments).stdout


def test_a_rate_without_labels_is_unknown_not_invented(
    server: ServerProcess, analysis: dict[str, Any]
) -> None:
    (row,) = told(server, "satisfaction")
    assert row["trajectories"] <= N_TRAJECTORIES
    assert (row["rate"], row["method"]) == (None, "unknown")
    assert "unknown" in server.run("satisfaction").stdout


def test_patterns_are_listed_and_shown_down_to_the_step(
    server: ServerProcess, analysis: dict[str, Any]
) -> None:
    listed = told(server, "patterns")
    assert listed
    assert all(row["lift"] is None and row["basis"] == "score association" for row in listed)
    shown = told(server, "patterns", "show", listed[0]["pattern"])
    assert shown["explanation"]
    assert all(example["step"] >= 1 for example in shown["examples"])
    assert shown["title"] in server.run("patterns", "show", listed[0]["pattern"]).stdout.replace(
        "\n", " "
    )


def test_a_second_analysis_finds_nothing_new(
    server: ServerProcess, analysis: dict[str, Any]
) -> None:
    before = server.query("SELECT count() FROM trajectory_steps FINAL")
    told(server, "analyze")
    assert server.query("SELECT count() FROM trajectory_steps FINAL") == before
    assert len(told(server, "trajectories", "--limit", "100")) == N_TRAJECTORIES
