"""``spanloop experiment``: tests of candidates against production, and what they came to."""

import contextlib
import math
from collections.abc import Generator, Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from spanloop.service.access import client
from spanloop.service.cli import stories
from spanloop.service.cli.analyzing import shown_progress
from spanloop.service.cli.options import (
    ConfigOption,
    DataDirOption,
    JsonOption,
    print_facts,
    print_json,
    printable,
    settings_of,
)
from spanloop.service.cli.plots import interval, sparkline
from spanloop.service.config import Settings
from spanloop.service.experiments import ExperimentExplorer
from spanloop.service.exploring import Row
from spanloop.service.stores import make_renderer

experiment = typer.Typer(help="Tests of candidates against production (docs/experiments.md).")

NOTHING_YET = "nothing yet: `spanloop optimize` and `spanloop experiment run` test candidates"
SPAN = (-0.5, 0.5)
"""Effects that a plot shows."""
SCALE = "-50 pts     0     +50 pts"
VERDICTS = {"ship": "bold green", "reject": "bold red"}


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.add_typer(experiment, name="experiment")


@contextlib.contextmanager
def exploring(settings: Settings) -> Generator[ExperimentExplorer, None, None]:
    """Yield an explorer of the configured store."""
    with client(settings) as connected:
        yield ExperimentExplorer(client=connected, renderer=make_renderer(settings))


@experiment.command("run")
def run_experiment(
    candidate: Annotated[
        str, typer.Option(help="A candidate's id, or the beginning of it (`spanloop candidates`).")
    ],
    repeats: Annotated[
        int | None, typer.Option(min=1, max=20, help="Episodes per arm and scenario.")
    ] = None,
    scenarios: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Test one candidate against what runs now, on the locked test; each look at it is accounted for.

    Nothing is released: the verdict is stored, and a run that the budget stopped goes on when it is called
    again.
    """
    from spanloop.service.experimenting import ByHand, run_by_hand  # numpy takes a second to load

    settings = settings_of(config, data_dir)
    asked = ByHand(candidate=candidate, repeats=repeats, scenarios=scenarios)
    with shown_progress(quiet=as_json) as on_event:
        outcome = run_by_hand(settings, asked, on_event)
    if as_json:
        print_json(outcome)
        return
    print_outcome(outcome)


@experiment.command("show")
def show_experiment(
    name: Annotated[
        str, typer.Argument(help="An experiment's id, or the beginning of it; without one: list.")
    ] = "",
    agent: Annotated[str, typer.Option(help="List only those of this agent.")] = "",
    candidate: Annotated[str, typer.Option(help="List only those of this candidate.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one experiment: effect, evidence look by look, both arms, every number; or list all.

    Effect: candidate less baseline in points of satisfaction, with its 95 % interval. E-value: how strongly
    the episodes speak against "no better"; the candidate ships once it reaches 1/level.
    """
    with exploring(settings_of(config, data_dir)) as explorer:
        found: Any = (
            explorer.experiment(name)
            if name
            else explorer.experiments(agent=agent, candidate=candidate, n=limit)
        )
    if as_json:
        print_json(found)
    elif name:
        print_experiment(found)
    elif found:
        stories.print_table(*experiments_table(found), widest=9)
    else:
        typer.echo(NOTHING_YET)


def print_outcome(outcome: Mapping[str, Any]) -> None:
    """Print what a run came to."""
    verdict = outcome["verdict"]
    reason = f" ({verdict['reason']})" if verdict["reason"] else ""
    typer.echo(
        printable(
            f"{verdict['decision']}{reason} after {verdict['closed']} scenarios; "
            f"{outcome['played']} episodes played, {outcome['tokens']:,} tokens in all"
        )
    )
    if outcome["resumable"]:
        typer.echo("It goes on where it stopped when the same command is given again.")
    typer.echo(f"Next: spanloop experiment show {outcome['experiment_id'][:8]}")


def experiments_table(rows: Sequence[Row]) -> stories.TableRows:
    """Return experiments as a table, each with its effect drawn."""
    columns = (
        "experiment",
        "agent",
        "candidate",
        "for",
        "verdict",
        "effect",
        SCALE,
        "e-value",
        "scenarios",
        "why",
    )
    return columns, [
        (
            row["experiment"][:8],
            row["agent"],
            row["candidate"][:8],
            row["purpose"],
            row["verdict"] or row["state"],
            effect_text(row),
            interval(row["effect_low"], row["effect"], row["effect_high"], span=SPAN),
            _number(row["e_value"]),
            f"{row['closed']}/{row['scenarios']}",
            row["reason"],
        )
        for row in rows
    ]


def print_experiment(found: Row) -> None:
    """Print one experiment: facts, evidence look by look, arms, numbers."""
    console = Console()
    verdict = found["verdict"] or found["state"]
    reason = f" ({found['reason']})" if found["reason"] else ""
    console.print(Text(printable(verdict + reason), style=VERDICTS.get(verdict, "bold")))
    print_facts(_facts(found), as_json=False)
    if found["arms"]:
        stories.print_table(*_arms_table(found["arms"]), widest=8)
    if found["numbers"]:
        stories.print_table(*_numbers_table(found["numbers"]), widest=3)


def effect_text(row: Row) -> str:
    """Say an effect in points with its interval.

    >>> effect_text({"effect": 0.104, "effect_low": 0.02, "effect_high": 0.19})
    '+10 [+2, +19]'
    >>> effect_text({"effect": None, "effect_low": None, "effect_high": None})
    'unknown'
    """
    if row["effect"] is None:
        return "unknown"
    low, high = row["effect_low"], row["effect_high"]
    bounds = "" if low is None or high is None else f" [{low * 100:+.0f}, {high * 100:+.0f}]"
    return f"{row['effect'] * 100:+.0f}{bounds}"


def evidence_plot(looks: Sequence[Row], level: float | None) -> str:
    """Draw the logarithm of the e-value at each look; full height = what a ship takes.

    >>> evidence_plot([{"e_value": None}, {"e_value": 1.0}, {"e_value": 10.0}, {"e_value": 100.0}], 0.01)
    '▁▄█'
    """
    if not level:
        return ""
    need = -math.log(level)
    logs = [
        math.log(look["e_value"]) if look["e_value"] > 0 else 0.0
        for look in looks
        if look["e_value"] is not None
    ]
    return sparkline([*(min(max(each, 0.0), need) for each in logs), need])[: len(logs)]


def _facts(found: Row) -> dict[str, Any]:
    looks = [look for look in found["looks"] if look["e_value"] is not None]
    sequence = max((look["sequence"] for look in found["looks"]), default=0)
    return {
        "experiment": found["experiment"],
        "agent": found["agent"] or None,
        "candidate": found["candidate"] or None,
        "purpose": f"{found['purpose']} on target {found['target']}",
        "scenarios": f"{found['closed']} closed of {found['scenarios']} frozen, "
        f"{found['repeats']} episode{'s' * (found['repeats'] > 1)} per arm each",
        "effect": f"{effect_text(found)}  "
        f"{interval(found['effect_low'], found['effect'], found['effect_high'], span=SPAN)}",
        "e-value": f"{_number(found['e_value'])}, ships from {_needed(found['level'])}  "
        f"{evidence_plot(looks, found['level'])}",
        "looks": f"{len(looks)}, test {sequence} of this agent's locked sets"
        if sequence
        else f"{len(looks)}",
        "tokens": f"{found['tokens']:,}",
        "cost": "unknown" if found["cost_usd"] is None else f"{found['cost_usd']:.4f} USD",
        "assessor": found["assessor"],
        "begun": f"{found['started']:%Y-%m-%d %H:%M}",
        "decided": f"{found['decided']:%Y-%m-%d %H:%M}" if found["decided"] else None,
    }


def _arms_table(arms: Sequence[Row]) -> stories.TableRows:
    columns = (
        "arm",
        "episodes",
        "satisfied",
        "judged",
        "gold",
        "on tape",
        "latency ms",
        "USD each",
        "ended",
    )
    return columns, [
        (
            row["arm"],
            row["episodes"],
            stories.probability(row["satisfied"]),
            row["judged"],
            row["gold"],
            stories.percent(row["coverage"]),
            "unknown" if row["latency_ms"] is None else f"{row['latency_ms']:.0f}",
            "unknown" if row["cost_usd"] is None else f"{row['cost_usd']:.5f}",
            ", ".join(f"{n} {state}" for state, n in sorted(row["states"].items())),
        )
        for row in arms
    ]


def _numbers_table(numbers: Sequence[Row]) -> stories.TableRows:
    columns = ("number", "value", "95 % interval", "how it was computed")
    return columns, [
        (
            each["name"],
            _number(each["value"]),
            ""
            if each["low"] is None or each["high"] is None
            else f"{each['low']:.3g} to {each['high']:.3g}",
            each["method"],
        )
        for each in numbers
    ]


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}"


def _needed(level: float | None) -> str:
    return "unknown" if not level else f"{1 / level:.3g}"
