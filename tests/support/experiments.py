"""Agents whose truth is known, and an assessor that reads it: for tests of what runs experiments."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.experiments.assessing import Assessed
from spanloop.optimizer.experiments.plan import Design, Purpose, Subject
from spanloop.optimizer.gate import GateSettings
from spanloop.optimizer.models import Lease
from spanloop.optimizer.replay.episode import EpisodeRequest, EpisodeResult, RunState
from spanloop.optimizer.scenarios.scenario import Content, Scenario, Split

BASELINE = AgentConfiguration(components={"instructions": "Help."})
CREATED = datetime(2026, 5, 1, tzinfo=UTC)
SEEN = datetime(2026, 6, 1, tzinfo=UTC)
TOKENS = 100
GATE = GateSettings(gold_share=1.0, guardrails=False)
"""What the gate itself does is proven elsewhere; here verdicts should come soon."""

Truth = Callable[[EpisodeRequest], RunState | bool]
"""What an episode comes to: satisfied or not, or the state in which it fails."""


def candidate(name: str = "better") -> AgentConfiguration:
    return AgentConfiguration(components={"instructions": f"Help. {name}"})


def scenario(name: str, split: Split = "test", **changes: object) -> Scenario:
    made = Scenario(
        scenario_id=name,
        agent="agent",
        split=split,
        stratum="all",
        content=Content(opening=f"Question {name}"),
        weight=0.01,
        production_satisfied=0.5,
        first_seen=SEEN,
        last_seen=SEEN,
        version=1,
    )
    return made.model_copy(update=changes)


def subject(configuration: AgentConfiguration | None = None, **changes: object) -> Subject:
    given = {
        "agent": "agent",
        "baseline": BASELINE,
        "candidate": configuration or candidate(),
        "candidate_id": "candidate-1",
        "created_at": CREATED,
    }
    return Subject(**{**given, **changes})  # type: ignore[arg-type]


def design(purpose: Purpose = "gate", **changes: object) -> Design:
    given = {
        "purpose": purpose,
        "target": "replay",
        "assessor_version": KnownAssessor.version,
        "gate": GATE,
    }
    return Design(**{**given, **changes})  # type: ignore[arg-type]


def chance(*parts: object) -> float:
    """A number from 0 to 1 that ``parts`` determine."""
    text = "\x1f".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8]) / 2**64


def rates(baseline: float, tested: float) -> Truth:
    """Both arms satisfy at these rates, each episode on its own."""

    def truth(request: EpisodeRequest) -> bool:
        rate = baseline if request.configuration == BASELINE else tested
        return chance(request.run_id) < rate

    return truth


@dataclass
class KnownTarget:
    """Plays what ``truth`` says; ``spans`` outlive a killed process, ``played`` is what was paid."""

    truth: Truth
    lease: Lease = field(default_factory=lambda: Lease(max_tokens=10**9))
    name: str = "replay"
    spends_lease: bool = True
    tells_cost: bool = True
    satisfied: dict[str, bool] = field(default_factory=dict)
    spans: dict[str, EpisodeResult] = field(default_factory=dict)
    played: list[str] = field(default_factory=list)
    before: Callable[[EpisodeRequest], None] = lambda request: None

    async def run(self, request: EpisodeRequest) -> EpisodeResult:
        self.before(request)
        reservation = self.lease.reserve(TOKENS, 0.001) if self.spends_lease else None
        await asyncio.sleep(0)
        if reservation:
            reservation.settle(TOKENS, 0.001)
        told = self.truth(request)
        state: RunState = "finished" if isinstance(told, bool) else told
        if isinstance(told, bool):
            self.satisfied[request.run_id] = told
        self.played.append(request.run_id)
        result = EpisodeResult(
            run_id=request.run_id,
            state=state,
            tiers={"exact": 1},
            steps=2,
            input_tokens=TOKENS - 10 if self.tells_cost else None,
            output_tokens=10 if self.tells_cost else None,
            cost_usd=0.001 if self.tells_cost else None,
            latency_ms=10.0,
        )
        self.spans[request.run_id] = result
        return result

    def recover(self, run_ids: Collection[str]) -> Mapping[str, EpisodeResult]:
        return {run_id: self.spans[run_id] for run_id in run_ids if run_id in self.spans}


@dataclass
class KnownAssessor:
    """Reads what the target knows."""

    target: KnownTarget
    version: str = "known-1"
    second: bool = False
    asked: list[str] = field(default_factory=list)

    def assess(
        self, runs: Mapping[str, Scenario], *, gold: Collection[str]
    ) -> Mapping[str, Assessed]:
        self.asked += runs
        return {run_id: self._one(run_id, run_id in gold) for run_id in runs}

    def _one(self, run_id: str, gold: bool) -> Assessed:
        truth = float(self.target.satisfied[run_id])
        return Assessed(
            score=truth,
            trajectory_id=f"trajectory-{run_id}",
            trace_ids=("ab" * 16,),
            second=truth if self.second else None,
            gold=truth if gold else None,
            version=self.version,
        )


def ticks(start_ms: int = 1_900_000_000_000) -> Callable[[], int]:
    """A clock that goes on by a millisecond whenever it is asked."""
    steps: Iterator[int] = count(start_ms)
    return lambda: next(steps)
