"""Experiments: what was tried against production, and what came of it."""

from spanloop.dashboards.panels import Board, Column, Link, Panel, Row, Variable
from spanloop.dashboards.variables import (
    AGENT,
    COUNT,
    DATA_SOURCE,
    JAEGER,
    KEPT,
    MONEY,
    POINTS,
    PROJECT,
    SHARE,
    TRACE,
)

TEST = (
    "No experiment in this time. `spanloop optimize` makes edits and tests them; `spanloop "
    "candidates` lists them."
)
VERDICTS = Column(
    colors={
        "ship": "green",
        "reject": "red",
        "inconclusive": "orange",
        "unsupported": "orange",
        "running": "blue",
        "frozen": "blue",
    }
)
FACTOR = Column(unit="none", decimals=2)
EXPERIMENT = Variable(
    name="experiment", label="Experiment", kind="query", sql="experiments", all=True
)

BOARD = Board(
    name="experiments",
    title="spanloop 4: experiments and verdicts",
    description="Edits tested against what runs in production, on situations taken from "
    "production. docs/experiments.md.",
    variables=(DATA_SOURCE, PROJECT, AGENT, EXPERIMENT, JAEGER),
    rows=(
        Row(
            title="Verdicts",
            panels=(
                Panel(
                    title="In the time shown",
                    sql="now",
                    kind="stat",
                    size=(24, 4),
                    description="Shown better ships; undecided are inconclusive (it could not be "
                    "told) and unsupported.",
                    empty="none",
                    columns={"Shown better": Column(decimals=0)},
                ),
                Panel(
                    title="Experiments, the newest first",
                    sql="verdicts",
                    kind="table",
                    size=(24, 10),
                    description="Effect: satisfaction under the edit less satisfaction as it is, "
                    "in points, with its 95 % interval. Evidence: an edit ships once "
                    "the e-value reaches what is needed (1 / level). Purpose: gate is the locked test, "
                    "confirmation asks fresh traffic.",
                    empty=TEST,
                    columns={
                        "Verdict": VERDICTS,
                        "Effect": POINTS,
                        "At least": POINTS,
                        "At most": POINTS,
                        "Evidence (e-value)": FACTOR,
                        "Evidence needed": FACTOR,
                        "Scenarios played": COUNT,
                        "Of planned": COUNT,
                        "Tokens": COUNT,
                        "Cost": MONEY,
                        "Experiment": Column(
                            width=140,
                            links=(
                                Link(
                                    title="Show it below",
                                    url="/d/spanloop-experiments?var-experiment=${__value.raw}"
                                    f"&${{project:queryparam}}&${{agent:queryparam}}&{KEPT}",
                                ),
                            ),
                        ),
                    },
                ),
            ),
        ),
        Row(
            title="The chosen experiment (the newest, until you choose)",
            panels=(
                Panel(
                    title="How the evidence grew",
                    sql="evidence_path",
                    kind="trend",
                    size=(12, 9),
                    description="Each look at the locked scenarios. The edit ships where the "
                    "evidence crosses the line of what is needed; looking often costs "
                    "nothing (docs/gate.md).",
                    empty=TEST,
                    x="Scenarios played",
                    log=True,
                ),
                Panel(
                    title="Both sides",
                    sql="arms",
                    kind="table",
                    size=(12, 9),
                    description="baseline is what runs now. Every started episode counts, also "
                    "those that failed or got lost.",
                    empty=TEST,
                    columns={
                        "Episodes": COUNT,
                        "Finished": COUNT,
                        "Lost": COUNT,
                        "Judged": COUNT,
                        "Satisfied": SHARE,
                        "Tool calls answered from the record": SHARE,
                        "Model calls an episode": Column(decimals=1),
                        "Median time": Column(unit="ms"),
                        "Cost an episode": MONEY,
                    },
                ),
                Panel(
                    title="Every number of the verdict",
                    sql="numbers",
                    kind="table",
                    size=(12, 9),
                    description="With how each was computed.",
                    empty="Nothing is decided yet.",
                    columns={
                        "Value": Column(decimals=4),
                        "At least": Column(decimals=4),
                        "At most": Column(decimals=4),
                    },
                ),
                Panel(
                    title="Episodes",
                    sql="episodes",
                    kind="table",
                    size=(12, 9),
                    description="The same scenario under both configurations stands together. "
                    "Checked outcome: by people or by criteria in code, for the share "
                    "that was drawn for it beforehand.",
                    empty=TEST,
                    columns={
                        "Probability of satisfaction": SHARE,
                        "Checked outcome": SHARE,
                        "Cost": MONEY,
                        "Trace": TRACE,
                    },
                ),
            ),
        ),
        Row(
            title="What is tested",
            panels=(
                Panel(
                    title="Edits made",
                    sql="candidates",
                    kind="table",
                    size=(14, 9),
                    description="screened: did nothing on open scenarios. deferred: put off to a "
                    "later cycle. refused: a scan found "
                    "something that must not come from traces into a prompt "
                    "(docs/candidates.md).",
                    empty="No edit was made in this time. `spanloop optimize` makes them for "
                    "patterns that matter.",
                    columns={
                        "Tokens": COUNT,
                        "Cost": MONEY,
                        "State": Column(
                            colors={
                                "shipped": "green",
                                "rejected": "red",
                                "refused": "red",
                                "screened": "text",
                                "deferred": "text",
                                "testing": "blue",
                                "inconclusive": "orange",
                                "unsupported": "orange",
                            }
                        ),
                    },
                ),
                Panel(
                    title="Scenarios",
                    sql="scenarios",
                    kind="table",
                    size=(10, 9),
                    description="Situations that can be played again. test is locked: each look "
                    "at it is accounted for. Reproduced: replaying what runs now came "
                    "to what production came to.",
                    empty="No scenario yet: `spanloop optimize` takes them from production.",
                    columns={
                        "Scenarios": COUNT,
                        "Show a failure": COUNT,
                    },
                ),
            ),
        ),
    ),
)
