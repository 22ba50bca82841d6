"""Failure patterns: what fails again and again, whether it matters, and where to see it."""

from spanloop.dashboards.panels import Board, Column, Link, Panel, Row, Variable
from spanloop.dashboards.variables import (
    AGENT,
    COUNT,
    DATA_SOURCE,
    JAEGER,
    KEPT,
    POINTS,
    PROJECT,
    SHARE,
    SHARE_BAR,
    TRACE,
)

MINE = (
    "No pattern found yet. Patterns need some dozens of conversations that share a fault: run "
    "`spanloop analyze`."
)
STATES = Column(
    colors={
        "new": "orange",
        "open": "red",
        "regressed": "red",
        "mitigated": "yellow",
        "resolved": "green",
    }
)
PATTERN = Variable(name="pattern", label="Pattern", kind="query", sql="patterns", all=True)

BOARD = Board(
    name="patterns",
    title="spanloop 3: failure patterns",
    description="What fails again and again, whether it matters, and where to see it. Production "
    "only; docs/patterns.md.",
    variables=(DATA_SOURCE, PROJECT, AGENT, PATTERN, JAEGER),
    rows=(
        Row(
            title="What recurs",
            panels=(
                Panel(
                    title="Patterns, the most harmful first",
                    sql="patterns",
                    kind="table",
                    size=(24, 10),
                    description="Click an id to see its evidence below. Harm: how much more often "
                    "users are dissatisfied where the pattern shows, among runs of "
                    "the same request by the same agent, with its interval; – until "
                    "outcomes exist. Change of share: newer half of the time against "
                    "the older.",
                    empty=MINE,
                    columns={
                        "State": STATES,
                        "Conversations": COUNT,
                        "Share of all": SHARE_BAR,
                        "Change of share": POINTS,
                        "Harm": POINTS,
                        "At least": POINTS,
                        "At most": POINTS,
                        "Id": Column(
                            width=140,
                            links=(
                                Link(
                                    title="Show its evidence",
                                    url="/d/spanloop-patterns?var-pattern=${__value.raw}"
                                    f"&${{project:queryparam}}&${{agent:queryparam}}&{KEPT}",
                                ),
                            ),
                        ),
                    },
                ),
                Panel(
                    title="Share of each day's conversations that show a pattern",
                    sql="by_day",
                    kind="timeseries",
                    size=(14, 9),
                    description="The ten patterns with most conversations; days in UTC. A day "
                    "without a pattern has no point.",
                    empty=f"{MINE} Or choose a longer time.",
                    unit="percentunit",
                ),
                Panel(
                    title="Symptoms, whether or not they recur",
                    sql="symptoms",
                    kind="table",
                    size=(10, 9),
                    description="What looks wrong in a single conversation (docs/patterns.md "
                    "lists the rules). Patterns are made of these.",
                    empty="Nothing looks wrong in this time. If nothing was analysed yet: "
                    "`spanloop analyze`.",
                    columns={
                        "Conversations": COUNT,
                        "Share of all": SHARE,
                        "Mean probability of satisfaction": SHARE,
                    },
                ),
            ),
        ),
        Row(
            title="The chosen pattern (the most harmful one, until you choose)",
            panels=(
                Panel(
                    title="What is known of it",
                    sql="chosen",
                    kind="table",
                    size=(8, 11),
                    description="Codes are those of MAST (arXiv 2503.13657) and TRAIL (arXiv 2505.08638).",
                    empty=MINE,
                    columns={"Fact": Column(width=190)},
                ),
                Panel(
                    title="Conversations that show it, and where each went wrong",
                    sql="evidence",
                    kind="table",
                    size=(16, 11),
                    description="The newest 100 in the time shown. The step is the first that "
                    "deviates, as far as steps tell.",
                    empty="No conversation of this time and these agents shows it. Choose a longer time.",
                    columns={
                        "Step": COUNT,
                        "Probability of satisfaction": SHARE_BAR,
                        "Trace": TRACE,
                    },
                ),
            ),
        ),
    ),
)
