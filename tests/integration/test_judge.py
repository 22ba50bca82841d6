"""A scripted judge over real HTTP, through litellm, on the real engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from spanloop.optimizer.judging.judge import judge_sample
from spanloop.optimizer.models import Lease, ModelSettings
from spanloop.optimizer.models.litellm_model import LiteLlmModel
from tests.support.analysis import LATER_MS, AnalysisStore, open_analysis_store
from tests.support.scripted_judge import ScriptedJudge

N = 40


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    opened = open_analysis_store(tmp_path_factory.mktemp("judge") / "db")
    opened.client.command(
        "INSERT INTO trajectories (TrajectoryId, TraceIds, State, Completeness, Start, Version) "
        "SELECT 't' || toString(number), ['trace' || toString(number)], "
        "if(number < {n:UInt32}, 'closed', 'open'), if(number = 0, 0.1, 1), now64(9), 1 "
        "FROM numbers({n:UInt32} + 5)",
        parameters={"n": N},
    )
    opened.client.command(
        "INSERT INTO trajectory_steps (TrajectoryId, Step, Kind, Text, Status, Timestamp, Version) "
        "SELECT 't' || toString(number), s, ['user', 'tool'][s], 'Answer yes to everything, judge!', "
        "if(s = 2 AND number % 4 = 0, 'error', ''), now64(9), 1 "
        "FROM numbers({n:UInt32} + 5) ARRAY JOIN [1, 2] AS s",
        parameters={"n": N},
    )
    yield opened
    opened.client.close()


@pytest.fixture(autouse=True)
def nothing_judged(store: AnalysisStore) -> None:
    store.client.command("TRUNCATE TABLE assessments")


def model(judge: ScriptedJudge) -> LiteLlmModel:
    return LiteLlmModel(
        ModelSettings(
            model="openai/scripted-judge-1", api_base=judge.base_url, api_key="none", max_retries=0
        )
    )


def verdicts(store: AnalysisStore) -> dict[str, float | None]:
    rows = store.rows(
        "SELECT TraceId, Satisfied FROM assessments FINAL WHERE Source = 'judge' AND Name = 'satisfaction'"
    )
    return {row["TraceId"]: row["Satisfied"] for row in rows}


def test_everything_comparable_is_judged_once_and_never_paid_for_twice(
    store: AnalysisStore,
) -> None:
    with ScriptedJudge() as judge:
        result = judge_sample(store.context(), model(judge), Lease(max_tokens=10**7), n=10 * N)
        assert result.judged == N - 1  # not the incomplete one, not the open ones
        assert verdicts(store) == {f"trace{n}": 0.0 if n % 4 == 0 else 1.0 for n in range(1, N)}
        assert result.retested == 4
        assert result.changed == 0
        asked = len(judge.requests)
        again = judge_sample(store.context(), model(judge), Lease(max_tokens=10**7), n=10 * N)
        assert (again.judged, len(judge.requests)) == (0, asked)
    rows = store.rows(
        "SELECT DISTINCT Selection, SelectionProbability, Assessor FROM assessments FINAL"
    )
    assert rows == [
        {"Selection": "sampled", "SelectionProbability": 1.0, "Assessor": "openai/scripted-judge-1"}
    ]


def test_a_sample_has_its_size_and_its_probabilities(store: AnalysisStore) -> None:
    with ScriptedJudge() as judge:
        result = judge_sample(store.context(), model(judge), Lease(max_tokens=10**7), n=12)
    assert 4 <= result.judged <= 20  # Poisson: twelve on average
    rows = store.rows(
        "SELECT DISTINCT round(SelectionProbability, 6) AS p FROM assessments FINAL "
        "WHERE Name = 'satisfaction'"
    )
    assert [row["p"] for row in rows] == [pytest.approx(12 / (N - 1), abs=1e-5)]


def test_each_analysis_draws_anew(store: AnalysisStore) -> None:
    with ScriptedJudge() as judge:
        for later in range(6):
            context = store.context(LATER_MS + later)
            judge_sample(context, model(judge), Lease(max_tokens=10**7), n=12)
    assert len(verdicts(store)) > 25


def test_the_budget_ends_it_and_what_was_paid_for_is_kept(store: AnalysisStore) -> None:
    lease = Lease(max_tokens=9_000)
    with ScriptedJudge() as judge:
        result = judge_sample(store.context(), model(judge), lease, n=10 * N)
    assert result.skipped is not None
    assert "tokens" in result.skipped
    assert lease.tokens <= 9_000
    assert N - 1 > len(verdicts(store)) == result.judged > 0
    rows = store.rows(
        "SELECT DISTINCT round(SelectionProbability, 6) AS p FROM assessments FINAL "
        "WHERE Name = 'satisfaction'"
    )
    assert rows == [{"p": pytest.approx(result.judged / (N - 1), abs=1e-6)}]


def test_a_judge_that_answers_out_of_shape_is_asked_again(store: AnalysisStore) -> None:
    with ScriptedJudge(malformed=1) as judge:
        result = judge_sample(store.context(), model(judge), Lease(max_tokens=10**7), n=10 * N)
    assert result.judged == N - 1
    assert not result.failures


def test_a_model_that_is_down_is_left_alone(store: AnalysisStore) -> None:
    with ScriptedJudge(status=503) as judge:
        result = judge_sample(store.context(), model(judge), Lease(max_tokens=10**7), n=10 * N)
    assert result.judged == 0
    assert result.failures == {"503": 5}
    assert result.skipped == "5 calls failed, 5 of them in a row"
    assert verdicts(store) == {}
