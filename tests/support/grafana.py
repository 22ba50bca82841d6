"""What Grafana and its ClickHouse plugin make of a panel's SQL before a server sees it.

Ported from grafana-clickhouse-datasource 4.20: ``$__conditionalAll`` from ``applyConditionalAll`` of
``src/data/CHDatasource.ts``, time macros from ``pkg/macros/macros.go``; formats of variables from Grafana's
``public/app/features/templating/formatRegistry.ts``. A macro or format that is not here fails the test
that needs it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

ALL = "$__all"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """What the reader chose, and what Grafana makes of it."""

    start: datetime
    end: datetime
    interval_s: int = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A variable's value: one text, several, or `ALL` of ``options``."""

    value: str | Sequence[str]
    options: Sequence[str] = ()

    @property
    def everything(self) -> bool:
        return self.value == ALL

    def listed(self) -> Sequence[str] | str:
        return self.options if self.everything else self.value


def expand(sql: str, variables: Mapping[str, Chosen], shown: TimeRange) -> str:
    """Return the statement that the plugin sends."""
    sql = _conditional_all(sql, variables)
    sql = _interpolated(sql, variables)
    sql = _macros(sql, shown)
    assert "$" not in sql, f"not expanded: {sql}"
    return sql


def _conditional_all(sql: str, variables: Mapping[str, Chosen]) -> str:
    macro = "$__conditionalAll("
    while (at := sql.rfind(macro)) != -1:
        phrase, variable, end = _two_arguments(sql, at + len(macro))
        name = re.search(r"(?<=\$\{)\w+(?=\})|(?<=\$)\w+", variable)
        assert name, sql
        chosen = variables[name[0]]
        unrestricted = chosen.everything or chosen.value == ""
        sql = sql[:at] + ("1=1" if unrestricted else phrase) + sql[end:]
    return sql


def _two_arguments(sql: str, at: int) -> tuple[str, str, int]:
    """Return the arguments that begin at ``at``, and where the call ends; quotes are not looked at."""
    depth, begin, found = 1, at, list[str]()
    for i in range(at, len(sql)):
        if sql[i] == "(":
            depth += 1
        elif sql[i] == ")":
            depth -= 1
        if (sql[i] == "," and depth == 1) or depth == 0:
            found.append(sql[begin:i])
            begin = i + 1
        if depth == 0:
            phrase, variable = found
            return phrase, variable.strip(), i + 1
    raise AssertionError(f"unbalanced: {sql[at:]}")


def _interpolated(sql: str, variables: Mapping[str, Chosen]) -> str:
    def value(match: re.Match[str]) -> str:
        name, form = match["braced"] or match["bare"], match["form"]
        if name.startswith("__"):
            return match[0]
        assert form == "singlequote", f"${name} is not quoted: {sql}"
        listed = variables[name].listed()
        texts = [listed] if isinstance(listed, str) else listed
        return ",".join("'" + text.replace("'", "\\'") + "'" for text in texts)

    return re.sub(r"\$\{(?P<braced>\w+)(?::(?P<form>[^}]+))?\}|\$(?P<bare>\w+)", value, sql)


def _macros(sql: str, shown: TimeRange) -> str:
    start, end = (f"toDateTime({int(t.timestamp())})" for t in (shown.start, shown.end))
    interval = max(shown.interval_s, 1)
    sql = re.sub(r"\$__timeFilter\(([^)]*)\)", rf"\1 >= {start} AND \1 <= {end}", sql)
    sql = re.sub(
        r"\$__timeInterval\(([^)]*)\)",
        rf"toStartOfInterval(toDateTime(\1), INTERVAL {interval} second)",
        sql,
    )
    return sql.replace("$__interval_s", str(interval))


def statements(dashboard: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the SQL of every panel, by title."""
    return {
        panel["title"]: panel["targets"][0]["rawSql"]
        for panel in dashboard["panels"]
        if panel["type"] != "row"
    }


def variable_statements(dashboard: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the SQL of every variable that has one, by name, in their order."""
    return {
        variable["name"]: variable["query"]["rawSql"]
        for variable in dashboard["templating"]["list"]
        if variable["type"] == "query"
    }


EVER = TimeRange(start=datetime(2020, 1, 1, tzinfo=UTC), end=datetime(2034, 1, 1, tzinfo=UTC))
