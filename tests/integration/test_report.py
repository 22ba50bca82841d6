"""`spanloop report` on the real engine: by itself, and through the SQL endpoint of a running server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from typer.testing import CliRunner

from spanloop.exporter.migrate import migrate
from spanloop.exporter.store import with_client
from spanloop.optimizer import releases
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.context import Context
from spanloop.optimizer.releases import By
from spanloop.optimizer.strategies import Trial, record_trials
from spanloop.processor.errors import ConfigError, PermanentError
from spanloop.service.cli.main import app
from spanloop.service.config import load
from spanloop.service.owning import owned_store
from spanloop.service.stores import make_renderer
from tests.conftest import ServerProcess

BEGUN = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
ENDED = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SECRET = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789"


def conversations() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield ten conversations of `shop` over five days, one of `desk` and one of no named agent.

    Half of them are of known cost. Senders put a secret where names belong.
    """
    for k in range(12):
        start = BEGUN + timedelta(days=k // 2)
        yield (
            f"{k:032x}",
            {
                "Project": "default",
                "AgentName": "shop" if k < 10 else "desk" if k == 10 else "",
                "ServiceName": f"web {SECRET}",
                "Release": f"of {SECRET}",
                "UserId": f"u{k % 4}",
                "TraceIds": [f"{k:032x}"],
                "Start": start,
                "End": start + timedelta(minutes=1),
                "State": "closed",
                "Turns": 2,
                "ModelCalls": 1,
                "ToolCalls": 1,
                "Errors": int(k % 5 == 0),
                "InputTokens": 1_000,
                "OutputTokens": 10,
                "CostUsd": 0.5 if k % 2 else None,
                "Completeness": 1.0,
                "Version": 1,
            },
        )


def fill(context: Context) -> None:
    """Write what an analysis and a cycle would leave, in their tables."""
    told = list(conversations())
    context.insert("trajectories", [{"TrajectoryId": name, **row} for name, row in told])
    context.insert(
        "trajectory_steps",
        [
            {
                "TrajectoryId": name,
                "Step": step,
                "Kind": "tool" if step == 2 else "user",
                "Name": "pay" if step == 2 else "",
                "Text": None if step == 2 else f"<b>step {step}</b> {SECRET}",
                "Result": "declined" if step == 2 else None,
                "Timestamp": row["Start"],
                "Version": 1,
            }
            for name, row in told
            for step in range(1, 30)
        ],
    )
    context.insert(
        "trajectory_satisfaction",
        [
            {"TrajectoryId": name, "Probability": 0.1 + k / 20, "Method": "trained", "Version": 1}
            for k, (name, _) in enumerate(told)
        ],
    )
    context.insert(
        "genai_spans",
        [
            {
                "TraceId": name,
                "SpanId": "00000000000000a1",
                "Timestamp": row["Start"],
                "Class": "llm",
                "ResponseModel": f"{name[-1]} {SECRET} " + "m" * 2_000,
            }
            for name, row in told
        ],
    )
    _fill_findings(context, [name for name, _ in told])
    _fill_loop(context)


def _fill_findings(context: Context, names: list[str]) -> None:
    pattern = {
        "PatternId": "p0000001",
        "Project": "default",
        "Title": "Pays twice",
        "Explanation": "It pays <i>twice</i>.",
        "Category": "tool_arguments",
        "State": "open",
        "Agents": ["shop", f"desk {SECRET}"],
        "Members": 4,
        "Prevalence": 0.4,
        "Lift": 0.25,
        "LiftLow": 0.05,
        "LiftHigh": 0.4,
        "LiftBasis": "labels",
        "Version": 1,
    }
    context.insert(
        "failure_patterns", [pattern, {**pattern, "PatternId": "p0000002", "Title": "Gone"}]
    )
    members = [
        {
            "PatternId": "p0000001",
            "TrajectoryId": name,
            "DeviatingStep": 20,
            "EvidenceSteps": [20, 22],
            "Timestamp": BEGUN,
            "Version": 1,
        }
        for name in names[3:7]
    ]
    context.insert("pattern_members", members)
    rate = {
        "AnalysisId": "a1",
        "ComputedAt": ENDED - timedelta(hours=1),
        "Project": "default",
        "Trajectories": 10,
        "Labelled": 6,
        "Rate": 0.6,
        "Low": 0.3,
        "High": 0.8,
        "Level": 0.95,
        "Method": "labels",
    }
    context.insert(
        "satisfaction_rates",
        [
            {**rate, "Dimension": dimension, "Value": value}
            for dimension, value in (
                ("agent", "shop"),
                ("release", f"of {SECRET}"),
                ("agent_day", "2026-11-01 shop"),
                ("agent_day", "2026-11-02 shop"),
                ("agent_day", "2026-11-02 other shop"),
                ("agent_day", "2025-11-02 shop"),
            )
        ],
    )
    ended = {"AnalysisId": "a1", "StartedAt": ENDED, "FinishedAt": ENDED}
    context.insert("analyses", [{**ended, "Stage": "", "Notes": []}])
    context.insert(
        "analyses", [{**ended, "Stage": "report/patterns", "Notes": ["too little is new"]}]
    )


def _fill_loop(context: Context) -> None:
    began = ENDED - timedelta(days=1)
    context.insert(
        "experiments",
        [
            {
                "ExperimentId": "e0000001",
                "Project": "default",
                "AgentName": "shop",
                "CycleId": "c1",
                "CandidateId": "k0000001",
                "Purpose": "gate",
                "State": "decided",
                "Verdict": "ship",
                "Scenarios": ["s1", "s2"],
                "AlphaSpent": 0.01,
                "ScenariosClosed": 2,
                "Effect": 0.3,
                "EffectLow": 0.1,
                "EffectHigh": 0.5,
                "EValue": 120.0,
                "Tokens": 5_000,
                "StartedAt": began,
                "DecidedAt": ENDED,
                "Version": 1,
            }
        ],
    )
    context.insert(
        "holdout_ledger",
        [
            {
                "LookId": f"l{closed}",
                "Project": "default",
                "AgentName": "shop",
                "ExperimentId": "e0000001",
                "Sequence": 1,
                "AlphaAllotted": 0.01,
                "Closed": closed,
                "EValue": value,
                "Decision": "continue",
                "LookedAt": ENDED,
            }
            for closed, value in ((0, None), (1, 8.0), (2, 120.0))
        ],
    )
    edit = {"component": "instructions", "operation": "add", "passage": "", "text": "Pay <once>."}
    context.insert(
        "candidates",
        [
            {
                "CandidateId": f"k000000{k}",
                "Project": "default",
                "AgentName": "shop",
                "PatternId": "p0000001",
                "Intervention": "instruction_refinement",
                "State": state,
                "Reasons": reasons,
                "Edits": json.dumps([edit]),
                "CreatedAt": began,
                "Version": 1,
            }
            for k, (state, reasons) in enumerate(
                [("refused", ["names a customer"]), ("shipped", [])]
            )
        ],
    )
    record_trials(context, [_trial(began)])
    releases.register(
        context,
        "shop",
        AgentConfiguration(components={"instructions": "Sell."}),
        by=By(actor="ann", at=began, reason="<first>"),
        project="default",
    )
    stage = {
        "CycleId": "c1",
        "Project": "default",
        "StartedAt": began,
        "FinishedAt": ENDED,
        "Version": 1,
    }
    context.insert(
        "cycles",
        [
            {**stage, "Stage": name, "AgentName": agent, "State": state, "Notes": notes}
            for name, agent, state, notes in (
                ("", "", "done", ["of shop: no model"]),
                ("candidates", "shop", "skipped", ["no model"]),
                ("candidates", "desk", "skipped", ["of another agent"]),
            )
        ],
    )
    lease = {
        "CycleId": "c1",
        "Project": "default",
        "AgentName": "shop",
        "State": "settled",
        "Version": 1,
    }
    context.insert(
        "budget_ledger",
        [
            {
                **lease,
                "LeaseId": "b1",
                "Stage": "experiments",
                "Role": "agent",
                "Tokens": 5_000,
                "CostUsd": None,
                "TakenAt": began,
            }
        ],
    )


def _trial(at: datetime) -> Trial:
    return Trial(
        trial_id="t1",
        agent="shop",
        pattern_id="p0000001",
        category="tool_arguments",
        intervention="instruction_refinement",
        experiment_id="e0000001",
        verdict="ship",
        effect=0.3,
        effect_low=0.1,
        effect_high=0.5,
        n=2,
        tokens=5_000,
        recorded_at=at,
    )


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report")
    settings = load(None, data_dir=path)
    renderer = make_renderer(settings)
    with owned_store(settings) as store:

        def write(client: Client) -> None:
            migrate(client, renderer)
            fill(Context(client=client, renderer=renderer, now_ms=int(ENDED.timestamp() * 1000)))

        with_client(store, write)
    return path


def report(directory: Path, *options: str) -> str:
    done = CliRunner().invoke(app, ["report", "--data-dir", str(directory), *options])
    if done.exception is not None:
        raise done.exception
    return done.output


def told(directory: Path, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(report(directory, "--json", *options))
    return found


@pytest.fixture(scope="module")
def page(directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page and, beside it, the same as data: one reading of the store for both."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.with_suffix(".json").write_text(report(directory, "--json", "--html", str(path)))
    return path


@pytest.fixture
def found(page: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(page.with_suffix(".json").read_text())
    return data


def test_the_state_of_an_agent_is_told(found: dict[str, Any]) -> None:
    shop, unnamed, desk = found["agents"]
    assert (shop["agent"], unnamed["agent"], desk["agent"]) == ("shop", "", "desk")
    assert shop["traffic"]["conversations"] == 10
    assert shop["traffic"]["cost_usd"] == 2.5
    assert shop["traffic"]["unpriced"] == 5
    assert desk["traffic"]["cost_usd"] is None
    assert [row["conversations"] for row in shop["days"]] == [2] * 5
    assert shop["rate"]["rate"] == 0.6
    assert desk["rate"] is None
    assert [row["value"] for row in shop["day_rates"]] == ["2026-11-01", "2026-11-02"]


def test_a_pattern_is_told_by_its_least_satisfied_conversation(found: dict[str, Any]) -> None:
    (pattern,) = found["agents"][0]["patterns"]
    assert pattern["facts"]["title"] == "Pays twice"
    assert pattern["here"] == 4
    assert pattern["story"]["trajectory"] == f"{3:032x}"
    assert pattern["story"]["n_steps"] == 29
    marks = {step["step"]: step["mark"] for step in pattern["story"]["steps"] if step["mark"]}
    assert marks == {20: "deviating", 22: "evidence"}
    assert found["agents"][0]["patterns_unseen"] == 1


def test_what_the_loop_did_is_told(found: dict[str, Any]) -> None:
    shop, _, desk = found["agents"]
    (experiment,) = shop["experiments"]
    assert experiment["facts"]["verdict"] == "ship"
    assert [look["e_value"] for look in experiment["looks"]] == [None, 8.0, 120.0]
    assert experiment["candidate"]["edits"][0]["text"] == "Pay <once>."
    assert [row["state"] for row in shop["releases"]] == ["current"]
    assert {row["action"] for row in shop["events"]} == {"registered", "promoted"}
    assert [row["verdict"] for row in shop["trials"]] == ["ship"]
    assert [(row["experiments"], row["wins"]) for row in shop["curve"]] == [(1, 1)]
    assert [row["tokens"] for row in shop["spending"]] == [5_000]
    assert {"state": "refused", "reason": "names a customer", "candidates": 1} in shop["candidates"]
    assert [note for row in shop["cycles"] for note in row["notes"]] == ["no model"]
    assert [note for row in desk["cycles"] for note in row["notes"]] == ["of another agent"]
    assert desk["experiments"] == desk["releases"] == desk["trials"] == []


def test_an_unnamed_agent_has_no_share_in_what_the_loop_did(found: dict[str, Any]) -> None:
    _, unnamed, _ = found["agents"]
    assert unnamed["traffic"]["conversations"] == 1
    loop = ("experiments", "releases", "events", "trials", "curve", "candidates")
    assert [name for name in loop if unnamed[name] != []] == []


def test_names_that_senders_chose_are_redacted_and_cut(found: dict[str, Any]) -> None:
    shop = found["agents"][0]
    assert shop["traffic"]["services"] == ["web <SECRET>"]
    assert [row["value"] for row in shop["release_rates"]] == ["of <SECRET>"]
    assert shop["patterns"][0]["facts"]["agents"] == ["shop", "desk <SECRET>"]
    models = [row["model"] for row in shop["models"]]
    assert len(models) == 10
    assert max(map(len, models)) <= 81


def test_the_page_quotes_and_redacts(page: Path) -> None:
    html = page.read_text()
    assert "&lt;b&gt;step 20&lt;/b&gt;" in html
    assert "<b>" not in html
    assert SECRET not in html
    assert SECRET not in page.with_suffix(".json").read_text()
    assert "first step that went wrong" in html
    assert "Pay &lt;once&gt;." in html


def test_days_and_agent_are_chosen(directory: Path) -> None:
    until = "2026-11-03T12:00:00"
    found = told(directory, "--agent", "shop", "--days", "1", "--until", until)
    (shop,) = found["agents"]
    assert shop["traffic"]["conversations"] == 4  # those of noon on the 2nd and on the 3rd
    assert [row["value"] for row in shop["day_rates"]] == ["2026-11-02"]
    assert found["until"] == "2026-11-03T12:00:00+00:00"
    with pytest.raises(PermanentError, match="'nobody' had no conversation"):
        report(directory, "--json", "--agent", "nobody")
    with pytest.raises(ConfigError, match="--html FILE"):
        report(directory)
    with pytest.raises(ConfigError, match="is no time"):
        report(directory, "--json", "--until", "yesterday")


def test_a_page_that_cannot_be_written_is_one_line(directory: Path) -> None:
    nowhere = directory / "none" / "report.html"
    with pytest.raises(PermanentError, match="cannot write"):
        report(directory, "--html", str(nowhere), "--until", "2001-01-01")


def test_a_server_tells_the_same_bytes(page: Path, directory: Path, tmp_path: Path) -> None:
    """Read through the SQL endpoint, by another process, in another time zone."""
    served = tmp_path / "served.html"
    server = ServerProcess(tmp_path / "server", {"data_dir": str(directory)}, {"TZ": "Asia/Tokyo"})
    server.start()
    try:
        server.run("report", "--html", str(served))
    finally:
        server.close()
    assert served.read_bytes() == page.read_bytes()
