"""``spanloop optimize``."""

import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any, NoReturn

import typer

from spanloop.processor.errors import SpanloopError
from spanloop.service.cli.analyzing import shown_progress
from spanloop.service.cli.annotating import print_annotations
from spanloop.service.cli.options import (
    ConfigOption,
    DataDirOption,
    JsonOption,
    print_json,
    print_rows,
    settings_of,
)


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("optimize")(optimize_command)


def optimize_command(
    once: Annotated[bool, typer.Option("--once", help="One cycle; the default.")] = False,
    continuous: Annotated[
        bool, typer.Option("--continuous", help="Cycle after cycle, until stopped.")
    ] = False,
    agents: Annotated[
        list[str] | None, typer.Option("--agent", help="Work on this agent only; repeatable.")
    ] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Turn recurring failures into tested improvements, within the budget (optimizer.budget)."""
    from spanloop.service.optimizing import optimize  # numpy and scikit-learn take a second to load

    if once and continuous:
        raise typer.BadParameter("--once and --continuous exclude each other")
    settings = settings_of(config, data_dir)

    def cycle() -> None:
        with shown_progress(quiet=as_json) as on_event:
            answer = optimize(settings, on_event, agents or ())
        if as_json:
            print_json(answer)
        else:
            print_cycle(answer)

    if continuous:
        repeat(cycle, interval_s=settings.optimizer.interval_s)
    cycle()


def repeat(
    cycle: Callable[[], None], *, interval_s: float, sleep: Callable[[float], None] = time.sleep
) -> NoReturn:
    """Run ``cycle`` again and again until SIGINT; one that fails is told, and the next one tries again."""
    while True:
        try:
            cycle()
        except SpanloopError as error:
            typer.echo(
                f"spanloop: this cycle failed: {error}; the next try is in {interval_s:g} s",
                err=True,
            )
        sleep(interval_s)


def print_cycle(answer: Mapping[str, Any]) -> None:
    """Print what a cycle did, stage by stage, and what it skipped and why."""
    whole = answer["whole"]
    typer.echo(
        f"cycle {answer['cycle_id'][:8]}{' (gone on with)' if answer['resumed'] else ''}: {whole['state']}, "
        f"{whole['tokens']:,} tokens, {_money(whole['cost_usd'])}"
    )
    print_rows(
        ("stage", "agent", "state", "seconds", "tokens", "did"),
        [
            (
                stage["stage"],
                stage["agent"] or "all",
                stage["state"],
                f"{stage['seconds']:.1f}",
                stage["tokens"],
                ", ".join(
                    f"{n:,} {name}"
                    for name, n in stage["counts"].items()
                    if n and not name.endswith("_ms")
                ),
            )
            for stage in answer["stages"]
        ],
        as_json=False,
    )
    for note in whole["notes"]:
        typer.echo(f"note: {note}")
    if "annotations" in answer:
        print_annotations(answer["annotations"])


def _money(usd: float | None) -> str:
    return "price unknown" if usd is None else f"{usd:.2f} USD"
