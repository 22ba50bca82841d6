"""A store in which every dashboard has something to show: recorded runs, a desk, and a cycle."""

from pathlib import Path

from spanloop.optimizer.analysis import run_analysis
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.releases import register
from spanloop.optimizer.scenarios import save_scenarios
from tests.integration.test_cycle import (
    AGENT,
    PATTERN,
    PREDICATE,
    Engine,
    KnownPlayers,
    cycle,
    opening,
    situation,
)
from tests.support.analysis import LATER_MS, AnalysisStore, open_analysis_store
from tests.support.desk import conversation
from tests.support.scenario_runs import START, Run, insert_runs

DESK = {
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": "1200",
    "gen_ai.usage.cache_read.input_tokens": "800",
    "gen_ai.usage.output_tokens": "90",
}
HOUR_S = 3_600


def make_store(path: Path, recorded: Path) -> None:
    """Fill a new embedded store at ``path``, and close it: another process may then own it."""
    store = open_analysis_store(path)
    _fill_shop(store)
    cycle(store, KnownPlayers(), Engine())  # before other agents are there: it would test them too
    store.insert_protobuf(recorded)
    _serve_desk(store)
    run_analysis(store.context(LATER_MS))
    store.client.close()


def make_empty_store(path: Path) -> None:
    """Make a store as it is before the first span."""
    open_analysis_store(path).client.close()


def _serve_desk(store: AnalysisStore) -> None:
    """Two releases, rated by their users, with prices."""
    for number in range(40):
        failed = number % 3 == 0
        rated = {"user_feedback": "thumbs_down" if failed else "thumbs_up"}
        extra = DESK | rated | {"spanloop.release.id": f"desk-{number % 2}"}
        spans = conversation(
            number, "the booking", failed=failed, at_s=number * HOUR_S, extra=extra
        )
        store.insert_spans(spans, batch_id=f"desk {number}")


def _fill_shop(store: AnalysisStore) -> None:
    """An agent with a pattern, scenarios that show it, and a configuration that runs."""
    names = [*(f"test-{n}" for n in range(60)), *(f"train-{n}" for n in range(12))]
    runs = [
        Run(name=f"run-{name}", told=[opening(name)], agent=AGENT, user=name, patterns=[PATTERN])
        for name in names
    ]
    insert_runs(store.client, runs, version=1)
    row = [PATTERN, "It is not checked", "verification", "open", PREDICATE, [AGENT], 8]
    columns = ["PatternId", "Title", "Category", "State", "Predicate", "Agents", "Members"]
    store.client.insert(
        "failure_patterns",
        [[*row, START, START, 1]],
        column_names=[*columns, "FirstSeen", "LastSeen", "Version"],
    )
    splits = [(name, "train" if name.startswith("train") else "test") for name in names]
    save_scenarios(store.context(), [situation(name, split) for name, split in splits])  # type: ignore[arg-type]
    production = AgentConfiguration(components={"instructions": "Help."})
    register(store.context(), AGENT, production, project="")
