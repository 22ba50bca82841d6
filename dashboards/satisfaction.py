"""Satisfaction: by agent, release, intent and day, with intervals as they are stored."""

from spanloop.dashboards.panels import Board, Column, Panel, Row
from spanloop.dashboards.variables import (
    AGENT,
    COUNT,
    DATA_SOURCE,
    JAEGER,
    PROJECT,
    RELEASE,
    SHARE,
    SHARE_BAR,
    TRACE,
)

LABEL = (
    "Nothing estimated yet. Run `spanloop analyze`; then `spanloop label draw` and `spanloop "
    "label next` to measure."
)
BAND = (
    "The line is the estimate, the area its 95 % interval. An area without a line is a bound: too "
    "few labels of a random sample for a rate, but users rated. Nothing is drawn where nothing "
    "is known."
)
METHODS = Column(
    colors={
        "prediction_powered": "green",
        "labels": "green",
        "raters_bounded": "orange",
        "unknown": "text",
    }
)
ESTIMATE = {
    "Satisfied": SHARE_BAR,
    "At least": SHARE,
    "At most": SHARE,
    "Of those who rated": SHARE,
    "Conversations": COUNT,
    "Labelled at random": COUNT,
    "Rated by users": COUNT,
    "Rests on": METHODS,
}
RESTS_ON = (
    "All times. Satisfied, at least, at most: estimate and 95 % interval. – is unknown, never 0. "
    "prediction_powered and labels rest on a random sample; raters_bounded are only bounds, since "
    "raters chose themselves; unknown: nobody said anything."
)

BOARD = Board(
    name="satisfaction",
    title="spanloop 2: satisfaction",
    description="Do users get what they came for? Production only; a conversation is what the tables "
    "call a trajectory. docs/satisfaction.md says what each number rests on.",
    variables=(DATA_SOURCE, PROJECT, AGENT, RELEASE, JAEGER),
    rows=(
        Row(
            title="All agents",
            panels=(
                Panel(
                    title="Share of satisfied conversations, all times",
                    sql="now",
                    kind="stat",
                    size=(24, 4),
                    description="The newest estimate with its 95 % interval, and what it rests on.",
                    empty="unknown",
                    columns={
                        "Satisfied": SHARE,
                        "At least": SHARE,
                        "At most": SHARE,
                        "Of those who rated": SHARE,
                    },
                ),
                Panel(
                    title="By day (UTC), all agents",
                    sql="by_day",
                    kind="timeseries",
                    size=(12, 9),
                    description=BAND,
                    empty=LABEL,
                    unit="percentunit",
                    draw="band",
                ),
                Panel(
                    title="By day, of one agent (the busiest of those chosen)",
                    sql="by_agent_day",
                    kind="timeseries",
                    size=(12, 9),
                    description=f"{BAND} Choose an agent above.",
                    empty=LABEL,
                    unit="percentunit",
                    draw="band",
                ),
            ),
        ),
        Row(
            title="Where it differs",
            panels=(
                Panel(
                    title="By agent",
                    sql="by_agent",
                    kind="table",
                    size=(12, 7),
                    description=RESTS_ON,
                    empty=LABEL,
                    columns=ESTIMATE,
                ),
                Panel(
                    title="By release",
                    sql="by_release",
                    kind="table",
                    size=(12, 7),
                    description=f"{RESTS_ON} A release is what spans carry as spanloop.release.id, "
                    "or their convention's own version.",
                    empty="No span carries a release yet: `spanloop releases register`, or set "
                    "your convention's release attribute.",
                    columns=ESTIMATE,
                ),
                Panel(
                    title="By intent: what users come for",
                    sql="by_intent",
                    kind="table",
                    size=(24, 8),
                    description=f"{RESTS_ON} Intents are clusters of first messages.",
                    empty="No intent recurs yet. Run `spanloop analyze` once some dozens of "
                    "conversations are in.",
                    columns=ESTIMATE,
                ),
            ),
        ),
        Row(
            title="What it rests on",
            panels=(
                Panel(
                    title="Over all times, as each analysis saw it",
                    sql="by_analysis",
                    kind="timeseries",
                    size=(12, 7),
                    description=f"{BAND} It narrows as labels come in.",
                    empty=LABEL,
                    unit="percentunit",
                    draw="band",
                ),
                Panel(
                    title="Judgements that came in, by who judged",
                    sql="judgements",
                    kind="timeseries",
                    size=(12, 7),
                    description="feedback: users. label: people who were asked to look. outcome: "
                    "observed success. judge: a model. evaluation: automatic, sent by "
                    "the agent; says nothing about satisfaction.",
                    empty="Nobody judged in this time: send feedback to POST /v1/feedback, or "
                    "label with `spanloop label next`.",
                    unit="short",
                    draw="bars",
                ),
                Panel(
                    title="Conversations that most probably satisfied nobody",
                    sql="least_satisfied",
                    kind="table",
                    size=(24, 11),
                    description="Closed conversations of the chosen agents, releases and time, "
                    "the worst 100. The order means something; the level only once "
                    "there are 50 labels. docs/satisfaction.md says what the reasons mean.",
                    empty="No scored conversation in this time. Run `spanloop analyze`, or choose "
                    "a longer time.",
                    columns={
                        "Probability of satisfaction": SHARE_BAR,
                        "Turns": COUNT,
                        "Errors": COUNT,
                        "Trace": TRACE,
                    },
                ),
            ),
        ),
    ),
)
