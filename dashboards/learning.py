"""Releases, strategies, and what a win costs as the loop learns."""

from spanloop.dashboards.panels import Board, Column, Panel, Row
from spanloop.dashboards.variables import (
    AGENT,
    COUNT,
    DATA_SOURCE,
    MONEY,
    POINTS,
    PROJECT,
    SECONDS,
    SHARE,
)

LOOP = (
    "The loop did not run in this time: `spanloop optimize`, or `spanloop optimize --continuous`."
)
EMPTY_LIBRARY = (
    "The library is empty: a win of `spanloop optimize` makes an entry, `spanloop strategies "
    "import` brings some."
)
OUTCOMES = {"Trials": COUNT, "Wins": COUNT, "Did harm": COUNT, "Mean effect": POINTS}

BOARD = Board(
    name="learning",
    title="spanloop 5: releases, strategies, learning",
    description="What is served, what fixes what, and what a win costs as the loop learns. "
    "docs/releases.md, docs/strategies.md.",
    variables=(DATA_SOURCE, PROJECT, AGENT),
    since="now-90d",
    rows=(
        Row(
            title="Releases",
            panels=(
                Panel(
                    title="Configurations, the newest first",
                    sql="releases",
                    kind="table",
                    size=(24, 8),
                    description="Effects are points of satisfaction against the release before; "
                    "in production with their interval. Evidence that it is worse: a "
                    "canary is rolled back at 10.",
                    empty="No release yet: `spanloop releases register AGENT FILE` says what "
                    "production runs now.",
                    columns={
                        "State": Column(
                            colors={
                                "current": "green",
                                "canary": "blue",
                                "proposed": "yellow",
                                "rolled_back": "red",
                                "refused": "red",
                            }
                        ),
                        "Canary share": SHARE,
                        "Effect in the experiment": POINTS,
                        "Effect in production": POINTS,
                        "At least": POINTS,
                        "At most": POINTS,
                        "Judged in production": COUNT,
                        "Evidence that it is worse": Column(decimals=2),
                    },
                ),
                Panel(
                    title="Who did what, and why",
                    sql="release_events",
                    kind="table",
                    size=(24, 7),
                    description="The audit trail; written before the change it tells of.",
                    empty="Nothing was released, approved or rolled back in this time.",
                ),
            ),
        ),
        Row(
            title="What fixes what",
            panels=(
                Panel(
                    title="The library of strategies",
                    sql="strategies",
                    kind="table",
                    size=(24, 8),
                    description="proven: shipped, and fresh traffic did not refute it. "
                    "hypothesis: no win here yet. doubtful: model or tools changed "
                    "since. Effects are points of satisfaction on scenarios of the "
                    "pattern.",
                    empty=EMPTY_LIBRARY,
                    columns={
                        **OUTCOMES,
                        "On other agents": COUNT,
                        "State": Column(
                            colors={
                                "proven": "green",
                                "hypothesis": "yellow",
                                "doubtful": "orange",
                                "retired": "text",
                            }
                        ),
                    },
                ),
                Panel(
                    title="Kinds of change against kinds of failure",
                    sql="interventions",
                    kind="table",
                    size=(24, 7),
                    description="Every trial counts: wins, nulls and harms.",
                    empty=LOOP,
                    columns={
                        **OUTCOMES,
                        "Agents": COUNT,
                        "Mean effect on other traffic": POINTS,
                        "Tokens": COUNT,
                        "Cost": MONEY,
                    },
                ),
            ),
        ),
        Row(
            title="The learning curve",
            panels=(
                Panel(
                    title="Tokens that a win costs",
                    sql="curve",
                    kind="timeseries",
                    size=(12, 9),
                    description="Tokens of all experiments of a cycle, lost and confirming ones "
                    "too, by the edits that shipped. It falls as the library learns "
                    "what not to try; that the library is the cause takes a control "
                    "(docs/strategies.md).",
                    empty=f"No decided experiment yet. {LOOP}",
                    unit="short",
                ),
                Panel(
                    title="Verdicts, cycle by cycle",
                    sql="verdicts_by_cycle",
                    kind="timeseries",
                    size=(12, 9),
                    description="Experiments on the locked test, at the time their cycle began.",
                    empty=f"No decided experiment yet. {LOOP}",
                    unit="short",
                    draw="bars",
                ),
                Panel(
                    title="Turns of the loop, stage by stage",
                    sql="cycles",
                    kind="table",
                    size=(24, 10),
                    description="skipped says what to configure; stopped met its budget and goes "
                    "on next time.",
                    empty=LOOP,
                    columns={
                        "State": Column(
                            colors={
                                "done": "green",
                                "running": "blue",
                                "skipped": "text",
                                "stopped": "orange",
                                "failed": "red",
                            }
                        ),
                        "Took": SECONDS,
                        "Tokens": COUNT,
                        "Cost": MONEY,
                    },
                ),
            ),
        ),
    ),
)
