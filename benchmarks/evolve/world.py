"""Days of traffic in which failures come and go: real runs, and made-up ones. Imports nothing of the product.

Real runs are recorded ones, drawn with replacement under ids and times of their own; a failure is planted in
those that went well, by `benchmarks.truth.injector`. Every day brings as many of one as of the other, or
made-up ones alone. A failure begins and ends at a fixed day and shows in 2 % of its source's runs between.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.evolve.stories import AGENT, FAILURES, tell, to_request
from benchmarks.truth.injector import inject
from benchmarks.truth.recorded import CONVERSATION

FIRST_DAY = datetime(2026, 9, 1, tzinfo=UTC)
PREVALENCE = 0.02
GOES_WELL = 0.9
"""Share of made-up runs without a planted failure whose user is content."""

Requests = Sequence[ExportTraceServiceRequest]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A kind of failure and when it shows.

    Attributes:
        real: planted in real runs; else told in made-up ones.
        begins: share of the days after which it shows.
        ends: share of the days after which it shows no more.
    """

    name: str
    real: bool
    begins: float
    ends: float

    def shows(self, day: int, days: int) -> bool:
        """Whether it shows on ``day`` (from 0) of ``days``."""
        return self.begins * days <= day < self.ends * days


SCHEDULE = (
    Failure(name="repeat_call", real=False, begins=0.0, ends=0.5),
    Failure(name="wrong_tool", real=False, begins=0.0, ends=0.6),
    Failure(name="ignore_error", real=False, begins=0.2, ends=1.0),
    Failure(name="stop_early", real=False, begins=0.3, ends=1.0),
    Failure(name="repeated_call", real=True, begins=0.0, ends=0.5),
    Failure(name="ignored_error", real=True, begins=0.2, ends=1.0),
    Failure(name="dropped_tool_result", real=True, begins=0.3, ends=1.0),
)
"""Some vanish half-way, others begin when the product has seen normal traffic for a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTruth:
    """What is known of one run.

    Attributes:
        failure: planted, '' = none.
        content: whether its user got what they came for.
    """

    conversation: str
    agent: str
    failure: str
    content: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RealRun:
    """A recorded run and whether it went well."""

    agent: str
    requests: Requests
    success: bool


def simulate(
    *, days: int, runs_a_day: int, real: Mapping[str, RealRun], seed: int
) -> Iterator[tuple[datetime, Requests, Sequence[RunTruth]]]:
    """Yield each day: its end, its requests in order, and the truth of its runs.

    Args:
        days: to simulate.
        runs_a_day: of each of the two sources; of the one, if ``real`` is empty.
        real: recorded runs by their key.
        seed: of everything drawn.
    """
    for day in range(days):
        rng = np.random.default_rng([seed, day])
        begin = FIRST_DAY + timedelta(days=day)
        requests: list[ExportTraceServiceRequest] = []
        truth: list[RunTruth] = []
        shown = [f for f in SCHEDULE if f.shows(day, days)]
        for i in range(runs_a_day):
            start = begin + timedelta(days=(i + 0.5) / runs_a_day)
            told, known = _made_up(rng, f"made-{day}-{i}", start, [f for f in shown if not f.real])
            requests += told
            truth.append(known)
            if real:
                told, known = _real(
                    rng, real, f"real-{day}-{i}", start, [f for f in shown if f.real]
                )
                requests += told
                truth.append(known)
        yield begin + timedelta(days=1), requests, truth


def _drawn(rng: np.random.Generator, shown: Sequence[Failure]) -> str:
    at = int(rng.random() / PREVALENCE)
    return shown[at].name if at < len(shown) else ""


def _made_up(
    rng: np.random.Generator, name: str, start: datetime, shown: Sequence[Failure]
) -> tuple[Requests, RunTruth]:
    steps = tell(rng)
    failure = _drawn(rng, shown)
    if failure:
        steps = FAILURES[failure](steps)
    content = not failure and bool(rng.random() < GOES_WELL)
    known = RunTruth(conversation=name, agent=AGENT, failure=failure, content=content)
    return [to_request(steps, name, int(start.timestamp() * 1e9))], known


def _real(
    rng: np.random.Generator,
    real: Mapping[str, RealRun],
    name: str,
    start: datetime,
    shown: Sequence[Failure],
) -> tuple[Requests, RunTruth]:
    failure = _drawn(rng, shown)
    keys = sorted(key for key, run in real.items() if run.success or not failure)
    order: list[int] = rng.permutation(len(keys)).tolist()
    for i in order:
        run = real[keys[i]]
        draw = int(rng.integers(0, 2**31, dtype=np.int64))
        planted = inject(list(run.requests), failure, seed=draw) if failure else None
        if failure and planted is None:
            continue  # this run has no place for it
        told = planted.requests if planted else run.requests
        known = RunTruth(
            conversation=name, agent=run.agent, failure=failure, content=run.success and not failure
        )
        return _moved(told, name, start), known
    raise ValueError(f"No recorded run has a place for {failure!r}.")


def _moved(requests: Requests, name: str, start: datetime) -> Requests:
    """Return copies of ``requests`` as conversation ``name`` from ``start`` on, with traces of its own."""
    spans = [s for r in requests for b in r.resource_spans for c in b.scope_spans for s in c.spans]
    later = int(start.timestamp() * 1e9) - min(span.start_time_unix_nano for span in spans)
    moved: list[ExportTraceServiceRequest] = []
    for request in requests:
        copy = ExportTraceServiceRequest()
        copy.CopyFrom(request)
        for block in copy.resource_spans:
            for scope in block.scope_spans:
                for span in scope.spans:
                    span.trace_id = hashlib.sha256(span.trace_id + name.encode()).digest()[:16]
                    span.start_time_unix_nano += later
                    span.end_time_unix_nano += later
                    for event in span.events:
                        event.time_unix_nano += later
                    for attribute in span.attributes:
                        if attribute.key == CONVERSATION:
                            attribute.value.string_value = name
        moved.append(copy)
    return moved
