"""What is asked: traces by id, and searches of which many look for values that are rare or nowhere. Pure."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from benchmarks.view.spans import DAYS, FIRST_DAY, LARGE_TRACE, Stored, trace_id

Kind = Literal["trace", "large trace", "absent trace", "rare", "absent", "frequent", "plain"]
MOST = 20
RANGES = (timedelta(hours=1), timedelta(days=2), timedelta(days=DAYS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A trace by ``trace_id``, or a search; ``expects`` is a trace that the answer must hold."""

    kind: Kind
    trace_id: str = ""
    service: str = ""
    operation: str = ""
    attributes: dict[str, str] = field(default_factory=dict[str, str])
    shortest: timedelta = timedelta()
    start: datetime = FIRST_DAY
    end: datetime = FIRST_DAY + timedelta(days=DAYS)
    empty: bool = False
    expects: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """A span that is stored, as the store itself tells."""

    trace: int
    number: int
    service: str
    operation: str
    user: str
    tenant: str
    start: datetime

    @classmethod
    def of(cls, row: Sequence[Any]) -> "Known":
        """Read a row of what `generate` returns."""
        order, service, operation, user, tenant, start = row
        _, trace, number = order.split("-")
        begun = datetime.fromtimestamp(start, UTC)
        return cls(int(trace), int(number), service, operation, user, tenant, begun)


def traces(stored: Stored, count: int, rnd: random.Random) -> list[Question]:
    """Return ``count`` traces by id, one in ten of them not there, and the large one in the middle."""
    asked = [
        Question(kind="absent trace", trace_id=rnd.randbytes(16).hex(), empty=True)
        if number % 10 == 9
        else Question(kind="trace", trace_id=trace_id(rnd.randrange(stored.traces)))
        for number in range(count)
    ]
    asked.insert(count // 2, Question(kind="large trace", trace_id=trace_id(LARGE_TRACE)))
    return asked


def searches(known: Sequence[Known], rnd: random.Random) -> list[Question]:
    """Return a search for each span of ``known``: four in ten for rare values, four for absent ones."""
    return [_search(one, number, rnd) for number, one in enumerate(known)]


def _search(one: Known, number: int, rnd: random.Random) -> Question:
    order = f"order-{one.trace}-{one.number}"
    found = trace_id(one.trace)
    nowhere = f"order-{rnd.randrange(10**9, 2 * 10**9)}-x"
    end = FIRST_DAY + timedelta(days=DAYS)
    start = max(end - RANGES[number % len(RANGES)], FIRST_DAY)
    match number % 10:
        case 0 | 1:
            return Question(
                kind="rare", service=one.service, attributes={"order.id": order}, expects=found
            )
        case 2:
            return Question(
                kind="rare",
                service=one.service,
                operation=one.operation,
                attributes={"order.id": order, "tenant": one.tenant},
                start=one.start - timedelta(hours=1),
                end=one.start + timedelta(hours=1),
                expects=found,
            )
        case 3:
            return Question(kind="rare", service=one.service, attributes={"user.id": one.user})
        case 4 | 5:
            return Question(
                kind="absent", service=one.service, attributes={"order.id": nowhere}, empty=True
            )
        case 6:
            absent = {"order.id": nowhere, "http.request.method": "GET"}
            return Question(
                kind="absent", service=one.service, attributes=absent, start=start, empty=True
            )
        case 7:
            absent = {"no.such.key": "true"}
            return Question(kind="absent", service=one.service, attributes=absent, empty=True)
        case 8:
            common = {"http.request.method": "GET"} if number % 20 == 8 else {"error": "true"}
            return Question(kind="frequent", service=one.service, attributes=common, start=start)
        case _:
            return Question(
                kind="plain",
                service=one.service,
                operation=one.operation if number % 20 == 9 else "",
                shortest=timedelta(milliseconds=200 if number % 4 == 1 else 0),
                start=start,
            )
