"""What a dashboard is made of, and its JSON as Grafana 11.6 and later read it.

A board is rows of panels, a panel is a title, one SQL file and how its columns are shown. Panels flow from
left to right and wrap at 24 columns, so nothing here carries coordinates. The JSON has the shape of the
types in grafana-foundation-sdk, against which tests check it. Queries are as the plugin
grafana-clickhouse-datasource takes them, 4.20 and later.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import count
from typing import Any, Literal

Json = dict[str, Any]
Kind = Literal["stat", "table", "timeseries", "trend", "traces"]

GRID_COLUMNS = 24
SCHEMA_VERSION = 39
"""Of Grafana 11.6; newer ones migrate what they load."""
PLUGIN = "grafana-clickhouse-datasource"
DATASOURCE: Mapping[str, str] = {"type": PLUGIN, "uid": "${datasource}"}
FORMATS: Mapping[Kind, int] = {"timeseries": 0, "stat": 1, "table": 1, "trend": 1, "traces": 3}
"""The plugin's ``format``: 0 time series, 1 table, 3 trace. Rows of time, label and `Value` become a series a
label, which Grafana calls by the label alone because the number is called `Value`."""

_LEGEND: Json = {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []}
_TOOLTIP: Json = {"mode": "multi", "sort": "desc"}
_OPTIONS: Mapping[Kind, Json] = {
    "stat": {
        "graphMode": "none",
        "colorMode": "value",
        "justifyMode": "auto",
        "textMode": "value_and_name",
        "wideLayout": True,
        "showPercentChange": False,
        "percentChangeColorMode": "standard",
        "orientation": "vertical",
        "reduceOptions": {"values": False, "calcs": ["lastNotNull"], "fields": "/.*/"},
    },
    "table": {"frameIndex": 0, "showHeader": True, "cellHeight": "sm"},
    "timeseries": {"legend": _LEGEND, "tooltip": _TOOLTIP},
    "trend": {"legend": _LEGEND, "tooltip": _TOOLTIP},
    "traces": {},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where a click on a cell leads; ``url`` may use ``${__value.raw}`` and variables."""

    title: str
    url: str
    new_tab: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """How one column is shown.

    Attributes:
        unit: Grafana's name of it (``percentunit`` takes 0 to 1); '' = that of the panel.
        decimals: digits after the point; None = as many as matter.
        width: pixels; 0 = as Grafana sees fit.
        bar: draw the number from 0 to 1 as a bar in its cell.
        colors: value → colour of the cell's text.
        links: what a click offers.
    """

    unit: str = ""
    decimals: int | None = None
    width: int = 0
    bar: bool = False
    colors: Mapping[str, str] = field(default_factory=dict[str, str])
    links: Sequence[Link] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel.

    Attributes:
        title: what it shows, in words of a newcomer.
        sql: its statement, ``sql/<board>/<sql>.sql``.
        kind: Grafana's panel type.
        size: width in grid columns (of 24), height in grid rows (of 30 pixels).
        description: what the numbers mean and rest on; behind the (i) of the panel.
        empty: what to do when there is nothing to show.
        unit: of all numbers that `columns` says nothing else about.
        columns: by name.
        draw: ``lines``, ``bars`` (stacked) or ``band`` (a line in the area from column Low to column High).
        log: draw on a logarithmic scale.
        x: the column along the x axis of a trend.
    """

    title: str
    sql: str
    kind: Kind
    size: tuple[int, int]
    description: str
    empty: str
    unit: str = ""
    columns: Mapping[str, Column] = field(default_factory=dict[str, Column])
    draw: Literal["lines", "bars", "band"] = "lines"
    log: bool = False
    x: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """What a reader can choose above the panels.

    Attributes:
        name: as in ``${name:singlequote}``.
        label: as shown.
        kind: ``query`` offers what `sql` returns (one column, or value and text), ``textbox`` takes anything.
        sql: file ``sql/variables/<sql>.sql``.
        multi: several may be chosen.
        all: offer "All", and begin with it.
        default: what a textbox begins with.
    """

    name: str
    label: str
    kind: Literal["datasource", "query", "textbox"]
    sql: str = ""
    multi: bool = False
    all: bool = False
    default: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One dashboard; its file, uid and folder of SQL come from `name`."""

    name: str
    title: str
    description: str
    variables: Sequence[Variable]
    rows: Sequence[Row]
    since: str = "now-30d"
    refresh: str = ""

    @property
    def uid(self) -> str:
        """What links name; stable over versions."""
        return f"spanloop-{self.name}"


def statement(folder: str, name: str) -> str:
    """Return the SQL of ``sql/<folder>/<name>.sql`` without its comment."""
    text = (files("spanloop.dashboards") / "sql" / folder / f"{name}.sql").read_text("utf-8")
    lines = text.strip().splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))


def board_json(board: Board) -> Json:
    """Return the dashboard as Grafana stores it."""
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.description,
        "tags": ["spanloop"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "timezone": "browser",
        "time": {"from": board.since, "to": "now"},
        "refresh": board.refresh,
        "links": [_menu()],
        "annotations": {"list": []},
        "templating": {"list": [_variable_json(variable) for variable in board.variables]},
        "panels": list(_placed(board)),
    }


def _menu() -> Json:
    return {
        "type": "dashboards",
        "title": "spanloop",
        "tags": ["spanloop"],
        "asDropdown": True,
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
        "icon": "external link",
        "tooltip": "The other dashboards",
        "url": "",
    }


def _placed(board: Board) -> Iterator[Json]:
    ids = count(1)
    y = 0
    for row in board.rows:
        place = {"x": 0, "y": y, "w": GRID_COLUMNS, "h": 1}
        heading: Json = {"type": "row", "id": next(ids), "title": row.title, "gridPos": place}
        yield {**heading, "collapsed": False, "panels": []}
        x, y, tallest = 0, y + 1, 0
        for panel in row.panels:
            width, height = panel.size
            if x + width > GRID_COLUMNS:
                x, y, tallest = 0, y + tallest, 0
            place = {"x": x, "y": y, "w": width, "h": height}
            yield {"id": next(ids), "gridPos": place, **_panel_json(panel, board.name)}
            x, tallest = x + width, max(tallest, height)
        y += tallest


def _panel_json(panel: Panel, folder: str) -> Json:
    defaults: Json = {"noValue": panel.empty, "custom": _drawing(panel)}
    if panel.unit:
        defaults["unit"] = panel.unit
    overrides = [_override("byName", name, _shown(it)) for name, it in panel.columns.items()]
    if panel.kind == "table":  # `noValue` fills empty cells too: there it must not tell what to do
        overrides.insert(0, _override("byRegexp", "/.*/", {"noValue": "–"}))
    if panel.draw == "band":
        overrides += _band()
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": dict(DATASOURCE),
        "fieldConfig": {"defaults": defaults, "overrides": overrides},
        "options": {**_OPTIONS[panel.kind], **({"xField": panel.x} if panel.x else {})},
        "targets": [
            {
                "refId": "A",
                "datasource": dict(DATASOURCE),
                "editorType": "sql",
                "format": FORMATS[panel.kind],
                "rawSql": statement(folder, panel.sql),
            }
        ],
    }


def _drawing(panel: Panel) -> Json:
    if panel.kind == "table":
        return {"align": "auto", "inspect": True}
    if panel.kind not in ("timeseries", "trend"):
        return {}
    drawing: Json = {"drawStyle": "line", "lineWidth": 2, "showPoints": "auto", "spanNulls": True}
    if panel.draw == "bars":
        drawing = {
            "drawStyle": "bars",
            "fillOpacity": 80,
            "lineWidth": 0,
            "stacking": {"mode": "normal", "group": "A"},
        }
    if panel.log:
        drawing["scaleDistribution"] = {"type": "log", "log": 10}
    return drawing


def _band() -> list[Json]:
    edge: Json = {"custom.lineWidth": 1, "color": {"mode": "fixed", "fixedColor": "light-blue"}}
    area: Json = {"custom.fillBelowTo": "Low", "custom.fillOpacity": 15}
    return [_override("byName", "Low", edge), _override("byName", "High", edge | area)]


def _shown(column: Column) -> Json:
    shown: Json = {}
    if column.unit:
        shown["unit"] = column.unit
    if column.decimals is not None:
        shown["decimals"] = column.decimals
    if column.width:
        shown["custom.width"] = column.width
    if column.bar:
        gauge = {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}
        shown |= {"custom.cellOptions": gauge, "min": 0, "max": 1}
        shown["color"] = {"mode": "fixed", "fixedColor": "blue"}
    if column.colors:
        options = {
            value: {"color": color, "index": index}
            for index, (value, color) in enumerate(column.colors.items())
        }
        shown["custom.cellOptions"] = {"type": "color-text"}
        shown["mappings"] = [{"type": "value", "options": options}]
    if column.links:
        shown["links"] = [
            {"title": link.title, "url": link.url, "targetBlank": link.new_tab}
            for link in column.links
        ]
    return shown


def _override(matcher: str, options: str, properties: Mapping[str, Any]) -> Json:
    return {
        "matcher": {"id": matcher, "options": options},
        "properties": [{"id": name, "value": value} for name, value in properties.items()],
    }


def _variable_json(variable: Variable) -> Json:
    common: Json = {"name": variable.name, "label": variable.label, "type": variable.kind}
    if variable.kind == "datasource":
        return {
            **common,
            "query": PLUGIN,
            "current": {"text": "spanloop", "value": "spanloop"},
            "options": [],
            "refresh": 1,
            "includeAll": False,
            "multi": False,
            "hide": 0,
        }
    if variable.kind == "textbox":
        chosen = {"text": variable.default, "value": variable.default}
        return {**common, "query": variable.default, "current": chosen, "options": [], "hide": 0}
    sql = statement("variables", variable.sql)
    begin: Json = {}
    if variable.all:
        listed = (["All"], ["$__all"]) if variable.multi else ("All", "$__all")
        begin = {"current": dict(zip(("text", "value"), listed, strict=True))}
    return {
        **common,
        **begin,
        "datasource": dict(DATASOURCE),
        "query": {"refId": variable.name, "queryType": "sql", "editorType": "sql", "rawSql": sql},
        "definition": sql,
        "options": [],
        "refresh": 2,
        "sort": 0,
        "includeAll": variable.all,
        "multi": variable.multi,
        "regex": "",
        "hide": 0,
    }
