"""One trace, with what was found in it."""

from spanloop.dashboards.panels import Board, Column, Panel, Row, Variable
from spanloop.dashboards.variables import COUNT, DATA_SOURCE, JAEGER, MONEY, SHARE, SHARE_BAR, TRACE

CHOOSE = "Click a trace id in the list below, or put one into the field Trace id."
NOT_ANALYSED = f"{CHOOSE} If it is there already, it was not analysed yet: `spanloop analyze`."

BOARD = Board(
    name="trace",
    title="spanloop 7: one trace",
    description="A trace, the conversation it belongs to, and what was found there.",
    variables=(
        DATA_SOURCE,
        Variable(name="trace", label="Trace id", kind="textbox"),
        JAEGER,
    ),
    rows=(
        Row(
            title="The conversation",
            panels=(
                Panel(
                    title="What it was",
                    sql="conversation",
                    kind="table",
                    size=(24, 4),
                    description="The conversation that holds the trace.",
                    empty=NOT_ANALYSED,
                    columns={
                        "Probability of satisfaction": SHARE_BAR,
                        "Tokens in": COUNT,
                        "Tokens out": COUNT,
                        "Cost": MONEY,
                        "Told completely": SHARE,
                    },
                ),
                Panel(
                    title="What was found",
                    sql="findings",
                    kind="table",
                    size=(24, 6),
                    description="Patterns and symptoms with the step at which they show, and "
                    "judgements of people and models. How sure or how good: the "
                    "weight of a symptom, the satisfaction of a judgement; both 0 to "
                    "1.",
                    empty=f"Nothing was found in this conversation. {NOT_ANALYSED}",
                    columns={"Step": COUNT, "How sure or how good": Column(decimals=2)},
                ),
                Panel(
                    title="Step by step",
                    sql="steps",
                    kind="table",
                    size=(24, 12),
                    description="What was said, called and answered, told once, however often "
                    "later histories repeat it.",
                    empty=NOT_ANALYSED,
                    columns={
                        "Step": Column(decimals=0, width=60),
                        "Took": Column(unit="ns", decimals=1),
                        "Status": Column(colors={"error": "red"}),
                        "Trace": TRACE,
                    },
                ),
            ),
        ),
        Row(
            title="Its spans",
            panels=(
                Panel(
                    title="Spans of the trace",
                    sql="spans",
                    kind="traces",
                    size=(24, 18),
                    description="Up to 10,000 spans.",
                    empty=CHOOSE,
                ),
            ),
        ),
        Row(
            title="Others",
            panels=(
                Panel(
                    title="Conversations, the newest first",
                    sql="recent",
                    kind="table",
                    size=(24, 9),
                    description="Of production, in the time shown.",
                    empty="No conversation in this time. Run `spanloop analyze`, or choose a longer time.",
                    columns={"Errors": COUNT, "Trace": TRACE},
                ),
            ),
        ),
    ),
)
