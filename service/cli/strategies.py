"""``spanloop strategies``: what fixed what, how sure that is, and whether the loop learns."""

from pathlib import Path
from typing import Annotated, Any

import typer

from spanloop.processor.errors import PermanentError
from spanloop.service.cli.options import (
    ConfigOption,
    DataDirOption,
    JsonOption,
    print_facts,
    print_json,
    print_rows,
    settings_of,
)
from spanloop.service.config import Settings

commands = typer.Typer(
    help="What fixed what, with every measured outcome (docs/strategies.md).",
    invoke_without_command=True,
)
StrategyArgument = Annotated[str, typer.Argument(help="A strategy id, or the beginning of it.")]

LISTED = ("strategy", "title", "category", "intervention", "state", "trials", "shipped", "harmed")
TRIAL_COLUMNS = ("at", "agent", "verdict", "effect", "side effect", "n", "harm", "fresh", "tokens")
CURVE_COLUMNS = (
    "cycle",
    "began",
    "experiments",
    "wins",
    "experiments/win",
    "tokens/win",
    "usd",
    "survived",
)


def _ask(settings: Settings, action: str, **arguments: object) -> Any:
    from spanloop.service.strategies import strategies  # scikit-learn takes seconds to load

    return strategies(settings, action, **arguments)


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.add_typer(commands, name="strategies")


@commands.callback()
def list_strategies(
    context: typer.Context,
    category: Annotated[str, typer.Option(help="Only for patterns of this category.")] = "",
    curve: Annotated[
        bool, typer.Option("--curve", help="Show what a win costs, cycle by cycle, instead.")
    ] = False,
    agent: Annotated[str, typer.Option(help="With --curve: only of this agent.")] = "",
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """List strategies with their records; with --curve, the learning curve of the loop."""
    if context.invoked_subcommand is not None:
        return
    settings = settings_of(config, data_dir)
    if curve:
        points: list[dict[str, Any]] = _ask(settings, "curve", agent=agent)
        print_curve(points, as_json=as_json)
        return
    found: list[dict[str, Any]] = _ask(settings, "list", category=category)
    if as_json:
        print_json(found)
        return
    rows = [[row["strategy"][:12], *(row[name] for name in LISTED[1:])] for row in found]
    print_rows(LISTED, rows, as_json=False)


@commands.command("show")
def show(
    strategy: StrategyArgument,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a strategy and every trial of it, nulls and harms too."""
    found: dict[str, Any] = _ask(settings_of(config, data_dir), "show", strategy=strategy)
    if as_json:
        print_json(found)
        return
    print_facts({name: v for name, v in found.items() if name != "trials"}, as_json=False)
    rows = [
        [
            trial["at"][:16],
            trial["agent"],
            trial["verdict"],
            points(trial, "effect"),
            points(trial, "side_effect"),
            trial["n"],
            "harm" if trial["harm"] else "",
            trial["survived_fresh"],
            trial["tokens"],
        ]
        for trial in found["trials"]
    ]
    print_rows(TRIAL_COLUMNS, rows, as_json=False, title="\nTrials (effects in points)")


@commands.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="Where to write it: JSON lines.")],
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the library to FILE: insights and templates, without names of agents or experiments."""
    lines: list[str] = _ask(settings_of(config, data_dir), "export")
    try:
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except OSError as failure:
        raise PermanentError(f"cannot write {file}: {failure.strerror}") from None
    print_facts({"file": str(file), "exported": len(lines) - 1}, as_json=as_json)


@commands.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="JSON lines, from `strategies export`.")],
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take in strategies of others, all of FILE or nothing: as hypotheses, to be proven here."""
    settings = settings_of(config, data_dir)
    from spanloop.service.strategies import read_lines  # scikit-learn takes seconds to load

    done = _ask(settings, "import", lines=read_lines(file), project=settings.project)
    print_facts(done, as_json=as_json)


def print_curve(curve: list[dict[str, Any]], *, as_json: bool) -> None:
    """Print what a win costs, cycle by cycle."""
    if as_json:
        print_json(curve)
        return
    rows = [
        [
            point["cycle_id"][:12],
            point["began"][:16],
            point["experiments"],
            point["wins"],
            point["experiments_per_win"],
            point["tokens_per_win"],
            point["cost_usd"],
            f"{point['survived']} of {point['survived'] + point['refuted']}",
        ]
        for point in curve
    ]
    print_rows(CURVE_COLUMNS, rows, as_json=False)


def points(trial: dict[str, Any], name: str) -> str | None:
    """Return an effect in percentage points with its interval, None where it was not measured.

    >>> points({"effect": 0.25, "effect_low": 0.17, "effect_high": 0.33}, "effect")
    '+25 [+17, +33]'
    """
    value, low, high = trial[name], trial[f"{name}_low"], trial[f"{name}_high"]
    if value is None:
        return None
    bounds = "" if low is None or high is None else f" [{low * 100:+.0f}, {high * 100:+.0f}]"
    return f"{value * 100:+.0f}{bounds}"
