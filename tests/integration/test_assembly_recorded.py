"""Recorded runs of real agents: a trajectory a run, told as it went."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spanloop.optimizer.assembly import assemble
from tests.support.analysis import AnalysisStore, open_analysis_store

SETS = ("tau_bench", "agentrx_tau_retail", "tau2_bench", "who_when", "mini_swe", "mast_human")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[AnalysisStore]:
    opened = open_analysis_store(tmp_path_factory.mktemp("recorded") / "db")
    for name in SETS:
        opened.insert_protobuf(data_dir / name / "dev.otlp.gz")
    assemble(opened.context())
    yield opened
    opened.client.close()


@pytest.fixture(scope="module")
def by_trace(store: AnalysisStore) -> dict[str, dict[str, Any]]:
    """Every trajectory by each of its traces."""
    rows = store.rows("SELECT * FROM trajectories FINAL")
    return {trace_id: row for row in rows for trace_id in row["TraceIds"]}


def _truth(data_dir: Path, name: str) -> list[dict[str, Any]]:
    lines = (data_dir / name / "ground_truth.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("name", SETS)
def test_every_run_is_one_trajectory(
    by_trace: dict[str, dict[str, Any]], data_dir: Path, name: str
) -> None:
    truth = _truth(data_dir, name)
    assert len({by_trace[run["trace_id"]]["TrajectoryId"] for run in truth}) == len(truth)
    for run in truth:
        trajectory = by_trace[run["trace_id"]]
        assert trajectory["TraceIds"] == (run.get("trace_ids") or [run["trace_id"]])
        assert trajectory["ConversationId"] == (run.get("conversation_id") or "")
        assert trajectory["State"] == "closed"


@pytest.mark.parametrize("name", ["tau_bench", "agentrx_tau_retail", "tau2_bench"])
def test_turns_and_tool_errors_are_those_recorded(
    by_trace: dict[str, dict[str, Any]], data_dir: Path, name: str
) -> None:
    for run in _truth(data_dir, name):
        trajectory = by_trace[run["trace_id"]]
        ticket = run.get("mode") == "no_user"  # given to the agent as if a user had said it
        assert trajectory["Turns"] == run["user_turns"] + ticket
        assert trajectory["Errors"] == run["tool_errors"]


def test_results_that_come_back_as_a_users_message_are_no_turns(
    by_trace: dict[str, dict[str, Any]], data_dir: Path
) -> None:
    for run in _truth(data_dir, "mini_swe"):
        trajectory = by_trace[run["trace_id"]]
        assert trajectory["ModelCalls"] == run["model_calls"]
        assert trajectory["Errors"] == run["failed_commands"]
        assert trajectory["StepKinds"].count("assistant") == run["model_calls"]
        assert trajectory["Turns"] < run["model_calls"] / 2


def test_the_step_that_people_blame_is_among_the_steps(
    store: AnalysisStore, by_trace: dict[str, dict[str, Any]], data_dir: Path
) -> None:
    told = {
        (row["TrajectoryId"], row["SpanId"])
        for row in store.rows("SELECT DISTINCT TrajectoryId, SpanId FROM trajectory_steps FINAL")
    }
    for run in _truth(data_dir, "who_when"):
        assert (by_trace[run["trace_id"]]["TrajectoryId"], run["mistake_span_id"]) in told


def test_what_one_agent_said_is_told_once_however_many_heard_it(
    store: AnalysisStore, by_trace: dict[str, dict[str, Any]], data_dir: Path
) -> None:
    """Nobody but the user speaks as a user, and only once: the rest is what agents said to each other."""
    for run in _truth(data_dir, "who_when"):
        assert by_trace[run["trace_id"]]["Turns"] == 1
    heard = store.rows(
        "SELECT countIf(Agent = '') AS nameless FROM trajectory_steps FINAL "
        "WHERE Kind = 'assistant' AND TrajectoryId IN {ids:Array(String)}",
        ids=[by_trace[run["trace_id"]]["TrajectoryId"] for run in _truth(data_dir, "who_when")],
    )
    assert heard == [{"nameless": 0}]
