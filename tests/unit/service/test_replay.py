"""Recorded OTLP is read completely or refused, and sent until it is taken."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanloop.processor.errors import PermanentError
from spanloop.receiver.record import encode_varint
from spanloop.service.replay import Request, RetryLater, read_requests, replay, to_json

TRACE_ID, SPAN_ID = bytes(range(16)), bytes(range(8))


def request_of(n: int = 1, name: str = "op") -> bytes:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for _ in range(n):
        scope.spans.add(trace_id=TRACE_ID, span_id=SPAN_ID, name=name, kind=3)
    return request.SerializeToString()


def write(path: Path, bodies: Iterable[bytes]) -> Path:
    content = b"".join(encode_varint(len(body)) + body for body in bodies)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("name", ["t.otlp", "t.otlp.gz", "t.bin"])
def test_delimited_messages_are_read_back(tmp_path: Path, name: str) -> None:
    bodies = [request_of(), b"", request_of(50)]
    read = list(read_requests(write(tmp_path / name, bodies), "traces"))
    assert [request.body for request in read] == bodies
    assert read[-1].offset == sum(len(encode_varint(len(b))) + len(b) for b in bodies)


@given(cut=st.integers(0, 200))
def test_a_file_cut_anywhere_is_refused_unless_between_messages(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    bodies = [request_of(3), request_of(4)]
    path = write(tmp_path_factory.mktemp("cut") / "t.otlp", bodies)
    whole = path.read_bytes()
    path.write_bytes(whole[:cut])
    ends = {0, len(whole) - len(bodies[1]) - len(encode_varint(len(bodies[1]))), len(whole)}
    if min(cut, len(whole)) in ends:
        assert len(list(read_requests(path, "traces"))) == sorted(ends).index(min(cut, len(whole)))
        return
    with pytest.raises(PermanentError, match="ends inside"):
        list(read_requests(path, "traces"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.otlp", b"\xff" * 20),
        ("t.otlp", b"\xff\xff\xff\xff\xff\x7f"),
        ("t.otlp.gz", b"not gzip"),
        ("t.otlp.gz", gzip.compress(b"\x01a" * 1000, mtime=0)[:-20]),
        ("t.otlp.gz", gzip.compress(b"\x01a" * 1000, mtime=0)[:20] + b"\xff" * 40),
        ("t.json", b"{"),
        ("t.json", b"[1]"),
        ("t.jsonl", b'{"a":"resourceSpans resourceLogs"}'),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(PermanentError):
        list(read_requests(path, "traces"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=r"cannot read .*none\.otlp"):
        list(read_requests(tmp_path / "none.otlp", "traces"))


def test_json_lines_tell_their_signal_by_the_top_level_key(tmp_path: Path) -> None:
    span = json.loads(to_json(Request("traces", request_of(), 0)))
    record = {"body": {"stringValue": 'the key "resourceSpans" as text'}}
    log = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    metric = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": '"resourceLogs"'}]}]}]}
    path = tmp_path / "all.jsonl"
    path.write_text("\n".join(["", *map(json.dumps, (span, log, metric)), ""]))
    read = list(read_requests(path, "traces"))
    assert [request.signal for request in read] == ["traces", "logs", "metrics"]
    assert read[0].body == request_of()
    assert read[-1].offset == path.stat().st_size


def test_json_carries_hex_ids_and_integer_enums() -> None:
    content = json.loads(to_json(Request("traces", request_of(), 0)))
    (span,) = content["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert (span["traceId"], span["spanId"], span["kind"]) == (TRACE_ID.hex(), SPAN_ID.hex(), 3)


def test_json_cannot_carry_invalid_text() -> None:
    body = request_of(name="abc").replace(b"abc", b"a\xffc")
    with pytest.raises(PermanentError, match="replay it as protobuf"):
        to_json(Request("traces", body, 0))


class ScriptedSender:
    """Takes each request after as many refusals as told; rejects one item of each."""

    def __init__(self, refusals: int = 0, error: Exception | None = None) -> None:
        self.refusals = refusals
        self.error = error
        self.taken: list[bytes] = []

    def send(self, request: Request) -> tuple[int, str]:
        if self.error is not None:
            raise self.error
        if self.refusals:
            self.refusals -= 1
            raise RetryLater("busy", 0.0)
        self.taken.append(request.body)
        return 1, "a reason"

    def close(self) -> None:
        pass


def test_every_request_is_sent_once_and_counted() -> None:
    sender = ScriptedSender(refusals=3)
    requests = [Request("traces", request_of(n), n) for n in range(1, 6)]
    seen: list[int] = []
    totals = replay(requests, sender, in_flight=1, on_sent=lambda r: seen.append(r.offset))
    assert sender.taken == [request.body for request in requests]
    assert seen == [1, 2, 3, 4, 5]
    assert (totals.requests, totals.items, totals.rejected, totals.retries) == (5, 15, 5, 3)
    assert totals.messages == {"a reason"}
    assert totals.n_bytes == sum(len(request.body) for request in requests)


def test_several_in_flight_send_all() -> None:
    sender = ScriptedSender(refusals=5)
    requests = [Request("traces", request_of(), n) for n in range(40)]
    totals = replay(requests, sender, in_flight=8)
    assert (totals.requests, totals.retries) == (40, 5)


def test_a_receiver_that_never_recovers_is_given_up() -> None:
    with pytest.raises(PermanentError, match=r"in 10 attempts: busy"):
        replay([Request("traces", request_of(), 0)], ScriptedSender(refusals=99))


def test_a_refusal_for_good_ends_the_replay() -> None:
    with pytest.raises(PermanentError, match="bad token"):
        replay(
            [Request("traces", request_of(), 0)], ScriptedSender(error=PermanentError("bad token"))
        )


def test_the_rate_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)
    replay([Request("traces", request_of(10), 0)] * 3, ScriptedSender(), items_per_s=5, in_flight=1)
    assert slept == [2.0, 4.0, 6.0]
