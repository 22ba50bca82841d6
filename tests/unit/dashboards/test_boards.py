"""Dashboards hold together: what Grafana would not tell before somebody looks."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from spanloop.dashboards.build import BOARDS, rendered
from spanloop.dashboards.panels import DATASOURCE, Board, board_json
from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "dashboards"
STATEMENTS = sorted((FOLDER / "sql").rglob("*.sql"))
REPLACING = {
    found[1]
    for path in (REPOSITORY / "exporter" / "sql" / "migrations").glob("*.sql")
    if (found := re.search(r"merge_tree\('(\w+)', 'Replacing'", path.read_text(encoding="utf-8")))
}
OF_ALL_TRAFFIC = {"trace/spans", "trace/conversation", "trace/steps"}
"""Statements that read runs of experiments too: ingest counts everything, a trace is shown whatever it is."""

boards = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
sql_files = pytest.mark.parametrize(
    "path", STATEMENTS, ids=lambda path: f"{path.parent.name}/{path.stem}"
)


def panels_of(board: Board) -> list[dict[str, Any]]:
    return list(board_json(board)["panels"])


def test_the_committed_json_is_what_the_descriptions_make() -> None:
    committed = {
        path.name: path.read_text(encoding="utf-8")
        for path in (FOLDER / "grafana" / "dashboards").iterdir()
    }
    assert committed == rendered()


def test_uids_and_titles_are_unique() -> None:
    assert len({board.uid for board in BOARDS}) == len({board.title for board in BOARDS})
    assert len({board.uid for board in BOARDS}) == len(BOARDS)


@boards
def test_panels_fit_the_grid_without_overlaps_and_have_ids_of_their_own(board: Board) -> None:
    panels = panels_of(board)
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    for place in places:
        assert 0 <= place["x"] < place["x"] + place["w"] <= 24
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert beside or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]


@boards
def test_every_variable_that_is_used_is_there_and_no_other(board: Board) -> None:
    content = board_json(board)
    text = json.dumps(content["panels"]) + json.dumps(content["templating"])
    used = set(re.findall(r"\$\{?(?!__)([a-z]\w*)", text))
    assert used == {variable.name for variable in board.variables}


@boards
def test_every_query_asks_the_chosen_data_source(board: Board) -> None:
    content = board_json(board)
    asked = [panel for panel in content["panels"] if panel["type"] != "row"]
    asked += [target for panel in asked for target in panel["targets"]]
    asked += [each for each in content["templating"]["list"] if each["type"] == "query"]
    assert {json.dumps(each["datasource"]) for each in asked} == {json.dumps(dict(DATASOURCE))}


@boards
def test_links_lead_to_dashboards_that_exist(board: Board) -> None:
    named = set(re.findall(r"/d/([\w-]+)", json.dumps(panels_of(board))))
    assert named <= {each.uid for each in BOARDS}


@boards
def test_a_reader_is_told_what_a_panel_means_and_what_to_do_when_it_is_empty(board: Board) -> None:
    for panel in panels_of(board):
        if panel["type"] != "row":
            assert panel["description"]
            assert panel["fieldConfig"]["defaults"]["noValue"]


def test_every_statement_is_used_once() -> None:
    used = Counter(
        f"{board.name}/{panel.sql}"
        for board in BOARDS
        for row in board.rows
        for panel in row.panels
    )
    variables = {f"variables/{v.sql}" for board in BOARDS for v in board.variables if v.sql}
    assert set(used.values()) == {1}
    assert {*used, *variables} == {f"{path.parent.name}/{path.stem}" for path in STATEMENTS}


def tables_read(sql: str) -> Iterator[tuple[str, bool]]:
    """Yield each table of ours that is read, and whether with FINAL."""
    for name, final in re.findall(r"\b(?:FROM|JOIN)\s+(\w+)\b(\s+FINAL)?", sql):
        yield name, bool(final)


@sql_files
def test_replaced_rows_are_not_counted(path: Path) -> None:
    if path.parent.name == "variables" and path.stem in ("agents", "projects", "releases"):
        return  # a name that only a replaced row has does no harm in a list, and FINAL is not free
    read = list(tables_read(path.read_text(encoding="utf-8")))
    assert [name for name, final in read if name in REPLACING and not final] == []


def test_the_replacing_tables_are_known() -> None:
    assert {"trajectories", "failure_patterns", "experiments", "releases"} <= REPLACING


@sql_files
def test_runs_of_experiments_are_left_out_of_production(path: Path) -> None:
    sql = path.read_text(encoding="utf-8")
    reads = {name for name, _ in tables_read(sql)}
    production = reads & {"trajectories", "genai_spans"}
    if f"{path.parent.name}/{path.stem}" in OF_ALL_TRAFFIC or path.parent.name == "ingest":
        return
    if path.parent.name == "variables" and path.stem == "projects":
        return
    by_id = "trajectories" in reads and "SELECT Example FROM intent_clusters" in sql
    assert not production or by_id or "RunId = ''" in sql


@sql_files
def test_a_statement_says_what_it_is_for(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("-- ")
