"""Tokens and cost: of production, and of the loop itself."""

from spanloop.dashboards.panels import Board, Column, Panel, Row
from spanloop.dashboards.variables import (
    AGENT,
    COUNT,
    DATA_SOURCE,
    JAEGER,
    MONEY,
    PROJECT,
    RELEASE,
    SHARE,
    TRACE,
)

USE = (
    "No model call of these agents in this time. Choose a longer time, or see the dashboard "
    "Ingest health."
)
PRICES = (
    "No call in this time has a price. Name your models' prices in a file and set `prices.file` "
    "(docs/tables.md)."
)
DURATION = Column(unit="ns", decimals=2)

BOARD = Board(
    name="cost",
    title="spanloop 6: tokens and cost",
    description="What models use and cost in production, call by call and conversation by "
    "conversation, and what the loop spends.",
    variables=(DATA_SOURCE, PROJECT, AGENT, RELEASE, JAEGER),
    since="now-7d",
    rows=(
        Row(
            title="Production",
            panels=(
                Panel(
                    title="In the time shown",
                    sql="now",
                    kind="stat",
                    size=(24, 4),
                    description="Runs of experiments are left out. Cost is the sum over calls "
                    "whose price is known.",
                    empty="unknown",
                    columns={
                        "Read from a cache": SHARE,
                        "Cost": Column(unit="currencyUSD", decimals=2),
                    },
                ),
                Panel(
                    title="Tokens by model",
                    sql="tokens_by_model",
                    kind="timeseries",
                    size=(12, 8),
                    description="In and out together. Calls that tell no tokens are left out.",
                    empty=USE,
                    unit="short",
                    draw="bars",
                ),
                Panel(
                    title="Cost by agent",
                    sql="cost_by_agent",
                    kind="timeseries",
                    size=(12, 8),
                    description="US dollars of calls whose price is known; an agent none of whose "
                    "calls has a price shows nothing.",
                    empty=PRICES,
                    unit="currencyUSD",
                    draw="bars",
                ),
                Panel(
                    title="Models",
                    sql="models",
                    kind="table",
                    size=(24, 8),
                    description="Models without any price come first: their cost is unknown and "
                    "in no sum. Name it in `prices.file`.",
                    empty=USE,
                    columns={
                        "Calls": COUNT,
                        "Tokens in": COUNT,
                        "Tokens out": COUNT,
                        "Read from a cache": SHARE,
                        "Cost": MONEY,
                        "Cost a call": MONEY,
                        "Without a price": COUNT,
                        "Failed": SHARE,
                        "Median time": DURATION,
                        "95 % within": DURATION,
                    },
                ),
                Panel(
                    title="What a conversation takes",
                    sql="conversations",
                    kind="table",
                    size=(24, 6),
                    description="Closed conversations. One with a call of unknown price has no "
                    "cost; how many is in Without a price.",
                    empty="No closed conversation in this time. Run `spanloop analyze`.",
                    columns={
                        "Conversations": COUNT,
                        "Median tokens": COUNT,
                        "95 % within, tokens": COUNT,
                        "Median cost": MONEY,
                        "95 % within, cost": MONEY,
                        "Without a price": COUNT,
                        "Model calls": Column(decimals=1),
                        "Tool calls": Column(decimals=1),
                    },
                ),
                Panel(
                    title="The dearest conversations",
                    sql="dearest",
                    kind="table",
                    size=(24, 8),
                    description="By cost; where no price is known, by tokens.",
                    empty="No conversation of this time tells its tokens.",
                    columns={
                        "Tokens in": COUNT,
                        "Tokens out": COUNT,
                        "Cost": MONEY,
                        "Trace": TRACE,
                    },
                ),
            ),
        ),
        Row(
            title="The loop itself",
            panels=(
                Panel(
                    title="What spanloop spent on models",
                    sql="optimizer",
                    kind="table",
                    size=(24, 7),
                    description="Leases taken before a spend and settled after it. Open and "
                    "forfeited ones are counted in full.",
                    empty="The loop spent nothing in this time.",
                    columns={"Leases": COUNT, "Tokens": COUNT, "Cost": MONEY},
                ),
            ),
        ),
    ),
)
