"""Findings are read window by window: each is written once and taken back only where it holds nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any, cast

import pytest
from clickhouse_connect.driver.client import Client

from spanloop.optimizer.annotations.note import Kind
from spanloop.optimizer.annotations.storing import Scope
from spanloop.optimizer.annotations.writing import KindReport, write_back
from spanloop.optimizer.context import time_of
from tests.support.analysis import AnalysisStore, open_analysis_store
from tests.support.annotated_shop import NOW_MS, T0_MS, WISH, Shop, insert_cycle, write
from tests.support.annotations import KeptSender

TICKS = count(NOW_MS)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    opened = open_analysis_store(tmp_path_factory.mktemp("windows"))
    yield opened
    opened.client.close()


class Asked:
    """A client that keeps the statements it is asked."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.statements: list[str] = []

    def query(self, query: str, **given: Any) -> Any:
        self.statements.append(query)
        return self._client.query(query, **given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def show(shop: Shop, patterns: range, *, deleted: int = 0, a_ms: int = 1) -> None:
    """The shop's trajectory shows each pattern, ``a_ms`` after the one before."""
    names = {n: f"{shop.trajectory}-{n:04d}" for n in patterns}
    shop.insert(
        "failure_patterns",
        *({"PatternId": name, "Category": "loop", "Project": "p"} for name in names.values()),
    )
    at = {"TraceId": shop.traces[0], "SpanId": f"{2:016x}", "IsDeleted": deleted}
    shop.insert(
        "pattern_members",
        *(
            {**at, "PatternId": name, "Timestamp": time_of(T0_MS + n * a_ms)}
            for n, name in names.items()
        ),
    )


@pytest.mark.parametrize(("n", "a_ms"), [(17, 0), (18, 1), (19, 86_400_000)])
def test_every_window_is_written_and_taken_back(store: AnalysisStore, n: int, a_ms: int) -> None:
    shop, sender = Shop(store, n), KeptSender()
    show(shop, range(7), a_ms=a_ms)
    told = write(shop, sender, window=2)
    assert (told.found, told.sent, told.retracted) == (7, 7, 0)
    assert write(shop, sender, window=3).unchanged == 7
    show(shop, range(0, 7, 3), deleted=1, a_ms=a_ms)
    told = write(shop, sender, window=2)
    assert (told.found, told.unchanged, told.sent, told.retracted) == (4, 4, 3, 3)
    assert write(shop, sender, window=1).sent == 0
    show(shop, range(7), deleted=1, a_ms=a_ms)
    assert write(shop, sender, window=2).retracted == 4


def test_what_moved_to_another_window_is_not_taken_back(store: AnalysisStore) -> None:
    shop, sender = Shop(store, 20), KeptSender()
    show(shop, range(4))
    assert write(shop, sender, window=1).sent == 4
    moved = {"PatternId": "t20-0000", "TraceId": shop.traces[0], "SpanId": f"{2:016x}"}
    shop.insert("pattern_members", {**moved, "Timestamp": time_of(T0_MS + 9)})
    told = write(shop, sender, window=1)
    assert (told.found, told.unchanged, told.sent) == (4, 4, 0)


def test_findings_are_read_by_one_statement_a_window(store: AnalysisStore) -> None:
    shop, sender = Shop(store, 21), KeptSender()
    show(shop, range(1_203))
    asked = Asked(store.client)
    context = replace(store.context(NOW_MS), client=cast(Client, asked))
    wish = replace(WISH, scope=Scope(agents=(shop.agent,)))
    assert write_back(context, sender, wish, clock_ms=lambda: NOW_MS).kinds[0].sent == 1_203
    assert len(set(sender.ids())) == 1_203
    kinds = [line.split("\n", 1)[0] for line in asked.statements]
    assert sum("Trajectories of production that show" in kind for kind in kinds) == 1
    assert sum("What stands at an endpoint" in kind for kind in kinds) == 1


def write_since(shop: Shop, sender: KeptSender, kind: Kind, since_ms: int) -> KindReport:
    scope = Scope(agents=(shop.agent,), since_ms=since_ms)
    wish = replace(WISH, kinds=(kind,), scope=scope)
    context = shop.store.context(NOW_MS)
    return write_back(context, sender, wish, clock_ms=lambda: next(TICKS)).kinds[0]


def make_release(shop: Shop, **changes: Any) -> None:
    """A version of the shop's release, made at `T0_MS`."""
    n = shop.trajectory
    row = {
        "Project": "p",
        "AgentName": shop.agent,
        "ReleaseId": f"r-{n}",
        "Number": 2,
        "CandidateId": f"k-{n}",
        "ExperimentId": f"e-{n}",
        "State": "canary",
        "CreatedAt": time_of(T0_MS),
    }
    shop.insert("releases", {**row, **changes})


def test_a_release_is_corrected_however_old_it_is(store: AnalysisStore) -> None:
    shop, sender = Shop(store, 22), KeptSender()
    insert_cycle(shop)
    assert write_since(shop, sender, "release", T0_MS).sent == 1
    day_9 = T0_MS + 9 * 86_400_000
    assert write_since(shop, sender, "release", day_9).found == 0
    shop.version = day_9
    make_release(shop, State="rolled_back")
    assert write_since(shop, sender, "release", T0_MS + 2 * 86_400_000).sent == 1
    assert [span.name for span in sender.spans] == ["release canary", "release rolled_back"]


def test_a_cycle_gets_what_became_of_its_releases_later(store: AnalysisStore) -> None:
    shop, sender = Shop(store, 23), KeptSender()
    insert_cycle(shop)
    write_since(shop, sender, "cycle", T0_MS)
    day_9 = T0_MS + 9 * 86_400_000
    assert write_since(shop, sender, "cycle", day_9).found == 0
    undone = {"EventId": "v-late", "ReleaseId": "r-t23", "Action": "rolled_back"}
    of = {"Project": "p", "AgentName": shop.agent, "RecordedAt": time_of(day_9)}
    store.context().insert("release_events", [{**of, **undone}])
    assert write_since(shop, sender, "cycle", day_9).sent == 1
    assert sender.spans[-1].name == "release rolled_back"


@pytest.mark.parametrize(("n", "kind"), [(24, "scenario"), (25, "experiment"), (26, "release")])
def test_what_its_evidence_left_is_taken_back_there(
    store: AnalysisStore, n: int, kind: Kind
) -> None:
    shop, sender = Shop(store, n), KeptSender()
    insert_cycle(shop)
    newer, oldest = shop.traces
    write_since(shop, sender, kind, T0_MS)
    scenario = {
        "Project": "p",
        "AgentName": shop.agent,
        "ScenarioId": f"s-{shop.trajectory}",
        "State": "active",
        "Origin": "pattern",
        "Split": "train",
        "PatternIds": [f"pattern-{shop.trajectory}"],
        "Goal": "reach ann@example.org",
    }
    seen_ms = T0_MS + 86_400_000
    shop.insert("scenarios", {**scenario, "TraceIds": [newer], "LastSeen": time_of(seen_ms)})
    told = write_since(shop, sender, kind, seen_ms if kind == "scenario" else T0_MS)
    assert told.retracted == 1
    last = sender.spans[-1]
    assert last.parent is not None
    assert (last.name, f"{last.parent.trace_id:032x}") == (f"{kind} retracted", oldest)
    assert write_since(shop, sender, kind, T0_MS).sent == 0
