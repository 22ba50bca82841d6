"""Rates from the real engine: sums, overlapping samples, raters, users as clusters."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from spanloop.optimizer.satisfaction import RateEstimate, estimate_rates
from tests.support.analysis import LATER_MS, AnalysisStore, open_analysis_store

START = datetime(2026, 11, 1, tzinfo=UTC)
DRAWN = datetime(2026, 11, 20, tzinfo=UTC)
N = 600
"""Trajectories; the first 480 of agent big, 80 % satisfied, the others of agent small, 25 %."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    opened = open_analysis_store(tmp_path_factory.mktemp("rates"))
    fill(opened)
    yield opened
    opened.client.close()


def satisfied() -> list[bool]:
    rng = np.random.default_rng(41)
    return [bool(x) for x in rng.random(N) < np.where(np.arange(N) < 480, 0.8, 0.25)]


def fill(store: AnalysisStore) -> None:
    outcome = satisfied()
    ids = [f"t{i:04d}" for i in range(N)]
    rows: list[dict[str, Any]] = [
        {
            "TrajectoryId": name,
            "Project": "default",
            "UserId": f"u{i % 150}" if i % 3 else "",
            "AgentName": "big" if i < 480 else "small",
            "Release": "r1" if i % 2 else "r2",
            "TraceIds": [f"trace-{name}"],
            "Start": START + timedelta(hours=i % 48),
            "End": START + timedelta(hours=i % 48, minutes=1),
            "State": "open" if i == 0 else "closed",
            "Completeness": 0.2 if i == 1 else 1.0,
            "Version": 1,
        }
        for i, name in enumerate(ids)
    ]
    late = {**rows[10], "TrajectoryId": "late", "TraceIds": ["late"]}
    rows.append({**late, "Start": DRAWN + timedelta(days=1), "AgentName": "late"})
    insert(store, "trajectories", rows)
    insert(
        store,
        "trajectory_traces",
        [
            {"TraceId": row["TraceIds"][0], "TrajectoryId": row["TrajectoryId"], "Version": 1}
            | {"Project": "default", "Start": START, "End": START}
            for row in rows
        ],
    )
    rng = np.random.default_rng(43)
    insert(
        store,
        "trajectory_satisfaction",
        [
            {"TrajectoryId": name, "Base": 0.7 if ok != wrong else 0.3, "Version": 1}
            | {"Probability": 0.5}  # experts look at some only, so no rate may rest on it
            for name, ok, wrong in zip(ids, outcome, (rng.random(N) < 0.15).tolist(), strict=True)
        ],
    )
    for sample, agent, low, size in (("all", "", 2, 60), ("few", "small", 480, 60)):
        chosen = [int(i) for i in rng.choice(np.arange(low, N), size=size, replace=False)]
        draw(store, sample, agent, chosen, N - low)
        label(store, sample, [(ids[i], outcome[i]) for i in chosen])
    rate(store, [(ids[i], outcome[i]) for i in range(2, 480) if outcome[i] or i % 4 == 0])


def insert(store: AnalysisStore, table: str, rows: list[dict[str, Any]]) -> None:
    names = list(rows[0])
    store.client.insert(table, [[row[n] for n in names] for row in rows], column_names=names)


def draw(store: AnalysisStore, sample: str, agent: str, chosen: list[int], of: int) -> None:
    told = {"n": len(chosen), "agent": agent, "release": "", "since": None, "stratified": False}
    insert(
        store,
        "label_samples",
        [
            {"SampleId": sample, "TrajectoryId": f"t{i:04d}", "Probability": len(chosen) / of}
            | {"Position": at + 1, "Population": of, "Filters": json.dumps(told)}
            | {"Stratum": "", "DrawnAt": DRAWN}
            for at, i in enumerate(chosen)
        ],
    )


def label(store: AnalysisStore, sample: str, said: list[tuple[str, bool]]) -> None:
    insert(
        store,
        "assessments",
        [
            {"AssessmentId": f"{sample}-{name}", "Project": "default", "TraceId": f"trace-{name}"}
            | {"Source": "label", "Name": "satisfaction", "Satisfied": float(ok)}
            | {"Selection": "sampled", "SelectionProbability": 0.1, "SampleId": sample}
            | {"Timestamp": START, "Version": 1}
            for name, ok in said
        ],
    )


def rate(store: AnalysisStore, said: list[tuple[str, bool]]) -> None:
    insert(
        store,
        "assessments",
        [
            {"AssessmentId": f"user-{name}", "Project": "default", "TraceId": f"trace-{name}"}
            | {"Source": "feedback", "Name": "user_feedback", "Satisfied": float(ok)}
            | {"Selection": "volunteered", "Timestamp": START, "Version": 1}
            for name, ok in said
        ],
    )


def by_value(found: list[RateEstimate]) -> dict[tuple[str, str], RateEstimate]:
    return {(each.dimension, each.value): each for each in found}


def test_a_sample_of_one_agent_does_not_tilt_the_rate_of_all(store: AnalysisStore) -> None:
    found = by_value(estimate_rates(store.context()))
    truth = float(np.mean(satisfied()[2:]))
    everything = found["all", ""]
    assert everything.interval.method == "prediction_powered"
    assert (everything.interval.low or 1) <= truth <= (everything.interval.high or 0)
    assert abs((everything.interval.point or 0) - truth) < 0.06
    assert everything.trajectories == N - 2 + 1
    small = found["agent", "small"]
    few = float(np.mean(satisfied()[480:]))
    assert (small.interval.low or 1) <= few <= (small.interval.high or 0)
    assert 60 <= small.labelled <= 75
    assert {d for d, _ in found} == {"all", "agent", "release", "day", "agent_day"}
    days = [
        each for (d, value), each in found.items() if d == "agent_day" and value.endswith(" small")
    ]
    assert sum(each.trajectories for each in days) == small.trajectories
    assert sum(each.labelled for each in days) == small.labelled


def test_raters_are_shown_beside_and_correct_nothing(store: AnalysisStore) -> None:
    found = by_value(estimate_rates(store.context()))
    big = found["agent", "big"]
    assert big.raters > 300
    assert (big.among_raters.point or 0) > 0.9
    assert (big.interval.high or 1) < 0.93


def test_what_no_sample_could_have_drawn_is_unknown(store: AnalysisStore) -> None:
    late = by_value(estimate_rates(store.context()))["agent", "late"]
    assert late.trajectories == 1
    assert late.interval.point is None
    assert late.interval.method == "unknown"
    assert late.labelled == 0


def test_the_population_behind_is_asked_for_with_users_as_clusters(store: AnalysisStore) -> None:
    these = by_value(estimate_rates(store.context()))["all", ""]
    behind = by_value(estimate_rates(store.context(), target="population"))["all", ""]
    assert behind.interval.method == "prediction_powered"
    assert (behind.interval.width or 0) > (these.interval.width or 1)
    assert behind.clusters == these.clusters


def test_what_is_stored_is_what_is_returned(store: AnalysisStore) -> None:
    context = store.context(now_ms=LATER_MS + 5)
    returned = by_value(estimate_rates(context))["all", ""]
    row = store.rows(
        "SELECT * FROM satisfaction_rates WHERE Dimension = 'all' ORDER BY ComputedAt DESC LIMIT 1"
    )[0]
    assert row["Rate"] == pytest.approx(returned.interval.point)
    assert row["Method"] == "prediction_powered"
    assert row["Labelled"] == returned.labelled
    assert row["RateAmongRaters"] == pytest.approx(returned.among_raters.point)
    assert row["PassK"] == []


def test_scenarios_that_were_repeated_give_pass_k(store: AnalysisStore) -> None:
    scenarios = {f"t{i:04d}": f"s{i % 8}" for i in range(N)}
    found = by_value(estimate_rates(store.context(), scenarios=scenarios))["all", ""]
    assert [k for k, _ in found.pass_k] == [1, 2, 3, 4, 5]
    rates = [r for _, r in found.pass_k]
    assert rates == sorted(rates, reverse=True)


def test_with_raters_alone_there_are_bounds_and_no_rate(store: AnalysisStore) -> None:
    store.client.command("TRUNCATE TABLE label_samples")
    store.client.command(
        "ALTER TABLE assessments DELETE WHERE Source = 'label' SETTINGS mutations_sync = 1"
    )
    big = by_value(estimate_rates(store.context(now_ms=LATER_MS + 9)))["agent", "big"]
    truth = float(np.mean(satisfied()[2:480]))
    assert big.interval.point is None
    assert big.interval.method == "raters_bounded"
    assert (big.interval.low or 1) <= truth <= (big.interval.high or 0)
    assert (big.among_raters.low or 0) > truth
