from __future__ import annotations

import random
from collections import Counter

from benchmarks.view.questions import Known, searches, traces
from benchmarks.view.spans import DAYS, Stored, trace_id


def test_rows_of_the_store_become_known_spans() -> None:
    row = ("order-12-3", "service-001", "get /order", "user-1", "tenant-2", 1_791_000_000)
    known = Known.of(row)
    assert (known.trace, known.number, known.start.timestamp()) == (12, 3, 1_791_000_000)


def test_the_mix_has_what_the_aims_name() -> None:
    rows = [(f"order-{n}-1", "service-001", "op", "u", "t", 1_791_000_000 + n) for n in range(200)]
    asked = searches([Known.of(row) for row in rows], random.Random(1))
    assert Counter(one.kind for one in asked) == {
        "rare": 80,
        "absent": 80,
        "frequent": 20,
        "plain": 20,
    }
    assert all(one.empty == (one.kind == "absent") for one in asked)
    assert len({str(one.attributes) for one in asked if one.kind == "absent"}) > 40
    assert sum(one.expects != "" for one in asked) == 60
    assert {(one.end - one.start).days for one in asked} >= {0, 2, DAYS}


def test_traces_are_spread_over_the_month_and_some_are_absent() -> None:
    stored = Stored.of(5_000_000)
    assert stored.traces * 10 > 4_990_000
    asked = traces(stored, 100, random.Random(1))
    assert Counter(one.kind for one in asked) == {
        "trace": 90,
        "absent trace": 10,
        "large trace": 1,
    }


def test_ids_are_those_that_the_statement_makes() -> None:
    assert trace_id(1) == "cb524fe58245d7ee00a2f4a26f047019"
