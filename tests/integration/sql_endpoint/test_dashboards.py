"""Every panel's SQL, as the plugin sends it, on the embedded store: over HTTP and through clickhouse-go."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from spanloop.dashboards.build import BOARDS
from spanloop.dashboards.panels import Board, board_json
from tests.integration.sql_endpoint.conftest import Endpoint, run_go, start_endpoint, stop
from tests.support.dashboards import LABELLED, make_empty_store, make_store
from tests.support.grafana import ALL, EVER, Chosen, expand, statements, variable_statements

DASHBOARDS = {board.name: board_json(board) for board in BOARDS}
PANELS = [(name, title) for name, each in DASHBOARDS.items() for title in statements(each)]
HOSTILE = "x') OR ('1'='1, O'Neil (a"
boards = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Endpoint]:
    directory = tmp_path_factory.mktemp("dashboards")
    make_store(directory / "db", data_dir / "agentrx_tau_retail" / "dev.otlp.gz")
    served = start_endpoint(directory, setup=[])
    yield served
    stop(served.process)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    directory = tmp_path_factory.mktemp("no_dashboards")
    make_empty_store(directory / "db")
    served = start_endpoint(directory, setup=[])
    yield served
    stop(served.process)


def rows(endpoint: Endpoint, sql: str) -> list[list[Any]]:
    found: list[list[Any]] = json.loads(endpoint.run(sql, default_format="JSONCompact"))["data"]
    return found


def everything(endpoint: Endpoint, board: Board) -> Mapping[str, Chosen]:
    """What a reader sees first: "All" where it is offered, else the first value; a trace with findings."""
    return _values(endpoint, board, all_first=True)


def one_of_each(endpoint: Endpoint, board: Board) -> Mapping[str, Chosen]:
    """What a reader sees who chose the first value of every variable, and an agent with a bad name."""
    return _values(endpoint, board, all_first=False)


def _values(endpoint: Endpoint, board: Board, *, all_first: bool) -> Mapping[str, Chosen]:
    queries = variable_statements(DASHBOARDS[board.name])
    chosen: dict[str, Chosen] = {}
    for variable in board.variables:
        if variable.kind == "query":
            sql = expand(queries[variable.name], chosen, EVER)
            options = [row[0] for row in rows(endpoint, sql)]
            first = options[0] if options else ""
            several = [first, HOSTILE]
            value = ALL if variable.all and all_first else several if variable.multi else first
            chosen[variable.name] = Chosen(value=value, options=options)
        elif variable.name == "trace":
            found = rows(endpoint, "SELECT max(TraceId) FROM pattern_members WHERE TraceId != ''")
            chosen["trace"] = Chosen(value=found[0][0])
        else:
            chosen[variable.name] = Chosen(value=variable.default)
    return chosen


@pytest.fixture(scope="module")
def answers(
    full: Endpoint, clickhouse_go: Path, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Mapping[str, Any]]:
    """What clickhouse-go, the client inside Grafana's plugin, reads for every panel as it is first seen."""
    queries: dict[str, str] = {}
    for board in BOARDS:
        chosen = everything(full, board)
        for title, sql in statements(DASHBOARDS[board.name]).items():
            queries[f"{board.name}: {title}"] = expand(sql, chosen, EVER)
    file = tmp_path_factory.mktemp("queries") / "panels.json"
    file.write_text(json.dumps(queries))
    return {each["name"]: each for each in run_go(clickhouse_go, full, "-queries", str(file))}


@pytest.mark.parametrize(("name", "title"), PANELS)
def test_a_panel_has_something_to_show(
    answers: Mapping[str, Mapping[str, Any]], name: str, title: str
) -> None:
    found = answers[f"{name}: {title}"]
    assert found.get("error") is None
    assert found.get("rows")
    (board,) = [each for each in BOARDS if each.name == name]
    (panel,) = [p for row in board.rows for p in row.panels if p.title == title]
    assert {*panel.columns, *filter(None, [panel.x])} <= set(found["columns"])
    if panel.kind == "timeseries":
        assert found["columns"][0] == "time"
        labelled = any("String" in each for each in found["types"])
        assert ("Value" in found["columns"]) == labelled  # only then a legend is the label alone


@boards
def test_panels_run_for_one_agent_release_pattern_and_experiment(
    full: Endpoint, board: Board
) -> None:
    chosen = one_of_each(full, board)
    for sql in statements(DASHBOARDS[board.name]).values():
        rows(full, expand(sql, chosen, EVER))


def test_a_judgement_that_names_a_conversation_alone_is_found_from_its_traces(
    full: Endpoint,
) -> None:
    traces = rows(
        full,
        "SELECT TraceIds[1] FROM trajectories FINAL WHERE ConversationId IN "
        "(SELECT ConversationId FROM assessments FINAL WHERE AssessmentId = 'labelled')",
    )
    sql = statements(DASHBOARDS["trace"])["What was found"]
    for (trace,) in traces:
        found = rows(full, expand(sql, {"trace": Chosen(value=trace)}, EVER))
        assert ["judgement (label)", "satisfaction", None, 0, LABELLED] in found
    assert traces


@boards
def test_panels_run_before_the_first_span(empty: Endpoint, board: Board) -> None:
    chosen = everything(empty, board)
    for title, sql in statements(DASHBOARDS[board.name]).items():
        found = rows(empty, expand(sql, chosen, EVER))
        assert len(found) <= 1 or title == "Tables on disk"


def test_what_grafana_would_call_each_panel_is_unique() -> None:
    assert len(PANELS) == len(set(PANELS)) > 40
