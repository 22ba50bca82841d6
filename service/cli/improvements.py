"""How the demo tells of what was tried, what held, and what a second agent had of it."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from spanloop.service.cli import experiments, stories

if TYPE_CHECKING:
    from spanloop.examples.support_agent import TrafficSummary
    from spanloop.service.demo import DemoResult
    from spanloop.service.demo_loop import Improvement


_WORDS = {
    "screened": "of no use on what was open to look at",
    "deferred": "put off to a later cycle",
    "proposed": "not tested",
}


def report(console: Console, result: "DemoResult") -> None:
    """Print what the loop did for both agents, and what the second saved."""
    _report_agent(console, result.first)
    if result.second is not None:
        console.print(
            "\nThen [bold]another agent[/bold], of another shop, with the same faults in other words."
        )
        _report_agent(console, result.second)
        _compare(console, result.first, result.second)
    console.print()


def as_json(improvement: "Improvement") -> dict[str, Any]:
    """Return an improvement as JSON types."""
    return {
        "agent": improvement.agent,
        "let_down_before": _let_down(improvement.before),
        "let_down_after": _let_down(improvement.after) if improvement.after else None,
        "tokens": improvement.tokens,
        "candidates": improvement.candidates,
        "experiments": improvement.experiments,
        "released": improvement.released,
        "notes": improvement.cycle["whole"]["notes"],
    }


def _report_agent(console: Console, done: "Improvement") -> None:
    states = Counter(str(candidate["state"]) for candidate in done.candidates)
    told = ", ".join(f"{n} {_WORDS.get(state, state)}" for state, n in sorted(states.items()))
    console.print(
        f"\n[bold]What may fix it[/bold]: {len(done.candidates)} edits for {done.agent} ({told})\n"
        "\n[bold]What does[/bold]: tested against production on held-out scenarios, tools answered from tapes"
    )
    stories.print_table(*experiments.experiments_table(done.experiments), widest=2)
    if done.after is None:
        console.print(
            "Nothing was proven, so nothing was released: few situations cannot tell effect from chance."
        )
        return
    for candidate in done.shipped:
        console.print(f"  [green]+[/green] {escape(str(candidate['rationale']))}")
    console.print(
        f"Released. Users let down at least once: "
        f"[bold]{_let_down(done.before):.0%}[/bold] before, [bold]{_let_down(done.after):.0%}[/bold] after "
        f"({done.after.conversations} other users)."
    )


def _compare(console: Console, first: "Improvement", second: "Improvement") -> None:
    console.print(
        "\n[bold]What the first has taught[/bold]: "
        f"{_price(first)} for {first.agent}; {_price(second)} for {second.agent}."
    )


def _price(done: "Improvement") -> str:
    wins = len(done.released)
    tests = sum(row["purpose"] == "gate" for row in done.experiments)
    if not wins:
        return f"no win in {tests} experiments and {done.tokens:,} tokens"
    return f"{tests / wins:.1f} experiments and {done.tokens // wins:,} tokens a win"


def _let_down(traffic: "TrafficSummary") -> float:
    return traffic.let_down / traffic.conversations
