"""The one-file client against a server on a real port: whom it gives what, what it keeps and survives."""

from __future__ import annotations

import itertools
import json
import logging
import random
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from spanloop.client import Assigned, ConfigClient, Options, configuration_hash
from spanloop.client import position as position_of_client
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.releases.assignment import in_canary, position
from tests.conftest import REPOSITORY
from tests.support.config_server import ConfigServer, document, served

QUICK = Options(refresh_s=0.05, timeout_s=2.0)
DEFAULT = {"components": {"instructions": "As packaged."}}
MakeClient = Callable[..., ConfigClient]


@pytest.fixture
def server() -> Iterator[ConfigServer]:
    started = ConfigServer()
    yield started
    started.close()


@pytest.fixture
def make_client(server: ConfigServer) -> Iterator[MakeClient]:
    made: list[ConfigClient] = []

    def make(options: Options = QUICK, url: str = "", token: str | None = None) -> ConfigClient:
        made.append(ConfigClient(url or server.url, "support", token, DEFAULT, options))
        return made[-1]

    yield make
    for client in made:
        client.close()


def instructions(assigned: Assigned) -> str:
    return str(assigned.configuration["components"]["instructions"])


def wait_for(reached: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_it_takes_what_is_served_and_asks_again_with_the_tag(
    server: ConfigServer, make_client: MakeClient
) -> None:
    client = make_client(token="a-token-of-the-test")  # not a secret
    assigned = client.for_conversation("c-1")
    assert (assigned.release_id, instructions(assigned), assigned.canary) == (
        "rel-1",
        "Be brief.",
        False,
    )
    wait_for(lambda: len(server.seen) >= 3)
    paths, tokens, tags = zip(*server.seen[:3], strict=True)
    assert set(paths) == {"/v1/agents/support/config"}
    assert set(tokens) == {"Bearer a-token-of-the-test"}
    assert tags[0] is None
    assert tags[1] == tags[2] is not None


def test_who_gets_the_canary_is_what_the_server_says_too(
    server: ConfigServer, make_client: MakeClient
) -> None:
    server.document = document(served("rel-2", "Check first."), share=0.3)
    client = make_client()
    for i in range(300):
        assigned = client.for_conversation(f"c-{i}")
        assert assigned.canary == in_canary(f"c-{i}", "rel-2", 0.3)
        assert assigned.release_id == ("rel-2" if assigned.canary else "rel-1")
        assert client.for_conversation(f"c-{i}") == assigned


def test_positions_and_hashes_are_those_of_the_server() -> None:
    rng = random.Random(4)
    for _ in range(500):
        unit = "".join(chr(rng.choice((97, 48, 34, 92, 228, 0x4E00, 0x1F600))) for _ in "12345")
        assert position_of_client(unit, "rel-2") == position(unit, "rel-2")
        configuration = AgentConfiguration(
            components={"instructions": unit, "context.a": "é"},
            tools={"search": rng.random() < 0.5},
            parameters={"temperature": rng.random(), "max_steps": 8, "mode": "x", "strict": True},
            version=unit,
        )
        sent = json.loads(configuration.model_dump_json())
        assert configuration_hash(sent) == configuration.hash


def test_users_are_assigned_with_all_of_their_conversations_where_the_server_says_so(
    server: ConfigServer, make_client: MakeClient
) -> None:
    server.document = document(served("rel-2", "Check first."), share=0.5, unit="user")
    client = make_client()
    for i in range(40):
        sides = {client.for_conversation(f"c-{i}-{j}", f"user-{i}").canary for j in range(3)}
        assert sides == {in_canary(f"user-{i}", "rel-2", 0.5)}


def test_a_conversation_keeps_what_it_began_with_while_that_is_served(
    server: ConfigServer, make_client: MakeClient
) -> None:
    client = make_client()
    ids = [f"c-{i}" for i in range(50)]
    assert {client.for_conversation(i).release_id for i in ids} == {"rel-1"}
    server.document = document(served("rel-2", "Check first."), share=0.5)
    new = (f"new-{i}" for i in itertools.count())
    in_it: list[str] = []

    def one_more() -> bool:
        in_it[:] = [next(new)]
        return client.for_conversation(in_it[0]).canary

    wait_for(one_more)
    assert {client.for_conversation(i).release_id for i in ids} == {"rel-1"}
    server.document = document()  # rolled back
    wait_for(lambda: client.for_conversation(in_it[0]).release_id == "rel-1")


@pytest.mark.parametrize(
    "failure", ["error", "nonsense", "wrong shape", "redirect", "refused", "silent"]
)
def test_whatever_the_server_does_the_last_known_stays(
    server: ConfigServer, make_client: MakeClient, failure: str
) -> None:
    client = make_client(replace(QUICK, timeout_s=0.3))
    known = client.for_conversation("c-1")
    assert known.release_id == "rel-1"
    server.status = {"error": 500, "redirect": 302}.get(failure, 200)
    server.location = f"{server.url}/elsewhere"
    server.delay_s = 1.0 if failure == "silent" else 0.0
    server.document = {
        "nonsense": b"<html>",
        "wrong shape": {"current": {"release_id": "rel-9"}},
    }.get(failure, document(served("rel-2", "Check first."), share=1.0))
    if failure == "refused":
        server.close()
    else:
        seen = len(server.seen)
        wait_for(lambda: len(server.seen) > seen)
    time.sleep(0.2)
    begun = time.monotonic()
    assert client.for_conversation("c-1") == known
    assert client.for_conversation("c-2").release_id == "rel-1"
    assert time.monotonic() - begun < 0.1
    assert not any(path.startswith("/elsewhere") for path, _, _ in server.seen)


def test_without_an_answer_the_default_runs_after_one_time_out(
    server: ConfigServer, make_client: MakeClient
) -> None:
    server.delay_s = 5.0
    client = make_client(replace(QUICK, timeout_s=0.3))
    begun = time.monotonic()
    assert instructions(client.for_conversation("c-1")) == "As packaged."
    waited_s = time.monotonic() - begun
    for i in range(100):
        assert client.for_conversation(f"c-{i}").attributes == {}
    assert waited_s < 1.0
    assert time.monotonic() - begun < waited_s + 0.3


def test_an_agent_without_a_release_runs_under_its_default(
    server: ConfigServer, make_client: MakeClient
) -> None:
    server.document = None
    client = make_client()
    assigned = client.for_conversation("c-1")
    assert (assigned.release_id, assigned.hash) == ("", configuration_hash(DEFAULT))
    assert instructions(assigned) == "As packaged."


def test_what_was_known_survives_a_restart(
    server: ConfigServer, make_client: MakeClient, tmp_path: Path
) -> None:
    file = tmp_path / "configuration.json"
    options = replace(QUICK, cache_file=file)
    assert make_client(options).for_conversation("c-1").release_id == "rel-1"
    wait_for(file.is_file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    server.status = 503
    assert make_client(options).for_conversation("c-1").release_id == "rel-1"
    file.write_text("{broken")
    broken = make_client(replace(options, timeout_s=0.3))
    assert instructions(broken.for_conversation("c-1")) == "As packaged."


def test_a_cache_does_not_outlive_what_the_server_took_back(
    server: ConfigServer, make_client: MakeClient, tmp_path: Path
) -> None:
    file = tmp_path / "configuration.json"
    options = replace(QUICK, cache_file=file)
    first = make_client(options)
    assert first.for_conversation("c-1").release_id == "rel-1"
    wait_for(file.is_file)
    first.close()
    server.document = document()
    server.document["current"] = served("rel-2", "Check first.")
    server.delay_s = 0.2
    second = make_client(options)
    assert second.for_conversation("c-1").release_id == "rel-2"  # awaited, though rel-1 is kept
    server.document = None
    wait_for(lambda: second.for_conversation("c-1").release_id == "")
    wait_for(lambda: not file.exists())


def test_what_an_agent_does_to_its_configuration_touches_nobody_else(
    make_client: MakeClient,
) -> None:
    client = make_client()
    client.for_conversation("c-1").configuration["components"]["instructions"] = "Changed."
    assert instructions(client.for_conversation("c-1")) == "Be brief."


def test_many_threads_agree(server: ConfigServer, make_client: MakeClient) -> None:
    server.document = document(served("rel-2", "Check first."), share=0.5)
    client = make_client()
    answers: list[tuple[str, str]] = []

    def ask() -> None:
        for i in range(200):
            answers.append((f"c-{i}", client.for_conversation(f"c-{i}").release_id))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 1600
    assert len(set(answers)) == 200


def test_a_forked_worker_refreshes_by_itself(server: ConfigServer) -> None:
    program = f"""
import os, time
from spanloop.client import ConfigClient, Options
client = ConfigClient({server.url!r}, "support", options=Options(refresh_s=0.05))
assert client.for_conversation("c").release_id == "rel-1"
child = os.fork()
if child == 0:
    until = time.monotonic() + 10
    while client.for_conversation("c").configuration["components"]["instructions"] != "Changed.":
        if time.monotonic() > until:
            os._exit(1)
        time.sleep(0.02)
    os._exit(0)
client.close()
print("forked", flush=True)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    worker = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", program], stdout=subprocess.PIPE, text=True
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == "forked\n"
    changed = document()
    changed["current"] = served("rel-1", "Changed.")
    server.document = changed
    assert worker.wait(timeout=30) == 0
    worker.stdout.close()


def test_it_works_alone_without_opentelemetry(server: ConfigServer, tmp_path: Path) -> None:
    """Copied as one file, in a Python that has nothing installed."""
    copy = tmp_path / "spanloop_client.py"
    copy.write_text((REPOSITORY / "client" / "__init__.py").read_text())
    program = f"""
import spanloop_client as c
with c.ConfigClient({server.url!r}, "support").conversation("c-1") as assigned:
    print(assigned.release_id, c._baggage)
"""
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{program}",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout == "rel-1 None\n"


def test_a_wrong_address_is_said_at_once_and_not_repeated() -> None:
    for address in ("ftp://host", "host:4318", "http://user:hunter2@host"):
        with pytest.raises(ValueError, match="need an http") as refused:
            ConfigClient(address, "support")
        assert "hunter2" not in str(refused.value)


def test_the_token_is_in_no_log_line(
    server: ConfigServer, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    server.status = 500
    with caplog.at_level(logging.DEBUG, "spanloop.client"):
        make_client(replace(QUICK, timeout_s=0.2), token="a-token-of-the-test")  # not a secret
        wait_for(lambda: len(server.seen) >= 2)
        time.sleep(0.1)
    levels = [record.levelname for record in caplog.records]
    assert levels[0] == "WARNING"
    assert set(levels[1:]) <= {"DEBUG"}  # said once
    assert "a-token-of-the-test" not in caplog.text


class Traced:
    """A tracer whose spans are kept in memory."""

    def __init__(self, client: ConfigClient) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(client.span_processor())
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("agent")

    def turn(self, client: ConfigClient, conversation: str) -> Assigned:
        with client.conversation(conversation) as assigned:
            with self.tracer.start_as_current_span("turn"):
                self.tracer.start_span("chat").end()
            # An instrumentation may begin its root in an empty context.
            self.tracer.start_span("turn", context=context.Context()).end()
        return assigned

    def stamps(self) -> list[dict[str, object]]:
        finished: tuple[ReadableSpan, ...] = self.exporter.get_finished_spans()
        self.exporter.clear()
        return [dict(span.attributes or {}) for span in finished]


def test_spans_of_a_conversation_carry_its_release_and_others_none(
    make_client: MakeClient,
) -> None:
    client = make_client()
    traced = Traced(client)
    traced.turn(client, "c-1")
    with traced.tracer.start_as_current_span("outer"), client.conversation("c-2"):
        pass
    traced.tracer.start_span("other").end()
    release = {"spanloop.release.id": "rel-1"}
    assert traced.stamps() == [*[release] * 4, {}]
    traced.provider.shutdown()


def test_a_test_episode_runs_under_the_configuration_in_its_baggage(
    server: ConfigServer, make_client: MakeClient
) -> None:
    tested = AgentConfiguration(components={"instructions": "Under test."})
    server.tested[tested.hash] = tested
    client = make_client(replace(QUICK, accept_runs=True))
    traced = Traced(client)
    for wanted, ran, says in (
        (tested.hash, tested.hash, "Under test."),
        ("0" * 32, configuration_hash(DEFAULT), "As packaged."),  # unknown: the stamp says what ran
    ):
        carried = baggage.set_baggage("spanloop.run.id", "run-1")
        token = context.attach(baggage.set_baggage("spanloop.configuration", wanted, carried))
        assigned = traced.turn(client, "c-1")
        context.detach(token)
        assert (assigned.run_id, assigned.release_id, instructions(assigned)) == ("run-1", "", says)
        stamp = {"spanloop.run.id": "run-1", "spanloop.configuration": ran}
        assert traced.stamps() == [stamp] * 3
    asked = [path for path, _, _ in server.seen if "hash=" in path]
    assert asked == [f"/v1/agents/support/config?hash={h}" for h in (tested.hash, "0" * 32)]
    traced.provider.shutdown()


def test_baggage_of_strangers_changes_nothing(
    server: ConfigServer, make_client: MakeClient
) -> None:
    client = make_client()
    traced = Traced(client)
    carried = baggage.set_baggage("spanloop.run.id", "run-1")
    token = context.attach(baggage.set_baggage("spanloop.configuration", "0" * 32, carried))
    assert traced.turn(client, "c-1").release_id == "rel-1"
    traced.tracer.start_span("other").end()
    context.detach(token)
    release = {"spanloop.release.id": "rel-1"}
    assert traced.stamps() == [*[release] * 3, {}]
    assert not any("hash=" in path for path, _, _ in server.seen)
    traced.provider.shutdown()


def test_a_span_outside_a_conversation_carries_the_run_of_its_baggage(
    make_client: MakeClient,
) -> None:
    client = make_client(replace(QUICK, accept_runs=True))
    traced = Traced(client)
    remote = baggage.set_baggage(
        "spanloop.run.id", "run-1", trace.set_span_in_context(trace.INVALID_SPAN)
    )
    traced.tracer.start_span("other", context=baggage.set_baggage("user", "x", remote)).end()
    assert traced.stamps() == [{"spanloop.run.id": "run-1"}]
    traced.provider.shutdown()
