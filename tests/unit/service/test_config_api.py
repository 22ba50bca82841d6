"""The configuration API over a source in memory: how often it asks, what it keeps, what it refuses."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.releases.assignment import in_canary
from spanloop.optimizer.releases.release import Release
from spanloop.processor.errors import StoreUnavailable
from spanloop.receiver.auth import Tokens
from spanloop.service.config_api import MAX_MISSED, MAX_TESTED, MISSED_S, TTL_S, ConfigApi

FIRST = AgentConfiguration(
    components={"instructions": "Be brief.", "context.b": "B", "context.a": "A"}
)
OTHER = AgentConfiguration(components={"instructions": "Check first."}, version="2")


def release(number: int, **changed: Any) -> Release:
    made = Release(
        release_id=f"rel-{number}",
        project="default",
        agent="support",
        number=number,
        state="current",
        share=1.0,
        configuration=FIRST,
        created_at=datetime(2026, 11, 1, tzinfo=UTC),
    )
    return replace(made, **changed)


@dataclass
class Source:
    """Releases in memory; counts what it is asked."""

    releases: list[Release] = field(default_factory=lambda: [release(1)])
    marked: int = 0
    read: int = 0
    looked_up: int = 0
    down: bool = False
    known: bool = True
    held: threading.Event | None = None

    def mark(self) -> object:
        if self.down:
            raise StoreUnavailable("down")
        if self.held is not None:
            self.held.set()
        self.marked += 1
        return tuple(self.releases)

    def served(self) -> Sequence[Release]:
        self.read += 1
        return list(self.releases)

    def tested(self, project: str, agent: str, hash_: str) -> AgentConfiguration | None:
        self.looked_up += 1
        if self.held is not None:
            assert self.held.wait(10)
        return replace_version(hash_) if self.known else None


def replace_version(version: str) -> AgentConfiguration:
    return AgentConfiguration(components={"instructions": "Under test."}, version=version)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


Get = Callable[..., list[httpx.Response]]


@pytest.fixture
def get() -> Iterator[Get]:
    """Return what sends requests at once, as a crowd of agents does."""

    async def send(
        api: ConfigApi, requests: Sequence[tuple[str, dict[str, str]]]
    ) -> list[httpx.Response]:
        transport = httpx.ASGITransport(Starlette(routes=[api.route]))
        async with httpx.AsyncClient(transport=transport, base_url="http://spanloop") as client:
            return list(
                await asyncio.gather(*(client.get(p, headers=headers) for p, headers in requests))
            )

    with asyncio.Runner() as runner:
        yield lambda api, *requests: runner.run(send(api, requests))


def open_to_all() -> Tokens:
    return Tokens.of({}, default_project="default")


PATH = "/v1/agents/support/config"


def test_one_document_holds_what_an_agent_needs_to_assign_by_itself(get: Get) -> None:
    canary = release(2, state="canary", share=0.25, configuration=OTHER)
    (answer,) = get(ConfigApi(Source([release(1), canary]), open_to_all()), (PATH, {}))
    assert answer.json() == {
        "agent": "support",
        "assignment": {"unit": "conversation", "share": 0.25, "salt": "rel-2"},
        "current": {
            "release_id": "rel-1",
            "number": 1,
            "hash": FIRST.hash,
            "configuration": FIRST.model_dump(),
        },
        "canary": {
            "release_id": "rel-2",
            "number": 2,
            "hash": OTHER.hash,
            "configuration": OTHER.model_dump(),
        },
    }
    components = answer.json()["current"]["configuration"]["components"]
    assert list(components) == list(FIRST.components)  # their order is that of the prompt
    assert answer.headers["cache-control"] == f"private, max-age={TTL_S:.0f}"
    assert answer.headers["vary"] == "Authorization"


def test_an_unchanged_document_is_304_and_a_changed_one_has_another_tag(get: Get) -> None:
    clock, source = Clock(), Source()
    api = ConfigApi(source, open_to_all(), clock=clock)
    (first,) = get(api, (PATH, {}))
    known = {"If-None-Match": first.headers["etag"]}
    again, other, both = get(
        api,
        (PATH, known),
        (PATH, {"If-None-Match": '"another"'}),
        (PATH, {"If-None-Match": f'"another", W/{first.headers["etag"]}'}),
    )
    assert [r.status_code for r in (again, other, both)] == [304, 200, 304]
    assert (again.content, again.headers["etag"]) == (b"", first.headers["etag"])
    source.releases = [release(1), release(2, state="canary", share=0.1, configuration=OTHER)]
    clock.now = TTL_S
    (changed,) = get(api, (PATH, known))
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


def test_a_conversation_gets_one_release_and_its_tag_tells_which(get: Get) -> None:
    canary = release(2, state="canary", share=0.5, configuration=OTHER)
    api = ConfigApi(Source([release(1), canary]), open_to_all())
    ids = [f"conversation-{i}" for i in range(40)]
    answers = get(api, *((f"{PATH}?conversation={i}", {}) for i in ids))
    assert [a.json()["canary"] for a in answers] == [in_canary(i, "rel-2", 0.5) for i in ids]
    sides = {(a.json()["release_id"], a.json()["hash"], a.headers["etag"]) for a in answers}
    assert sorted(release_id for release_id, _, _ in sides) == ["rel-1", "rel-2"]


def test_a_crowd_asks_the_engine_once_and_again_only_after_a_while(get: Get) -> None:
    clock, source = Clock(), Source()
    api = ConfigApi(source, open_to_all(), clock=clock)
    get(api, *[(PATH, {})] * 50, *[("/v1/agents/unknown/config", {})] * 50)
    assert (source.marked, source.read) == (1, 1)
    clock.now = TTL_S
    get(api, *[(PATH, {})] * 50)
    assert (source.marked, source.read) == (2, 1)  # nothing changed: nothing is read


def test_while_the_engine_is_away_the_last_known_is_served(get: Get) -> None:
    clock, source = Clock(), Source(down=True)
    api = ConfigApi(source, open_to_all(), clock=clock)
    (refused,) = get(api, (PATH, {}))
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    source.down = False
    (known,) = get(api, (PATH, {}))
    source.down, clock.now = True, TTL_S
    (still,) = get(api, (PATH, {}))
    assert (known.status_code, still.content) == (200, known.content)


def test_an_agent_without_a_release_is_told_so_in_json(get: Get) -> None:
    (answer,) = get(ConfigApi(Source(), open_to_all()), ("/v1/agents/other/config", {}))
    assert answer.status_code == 404
    assert answer.json() == {
        "code": 5,
        "message": "no configuration is released for agent 'other'",
    }
    assert answer.headers["cache-control"] == "no-store"


def test_an_agents_name_may_hold_a_slash(get: Get) -> None:
    source = Source([release(1, agent="team/support agent")])
    (answer,) = get(
        ConfigApi(source, open_to_all()), ("/v1/agents/team%2Fsupport%20agent/config", {})
    )
    assert answer.json()["agent"] == "team/support agent"


def test_a_token_sees_the_agents_of_its_project_only(get: Get) -> None:
    tokens = Tokens.of({"one": "default", "two": "other"}, default_project="default")
    answers = get(
        ConfigApi(Source(), tokens),
        (PATH, {"Authorization": "Bearer one"}),
        (PATH, {"Authorization": "Bearer two"}),
        (PATH, {"Authorization": "Bearer three"}),
        (PATH, {}),
    )
    assert [a.status_code for a in answers] == [200, 404, 401, 401]


def test_a_configuration_under_test_is_looked_up_once_and_few_are_kept(get: Get) -> None:
    source = Source()
    api = ConfigApi(source, open_to_all())
    paths = [f"{PATH}?hash={i:032x}" for i in range(MAX_TESTED + 1)]
    (first,) = get(api, (paths[0], {}))
    assert first.json()["configuration"]["version"] == "0" * 32
    assert "immutable" in first.headers["cache-control"]
    get(api, (paths[0], {}))
    assert source.looked_up == 1
    get(api, *((path, {}) for path in paths[1:]))
    get(api, (paths[0], {}))  # the oldest had to go
    assert source.looked_up == 1 + MAX_TESTED + 1


@pytest.mark.parametrize("hash_", ["", "short", "X" * 32, "0" * 33])
def test_what_is_no_hash_is_404_without_asking_the_engine(get: Get, hash_: str) -> None:
    source = Source()
    (answer,) = get(ConfigApi(source, open_to_all()), (f"{PATH}?hash={hash_}", {}))
    assert (answer.status_code, answer.json()["code"]) == (404, 5)
    assert source.looked_up == 0


def test_that_no_configuration_has_a_hash_is_remembered_for_a_while(get: Get) -> None:
    clock, source = Clock(), Source(known=False)
    api = ConfigApi(source, open_to_all(), clock=clock)
    paths = [f"{PATH}?hash={i:032x}" for i in range(MAX_MISSED + 1)]
    crowd = get(api, *[(paths[0], {})] * 20)
    assert {a.status_code for a in crowd} == {404}
    assert source.looked_up == 1
    source.known, clock.now = True, MISSED_S
    (found,) = get(api, (paths[0], {}))
    assert (found.status_code, source.looked_up) == (200, 2)
    source.known = False
    get(api, *((path, {}) for path in paths))  # the first is known by now
    assert source.looked_up == 2 + MAX_MISSED
    get(api, *((path, {}) for path in paths[1:]))
    assert source.looked_up == 2 + MAX_MISSED  # as many as are remembered
    get(api, (f"{PATH}?hash={'f' * 32}", {}))
    get(api, (paths[1], {}))  # the oldest had to go
    assert source.looked_up == 2 + MAX_MISSED + 2


def test_a_look_up_does_not_hold_up_those_that_poll(get: Get) -> None:
    source = Source(held=threading.Event())  # the look-up ends once releases are read
    tested, polled = get(
        ConfigApi(source, open_to_all()), (f"{PATH}?hash={'0' * 32}", {}), (PATH, {})
    )
    assert (tested.status_code, polled.status_code) == (200, 200)
