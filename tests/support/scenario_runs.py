"""Runs of a small shop as an analysis leaves them in the store, for tests of scenarios."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client

START = datetime(2026, 11, 1, tzinfo=UTC)

REQUESTS = {
    "cancel": "Hello, please cancel my order {order}. I found it cheaper elsewhere.",
    "address": "I moved house last week, so deliver parcel {order} to the new flat at 12 Elm Road.",
    "refund": "The kettle from {order} arrived broken and I want my money back.",
    "status": "Where is my delivery {order}? It was promised for Monday.",
}
TOOLS = {
    "cancel": ("find_order", "cancel_order"),
    "address": ("find_order", "update_address"),
    "refund": ("find_order", "issue_refund"),
    "status": ("find_order",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run.

    Attributes:
        told: what the user says; the agent answers each message after the tools that it calls first.
        run_id: of an experiment; '' = production.
    """

    name: str
    told: Sequence[str]
    tools: Sequence[str] = ()
    order: str = "W100000"
    user: str = ""
    start: datetime = START
    agent: str = "shop"
    run_id: str = ""
    probability: float | None = 0.9
    patterns: Sequence[str] = ()
    findings: Sequence[tuple[str, int]] = ()


def shop_run(kind: str, number: int, *, day: float = 0.0, **changes: Any) -> Run:
    """Return run ``number`` of a request of ``kind``, told in its own words, ``day`` days after `START`."""
    order = f"W{number:06}"
    mood = ("today", "this evening", "as I said on the phone", "if you can", "quickly")[number % 5]
    given: dict[str, Any] = {
        "name": f"{kind}-{number}",
        "told": [f"{REQUESTS[kind].format(order=order)} Do it {mood}.", "Yes, go ahead."],
        "tools": TOOLS[kind],
        "order": order,
        "start": START + timedelta(days=day, minutes=number),
    }
    return Run(**{**given, **changes})


def insert_runs(client: Client, runs: Sequence[Run], *, version: int) -> None:
    """Insert ``runs`` as trajectories with their steps, scores, symptoms and memberships."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        for table, rows in _rows(run, version).items():
            tables.setdefault(table, []).extend(rows)
    for table, rows in tables.items():
        client.insert(table, [list(row.values()) for row in rows], column_names=list(rows[0]))


def _rows(run: Run, version: int) -> dict[str, list[dict[str, Any]]]:
    base = {"TrajectoryId": run.name, "Version": version, "IsDeleted": 0}
    steps = _steps(run)
    tables: dict[str, list[dict[str, Any]]] = {
        "trajectories": [
            {
                **base,
                "Basis": "conversation",
                "ConversationId": f"c-{run.name}",
                "TraceIds": [f"t-{run.name}"],
                "UserId": run.user,
                "AgentName": run.agent,
                "RunId": run.run_id,
                "Start": run.start,
                "End": run.start + timedelta(minutes=5),
                "State": "closed",
                "System": "Be helpful. Write to boss@example.org if in doubt.",
                "Opening": run.told[0],
                "StepKinds": [step["Kind"] for step in steps],
                "StepNames": [step["Name"] for step in steps],
                "StepStatuses": [step["Status"] for step in steps],
                "Turns": len(run.told),
                "Completeness": 1.0,
            }
        ],
        "trajectory_traces": [
            {
                "TraceId": f"t-{run.name}",
                "TrajectoryId": run.name,
                "Basis": "conversation",
                "ConversationId": f"c-{run.name}",
                "Start": run.start,
                "End": run.start + timedelta(minutes=5),
                "Version": version,
            }
        ],
        "trajectory_steps": [
            {**base, "Step": i, "Timestamp": run.start, "TraceId": f"t-{run.name}", **step}
            for i, step in enumerate(steps, start=1)
        ],
        "trajectory_satisfaction": [
            {**base, "Probability": run.probability, "Method": "trained", "ModelId": "m"}
        ],
    }
    if run.findings:
        tables["trajectory_symptoms"] = [
            {
                **base,
                "Symptom": symptom,
                "Detail": "",
                "Step": step,
                "Occurrences": 1,
                "Weight": 0.5,
            }
            for symptom, step in run.findings
        ]
    if run.patterns:
        tables["pattern_members"] = [
            {**base, "PatternId": pattern, "DeviatingStep": 2, "Timestamp": run.start}
            for pattern in run.patterns
        ]
    return tables


def _steps(run: Run) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    for i, text in enumerate(run.told):
        steps.append(_step("user", Text=text))
        for tool in run.tools if i == 0 else ():
            steps.append(
                _step(
                    "tool",
                    Name=tool,
                    Arguments=f'{{"order_id": "{run.order}"}}',
                    Result=f'{{"order_id": "{run.order}", "total": 41.5}}',
                    Status="ok",
                )
            )
        steps.append(_step("assistant", Text=f"Order {run.order} costs 41.5. Anything else?"))
    return steps


def _step(kind: str, **values: str) -> dict[str, Any]:
    empty = {"Name": "", "Text": None, "Arguments": None, "Result": None, "Status": ""}
    return {"Kind": kind, **empty, **values}
