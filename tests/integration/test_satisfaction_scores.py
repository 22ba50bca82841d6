"""Numbers, strata and probabilities on the real engine, from trajectories written as assembly writes them."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spanloop.optimizer.context import Context
from spanloop.optimizer.satisfaction.examples import load_examples
from spanloop.optimizer.satisfaction.features import NAMES, compute_features
from spanloop.optimizer.satisfaction.model import prior_model
from spanloop.optimizer.satisfaction.score import score_satisfaction
from tests.support.analysis import AnalysisStore, open_analysis_store

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
CITIES = ("oslo", "lima", "cairo")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    path: Path = tmp_path_factory.mktemp("scores")
    opened = open_analysis_store(path)
    yield opened
    opened.client.close()


@pytest.fixture(autouse=True)
def _empty(store: AnalysisStore) -> None:
    for table in (
        "trajectories",
        "trajectory_steps",
        "trajectory_traces",
        "trajectory_features",
        "trajectory_satisfaction",
        "satisfaction_models",
        "intent_clusters",
        "assessments",
    ):
        store.client.command(f"TRUNCATE TABLE {table}")


def user(text: str | None) -> dict[str, Any]:
    return {"Kind": "user", "Text": text}


def agent(text: str, **more: Any) -> dict[str, Any]:
    return {"Kind": "assistant", "Text": text, **more}


def call(name: str, arguments: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "Kind": "tool",
        "Name": name,
        "Arguments": json.dumps(arguments),
        "Result": "{...}",
        "Status": "ok",
        **more,
    }


def write(
    store: AnalysisStore, runs: Mapping[str, Sequence[dict[str, Any]]], *, now_ms: int
) -> Context:
    """Write trajectories as assembly would, and say that they changed."""
    columns = ["Kind", "Name", "Text", "Arguments", "Result", "Status", "FinishReason"]
    defaults = {"Name": "", "Status": "", "FinishReason": ""}
    steps = [
        [name, i + 1, *({**defaults, **step}.get(c) for c in columns), at, now_ms, 0]
        for name, run in runs.items()
        for i, step in enumerate(run)
        for at in [BEGAN + timedelta(seconds=10 * i)]
    ]
    names = ["TrajectoryId", "Step", *columns, "Timestamp", "Version", "IsDeleted"]
    if steps:
        store.client.insert("trajectory_steps", steps, column_names=names)
    store.client.insert(
        "trajectories",
        [[name, BEGAN, [f"t-{name}"], now_ms, 0 if run else 1] for name, run in runs.items()],
        column_names=["TrajectoryId", "Start", "TraceIds", "Version", "IsDeleted"],
    )
    store.client.insert(
        "trajectory_traces",
        [[f"t-{name}", name, now_ms] for name in runs],
        column_names=["TraceId", "TrajectoryId", "Version"],
    )
    changed_only(store, list(runs))
    return store.context(now_ms=now_ms)


def changed_only(store: AnalysisStore, ids: Sequence[str]) -> None:
    store.client.command(
        "CREATE OR REPLACE TABLE changed_trajectories (TrajectoryId String) ENGINE = Memory"
    )
    store.client.insert("changed_trajectories", [[i] for i in ids], column_names=["TrajectoryId"])


def numbers(store: AnalysisStore, trajectory: str) -> dict[str, float]:
    rows = store.rows(
        "SELECT Numbers FROM trajectory_features FINAL WHERE TrajectoryId = {id:String}",
        id=trajectory,
    )
    return dict(zip(NAMES, rows[0]["Numbers"], strict=True))


def scores(store: AnalysisStore) -> dict[str, dict[str, Any]]:
    rows = store.rows("SELECT * FROM trajectory_satisfaction FINAL ORDER BY TrajectoryId")
    return {row["TrajectoryId"]: row for row in rows}


def label(store: AnalysisStore, satisfied: dict[str, float], source: str = "label") -> None:
    store.client.insert(
        "assessments",
        [
            [f"{source}-{name}", f"t-{name}", source, "satisfaction", value, BEGAN, 1, 0]
            for name, value in satisfied.items()
        ],
        column_names=[
            "AssessmentId",
            "TraceId",
            "Source",
            "Name",
            "Satisfied",
            "Timestamp",
            "Version",
            "IsDeleted",
        ],
    )


def shipping(i: int, *, right: bool = True) -> list[dict[str, Any]]:
    """A parcel is to be moved; three requests, each tried again and again."""
    city = CITIES[i % 3]
    return [
        user(f"Please send my parcel zx{i % 3}81 to {city} harbour instead"),
        call("get_parcel", {"id": f"zx{i % 3}81"}),
        agent("Shall I?"),
        user("Yes, go ahead. Thank you"),
        call("update_parcel", {"to": city if right else "rome"}),
        agent("It has been done." if right else "Sorry, I was unable to do that."),
    ]


def test_numbers_are_what_they_say(store: AnalysisStore) -> None:
    run = [
        user("This is wrong and I am frustrated"),  # an opening corrects nobody
        call("get_parcel", {"id": 1}),
        call("get_parcel", {"id": 1}),
        agent("Sorry, I cannot do that."),
        user("No, that is not what I said"),
        call("update_parcel", {"id": 1}, Status="error"),
        call("update_parcel", {"id": 2}, Result="[]"),
        agent("All set, it costs $12", FinishReason="length"),
        user("thanks"),
    ]
    compute_features(write(store, {"a": run}, now_ms=1))
    found = numbers(store, "a")
    assert found["steps"] == pytest.approx(math.log1p(9))
    assert found["turns"] == pytest.approx(math.log1p(3))
    assert found["reads"] == pytest.approx(math.log1p(2))
    assert found["changes"] == pytest.approx(math.log1p(1))
    assert found["failed_changes"] == pytest.approx(math.log1p(1))
    assert found["errors"] == pytest.approx(math.log1p(1))
    assert found["repeated_calls"] == pytest.approx(math.log1p(1))
    assert found["empty_results"] == pytest.approx(math.log1p(1))
    assert found["truncated"] == pytest.approx(math.log1p(1))
    assert found["corrections"] == pytest.approx(math.sqrt(1 / 2))
    assert found["frustration"] == 0.0
    assert found["apology"] == found["inability"] == pytest.approx(math.sqrt(1 / 2))
    assert found["unanswered"] == found["thanked_last"] == found["claimed_done_last"] == 1.0
    assert found["last_change"] == pytest.approx(7 / 9)
    assert found["seconds"] == pytest.approx(math.log1p(80))


def test_what_is_not_carried_is_nan(store: AnalysisStore) -> None:
    compute_features(write(store, {"a": [call("get_parcel", {})]}, now_ms=1))
    found = numbers(store, "a")
    unknown = {name for name, value in found.items() if math.isnan(value)}
    assert {"answer_chars", "corrections", "thanked_last", "apology", "last_change"} <= unknown
    assert found["steps"] == pytest.approx(math.log1p(1))
    assert scores(store) == {}


def test_strata_are_intents_and_keep_their_names(store: AnalysisStore) -> None:
    runs = {f"a{i:02}": shipping(i) for i in range(30)}
    compute_features(write(store, runs, now_ms=1))
    before = strata(store)
    assert len(set(before.values())) == 3
    assert all(before[f"a{i:02}"] == before[f"a{i % 3:02}"] for i in range(30))
    compute_features(write(store, {"b": shipping(1)}, now_ms=2))
    after = strata(store)
    assert after["b"] == before["a01"]
    assert {name: after[name] for name in before} == before
    foreign = {f"c{i}": [user("why is my garden sprinkler leaking at night")] for i in range(2)}
    compute_features(write(store, foreign, now_ms=3))
    assert strata(store)["c0"] == strata(store)["c1"]
    assert strata(store)["c0"] not in {"", *before.values()}


def strata(store: AnalysisStore) -> dict[str, str]:
    rows = store.rows("SELECT TrajectoryId, Stratum FROM trajectory_features FINAL")
    return {row["TrajectoryId"]: row["Stratum"] for row in rows}


def test_the_engine_scores_as_numpy_does(store: AnalysisStore) -> None:
    runs = {f"a{i:02}": [*shipping(i), *shipping(i)[: i % 5]] for i in range(20)}
    context = write(store, runs, now_ms=1)
    compute_features(context)
    loaded = load_examples(context)
    score_satisfaction(context, newest=10)
    found = scores(store)
    assert len(found) == 20
    # The ten newest gave the model its means; the others have no peers there, so only own numbers count.
    ten = load_examples(context, newest=10)
    model = prior_model(ten.examples.numbers)
    own = loaded.examples.numbers.copy()
    own[:, len(NAMES) :] = np.nan
    expected = 1 / (1 + np.exp(-(model.intercept + model.contributions(own).sum(axis=1))))
    by_engine = [i for i, name in enumerate(loaded.ids) if name not in ten.ids]
    assert len(by_engine) == 10
    for i, name in enumerate(loaded.ids):
        assert found[name]["Base"] == pytest.approx(expected[i], abs=1e-5)
    for i in by_engine:
        row = found[loaded.ids[i]]
        assert row["Probability"] == pytest.approx(expected[i], abs=1e-5)
        assert row["Base"] == row["Probability"]
        assert row["Method"] == "prior"
        strongest = [abs(entry["contribution"]) for entry in row["Evidence"]]
        assert strongest == sorted(strongest, reverse=True)


def test_who_does_not_do_as_peers_do_is_less_probable(store: AnalysisStore) -> None:
    runs = {f"a{i:02}": shipping(i, right=i != 4) for i in range(24)}
    context = write(store, runs, now_ms=1)
    compute_features(context)
    score_satisfaction(context)
    found = scores(store)
    odd = found.pop("a04")
    assert odd["Probability"] < min(row["Probability"] for row in found.values())
    assert {entry["name"] for entry in odd["Evidence"]} & {"same_changes", "same_values"}


def test_only_what_changed_is_scored_again(store: AnalysisStore) -> None:
    context = write(store, {f"a{i:02}": shipping(i) for i in range(20)}, now_ms=1)
    compute_features(context)
    assert score_satisfaction(context, newest=5).everything == 1
    context = write(store, {"a00": shipping(0), "b": shipping(1)}, now_ms=2)
    compute_features(context)
    assert score_satisfaction(context, newest=5).everything == 0
    versions = {name: row["Version"] for name, row in scores(store).items()}
    assert versions["a00"] == versions["b"] == 2
    assert 1 in versions.values()
    assert len({row["ModelId"] for row in scores(store).values()}) == 1


def test_labels_make_a_model_and_their_runs_get_held_out_scores(store: AnalysisStore) -> None:
    runs = {f"a{i:02}": shipping(i, right=i % 2 == 0) for i in range(60)}
    context = write(store, runs, now_ms=1)
    compute_features(context)
    label(store, {f"a{i:02}": float(i % 2 == 0) for i in range(54)})
    label(store, {f"a{i:02}": float(i % 2 == 1) for i in range(54)}, source="feedback")
    result = score_satisfaction(context)
    assert result.labels == 54
    found = scores(store)
    assert {row["Method"] for row in found.values()} == {"trained"}
    assert found["a58"]["Probability"] > found["a59"]["Probability"]
    model = store.rows("SELECT Labels, CrossFittedAuc, Parameters FROM satisfaction_models")
    assert model[0]["Labels"] == 54
    assert 0 <= model[0]["CrossFittedAuc"] <= 1
    again = score_satisfaction(store.context(now_ms=2))
    assert again.everything == 0
    assert store.rows("SELECT count() AS n FROM satisfaction_models")[0]["n"] == 1


def test_a_verdict_moves_who_was_judged_without_any_label(store: AnalysisStore) -> None:
    runs = {f"a{i:02}": shipping(i) for i in range(40)}
    context = write(store, runs, now_ms=1)
    compute_features(context)
    score_satisfaction(context, newest=10)
    before = {name: row["Probability"] for name, row in scores(store).items()}
    judged = {f"a{i:02}": float(i % 4 == 0) for i in range(0, 40, 2)}
    label(store, judged, source="judge")
    changed_only(store, [])
    result = score_satisfaction(store.context(now_ms=2), newest=10)
    assert result.everything == 1
    assert result.by_experts >= 20
    assert result.labels == 0
    after = scores(store)
    for name, verdict in judged.items():
        moved = after[name]["Probability"] - before[name]
        assert moved > 0.05 if verdict else moved < -0.05
        assert "judge" in {entry["name"] for entry in after[name]["Evidence"]}
    store.client.command("TRUNCATE TABLE assessments")
    score_satisfaction(store.context(now_ms=3), newest=10)
    withdrawn = scores(store)
    assert all("judge" not in {e["name"] for e in row["Evidence"]} for row in withdrawn.values())


def test_with_and_without_a_label_the_base_is_the_same_function(store: AnalysisStore) -> None:
    rng = np.random.default_rng(3)
    runs = {f"a{i:03}": shipping(i, right=rng.random() < 0.6) for i in range(240)}
    context = write(store, runs, now_ms=1)
    compute_features(context)
    chosen = rng.choice(240, size=80, replace=False).tolist()
    said = {f"a{i:03}": float(runs[f"a{i:03}"][-1]["Text"] == "It has been done.") for i in chosen}
    label(store, said)
    result = score_satisfaction(context, newest=20)
    assert result.labels == 80
    assert result.by_experts < 240
    found = scores(store)
    gaps = {"Probability": 0.0, "Base": 0.0}
    for kind in ("It has been done.", "Sorry, I was unable to do that."):
        alike = {name for name, run in runs.items() if run[-1]["Text"] == kind}
        for column in gaps:
            told = np.mean([found[name][column] for name in sorted(alike & set(said))])
            rest = np.mean([found[name][column] for name in sorted(alike - set(said))])
            gaps[column] += float(told - rest) * len(alike) / 240
    assert abs(gaps["Base"]) < 0.01
    assert abs(gaps["Probability"]) > 0.02  # experts look at those with a label


def test_a_trajectory_that_is_no_more_is_withdrawn(store: AnalysisStore) -> None:
    context = write(store, {f"a{i}": shipping(i) for i in range(4)}, now_ms=1)
    compute_features(context)
    score_satisfaction(context)
    store.client.command(
        "INSERT INTO trajectory_steps (TrajectoryId, Step, Version, IsDeleted) "
        "SELECT TrajectoryId, Step, 2, 1 FROM trajectory_steps WHERE TrajectoryId = 'a1'"
    )
    context = write(store, {"a1": []}, now_ms=2)
    compute_features(context)
    score_satisfaction(context)
    assert "a1" not in strata(store)
    assert set(scores(store)) == {"a0", "a2", "a3"}


def test_nothing_stored_is_nothing_scored(store: AnalysisStore) -> None:
    context = store.context(now_ms=1)
    changed_only(store, [])
    assert compute_features(context).trajectories == 0
    assert score_satisfaction(context).by_experts == 0
    assert scores(store) == {}
