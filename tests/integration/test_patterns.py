"""Failure patterns on the real engine: membership as Python says, mining, ids, no lift without outcomes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spanloop.optimizer.patterns import find_patterns
from spanloop.optimizer.patterns.membership import assign
from spanloop.optimizer.patterns.naming import Naming, NamingRequest
from spanloop.optimizer.patterns.peers import NUMBER_NAMES, PEER_NAMES, count_peer_tools
from spanloop.optimizer.patterns.predicates import Predicate, Term
from spanloop.optimizer.patterns.sample import read_sample
from spanloop.optimizer.patterns.storing import Pattern
from spanloop.optimizer.patterns.vocabulary import apply
from spanloop.optimizer.satisfaction.features import FEATURE_VERSION, NAMES
from tests.support.analysis import LATER_MS, AnalysisStore, open_analysis_store

TASKS, RUNS = 24, 8
TOOLS = ("find_order", "get_status", "update_order", "cancel_order")
START = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    opened = open_analysis_store(Path(tmp_path_factory.mktemp("patterns")) / "db")
    _fill(opened)
    yield opened
    opened.client.close()


def _fill(store: AnalysisStore) -> None:
    """Runs of a few requests; a failed update at the end makes most of its runs fail."""
    rng = np.random.default_rng(11)
    tables: dict[str, list[dict[str, Any]]] = {
        "trajectories": [],
        "trajectory_traces": [],
        "trajectory_steps": [],
        "trajectory_symptoms": [],
        "trajectory_features": [],
        "trajectory_satisfaction": [],
        "assessments": [],
    }
    for task in range(TASKS):
        hard = rng.random()
        for run in range(RUNS):
            for table, rows in _run(rng, task, run, hard).items():
                tables[table] += rows
    for table, rows in tables.items():
        store.client.insert(table, [list(row.values()) for row in rows], column_names=list(rows[0]))


def _run(
    rng: np.random.Generator, task: int, run: int, hard: float
) -> dict[str, list[dict[str, Any]]]:
    trajectory = f"{task:02}-{run}"
    stumbles = bool(rng.random() < 0.4)
    names = [str(name) for name in rng.choice(TOOLS, size=rng.integers(1, 6))]
    statuses = ["ok"] * len(names)
    if stumbles:
        names.append("update_order")
        statuses.append("error")
    kinds = ["user", *("tool" for _ in names), "assistant"]
    failed = rng.random() < 0.25 * hard + 0.65 * stumbles
    at = START + timedelta(hours=task * RUNS + run)
    opening = f"Please change order A{task * 37 + 100} of customer {task * 101} {'now' * (run % 2)}"
    texts = [opening, *(None for _ in names), "Done."]
    steps = [
        {
            "TrajectoryId": trajectory,
            "Step": i,
            "Kind": kind,
            "Name": name,
            "Text": text,
            "Arguments": f'{{"order": "A{task}", "to": {int(rng.integers(0, 2))}}}'
            if name
            else None,
            "Status": status,
            "Timestamp": at + timedelta(seconds=i),
            "TraceId": trajectory,
            "SpanId": f"{trajectory}/{i}",
            "Version": 1,
        }
        for i, (kind, name, text, status) in enumerate(
            zip(kinds, ["", *names, ""], texts, ["", *statuses, ""], strict=True), start=1
        )
    ]
    errors = [step for step in steps if step["Status"] == "error"]
    return {
        "trajectories": [
            {
                "TrajectoryId": trajectory,
                "ConversationId": trajectory,
                "TraceIds": [trajectory],
                "AgentName": "clerk",
                "AgentId": str(run % 2),
                "Start": at,
                "End": at + timedelta(minutes=1),
                "State": "closed",
                "Opening": opening,
                "Tools": list(TOOLS),
                "StepKinds": kinds,
                "StepNames": ["", *names, ""],
                "StepStatuses": ["", *statuses, ""],
                "Turns": 1,
                "ModelCalls": len(names) + 1,
                "ToolCalls": len(names),
                "Errors": len(errors),
                "Completeness": 1.0,
                "Version": 1,
            }
        ],
        "trajectory_traces": [
            {
                "TraceId": trajectory,
                "TrajectoryId": trajectory,
                "ConversationId": trajectory,
                "Start": at,
                "End": at,
                "Version": 1,
            }
        ],
        "trajectory_steps": steps,
        "trajectory_symptoms": [
            {
                "TrajectoryId": trajectory,
                "Symptom": "tool_error",
                "Detail": f"{step['Name']}: no",
                "Step": step["Step"],
                "Occurrences": 1,
                "Weight": 0.6 if run % 2 else 0.4,
                "Version": 1,
            }
            for step in errors
        ],
        "trajectory_features": [
            {
                "TrajectoryId": trajectory,
                "Stratum": f"i{task}" if task % 6 else "",
                "Numbers": [
                    float("nan") if i % 7 == run else float(rng.random()) for i in range(len(NAMES))
                ],
                "FeatureVersion": FEATURE_VERSION,
                "Version": 1,
            }
        ]
        * (run != 5),  # some trajectories have no features yet
        "trajectory_satisfaction": [
            {
                "TrajectoryId": trajectory,
                "Probability": float(np.clip(0.7 - 0.4 * stumbles + 0.2 * rng.random(), 0, 1)),
                "Version": 1,
            }
        ],
        "assessments": [
            {
                "AssessmentId": trajectory,
                "TraceId": trajectory,
                "Source": "outcome",
                "Name": "success",
                "Satisfied": 0.0 if failed else 1.0,
                "Selection": "sampled",
                "SelectionProbability": 0.5,
                "Timestamp": at,
                "Version": 1,
                "IsDeleted": 0,
            }
        ],
    }


TERMS = (
    Term("symptom", "tool_error"),
    Term("symptom", "tool_error", "update_order: no"),
    Term("symptom", "tool_error", "it's {odd:String}"),
    Term("fault", "tool_error"),
    Term("tool", "find_order"),
    Term("tool", "find_order", value=2.0),
    Term("tool_error", ""),
    Term("tool_error", "update_order"),
    Term("absent", "cancel_order"),
    Term("then", "user", "tool:find_order"),
    Term("then", "tool:get_status", "tool:get_status"),
    Term("last", "assistant"),
    Term("count", "Steps", bound="<=", value=5.0),
    Term("count", "Errors", bound=">=", value=1.0),
    *(Term("number", name, bound=">=", value=0.5) for name in (NAMES[0], NAMES[-1], *PEER_NAMES)),
    *(Term("number", name, bound="<=", value=0.5) for name in (NAMES[0], NAMES[-1], *PEER_NAMES)),
    Term("stratum", "i1"),
)
PREDICATES = [
    *(Predicate.of(term) for term in TERMS),
    Predicate.of(Term("symptom", "tool_error"), Term("absent", "cancel_order")),
]


def test_the_engine_and_python_agree_on_members(store: AnalysisStore) -> None:
    context = store.context(now_ms=LATER_MS, trajectories_a_chunk=50)
    count_peer_tools(context)
    facts = read_sample(context).facts
    patterns = [_pattern(f"p{i:02}", predicate) for i, predicate in enumerate(PREDICATES)]

    looked_at = assign(
        context,
        patterns,
        kept=[pattern.pattern_id for pattern in patterns],
        project="",
        everything=True,
    )

    holds = apply(PREDICATES, facts)
    expected = {
        (patterns[j].pattern_id, facts[i].trajectory_id)
        for i, j in zip(*np.nonzero(holds), strict=True)
    }
    rows = store.rows("SELECT PatternId, TrajectoryId, EvidenceSteps FROM pattern_members FINAL")
    assert looked_at == TASKS * RUNS
    assert {(row["PatternId"], row["TrajectoryId"]) for row in rows} == expected
    assert all(holds[:, j].any() for j, term in enumerate(TERMS) if "odd" not in term.other)
    for asked in ("p00", "p03"):  # a symptom, and where it is a fault
        assert any(row["EvidenceSteps"] for row in rows if row["PatternId"] == asked)
    assert len(facts[0].numbers) == len(NUMBER_NAMES)


def _pattern(pattern_id: str, predicate: Predicate) -> Pattern:
    return Pattern(
        pattern_id=pattern_id,
        predicate=predicate,
        title="",
        explanation="",
        named_by="template",
        category="loop",
        mast_codes=(),
        trail_codes=(),
        state=None,
        lift=None,
        lift_low=None,
        lift_high=None,
        lift_basis="labels",
        p_value=None,
        q_value=None,
        marginal_lift=None,
    )


class Reader:
    """Names every pattern alike."""

    asked: int = 0

    def describe(self, request: NamingRequest) -> Naming | None:
        self.asked += 1
        assert request.examples
        return Naming("Gives up after a failed update", request.draft.explanation, "scripted")


def test_a_planted_pattern_is_found_kept_and_followed(store: AnalysisStore) -> None:
    reader = Reader()
    first = find_patterns(store.context(now_ms=LATER_MS + 10), namer=reader, force=True)
    [best, *_] = store.rows("SELECT * FROM failure_patterns FINAL ORDER BY QValue, PatternId")
    members = store.rows(
        "SELECT m.TrajectoryId AS id, m.SpanId AS span, s.Status AS status FROM pattern_members AS m FINAL "
        "INNER JOIN trajectory_steps AS s ON s.TrajectoryId = m.TrajectoryId AND s.Step = m.DeviatingStep "
        "WHERE m.PatternId = {id:String}",
        id=best["PatternId"],
    )

    assert first.claimed >= 1
    assert first.mined == 1
    assert best["State"] == "new"
    assert best["LiftBasis"] == "labels"
    assert 0 < best["LiftLow"] < best["Lift"] < best["LiftHigh"]
    assert best["Members"] == len(members) > 20
    assert {member["status"] for member in members} == {"error"}
    assert best["Title"] == "Gives up after a failed update"
    assert reader.asked == first.patterns
    assert not store.rows("SELECT 1 FROM pattern_members FINAL WHERE PatternId = 'p00'")

    changed = members[0]["id"]
    store.client.command(
        "CREATE OR REPLACE TABLE changed_trajectories (TrajectoryId String) ENGINE = Memory"
    )
    store.client.insert("changed_trajectories", [[changed]])
    store.client.command(
        "INSERT INTO trajectories SELECT * REPLACE ('open' AS State, 2 AS Version) FROM trajectories FINAL "
        "WHERE TrajectoryId = {id:String}",
        parameters={"id": changed},
    )
    second = find_patterns(store.context(now_ms=LATER_MS + 20))
    [followed] = store.rows(
        "SELECT State, Members, Title FROM failure_patterns FINAL WHERE PatternId = {id:String}",
        id=best["PatternId"],
    )

    assert second.mined == 0
    assert second.trajectories == 1
    assert followed == {
        "State": "open",
        "Members": len(members) - 1,
        "Title": "Gives up after a failed update",
    }

    third = find_patterns(store.context(now_ms=LATER_MS + 30), force=True)
    ids = {row["PatternId"] for row in store.rows("SELECT PatternId FROM failure_patterns FINAL")}
    assert third.mined == 1
    assert best["PatternId"] in ids


def test_without_outcomes_there_is_no_lift(store: AnalysisStore) -> None:
    store.client.command(
        "INSERT INTO assessments SELECT * REPLACE (2 AS Version, 1 AS IsDeleted) FROM assessments FINAL"
    )
    result = find_patterns(store.context(now_ms=LATER_MS + 40), force=True)
    rows = store.rows("SELECT Lift, QValue, LiftBasis, Explanation FROM failure_patterns FINAL")

    assert result.outcomes == 0
    assert result.claimed == 0
    assert any("no outcome" in note or "too few" in note for note in result.notes)
    assert rows
    assert {row["Lift"] for row in rows} == {None}
    assert {row["LiftBasis"] for row in rows} == {"score association"}


def test_projects_do_not_share_patterns(store: AnalysisStore) -> None:
    """Another project with the same runs: the same is found of it, under ids and with members of its own."""
    find_patterns(store.context(now_ms=LATER_MS + 50), force=True)
    before = store.rows("SELECT PatternId, Members, Prevalence FROM failure_patterns FINAL")
    for table in ("trajectories", "trajectory_traces"):
        store.client.command(
            f"INSERT INTO {table} SELECT * REPLACE (concat('x', TrajectoryId) AS TrajectoryId, "  # noqa: S608
            f"'other' AS Project) FROM {table} FINAL"
        )
    for table in ("steps", "symptoms", "features", "satisfaction"):
        store.client.command(
            f"INSERT INTO trajectory_{table} SELECT * REPLACE (concat('x', TrajectoryId) AS TrajectoryId) "  # noqa: S608
            f"FROM trajectory_{table} FINAL"
        )
    result = find_patterns(store.context(now_ms=LATER_MS + 60))
    after = store.rows(
        "SELECT PatternId, Members, Prevalence FROM failure_patterns FINAL WHERE Project = ''"
    )
    other = store.rows("SELECT PatternId, Members FROM failure_patterns FINAL WHERE Project != ''")
    crossing = store.rows(
        "SELECT count() AS n FROM pattern_members AS m FINAL "
        "INNER JOIN (SELECT PatternId, Project FROM failure_patterns FINAL) AS p USING (PatternId) "
        "WHERE startsWith(TrajectoryId, 'x') != (Project = 'other')"
    )

    assert result.mined == 1  # the new project; of the other nothing is new
    assert before == after
    assert other
    assert all(pattern["Members"] > 0 for pattern in other)
    assert not {p["PatternId"] for p in other} & {p["PatternId"] for p in before}
    assert crossing == [{"n": 0}]
