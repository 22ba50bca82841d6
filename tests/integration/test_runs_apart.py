"""Runs of experiments are judged as production is, and move no figure of production."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from spanloop.optimizer.analysis import run_analysis
from spanloop.optimizer.context import COMPARABLE_COMPLETENESS, Context
from spanloop.optimizer.feedback.samples import Draw, draw_sample
from spanloop.optimizer.satisfaction.features import tool_effects
from spanloop.service.exploring import Explorer, TrajectoryFilter
from tests.support.analysis import LATER_MS, AnalysisStore, open_analysis_store
from tests.support.desk import START_NS, conversation

CONVERSATIONS = 60
RUNS = 180
GIVEN = datetime(2026, 11, 1, tzinfo=UTC)

FIGURES: Mapping[str, str] = {
    "rates": "SELECT * EXCEPT (AnalysisId, ComputedAt) FROM satisfaction_rates "
    "WHERE ComputedAt = (SELECT max(ComputedAt) FROM satisfaction_rates) ORDER BY ALL",
    "models": "SELECT ModelId, Labels FROM satisfaction_models ORDER BY ALL",
    "probabilities": "SELECT TrajectoryId, Probability, Base, "
    "arrayMap(e -> (e.1, round(e.2, 4)), Evidence) FROM trajectory_satisfaction FINAL "
    "WHERE TrajectoryId IN (SELECT TrajectoryId FROM trajectories WHERE RunId = '') ORDER BY ALL",
    "symptoms": "SELECT TrajectoryId, Symptom, Detail, Step, Weight FROM trajectory_symptoms FINAL "
    "WHERE TrajectoryId IN (SELECT TrajectoryId FROM trajectories WHERE RunId = '') ORDER BY ALL",
    "strata": "SELECT TrajectoryId, Stratum, toString(Numbers) FROM trajectory_features FINAL "
    "WHERE TrajectoryId IN (SELECT TrajectoryId FROM trajectories WHERE RunId = '') ORDER BY ALL",
    "intent clusters": "SELECT * EXCEPT (Version) FROM intent_clusters FINAL ORDER BY ALL",
    "peer tools": "SELECT Stratum, arraySort(Runs), arraySort(arrayZip(Tools, Counts)), "
    "arraySort(Values) FROM peer_tools FINAL ORDER BY ALL",
    "patterns": "SELECT * EXCEPT (Version, AnalysisId) FROM failure_patterns FINAL ORDER BY ALL",
    "members": "SELECT PatternId, TrajectoryId, DeviatingStep FROM pattern_members FINAL ORDER BY ALL",
    "labels": "SELECT TrajectoryId, Satisfied, Source FROM trajectory_labels ORDER BY ALL",
}
"""What production says, by name of the figure."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    opened = open_analysis_store(tmp_path_factory.mktemp("apart") / "db")
    yield opened
    opened.client.close()


def assess(store: AnalysisStore, numbers: Sequence[int], source: str, *, good: bool | None) -> None:
    """Say of these traces what people, or a judge, said."""
    rows = [
        [
            f"{source}{n}",
            f"{n + 1:032x}",
            source,
            "satisfaction",
            "somebody",
            float(n % 3 > 0) if good is None else float(good),
            "sampled" if source == "label" else "volunteered",
            0.5 if source == "label" else None,
            GIVEN,
            1,
        ]
        for n in numbers
    ]
    store.client.insert(
        "assessments",
        rows,
        column_names=[
            "AssessmentId",
            "TraceId",
            "Source",
            "Name",
            "Assessor",
            "Satisfied",
            "Selection",
            "SelectionProbability",
            "Timestamp",
            "Version",
        ],
    )


def figures(store: AnalysisStore, context: Context) -> dict[str, Any]:
    """Everything that is said of production, as it stands."""
    sample = {
        "agent": "",
        "release": "",
        "since": "2000-01-01 00:00:00",
        "stratified": False,
        "completeness": COMPARABLE_COMPLETENESS,
    }
    drawn = draw_sample(context, Draw(n=20))
    listed = Explorer(client=store.client, renderer=store.renderer).trajectories(
        TrajectoryFilter(n=10_000)
    )
    return {
        **{name: store.rows(sql) for name, sql in FIGURES.items()},
        "population of samples": context.rows("feedback/select_population", sample),
        "what samples draw": [
            store.rows(
                "SELECT TrajectoryId FROM label_samples WHERE SampleId = {id:String} ORDER BY ALL",
                id=drawn["sample"],
            ),
            drawn["population"],
        ],
        "what the judge draws": context.rows(
            "judging/select_to_judge",
            {"n": 15, "seed": 1, "now": 1, "judge": "j", "completeness": COMPARABLE_COMPLETENESS},
        ),
        "effects of tools": tool_effects(context),
        "days": context.rows("patterns/select_daily", {"completeness": COMPARABLE_COMPLETENESS}),
        "what mining could read": context.rows(
            "patterns/select_available", {"completeness": COMPARABLE_COMPLETENESS}
        ),
        "the list": listed,
    }


def analysed(store: AnalysisStore, now_ms: int) -> dict[str, Any]:
    """Read and mine everything anew, then say what stands."""
    for table in ("analyses", "failure_patterns", "pattern_members", "peer_tools"):
        store.client.command(f"TRUNCATE TABLE {table}")
    context = store.context(now_ms)
    run_analysis(context)
    return figures(store, context)


def test_many_runs_change_no_figure_of_production(store: AnalysisStore) -> None:
    topics = (
        "book a quiet double room overlooking the harbour",
        "change the postal address printed on invoices",
        "cancel yesterday's duplicate grocery order",
    )
    spans = [
        span
        for n in range(CONVERSATIONS)
        for span in conversation(n, topics[n % 3], failed=n % 4 == 0, at_s=100 * n, extra={})
    ]
    store.insert_spans(spans, batch_id="production")
    assess(store, range(0, CONVERSATIONS, 2), "label", good=None)
    assess(store, range(1, CONVERSATIONS, 4), "feedback", good=None)
    assess(store, range(3, CONVERSATIONS, 6), "judge", good=None)
    before = analysed(store, LATER_MS)
    assert all(before.values()), [name for name, figure in before.items() if not figure]

    numbers = range(1_000, 1_000 + RUNS)
    runs = [
        span
        for n in numbers
        for span in conversation(
            n,
            (*topics, "water every thirsty plant in our garden")[n % 4],
            failed=n % 2 == 0,
            at_s=100_000 + n,
            extra={"spanloop.run.id": f"run{n}", "gen_ai.conversation.id": f"run{n}"},
        )
    ]
    store.insert_spans(runs, batch_id="runs")
    for source in ("label", "feedback", "judge"):
        assess(store, numbers, source, good=False)
    after = analysed(store, LATER_MS + 1_000_000)
    for name, figure in before.items():
        assert after[name] == figure, name

    counts = store.rows(
        "SELECT count() AS runs, countIf(State = 'closed') AS closed, uniqExact(RunId) AS ids, "
        "countIf(Basis = 'run') AS by_run FROM trajectories FINAL WHERE RunId != ''"
    )
    assert counts == [{"runs": RUNS, "closed": RUNS, "ids": RUNS, "by_run": RUNS}]
    judged = store.rows(
        "SELECT countIf(Probability IS NOT NULL) AS scored FROM trajectory_satisfaction FINAL "
        "WHERE TrajectoryId IN (SELECT TrajectoryId FROM trajectories WHERE RunId != '')"
    )
    assert judged == [{"scored": RUNS}]
    shown = Explorer(client=store.client, renderer=store.renderer).trajectories(
        TrajectoryFilter(runs=True, n=10_000)
    )
    assert len(shown) == RUNS
    assert all(row["run"] for row in shown)


def test_a_run_is_closed_at_once_and_never_joins_a_conversation_of_production(
    store: AnalysisStore,
) -> None:
    now_ms = START_NS // 1_000_000 + 2_000_000
    shared = {"gen_ai.conversation.id": "shared"}
    store.insert_spans(
        [
            *conversation(5_000, "paint a wall", failed=False, at_s=1_000, extra=shared),
            *conversation(
                5_001,
                "paint a wall",
                failed=False,
                at_s=1_990,
                extra={**shared, "spanloop.run.id": "r5001"},
            ),
        ],
        batch_id="shared",
    )
    run_analysis(store.context(now_ms))
    rows = store.rows(
        "SELECT RunId, Basis, State, length(TraceIds) AS traces FROM trajectories FINAL "
        "WHERE ConversationId = 'shared' ORDER BY RunId"
    )
    assert rows == [
        {"RunId": "", "Basis": "conversation", "State": "open", "traces": 1},
        {"RunId": "r5001", "Basis": "run", "State": "closed", "traces": 1},
    ]
