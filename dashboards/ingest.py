"""Ingest health: is everything arriving, understood and stored."""

from spanloop.dashboards.panels import Board, Column, Panel, Row
from spanloop.dashboards.variables import COUNT, DATA_SOURCE, SECONDS, SENDING_PROJECT, SHARE

SEND = (
    "No spans in this time. Point an agent's OTLP exporter at spanloop (port 4317 or 4318), or "
    "choose a longer time."
)
ANALYSE = "Nothing was analysed in this time. Run `spanloop analyze`."
BYTES = Column(unit="bytes", decimals=1)

BOARD = Board(
    name="ingest",
    title="spanloop 1: ingest health",
    description="Is everything arriving, understood and stored? Counts all traffic, runs of "
    "experiments too.",
    variables=(DATA_SOURCE, SENDING_PROJECT),
    since="now-6h",
    refresh="1m",
    rows=(
        Row(
            title="Arriving",
            panels=(
                Panel(
                    title="In the time shown",
                    sql="now",
                    kind="stat",
                    size=(24, 4),
                    description="Spans by their start. GenAI spans are those of models, tools and "
                    "agents; the rest is kept too.",
                    empty="nothing yet",
                    columns={
                        "Share of spans that failed": SHARE,
                        "Last received": Column(unit="dateTimeFromNow"),
                    },
                ),
                Panel(
                    title="Spans a second, by service",
                    sql="spans_per_second",
                    kind="timeseries",
                    size=(12, 8),
                    description="By the start of the span. A service that falls silent stops "
                    "sending or is down.",
                    empty=SEND,
                    unit="short",
                    draw="bars",
                ),
                Panel(
                    title="From the end of a span to its receipt",
                    sql="delay",
                    kind="timeseries",
                    size=(12, 8),
                    description="What SDK, Collector and network take. Minutes mean a queue or a "
                    "retry before spanloop, or a clock that is wrong; below zero, a "
                    "clock that is ahead. Replayed recordings show their age.",
                    empty=SEND,
                    unit="s",
                ),
            ),
        ),
        Row(
            title="What arrives",
            panels=(
                Panel(
                    title="Senders, and what was lost before it came here",
                    sql="senders",
                    kind="table",
                    size=(24, 8),
                    description="Dropped by the SDK: attributes, events and links over its limits "
                    "(OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT …). Times corrected: starts "
                    "that could not be right and were replaced by the time of "
                    "receipt.",
                    empty=SEND,
                    columns={
                        "Spans": COUNT,
                        "Failed": COUNT,
                        "Dropped by the SDK": COUNT,
                        "Times corrected": COUNT,
                        "Last received": Column(unit="dateTimeFromNow"),
                    },
                ),
                Panel(
                    title="How GenAI spans are understood, and what they lack",
                    sql="dialects",
                    kind="table",
                    size=(14, 8),
                    description="Conventions are told by scope and attribute keys "
                    "(docs/dialects.md). Without messages nothing can be said about a "
                    "conversation: switch content capture on. Content sent as log "
                    "records counts as without here.",
                    empty="No GenAI spans in this time: instrument models and tools "
                    "(docs/dialects.md lists what is understood).",
                    columns={
                        "Spans": COUNT,
                        "Services": COUNT,
                        "Without messages": SHARE,
                        "Without tokens": SHARE,
                        "Without a conversation id": SHARE,
                    },
                ),
                Panel(
                    title="Share of GenAI spans that failed, by what they are",
                    sql="failed_spans",
                    kind="timeseries",
                    size=(10, 8),
                    description="Spans of models, tools, agents … whose status is an error.",
                    empty="No GenAI spans in this time.",
                    unit="percentunit",
                ),
            ),
        ),
        Row(
            title="Stored and analysed",
            panels=(
                Panel(
                    title="Segments stored",
                    sql="inserts",
                    kind="timeseries",
                    size=(8, 8),
                    description="Segments of the write-ahead log that the database took, by the "
                    "database's clock. Many small ones cost merges; none while spans "
                    "arrive means that the database is behind: see `spanloop status`.",
                    empty="Nothing was stored in this time.",
                    unit="short",
                    draw="bars",
                ),
                Panel(
                    title="Tables on disk",
                    sql="storage",
                    kind="table",
                    size=(8, 8),
                    description="Compressed, all times and projects. Many parts in one table mean "
                    "that merges are behind.",
                    empty="No table holds a row yet.",
                    columns={"Rows": COUNT, "Bytes": BYTES, "Bytes a row": BYTES, "Parts": COUNT},
                ),
                Panel(
                    title="What conversations lack",
                    sql="completeness",
                    kind="table",
                    size=(8, 8),
                    description="Gaps in what the spans tell, by agent (docs/trajectories.md says "
                    "what each costs and how to close it).",
                    empty=ANALYSE,
                    columns={"Conversations": COUNT, "Of all": COUNT, "Share": SHARE},
                ),
                Panel(
                    title="Analyses",
                    sql="analyses",
                    kind="table",
                    size=(24, 7),
                    description="Spans become conversations, satisfaction and patterns here. "
                    "Tokens are those of the judge, if one is configured.",
                    empty=ANALYSE,
                    columns={
                        "Took": SECONDS,
                        "CPU time": SECONDS,
                        "Conversations read": COUNT,
                        "Symptoms found": COUNT,
                        "Judgements found": COUNT,
                        "Patterns": COUNT,
                        "Tokens of the judge": COUNT,
                    },
                ),
            ),
        ),
    ),
)
