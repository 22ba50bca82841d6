"""A shop whose conversations findings are about, and how they are written back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from spanloop.optimizer.annotations.note import Kind
from spanloop.optimizer.annotations.storing import Scope
from spanloop.optimizer.annotations.writing import KindReport, Report, Wish, write_back
from spanloop.optimizer.context import time_of
from tests.support.analysis import AnalysisStore
from tests.support.annotations import KeptSender

T0_MS = 1_790_000_000_000
NOW_MS = T0_MS + 3_600_000
WISH = Wish(endpoint="jaeger:4317", kinds=("pattern",), scope=Scope())


class Shop:
    """A conversation of two traces, each a root with a tool call; ``n`` keeps cases apart."""

    def __init__(self, store: AnalysisStore, n: int, *, agent: str = "") -> None:
        self.store = store
        self.traces = [f"{n:030x}{i:02x}" for i in (1, 2)]
        self.trajectory = f"t{n}"
        self.agent = agent or f"agent{n}"
        self.version = T0_MS
        store.insert_spans([s for trace in self.traces for s in self._spans(trace)])
        self.insert("trajectory_traces", *({"TraceId": t, "Project": "p"} for t in self.traces))
        self.ends()

    def ends(self, *, at_ms: int = T0_MS + 10_000, state: str = "closed", last: int = 2) -> None:
        """Its trajectory ends at a time in its ``last`` trace; open: more may follow."""
        self.insert(
            "trajectories",
            {
                "Project": "p",
                "TraceIds": self.traces[:last],
                "ConversationId": self.trajectory.replace("t", "c"),
                "AgentName": self.agent,
                "State": state,
                "End": time_of(at_ms),
            },
        )

    def _spans(self, trace: str) -> list[dict[str, Any]]:
        def span(n: int, parent: int, begin_ms: int, end_ms: int) -> dict[str, Any]:
            return {
                "traceId": trace,
                "spanId": f"{n:016x}",
                "parentSpanId": f"{parent:016x}" if parent else "",
                "name": f"span {n}",
                "startTimeUnixNano": str((T0_MS + begin_ms) * 1_000_000),
                "endTimeUnixNano": str((T0_MS + end_ms) * 1_000_000 + 321),
            }

        return [span(1, 0, 0, 9_000), span(2, 1, 1_000, 2_000), span(3, 1, 2_000, 3_000)]

    def insert(self, table: str, *rows: dict[str, Any]) -> None:
        self.version += 1
        common = {"TrajectoryId": self.trajectory, "Version": self.version}
        if table not in (
            "trajectories",
            "trajectory_traces",
            "trajectory_satisfaction",
            "pattern_members",
        ):
            del common["TrajectoryId"]
        self.store.context().insert(table, [{**common, **row} for row in rows])

    def shows(self, pattern: str, *, deleted: int = 0, step: int = 3) -> None:
        self.insert(
            "pattern_members",
            {
                "PatternId": pattern,
                "TraceId": self.traces[0],
                "SpanId": f"{step:016x}",
                "DeviatingStep": step,
                "EvidenceSteps": [step, step + 2],
                "Timestamp": time_of(T0_MS + 2_000),
                "IsDeleted": deleted,
            },
        )

    def named(self, pattern: str, title: str = "Asks for nothing") -> None:
        self.insert(
            "failure_patterns",
            {
                "PatternId": pattern,
                "Project": "p",
                "Category": "context_gap",
                "Title": title,
                "Explanation": "mail ann@example.org\x00",
            },
        )


def report(shop: Shop, sender: KeptSender, kind: Kind, **changes: Any) -> Report:
    ticks = iter(range(NOW_MS + shop.version % 1_000 * 1_000, 2**62))
    shop.version += 1
    wish = replace(WISH, kinds=(kind,), scope=Scope(agents=(shop.agent,)), **changes)
    return write_back(shop.store.context(NOW_MS), sender, wish, clock_ms=lambda: next(ticks))


def write(shop: Shop, sender: KeptSender, kind: Kind = "pattern", **changes: Any) -> KindReport:
    return report(shop, sender, kind, **changes).kinds[0]


def insert_cycle(shop: Shop) -> None:
    """A cycle of the shop's agent: a candidate for a pattern, its experiment of two runs, a release of it."""
    n, of = shop.trajectory, {"Project": "p", "AgentName": shop.agent}
    begun = {"CycleId": f"cycle-{n}", "State": "done", "StartedAt": time_of(T0_MS)}
    for stage, end_s in (("", 60), ("candidates", 20), ("experiments", 50)):
        agent = of if stage else {}
        shop.insert(
            "cycles",
            {**begun, **agent, "Stage": stage, "FinishedAt": time_of(T0_MS + end_s * 1_000)},
        )
    shop.insert(
        "scenarios",
        {
            **of,
            "ScenarioId": f"s-{n}",
            "State": "active",
            "Origin": "pattern",
            "Split": "train",
            "PatternIds": [f"pattern-{n}"],
            "Goal": "reach ann@example.org",
            "TraceIds": shop.traces,
            "LastSeen": time_of(T0_MS),
        },
    )
    shop.insert(
        "candidates",
        {
            **of,
            "CandidateId": f"k-{n}",
            "CycleId": f"cycle-{n}",
            "PatternId": f"pattern-{n}",
            "Category": "loop",
            "Intervention": "stop_rule",
            "Engine": "template",
            "State": "shipped",
            "Scenarios": [f"s-{n}", "unknown"],
            "CreatedAt": time_of(T0_MS + 9_000),
        },
    )
    tested = {"ExperimentId": f"e-{n}", "StartedAt": time_of(T0_MS + 21_000)}
    shop.insert(
        "experiments",
        {
            **of,
            **tested,
            "CycleId": f"cycle-{n}",
            "CandidateId": f"k-{n}",
            "Purpose": "gate",
            "State": "decided",
            "Verdict": "ship",
            "Scenarios": [f"s-{n}", "other"],
            "ScenariosClosed": 12,
            "Effect": 0.25,
            "EffectLow": 0.1,
            "EffectHigh": 0.4,
            "DecidedAt": time_of(T0_MS + 49_000),
        },
    )
    for arm in ("baseline", "candidate"):
        shop.insert(
            "experiment_runs",
            {
                **tested,
                "Project": "p",
                "RunId": f"{arm}-{n}",
                "ScenarioId": f"s-{n}",
                "Arm": arm,
                "State": "finished",
                "TraceIds": [shop.traces[1]],
                "FinishedAt": time_of(T0_MS + 30_000),
            },
        )
    released = {"ReleaseId": f"r-{n}", "Number": 2, "CandidateId": f"k-{n}"}
    shop.insert(
        "releases",
        {
            **of,
            **released,
            "State": "canary",
            "ExperimentId": f"e-{n}",
            "Effect": 0.25,
            "CreatedAt": time_of(T0_MS + 55_000),
        },
    )
    shop.store.context().insert(
        "release_events",
        [
            {
                **of,
                "EventId": f"v-{n}",
                "ReleaseId": f"r-{n}",
                "Action": "canary",
                "Actor": "spanloop",
                "RecordedAt": time_of(T0_MS + 55_000),
            }
        ],
    )
