"""The page: facts in, one self-contained HTML document out. Pure.

Everything is escaped by the template engine. The document may load nothing and run nothing: its content
security policy allows the one style sheet that it holds, by its hash, and forbids all else.
"""

import base64
import hashlib
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from spanloop.service.report import charts, marks, text
from spanloop.service.report.model import AgentState, Experiment, Pattern, Report, Row

VERDICTS: Mapping[str, tuple[str, str]] = {
    "ship": ("✓", "good"),
    "reject": ("✕", "bad"),
    "inconclusive": ("–", "plain"),
    "unsupported": ("?", "warn"),
    "running": ("…", "plain"),
    "frozen": ("…", "plain"),
}
"""Verdict or state of an experiment → its sign and its tone: colour is never the only sign."""
RELEASE_TONES: Mapping[str, tuple[str, str]] = {
    "current": ("●", "good"),
    "canary": ("◐", "warn"),
    "proposed": ("○", "plain"),
    "superseded": ("–", "plain"),
    "rolled_back": ("✕", "bad"),
    "refused": ("✕", "plain"),
}
METHODS: Mapping[str, str] = {
    "prediction_powered": "measured by labels of a random sample, sharpened by everyone's scores",
    "labels": "measured by labels of a random sample",
}
"""How a rate was measured, where it was."""


def render(report: Report) -> str:
    """Return the page of ``report``; the same report gives the same bytes."""
    style = _template("style.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        _environment()
        .get_template("page.html")
        .render(
            report=report,
            style=Markup(style),
            style_hash=f"sha256-{digest}",
            version=version("spanloop"),
        )
    )


@cache
def _template(name: str) -> str:
    return files("spanloop.service.report").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    names = (
        "page.html",
        "agent.html",
        "experiments.html",
        "patterns.html",
        "loop.html",
        "parts.html",
    )
    made = Environment(
        loader=DictLoader({name: _template(name) for name in names}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(FILTERS)
    made.globals.update(HELPERS)
    return made


def ticked(words: str) -> Markup:
    """Return ``words`` escaped, with what stands between backticks as code.

    >>> ticked("was made again (`a<b`)")
    Markup('was made again (<code>a&lt;b</code>)')
    """
    pieces = words.split("`")
    if len(pieces) % 2 == 0:  # one without a partner: no code at all
        return escape(words)
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if k % 2 else escape(piece)
        for k, piece in enumerate(pieces)
    )


def day_chart(agent: AgentState, width: int) -> Markup:
    """Draw satisfaction and conversations by day, with the days on which a release became active."""
    rates = [
        charts.DayRate(date.fromisoformat(row["value"]), row["low"], row["rate"], row["high"])
        for row in agent.day_rates
    ]
    counts = [charts.DayCount(row["day"], float(row["conversations"])) for row in agent.days]
    shown = {each.day for each in counts}
    events = [
        charts.Event(row["activated_at"].date(), f"release {row['number']}")
        for row in reversed(agent.releases)
        if row["activated_at"] is not None and row["activated_at"].date() in shown
    ]
    return charts.satisfaction_by_day(
        rates, counts, _first_of_days(events), width=width, label=charts.describe_days(rates)
    )


def _first_of_days(events: list[charts.Event]) -> list[charts.Event]:
    """Keep one mark a day; several releases on one day are named by the last of them."""
    return list({event.day: event for event in events}.values())


def token_chart(agent: AgentState) -> Markup:
    """Draw tokens by day, of the conversations whose tokens are known."""
    counts = [
        charts.DayCount(row["day"], float(row["input_tokens"] + (row["output_tokens"] or 0)))
        for row in agent.days
        if row["input_tokens"] is not None
    ]
    return charts.bars_by_day(
        counts, label=f"Tokens by day over {text.plural(len(counts), 'day')}; figures in the table."
    )


def evidence_chart(experiment: Experiment) -> Markup:
    """Draw the e-value of ``experiment``, look by look."""
    facts = experiment.facts
    looks = [
        charts.Look(0, 1.0),
        *(charts.Look(row["closed"], row["e_value"]) for row in experiment.looks if row["closed"]),
    ]
    need = 1 / facts["level"] if facts["level"] else None
    label = (
        f"E-value over {text.plural(len(looks) - 1, 'look')}: now {text.figures(facts['e_value'])}, "
        f"ships from {text.figures(need)}."
    )
    return charts.evidence_path(looks, need, facts["scenarios"], label=label)


def curve_chart(agent: AgentState) -> Markup:
    """Draw experiments and wins cycle by cycle."""
    pairs = [charts.Pair(row["experiments"], row["wins"]) for row in agent.curve]
    wins = sum(each.wins for each in pairs)
    return charts.learning(
        pairs,
        label=f"Experiments and wins over {text.plural(len(pairs), 'cycle')}: {text.plural(wins, 'win')}.",
    )


def trend(pattern: Pattern) -> Markup:
    """Draw members by day."""
    return marks.columns([float(n) for _, n in pattern.daily])


def title_of(agent: AgentState, facts: Row) -> str:
    """Return the title of the pattern that ``facts`` name, else its id."""
    identity = facts["pattern"]
    return agent.titles.get(identity, f"pattern {identity[:8]}" if identity else "no pattern")


def release_of(agent: AgentState, column: str, value: str) -> Row | None:
    """Return the newest release whose ``column`` is ``value``, None if there is none."""
    return next((row for row in agent.releases if row[column] == value), None)


FILTERS: Mapping[str, Any] = {
    "percent": text.percent,
    "points": text.points,
    "count": text.count,
    "short": text.short,
    "figures": text.figures,
    "moment": text.moment,
    "words": text.words,
    "ticked": ticked,
}
HELPERS: Mapping[str, Any] = {
    "percents": text.percents,
    "bounds": text.bounds,
    "usd": text.usd,
    "plural": text.plural,
    "interval": marks.interval,
    "METHODS": METHODS,
    "VERDICTS": VERDICTS,
    "RELEASE_TONES": RELEASE_TONES,
    "day_chart": day_chart,
    "token_chart": token_chart,
    "evidence_chart": evidence_chart,
    "curve_chart": curve_chart,
    "trend": trend,
    "title_of": title_of,
    "release_of": release_of,
}
"""What templates may call."""
