"""Rows of a cycle that ended: stages, a pattern with two candidates, an experiment with runs, a release."""

from typing import Any

from spanloop.optimizer.annotations.note import Note, Target
from spanloop.optimizer.annotations.work import CycleRows, Evidence, cycle_notes, run_notes
from tests.support.annotations import SPAN, TRACE

T0_MS = 1_790_000_000_000
AGENT = {"Project": "p", "AgentName": "shop"}
SPENT = {"Tokens": 7, "CostUsd": None}


def stage(name: str, begin_ms: int, end_ms: int, **changes: Any) -> dict[str, Any]:
    agent = AGENT if name else {"Project": "", "AgentName": ""}
    return {
        "CycleId": "c1",
        "Stage": name,
        **agent,
        "State": "done",
        "Counts": {"made": 2},
        "Notes": ["mail ann@example.org"],
        **SPENT,
        "CpuSeconds": 0.5,
        "StartMs": T0_MS + begin_ms,
        "EndMs": T0_MS + end_ms,
        **changes,
    }


def candidate(name: str, created_ms: int) -> dict[str, Any]:
    return {
        "CandidateId": name,
        "CycleId": "c1",
        **AGENT,
        "PatternId": "p1",
        "Category": "context_gap",
        "Intervention": "tool_selection",
        "Engine": "template",
        "State": "shipped",
        "Reasons": [],
        **SPENT,
        "CreatedMs": T0_MS + created_ms,
        "Traces": [TRACE],
    }


EXPERIMENT: dict[str, Any] = {
    "ExperimentId": "e1",
    **AGENT,
    "CandidateId": "k1",
    "Purpose": "gate",
    "Verdict": "ship",
    "Reason": "",
    "Effect": 0.25,
    "EffectLow": 0.1,
    "EffectHigh": 0.4,
    "EValue": 40.0,
    "ScenariosClosed": 30,
    **SPENT,
    "StartMs": T0_MS + 4_000,
    "EndMs": T0_MS + 99_000,  # decided after its stage, as by a clock that was set
}


def run(name: str, arm: str) -> dict[str, Any]:
    return {
        "RunId": name,
        "Project": "p",
        "ScenarioId": "s1",
        "Arm": arm,
        "Repeat": 0,
        "Attempt": 0,
        "State": "finished",
        "ErrorKind": "",
        "TraceIds": [TRACE],
        "Score": 0.75,
        "Steps": 4,
        "InputTokens": 100,
        "OutputTokens": None,
        "CostUsd": None,
        "StartMs": T0_MS + 4_100,
        "EndMs": T0_MS + 4_100,
    }


CYCLE = CycleRows(
    whole=stage("", 0, 9_000),
    stages=[stage("candidates", 1_000, 3_000), stage("experiments", 3_000, 8_000)],
    candidates=[candidate("k1", 1_500), candidate("k2", 2_500)],
    experiments=[EXPERIMENT],
    releases=[
        {
            "EventId": "v1",
            "ReleaseId": "r1",
            **AGENT,
            "Number": 2,
            "CandidateId": "k1",
            "Action": "canary",
            "Actor": "spanloop",
            "AtMs": T0_MS + 8_500,
        }
    ],
)
MEMBER = Target(trace_id=TRACE, span_id=SPAN, start_ns=1, end_ns=2)
EVIDENCE = Evidence(roots={TRACE: MEMBER}, members={"p1": [MEMBER]})


def all_notes() -> list[Note]:
    """The whole trace."""
    notes = cycle_notes(CYCLE, EVIDENCE)
    experiment = next(note for note in notes if note.identifier == "experiment/e1")
    return [
        *notes,
        *run_notes(experiment, [run("u1", "baseline"), run("u2", "candidate")], EVIDENCE),
    ]
