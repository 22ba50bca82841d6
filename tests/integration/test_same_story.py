"""Ten instrumentations tell the same three conversations: the same steps and messages come out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spanloop.optimizer.assembly import AssemblyResult, assemble
from tests.support.analysis import AnalysisStore, open_analysis_store

REPLAYED = (
    "agents_openinference",
    "agents_traceloop",
    "langchain_openinference",
    "langchain_traceloop",
    "openai_logfire",
    "openai_openinference",
    "openai_openlit",
    "openai_otel_v2",
    "openai_traceloop",
    "pydantic_ai",
)
NAMING_CONVERSATIONS = {"langchain_openinference", "langchain_traceloop", "pydantic_ai"}
WITHOUT_ANSWERS = {"agents_traceloop"}  # an answer is known from the input of the next call
WITHOUT_TOOL_SPANS = {name for name in REPLAYED if name.startswith("openai_")}


@pytest.fixture(scope="module")
def told(
    tmp_path_factory: pytest.TempPathFactory, data_dir: Path
) -> Iterator[tuple[AnalysisStore, AssemblyResult]]:
    store = open_analysis_store(tmp_path_factory.mktemp("story") / "db")
    for name in REPLAYED:
        # Each telling is a project of its own: the others have the same histories.
        store.insert_json_lines(data_dir / f"dialects/replayed/{name}.jsonl.gz", project=name)
    yield store, assemble(store.context())
    store.client.close()


@pytest.fixture(scope="module")
def conversations(data_dir: Path) -> list[dict[str, Any]]:
    expected: list[dict[str, Any]] = json.loads(
        (data_dir / "dialects/replayed/expected.json").read_text()
    )
    return expected


def _story(conversation: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return what happened, in order."""
    steps: list[tuple[Any, ...]] = []
    for turn in conversation["turns"]:
        steps.append(("user", turn["user"]))
        results = iter(turn["tool_calls"])
        for call in turn["llm_calls"]:
            if call["text"]:
                steps.append(("assistant", call["text"]))
            steps += [
                ("tool", asked["name"], asked["args"], next(results)["result"])
                for asked in call["tool_calls"]
            ]
    return steps


def _steps(store: AnalysisStore, trajectory_id: str) -> list[dict[str, Any]]:
    return store.rows(
        "SELECT * FROM trajectory_steps FINAL WHERE TrajectoryId = {id:String} ORDER BY Step",
        id=trajectory_id,
    )


def _told(step: dict[str, Any]) -> tuple[Any, ...]:
    if step["Kind"] == "tool":
        return ("tool", step["Name"], json.loads(step["Arguments"]), step["Result"])
    return (step["Kind"], step["Text"])


def _trajectories(store: AnalysisStore, name: str) -> dict[str, dict[str, Any]]:
    """Return the trajectories of one telling by their opening."""
    rows = store.rows(
        "SELECT * FROM trajectories FINAL WHERE Project = {project:String}", project=name
    )
    return {row["Opening"]: row for row in rows}


@pytest.mark.parametrize("name", REPLAYED)
def test_every_telling_gives_the_same_steps(
    told: tuple[AnalysisStore, AssemblyResult], conversations: list[dict[str, Any]], name: str
) -> None:
    store, _ = told
    trajectories = _trajectories(store, name)
    assert len(trajectories) == len(conversations)
    for conversation in conversations:
        story = _story(conversation)
        trajectory = trajectories[conversation["turns"][0]["user"]]
        steps = _steps(store, trajectory["TrajectoryId"])
        if name in WITHOUT_ANSWERS:  # nothing follows the last one that would tell it
            story = story[:-1]
        assert [_told(step) for step in steps] == story
        assert [step["Step"] for step in steps] == list(range(1, len(steps) + 1))
        assert trajectory["StepKinds"] == [step["Kind"] for step in steps]
        assert trajectory["Turns"] == len(conversation["turns"])
        assert trajectory["ModelCalls"] == sum(len(t["llm_calls"]) for t in conversation["turns"])
        assert trajectory["System"].strip() == conversation["system"].strip()


@pytest.mark.parametrize("name", REPLAYED)
def test_what_is_inferred_or_missing_lowers_completeness(
    told: tuple[AnalysisStore, AssemblyResult], name: str
) -> None:
    store, _ = told
    for row in _trajectories(store, name).values():
        named = name in NAMING_CONVERSATIONS
        assert row["Basis"] == ("conversation" if named else "history")
        assert ("inferred" in row["Issues"]) == (not named)
        assert ("missing_content" in row["Issues"]) == (name in WITHOUT_ANSWERS)
        assert (row["Completeness"] == 1) == (named and name not in WITHOUT_ANSWERS)
        assert (row["ConversationId"] != "") == named


@pytest.mark.parametrize("name", REPLAYED)
def test_a_status_is_told_by_a_tool_span_only(
    told: tuple[AnalysisStore, AssemblyResult], name: str
) -> None:
    store, _ = told
    statuses = {
        (step["Status"], step["DurationNs"] is None)
        for row in _trajectories(store, name).values()
        for step in _steps(store, row["TrajectoryId"])
        if step["Kind"] == "tool"
    }
    assert statuses == ({("", True)} if name in WITHOUT_TOOL_SPANS else {("ok", False)})


def test_all_tellings_are_thirty_trajectories(told: tuple[AnalysisStore, AssemblyResult]) -> None:
    _, result = told
    assert result.trajectories == 30
