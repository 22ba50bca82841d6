"""What an analysis found, told on a terminal, whatever the text of traces holds."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from spanloop.service.cli.options import cell, print_facts, printable
from spanloop.service.cli.plots import bar, interval, sparkline
from spanloop.service.exploring import Row, lift_text

SHOWN_CHARS = 400
PIPED_WIDTH = 140
"""Columns where nobody says how wide the terminal is."""
STYLES = {"user": "bold cyan", "assistant": "bold green", "tool": "yellow", "failure": "bold red"}


def cut(text: str | None, n: int) -> str:
    """Return the beginning of ``text`` on one line.

    >>> cut("one  two three", 9)
    'one two …'
    """
    if text is None:
        return ""
    line = " ".join(text[: 4 * n].split())
    return line if len(line) <= n else line[: n - 1] + "…"


def percent(share: float | None) -> str:
    """Say a share.

    >>> percent(0.5), percent(None)
    ('50 %', 'unknown')
    """
    return "unknown" if share is None else f"{share * 100:.0f} %"


def probability(value: float | None) -> str:
    """Draw a probability of satisfaction."""
    return "unknown" if value is None else f"{bar(value, width=6)} {value:.2f}"


TableRows = tuple[Sequence[str], Sequence[Sequence[Any]]]
"""Columns and rows of a table."""


def rates_table(by: str, rows: Sequence[Row]) -> TableRows:
    """Return satisfaction rates as a table, each with its interval drawn."""
    columns = (
        by,
        "satisfied",
        "0 %                100 %",
        "95 % interval",
        "n",
        "labels",
        "raters",
        "method",
    )
    return columns, [
        (
            row["value"] or ("all" if by == "all" else "unknown"),
            percent(row["rate"]),
            interval(row["low"], row["rate"], row["high"], span=(0.0, 1.0)),
            _bounds(row),
            row["trajectories"],
            row["labelled"],
            _raters(row),
            row["method"],
        )
        for row in rows
    ]


def _bounds(row: Row) -> str:
    if row["low"] is None or row["high"] is None:
        return "unknown"
    return f"{percent(row['low'])} to {percent(row['high'])}"


def _raters(row: Row) -> str:
    if row["rate_among_raters"] is None:
        return str(row["raters"] or "")
    return f"{row['raters']} ({percent(row['rate_among_raters'])})"


def patterns_table(rows: Sequence[Row]) -> TableRows:
    """Return patterns as a table, each with its last days and its lift drawn."""
    columns = (
        "pattern",
        "what happens",
        "category",
        "state",
        "seen in",
        "14 days",
        "lift",
        "-50      0      +50",
    )
    return columns, [
        (
            row["pattern"][:8],
            row["title"],
            row["category"],
            row["state"],
            f"{row['members']} ({percent(row['prevalence'])})",
            sparkline(row["daily"]),
            lift_text(row),
            interval(row["lift_low"], row["lift"], row["lift_high"], span=(-0.5, 0.5), width=19),
        )
        for row in rows
    ]


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, widest: int) -> None:
    """Print a dense table; only column number ``widest`` gives way where the terminal is narrow."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPED_WIDTH)
    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=(0, 1))
    for number, column in enumerate(columns):
        gives_way = number == widest
        table.add_column(
            column, no_wrap=not gives_way, overflow="fold", ratio=1 if gives_way else None
        )
    for row in rows:
        table.add_row(*(cell(value) for value in row))
    console.print(table)


def print_trajectory(found: Row, *, full: bool) -> None:
    """Print a trajectory: facts, then the conversation."""
    console = Console()
    print_facts(
        {
            "trajectory": found["trajectory"],
            "agent": found["agent"] or None,
            "when": f"{found['start']:%Y-%m-%d %H:%M:%S} to {found['end']:%H:%M:%S}, {found['state']}",
            "did": f"{found['turns']} turns, {found['model_calls']} model calls, "
            f"{found['tool_calls']} tool calls, {found['errors']} errors",
            "tokens": _tokens(found),
            "complete": f"{bar(found['completeness'])} {found['completeness']:.2f} "
            + ", ".join(found["issues"]),
            "satisfied": _satisfaction(found),
            "patterns": "\n".join(
                f"{identity[:8]} {title} (step {step})"
                for identity, title, step in found["patterns"]
            )
            or None,
        },
        as_json=False,
    )
    console.print()
    for step in found["steps"]:
        console.print(_step(step, None if full else SHOWN_CHARS))
    console.print()


def _tokens(found: Row) -> str | None:
    if found["input_tokens"] is None:
        return None
    cost = "" if found["cost_usd"] is None else f", {found['cost_usd']:.4f} USD"
    return f"{found['input_tokens']:,} in, {found['output_tokens'] or 0:,} out{cost}"


def _satisfaction(found: Row) -> str | None:
    if found["satisfaction"] is None:
        return None
    parts: Sequence[Row] = found["evidence"]  # strongest first
    evidence = ", ".join(f"{part['name']} {part['contribution']:+.2f}" for part in parts[:5])
    return f"{probability(found['satisfaction'])} ({found['method']}: {evidence})"


def _step(step: Row, n: int | None) -> Text:
    told = Text()
    who = step["name"] if step["kind"] == "tool" else step["agent"] or step["kind"]
    told.append(f"{step['step']:>4} ", style="dim")
    told.append(f"{printable(who)}", style=STYLES.get(step["kind"], "bold"))
    if step["status"] == "error":
        told.append(f" error {printable(step['error_type'])}", style="bold red")
    told.append("\n")
    for part in _parts(step):
        told.append(_indented(_shown(part, n)) + "\n")
    symptoms: Sequence[str] = step["symptoms"]
    for symptom in symptoms:
        told.append(f"     ⚠ {printable(symptom)}\n", style="red")
    return told


def _parts(step: Row) -> Iterable[str]:
    if step["text"] is not None:
        yield step["text"]
    if step["arguments"] is not None:
        yield step["arguments"]
    if step["result"] is not None:
        yield f"→ {step['result']}"
    elif step["kind"] == "tool":
        yield "→ (no result carried)"


def _shown(text: str, n: int | None) -> str:
    if n is None or len(text) <= n:
        return printable(text)
    return printable(text[:n]) + f" … ({len(text) - n} more)"


def _indented(text: str) -> str:
    return "\n".join(f"     {line}" for line in text.splitlines())


def print_pattern(found: Row) -> None:
    """Print a pattern: what it is, how sure that is, members with the step at which each went wrong."""
    console = Console()
    console.print(Text(printable(found["title"]), style="bold"))
    console.print(Text(printable(found["explanation"])))
    console.print()
    print_facts(_pattern_facts(found), as_json=False)
    console.print()
    for example in found["examples"]:
        head = Text(f"{example['trajectory'][:12]} ", style="bold")
        head.append(f"step {example['step']} ", style="yellow")
        head.append(printable(example["name"] or example["kind"] or ""), style="yellow")
        head.append(f"  satisfied {probability(example['satisfaction'])}", style="dim")
        console.print(head)
        console.print(Text(_indented(printable(cut(example["what"], SHOWN_CHARS)))))
        if example["result"] is not None:
            console.print(Text(_indented(printable(cut(f"→ {example['result']}", SHOWN_CHARS)))))
    console.print(
        f"\n[dim]spanloop trajectories --pattern {escape(found['pattern'])}      all members[/dim]"
    )


def _pattern_facts(found: Row) -> dict[str, Any]:
    plot = interval(
        found["lift_low"], found["lift"], found["lift_high"], span=(-0.5, 0.5), width=19
    )
    return {
        "pattern": found["pattern"],
        "category": found["category"]
        + "".join(
            f", {scheme}"
            for scheme in [_codes("MAST", found["mast"]), _codes("TRAIL", found["trail"])]
            if scheme
        ),
        "state": f"{found['state']}, {found['first_seen']:%Y-%m-%d} to {found['last_seen']:%Y-%m-%d}",
        "seen in": f"{found['members']} trajectories ({percent(found['prevalence'])})"
        + ("" if found["trend"] is None else f", trend {found['trend'] * 100:+.1f} points"),
        "agents": ", ".join(found["agents"]),
        "lift": f"{lift_text(found)} points {plot} basis: {found['basis']}"
        + ("" if found["q_value"] is None else f", q = {found['q_value']:.3f}"),
        "naive lift": None
        if found["marginal_lift"] is None
        else f"{found['marginal_lift'] * 100:+.0f} points, before holding intent and agent fixed",
        "goes wrong at step": found["typical_step"],
        "comes with": ", ".join(
            f"{other['pattern_id'][:8]} ({percent(other['share'])})"
            for other in found["co_occurring"]
        )
        or None,
        "holds where": found["predicate"],
    }


def _codes(scheme: str, codes: list[str]) -> str:
    return f"{scheme} {', '.join(codes)}" if codes else ""
