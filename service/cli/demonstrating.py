"""``spanloop demo``."""

import contextlib
import itertools
import tempfile
from collections.abc import Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.syntax import Syntax

from spanloop.examples.support_agent import Progress as TrafficProgress
from spanloop.processor.errors import ConfigError
from spanloop.service.cli import improvements, stories
from spanloop.service.cli.options import JsonOption, print_json, print_rows
from spanloop.service.cli.reporting import write_page
from spanloop.service.config import load

if TYPE_CHECKING:
    from spanloop.service.demo import DemoResult


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("demo")(demo)


def demo(
    conversations: Annotated[
        int, typer.Option(min=1, help="How many users each agent serves.")
    ] = 864,
    second_agent: Annotated[
        bool, typer.Option(help="Let a second agent begin with what the first has taught.")
    ] = True,
    keep: Annotated[
        Path | None,
        typer.Option(help="Keep the data in this new directory (default: spanloop-demo, here)."),
    ] = None,
    discard: Annotated[bool, typer.Option("--discard", help="Leave nothing behind.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Watch traces become patterns, edits and verdicts: all real but the models, which are scripted."""
    from spanloop.service.demo import run_demo  # numpy and scikit-learn take a second to load

    if keep is not None and discard:
        raise ConfigError("--keep names what --discard deletes: give one of them")
    kept = None if discard else keep or _free(Path("spanloop-demo"))
    with _directory(kept) as directory, _shown(quiet=as_json) as progress:
        task = progress.add_task("starting", total=conversations)

        def on_progress(done: TrafficProgress) -> None:
            progress.update(task, completed=done.conversations_done)

        result = run_demo(
            directory,
            conversations=conversations,
            second_agent=second_agent,
            on_stage=lambda stage: progress.update(task, description=stage),
            on_progress=on_progress,
        )
    left = None if kept is None else _leave(kept, result)
    if as_json:
        print_json({**_as_json(result), "open": asdict(left) if left else None})
    else:
        _report(result, left)


FAILURES = "SELECT Title, Members FROM failure_patterns FINAL"


@dataclass(frozen=True, slots=True)
class Left:
    """What the demo leaves to be opened.

    Attributes:
        data_dir: its tables.
        report: the page.
        trace: id of a trace that shows the first pattern; None = none was found.
    """

    data_dir: str
    report: str
    trace: str | None


def _free(wanted: Path) -> Path:
    """Return ``wanted``, or with a number behind it, where nothing is yet."""
    names = (wanted.with_name(f"{wanted.name}-{n}") for n in itertools.count(2))
    return next(path for path in itertools.chain([wanted], names) if not path.exists())


def _leave(directory: Path, result: "DemoResult") -> Left:
    page = directory / "report.html"
    # As the demo itself: the environment may name the store of a server of the operator's own.
    write_page(load(None, from_environment=False, data_dir=directory), page)
    example = result.found.example
    return Left(
        data_dir=str(directory),
        report=str(page),
        trace=str(example["traces"][0]) if example else None,
    )


@contextlib.contextmanager
def _directory(keep: Path | None) -> Generator[Path, None, None]:
    if keep is not None:
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="spanloop-demo-") as temporary:
        yield Path(temporary)


def _shown(*, quiet: bool) -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description:<48}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("conversations"),
        console=console,
        disable=quiet or not console.is_terminal,
    )


def _report(result: "DemoResult", left: Left | None) -> None:
    console = Console()
    traffic = result.first.before
    console.print(
        f"\nA support agent served [bold]{traffic.conversations}[/bold] users in {traffic.turns} turns: "
        f"{traffic.model_calls} calls of a [bold]scripted[/bold] model, {traffic.tool_calls} tool calls.\n"
        f"It sent [bold]{traffic.spans}[/bold] spans over OTLP/gRPC; all are in ClickHouse tables, once.\n"
    )
    for answer in result.answers:
        console.print(f"[bold]{answer.question.title}[/bold]")
        console.print(
            Syntax(answer.question.sql, "sql", background_color="default", word_wrap=True)
        )
        print_rows(answer.columns, answer.rows, as_json=False)
        console.print()
    _report_findings(console, result)
    improvements.report(console, result)
    _report_next(console, result, left)


def _as_json(result: "DemoResult") -> dict[str, Any]:
    traffic = result.first.before
    return {
        "sent_spans": traffic.spans,
        "stored_spans": result.stored_spans,
        "conversations": traffic.conversations,
        "answers": {
            a.question.title: [dict(zip(a.columns, row, strict=True)) for row in a.rows]
            for a in result.answers
        },
        "satisfaction": result.found.rates,
        "patterns": result.found.patterns,
        "example": result.found.example,
        "first": improvements.as_json(result.first),
        "second": improvements.as_json(result.second) if result.second else None,
    }


def _report_next(console: Console, result: "DemoResult", left: Left | None) -> None:
    if left is not None:
        of = f"--data-dir {left.data_dir}"
        lines = ["[bold]Open[/bold]", f"  report   {left.report}"]
        if left.trace is not None:
            lines += [
                f"  trace    spanloop trajectories show {left.trace} {of}",
                f"           in Jaeger, over SPANLOOP_JAEGER__ENABLED=true spanloop serve {of}",
                f"           (docs/jaeger.md): http://localhost:16686/trace/{left.trace}",
            ]
        lines += [
            f'  SQL      spanloop query {of} "{FAILURES}"',
            f"  more     spanloop patterns show {_first_pattern(result)} {of}",
            f"           spanloop experiment show {of}",
            f"           spanloop strategies {of}",
        ]
        console.print("\n".join(lines), soft_wrap=True, highlight=False)
    console.print("[bold]Next[/bold]")
    console.print(
        "  spanloop serve, and point any OTLP exporter at localhost:4317", highlight=False
    )
    console.print("  docs/tables.md: every table and column")


def _first_pattern(result: "DemoResult") -> str:
    return str(result.found.patterns[0]["pattern"])[:8] if result.found.patterns else "ID"


def _report_findings(console: Console, result: "DemoResult") -> None:
    found = result.found
    console.print(
        "Then spanloop looked for what fails: no model, no tokens.\n\n"
        "[bold]How satisfied users were[/bold] (unhappy users rate more often, so raters alone give bounds)"
    )
    stories.print_table(*stories.rates_table("agent", found.rates), widest=0)
    console.print(
        "\n[bold]What fails, again and again[/bold] (lift: points of dissatisfaction it adds)"
    )
    stories.print_table(*stories.patterns_table(found.patterns), widest=1)
    if found.example is not None:
        console.print("\n[bold]One conversation that shows the first, step by step[/bold]")
        stories.print_trajectory(found.example, full=False)
